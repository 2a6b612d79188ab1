"""A receiver on this machine that answers as a test tells it to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Answer = Callable[[socket.socket], None]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def says(raw: bytes) -> Answer:
    """An answer of these bytes."""
    return lambda sock: sock.sendall(raw)


def status(code: int, *headers: str) -> Answer:
    """An answer without a body."""
    lines = [f"HTTP/1.1 {code} x", "Content-Length: 0", *headers, "", ""]
    return says("\r\n".join(lines).encode())


class Receiver:
    """`requests` are the bytes of each request, `most_at_once` the most that were open together."""

    def __init__(self, answer: Answer, wrap: Callable[[socket.socket], socket.socket]) -> None:
        self.answer, self._wrap = answer, wrap
        self.requests: list[bytes] = []
        self.most_at_once = self._open = 0
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/hook?a=b"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                sock, _peer = self._listening.accept()
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with self._lock:
            self._open += 1
            self.most_at_once = max(self.most_at_once, self._open)
        with suppress(OSError), self._wrap(sock) as plain:
            self.requests.append(_read(plain))
            self.answer(plain)
        with self._lock:
            self._open -= 1

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@contextmanager
def receiver(
    answer: Answer, wrap: Callable[[socket.socket], socket.socket] = lambda sock: sock
) -> Iterator[Receiver]:
    """A running receiver."""
    running = Receiver(answer, wrap)
    try:
        yield running
    finally:
        running.close()


def _read(sock: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += sock.recv(65536)
    head, _end, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        body += sock.recv(65536)
    return head + b"\r\n\r\n" + body
