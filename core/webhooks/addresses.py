"""Where messages may go: never to an address inside, unless the settings say so.

The host is resolved once, and the connection goes to the very address that was checked here; a
name that resolves to something else a moment later (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# The special purposes of IANA's registries, written out, because what ipaddress calls global
# differs between versions of Python; and the address at which Azure answers for its own machines.
_REFUSED = [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
        "2001::/23",  # protocol assignments, Teredo
        "2001:db8::/32",
        "2002::/16",  # 6to4 wraps any address of version 4
        "3fff::/20",
    )
]
_UNICAST_6 = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Refused(Exception):
    """The host is, or resolves to, an address that messages may not go to."""


def check_url(url: str) -> None:
    """Raises ValidationError for a URL that no message may go to, whatever its host resolves to."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not url.isascii() or not url.isprintable() or " " in url:
        raise ValidationError(
            _("This is no complete address. Write it as https://host/path, in ASCII."), "url"
        )
    if parts.scheme not in ("https", "http"):
        raise ValidationError(_("The address must begin with https://."), "scheme")
    if parts.scheme == "http" and not settings.WEBHOOKS_ALLOW_HTTP:
        raise ValidationError(
            _("The address must begin with https://, so that nobody on the way can read along."),
            "scheme",
        )
    if parts.username is not None or parts.password is not None:
        raise ValidationError(_("The address must not contain a user or a password."), "userinfo")
    if parts.fragment:
        raise ValidationError(_("The address must not contain “#”."), "fragment")
    if port is not None and port not in (80, 443) and port < 1024:
        raise ValidationError(_("The port must be 443, 80 or above 1023."), "port")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return
    if is_refused(address):
        raise ValidationError(_("Messages may not go to private addresses."), "private")


def resolve(host: str, port: int) -> list[tuple[int, Any]]:
    """(family, socket address) of each address of `host`, all of them allowed.

    Raises Refused when one is not, OSError when the name is not known.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that is too long
        raise socket.gaierror(str(error)) from error
    for *_rest, where in found:
        if is_refused(ipaddress.ip_address(where[0])):
            raise Refused(f"{host} is {where[0]}")
    return [(family, where) for family, *_rest, where in found]


def is_refused(address: Address) -> bool:
    """Whether messages may not go to `address`."""
    plain = _unwrapped(address)
    if any(plain in network for network in settings.WEBHOOKS_ALLOW_PRIVATE):
        return False
    if plain.version == 6 and plain not in _UNICAST_6:
        return True
    return any(plain in network for network in _REFUSED)


def _unwrapped(address: Address) -> Address:
    """The address of version 4 inside one of version 6, where a gateway would unpack it."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
