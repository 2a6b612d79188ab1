"""Bodies of many rows: a JSON array or NDJSON, as it is or packed with gzip.

A body goes to a temporary file as it comes and is read from there, so that a process holds no more
of a large one than of a small one.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from functools import partial
from tempfile import TemporaryFile
from typing import IO, Any, cast

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser

from core.api.parsing import TooLarge
from core.importing import json_rows

_CHUNK = 1 << 18


class Body:
    """What was received, with the size and the fingerprint of what it is unpacked."""

    def __init__(self, received: IO[bytes], *, lines: bool, is_gzip: bool) -> None:
        self.received, self.lines, self.is_gzip = received, lines, is_gzip
        digest, self.size = hashlib.sha256(), 0
        try:
            for chunk in iter(partial(self.unpacked().read, _CHUNK), b""):
                digest.update(chunk)
                self.size += len(chunk)
                if self.size > settings.IMPORT_MAX_BYTES:
                    raise _too_large()
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise json_rows.damaged() from error
        self.sha256 = digest.hexdigest()

    def unpacked(self) -> IO[bytes]:
        """The text, from its beginning. It may be asked for again."""
        self.received.seek(0)
        packed = gzip.GzipFile(fileobj=self.received, mode="rb") if self.is_gzip else self.received
        return cast("IO[bytes]", packed)


class BulkJSONParser(BaseParser):
    """A JSON array, as a Body."""

    media_type = "application/json"
    lines = False

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        encoding = parser_context["request"].headers.get("Content-Encoding", "identity")
        is_gzip = encoding.lower() in ("gzip", "x-gzip")
        if not is_gzip and encoding.lower() not in ("identity", ""):
            message = _("The content encoding “%(name)s” is not read; gzip is.")
            raise UnsupportedMediaType(encoding, message % {"name": encoding[:40]})
        received = TemporaryFile()  # noqa: SIM115  it lives as long as the request
        left = settings.IMPORT_MAX_BYTES
        while chunk := stream.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise _too_large()
            received.write(chunk)
        return Body(received, lines=self.lines, is_gzip=is_gzip)


class BulkLinesParser(BulkJSONParser):
    """NDJSON: a JSON value a line, as a Body. Empty lines do not count."""

    media_type = "application/x-ndjson"
    lines = True


def _too_large() -> TooLarge:
    message = _("The request is larger than %(count)d MB. Send the rows in parts.")
    return TooLarge(message % {"count": settings.IMPORT_MAX_BYTES // 1024**2})


def body_of(request: Any) -> Body:
    """What the parsers made of the request. ParseError when there is no body."""
    if not isinstance(request.data, Body):
        raise ParseError(_("There are no rows."))
    return request.data
