"""The rows of a JSON array or of NDJSON, one after the other, however long the text is.

An object comes as the tuple of its (name, value) pairs, so that a name that stands in it twice is
seen; a list as a list; a number as a `Number`. What one row costs is bounded by its length: a text
of empty lists, a hundred times its size as objects, is never held whole.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from typing import IO, Any

from django.utils.translation import gettext as _

from core.errors import DomainError

MOST_OF_A_ROW = 64 * 1024  # characters
_WINDOW = 16 * MOST_OF_A_ROW
# The longest exponent that is written out; with a longer one no column can hold the number.
_MOST_EXPONENT = 3
_BLANK = re.compile(r"[ \t\r\n]*")


class BadRows(DomainError):
    """The text is no JSON, or no rows."""

    def __init__(self, message: str) -> None:
        super().__init__("parse_error", message)


class TooManyRows(DomainError):
    """There is a row after the last one that may be."""

    status = 413

    def __init__(self, most: int) -> None:
        message = _("At most %(count)d rows can be sent at once. Send them in parts.")
        super().__init__("too_many_rows", message % {"count": most})


class Number(str):
    """A JSON number as it was written, NaN and Infinity too: it never was a float."""

    __slots__ = ()


def _number(text: str) -> Number:
    """Without an exponent, as people write it; a number that is absurd stays as it is."""
    if "e" in text or "E" in text:
        exponent = text.lower().partition("e")[2].lstrip("+-")
        if len(exponent) <= _MOST_EXPONENT:
            return Number(f"{Decimal(text):f}")
    return Number(text)


_decode = json.JSONDecoder(
    object_pairs_hook=tuple, parse_int=Number, parse_float=_number, parse_constant=Number
).raw_decode


def lines(stream: IO[bytes], most: int) -> Iterator[str]:
    """The lines of NDJSON in UTF-8 that are not empty, at most `most`; `value_of` reads one.

    Raises BadRows where the text is none or has no rows, and when a packed one is damaged;
    TooManyRows after the row that is one too many.
    """
    return _counted(stream, _lines, most)


def values(stream: IO[bytes], most: int) -> Iterator[Any]:
    """The values of a JSON array. Raises as `lines`, and BadRows where it is no JSON."""
    return _counted(stream, _values, most)


def value_of(line: str, row: int) -> Any:
    """The value of one line of NDJSON. BadRows when it is not exactly one."""
    value, end = _value(line, _past_blanks(line, 0), row)
    if _past_blanks(line, end) < len(line):
        raise _broken(row)
    return value


def _counted(stream: IO[bytes], of: Callable[[IO[str]], Iterator[Any]], most: int) -> Iterator[Any]:
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="\n")
    number = 0
    try:
        for number, row in enumerate(of(text), start=1):
            if number > most:
                raise TooManyRows(most)
            yield row
    except UnicodeDecodeError as error:
        raise BadRows(_("The text is not UTF-8.")) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise damaged() from error
    finally:
        with suppress(ValueError):  # when the stream is closed already
            text.detach()  # else it would close the stream, which may be read again
    if not number:
        raise BadRows(_("There are no rows."))


def damaged() -> BadRows:
    """What is said of a packed text that cannot be unpacked."""
    return BadRows(_("The gzip data is damaged or was not sent whole."))


def _lines(text: IO[str]) -> Iterator[str]:
    row = 0
    while line := text.readline(MOST_OF_A_ROW + 1):
        if line[0] != "{" and _past_blanks(line, 0) == len(line):
            continue
        row += 1
        if len(line) > MOST_OF_A_ROW:
            raise _broken(row)
        yield line


def _values(text: IO[str]) -> Iterator[Any]:
    window = _Window(text)
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

    def __init__(self, text: IO[str]) -> None:
        self._text, self._ended = text, False
        self._piece, self._at = "", 0

    def _move(self) -> None:
        """Past blanks, and to a new piece where this one may end within the next value."""
        while True:
            self._at = _past_blanks(self._piece, self._at)
            if self._ended or len(self._piece) - self._at > MOST_OF_A_ROW:
                return
            more = self._text.read(_WINDOW)
            self._ended = not more
            self._piece, self._at = self._piece[self._at :] + more, 0

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


def _broken(row: int) -> BadRows:
    message = _("Row %(row)d is not valid JSON, or longer than %(most)d characters.")
    return BadRows(message % {"row": row, "most": MOST_OF_A_ROW})


def _no_array() -> BadRows:
    return BadRows(_("The body is not a JSON array of rows."))
