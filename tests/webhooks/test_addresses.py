"""Where messages may go."""

import socket
from ipaddress import ip_address, ip_network

import pytest
from django.core.exceptions import ValidationError

from core.webhooks import addresses

REFUSED = """
    0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.254 168.63.129.16
    169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.192 192.0.2.1 192.168.1.1 198.18.0.1
    198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
    :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.1.2.3 64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1::1
    fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1 100::1 2001::1 2001:db8::1
    2002:7f00:1:: 3fff::1 4000::1
"""
ALLOWED = """
    1.1.1.1 8.8.8.8 11.0.0.1 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.169.0.1
    223.255.255.255 2606:4700:4700::1111 2a00:1450:4001::1 ::ffff:8.8.8.8 64:ff9b::808:808
"""


@pytest.mark.parametrize("text", REFUSED.split())
def test_addresses_inside_are_refused(text):
    assert addresses.is_refused(ip_address(text))


@pytest.mark.parametrize("text", ALLOWED.split())
def test_public_addresses_are_allowed(text):
    assert not addresses.is_refused(ip_address(text))


def test_settings_allow_networks_inside_and_no_others(settings):
    settings.WEBHOOKS_ALLOW_PRIVATE = [ip_network("10.20.0.0/16")]
    verdicts = [addresses.is_refused(ip_address(text)) for text in ("10.20.3.4", "10.21.0.1")]
    assert verdicts == [False, True]
    assert not addresses.is_refused(ip_address("::ffff:10.20.3.4"))


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://erp.example.com/hook?x=1", None),
        ("https://erp.example.com:8443", None),
        ("https://erp.example.com:80", None),
        ("https://[2606:4700:4700::1111]/", None),
        ("http://erp.example.com/", "scheme"),
        ("ftp://erp.example.com/", "scheme"),
        ("file:///etc/passwd", "url"),
        ("https://", "url"),
        ("erp.example.com", "url"),
        ("https://erp.example.com:99999/", "url"),
        ("https://erp.example.com/a b", "url"),
        ("https://erp.example.com/\r\nX: y", "url"),
        ("https://订单.example.com/", "url"),
        ("https://[::1", "url"),
        ("https://user:secret@erp.example.com/", "userinfo"),
        ("https://@erp.example.com/", "userinfo"),
        ("https://erp.example.com/#part", "fragment"),
        ("https://erp.example.com:22/", "port"),
        ("https://erp.example.com:0/", "port"),
        ("https://127.0.0.1/", "private"),
        ("https://[::ffff:169.254.169.254]/", "private"),
    ],
)
def test_an_address_that_is_typed_is_checked(url, code):
    try:
        addresses.check_url(url)
        found = None
    except ValidationError as error:
        found = error.code
    assert found == code


@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f.1", "127.1", "0"])
def test_a_name_that_leads_inside_is_refused(host):
    with pytest.raises(addresses.Refused):
        addresses.resolve(host, 443)


def test_one_address_inside_among_public_ones_is_enough_to_refuse(monkeypatch):
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, 443)) for text in ("8.8.8.8", "10.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
    with pytest.raises(addresses.Refused):
        addresses.resolve("mixed.example.com", 443)


def test_a_name_that_cannot_be_one_is_unknown():
    with pytest.raises(socket.gaierror):
        addresses.resolve("a" * 70 + ".example.com", 443)
