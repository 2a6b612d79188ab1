"""One HTTP request to an endpoint: no database, no redirects, an end to everything.

The standard library's client on a socket of our own, because the connection must go to the address
that was checked while TLS asks for the name, and because the time must run out as a whole: a peer
that sends a byte a second never makes a read time out.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ValidationError

from core.webhooks import addresses
from core.webhooks.models import WebhookDelivery

CONNECT_SECONDS = 5
TOTAL_SECONDS = 15
RESPONSE_BYTES = 1024
Error = WebhookDelivery.Error


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt. `error` is empty for a success; `detail` is for technicians."""

    error: str
    status: int | None = None
    detail: str = ""
    response: str = ""
    retry_after: str = ""
    milliseconds: int = 0


def post(
    url: str, headers: Mapping[str, str], body: bytes, seconds: float = TOTAL_SECONDS
) -> Outcome:
    """Send `body`, wait at most `seconds` in all (and for the resolver); raises nothing."""
    began = time.monotonic()
    try:
        told = _exchange(urlsplit(url), url, headers, body, began + seconds)
    except (addresses.Refused, ValidationError) as error:
        told = {"error": Error.ADDRESS, "detail": _words(error)}
    except socket.gaierror as error:
        told = {"error": Error.NAME, "detail": _words(error)}
    except TimeoutError as error:
        told = {"error": Error.TIMEOUT, "detail": _words(error)}
    except ssl.SSLError as error:
        told = {"error": Error.TLS, "detail": _words(error)}
    except Exception as error:  # whatever a peer may bring about costs this message only
        told = {"error": Error.CONNECTION, "detail": _words(error)}
    return Outcome(milliseconds=round((time.monotonic() - began) * 1000), **told)


def _exchange(
    parts: SplitResult, url: str, headers: Mapping[str, str], body: bytes, deadline: float
) -> dict[str, Any]:
    addresses.check_url(url)  # the settings may have become stricter since it was typed
    host = parts.hostname or ""
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    found = addresses.resolve(host, port)
    sock = _connect(found, deadline)
    try:
        if secure:
            sock.settimeout(_left(deadline))
            sock = _tls().wrap_socket(sock, server_hostname=host)
        connection = http.client.HTTPConnection(host, port)
        connection.sock = _Timed(sock, deadline)
        target = parts._replace(scheme="", netloc="", path=parts.path or "/").geturl()
        connection.request("POST", target, body, {"Host": parts.netloc, **headers})
        response = connection.getresponse()
        return {
            "status": response.status,
            "error": _judge(response.status),
            "response": _beginning(response),
            "retry_after": response.headers.get("Retry-After", ""),
        }
    finally:
        sock.close()


def _judge(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if status == 410:
        return Error.GONE
    return Error.REDIRECT if 300 <= status < 400 else Error.STATUS


def _beginning(response: http.client.HTTPResponse) -> str:
    """The first bytes of the answer. The status has been given: what follows changes nothing."""
    try:
        start = response.read(RESPONSE_BYTES)
    except http.client.IncompleteRead as error:
        start = error.partial
    except (OSError, http.client.HTTPException, ValueError):
        start = b""
    return start.decode(errors="replace").replace("\x00", "\ufffd")


def _connect(found: list[tuple[int, Any]], deadline: float) -> socket.socket:
    """A connection to the first address that answers."""
    failed: OSError = socket.gaierror("no address")
    for family, where in found:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(min(CONNECT_SECONDS, _left(deadline)))
            sock.connect(where)
            return sock
        except OSError as error:
            sock.close()
            failed = error
    raise failed


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time is up")
    return left


class _Timed(io.RawIOBase):
    """A socket, as http.client uses it, whose time runs out at one moment for all it does."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline

    def sendall(self, data: Any) -> None:
        self._sock.settimeout(_left(self._deadline))
        self._sock.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_left(self._deadline))
        return self._sock.recv_into(buffer)


@cache
def _tls() -> ssl.SSLContext:
    """What this machine trusts (SSL_CERT_FILE names another file of authorities)."""
    return ssl.create_default_context()


def _words(error: Exception) -> str:
    text = error.messages[0] if isinstance(error, ValidationError) else str(error)
    return (text or type(error).__name__).replace("\x00", "")[:300]
