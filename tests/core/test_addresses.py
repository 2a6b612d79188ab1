"""Whose a request is, and whether it lies within some networks."""

import pytest
from django.test import RequestFactory

from core.addresses import client_address, is_within, network


@pytest.mark.parametrize(
    ("proxies", "forwarded", "found"),
    [
        (0, "203.0.113.9", "10.0.0.1"),  # anybody can send the header
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9", "198.51.100.1"),
        (2, "203.0.113.9", ""),  # it did not come through both
        (1, "", ""),
        (1, "nonsense", ""),
        (1, "2001:DB8::1", "2001:db8::1"),
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
    ],
)
def test_only_proxies_that_are_counted_are_believed(settings, proxies, forwarded, found):
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request) == found


def test_a_request_through_a_socket_has_no_address():
    assert client_address(RequestFactory().get("/", REMOTE_ADDR="")) == ""


def test_networks_are_stored_in_one_form():
    assert network(" 10.1.2.3/8 ") == "10.0.0.0/8"
    assert network("203.0.113.7") == "203.0.113.7/32"
    assert network("2001:DB8::1/48") == "2001:db8::/48"
    for text in ("", "10.0.0.0/33", "10.0.0", "example.com"):
        with pytest.raises(ValueError):
            network(text)


def test_an_address_lies_in_networks_of_its_own_version():
    networks = ["10.0.0.0/8", "2001:db8::/48"]
    assert is_within("10.9.9.9", networks)
    assert is_within("2001:db8::5", networks)
    assert not is_within("11.0.0.1", networks)
    assert not is_within("::a00:1", networks)
    assert not is_within("", networks)
