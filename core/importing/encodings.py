"""Which encoding a text file is in, by looking at its bytes."""

from __future__ import annotations

import codecs
from typing import IO

from django.utils.translation import gettext as _

from core.errors import DomainError

_BOMS = [
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
_CHUNK = 1 << 20
_BINARY = frozenset(range(32)) - {9, 10, 12, 13, 26}


def detect(stream: IO[bytes]) -> str:
    """The Python codec name of the text in `stream`, read from its present position to the end.

    A mark at the beginning decides; else UTF-16 by its zero bytes, else UTF-8 if every byte fits,
    else GB18030 if every byte fits. Raises DomainError `not_text` or `unknown_encoding`.
    """
    start = stream.tell()
    head = stream.read(_CHUNK)
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name
    if b"\0" in head[:4096] and (wide := _utf16(head[:4096])):
        return wide
    if sum(byte in _BINARY for byte in head[:4096]) > len(head[:4096]) // 20:
        raise DomainError("not_text", _("This is not a text file. Export it as CSV or XLSX."))
    for name in ("utf-8", "gb18030"):
        stream.seek(start)
        if _fits(stream, name):
            return name
    raise DomainError(
        "unknown_encoding",
        _("The text is neither UTF-8 nor GB18030. Save it as UTF-8, or say its encoding."),
    )


def check(name: str) -> str:
    """The codec's own name for `name`. Raises DomainError `unknown_encoding`."""
    try:
        return codecs.lookup(name).name
    except LookupError as error:
        raise DomainError("unknown_encoding", _("There is no encoding “%s”.") % name) from error


def _utf16(head: bytes) -> str | None:
    """Without a mark: text in Latin letters has a zero in every second byte, and only there."""
    half = len(head) // 2
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > half * 0.4 and even < half * 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > half * 0.4 and odd < half * 0.1 else None


def _fits(stream: IO[bytes], name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)()
    try:
        while chunk := stream.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True
