"""Many rows in one request: a JSON array or NDJSON, as it is or packed with gzip.

The parsers only read the body, so that its fingerprint is known before its rows cost anything;
`Body.values` takes it apart. What one value costs is bounded by its length, what all cost by the
number of rows: a body of empty lists, a hundred times its size as objects, is never held whole.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError, UnsupportedMediaType, ValidationError
from rest_framework.parsers import BaseParser

from core.api.parsing import TooLarge
from core.importing.records import Number, Repeated

MOST_ROWS = 50_000
MOST_BYTES = 32 * 1024**2  # of the body, packed or not
MOST_OF_A_ROW = 64 * 1024  # characters
_WINDOW = 16 * MOST_OF_A_ROW
_BLANK = re.compile(r"[ \t\r\n]*")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else Repeated(fields)


_decode = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=Number, parse_float=Number, parse_constant=Number
).raw_decode


class Body:
    """The text of a request, unpacked, and how its values are told apart."""

    def __init__(self, raw: bytes, *, lines: bool) -> None:
        self.sha256 = hashlib.sha256(raw).hexdigest()
        self._lines = lines
        try:
            self._text = raw.decode()
        except UnicodeDecodeError as error:
            raise ParseError(_("The text is not UTF-8.")) from error

    def values(self) -> Iterator[Any]:
        """Each value; numbers are `Number`s. Raises ParseError where the text is no JSON or has no
        rows, TooLarge after the row that is one too many."""
        row = 0
        for row, value in enumerate(self._of_lines() if self._lines else self._of_array(), start=1):
            if row > MOST_ROWS:
                message = _("At most %(count)d rows can be sent at once. Send them in parts.")
                raise TooLarge(message % {"count": MOST_ROWS}, "too_many_rows")
            yield value
        if not row:
            raise ParseError(_("There are no rows."))

    def _of_lines(self) -> Iterator[Any]:
        row = 0
        for line in io.StringIO(self._text, newline="\n"):
            start = _past_blanks(line, 0)
            if start == len(line):
                continue
            row += 1
            if len(line) > MOST_OF_A_ROW:
                raise _broken(row)
            value, end = _value(line, start, row)
            if _past_blanks(line, end) < len(line):
                raise _broken(row)
            yield value

    def _of_array(self) -> Iterator[Any]:
        window = _Window(self._text)
        if not window.takes("["):
            raise _no_array()
        row = 0
        while row or not window.takes("]"):
            row += 1
            yield window.value(row)
            if window.takes("]"):
                break
            if not window.takes(","):
                raise _broken(row)
        if not window.at_the_end():
            raise _no_array()


class _Window:
    """A text that is read value by value. The decoder sees a piece of it, so that it cannot make
    objects of more than that."""

    def __init__(self, text: str) -> None:
        self._text, self._start = text, 0
        self._piece, self._at = text[:_WINDOW], 0

    def _move(self) -> None:
        """Past blanks, and to a new piece where this one may end within the next value."""
        while True:
            self._at = _past_blanks(self._piece, self._at)
            left = len(self._piece) - self._at
            more = self._start + len(self._piece) < len(self._text)
            if left > MOST_OF_A_ROW or not more:
                return
            self._start += self._at
            self._piece, self._at = self._text[self._start : self._start + _WINDOW], 0

    def takes(self, sign: str) -> bool:
        """Whether `sign` comes next; then it is behind us."""
        self._move()
        found = self._piece.startswith(sign, self._at)
        self._at += found
        return found

    def value(self, row: int) -> Any:
        self._move()
        value, self._at = _value(self._piece, self._at, row)
        return value

    def at_the_end(self) -> bool:
        self._move()
        return self._at == len(self._piece)


def _past_blanks(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _value(text: str, start: int, row: int) -> tuple[Any, int]:
    try:
        value, end = _decode(text, start)
    except (ValueError, RecursionError) as error:
        raise _broken(row) from error
    if end - start > MOST_OF_A_ROW:
        raise _broken(row)
    return value, end


def _broken(row: int) -> ParseError:
    message = _("Row %(row)d is not valid JSON, or longer than %(most)d characters.")
    return ParseError(message % {"row": row, "most": MOST_OF_A_ROW})


def _no_array() -> ParseError:
    return ParseError(_("The body is not a JSON array of rows."))


class BulkJSONParser(BaseParser):
    """A JSON array, as a Body."""

    media_type = "application/json"
    lines = False

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        raw = stream.read(MOST_BYTES + 1)
        encoding = parser_context["request"].headers.get("Content-Encoding", "identity")
        if encoding.lower() in ("gzip", "x-gzip"):
            raw = _unpacked(raw)
        elif encoding.lower() not in ("identity", ""):
            message = _("The content encoding “%(name)s” is not read; gzip is.")
            raise UnsupportedMediaType(encoding, message % {"name": encoding[:40]})
        if len(raw) > MOST_BYTES:
            raise _too_large()
        return Body(raw, lines=self.lines)


class BulkLinesParser(BulkJSONParser):
    """NDJSON: a JSON value a line, as a Body. Empty lines do not count."""

    media_type = "application/x-ndjson"
    lines = True


def _unpacked(raw: bytes) -> bytes:
    """At most one byte more than a body may have, however much there is in it."""
    if len(raw) > MOST_BYTES:
        raise _too_large()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as packed:
            return packed.read(MOST_BYTES + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise ParseError(_("The gzip data is damaged or was not sent whole.")) from error


def _too_large() -> TooLarge:
    message = _("The request is larger than %(count)d MB. Send the rows in parts.")
    return TooLarge(message % {"count": MOST_BYTES // 1024**2})


def body_of(request: Any) -> Body:
    """What the parsers made of the request. ParseError when there is no body."""
    if not isinstance(request.data, Body):
        raise ParseError(_("There are no rows."))
    return request.data


def flags_of(request: Any, choices: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The parameters of the address, {name: one of its choices}; the first one by default.

    Anything else is refused: a misspelt `dry_run` must not write.
    """
    for name in request.query_params:
        if name not in choices:
            message = _("There is no such parameter.")
            raise ValidationError({name[:100]: [message]}, "unknown_parameter")
    found = {}
    for name, words in choices.items():
        given = request.query_params.getlist(name) or [words[0]]
        if len(given) > 1 or given[0] not in words:
            message = _("Give one of: %(words)s.") % {"words": ", ".join(words)}
            raise ValidationError({name: [message]}, "invalid_choice")
        found[name] = given[0]
    return found
