"""Network addresses: whose a request is, and whether it lies within some networks."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The IP address that a request comes from; "" where it cannot be told.

    Behind `settings.TRUSTED_PROXIES` proxies, each of which adds the address it was called from to
    X-Forwarded-For, it is the entry that the outermost of them wrote: what stands before it came
    with the request. Without proxies the header is not looked at.
    """
    text = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES:
        entries = request.headers.get("X-Forwarded-For", "").split(",")
        known = len(entries) >= settings.TRUSTED_PROXIES
        text = entries[-settings.TRUSTED_PROXIES].strip() if known else ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    # A socket for both versions tells of IPv4 as ::ffff:10.0.0.1.
    return str(getattr(address, "ipv4_mapped", None) or address)


def network(text: str) -> str:
    """An address or network in CIDR notation as it is stored: "10.1.2.3/8" is "10.0.0.0/8".

    ValueError when it is neither IPv4 nor IPv6.
    """
    return str(ipaddress.ip_network(text.strip(), strict=False))


def is_within(address: str, networks: Iterable[str]) -> bool:
    """Whether `address` lies in one of the networks; an unknown address ("") in none."""
    if not address:
        return False
    found = ipaddress.ip_address(address)
    return any(found in ipaddress.ip_network(one) for one in networks)
