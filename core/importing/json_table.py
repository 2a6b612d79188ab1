"""Rows of JSON as a table, which every loader can read.

Here a row only becomes cells, or is refused because its values are of no use as cells. What the
cells mean, the loader of the kind says.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import IO, Any, ClassVar, cast

from django.conf import settings
from django.db import models
from django.utils.translation import gettext as _

from core.importing import json_rows, registry
from core.importing.json_rows import Number
from core.importing.readers import INVISIBLE, Row, Table

_MOST_NAME = 100
_MOST_UNKNOWN = 10  # a row can name thousands
_LAYOUTS = 256  # that are remembered

Problems = Sequence[tuple[str, str]]
"""(field, reason why its value cannot be used)."""


def numbers_of(importer: registry.Importer) -> set[str]:
    """The fields that may be given as JSON numbers."""
    names = {field.name for field in importer.fields} - importer.lookups.keys()
    return {name for name in names if isinstance(importer.column(name), models.DecimalField)}


def always_of(importer: registry.Importer) -> set[str]:
    """The fields that mean something also where a row does not name them. Any other is named by
    every row or by none."""
    needed = {field.name for field in importer.fields if field.required}
    return needed | set(importer.key) | importer.defaults.keys()


def _utf8(text: str) -> str:
    """The text with a question mark for what UTF-8 cannot say: halves of surrogate pairs."""
    return text.encode("utf-8", "replace").decode()


def _is_plain(cells: list[str]) -> bool:
    """Whether there is text, and no NUL, nothing invisible and no half of a surrogate pair in it:
    these cannot be printed."""
    text = "".join(cells)
    return text != "" and text.isprintable()


def _picker(places: list[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """Like itemgetter, but what it picks is a tuple also of one."""
    if len(places) == 1:
        return lambda row: (row[places[0]],)
    return itemgetter(*places)


class _Layout:
    """One way of naming the fields of a row, with values of one type each: most rows of a request
    are alike.

    `pick` takes the cells out of the values and, behind them, the `tail` of a Cells. `pattern` is
    that of a line of NDJSON which says all this without an escape: it need not be decoded.
    """

    _VALUES: ClassVar[dict[type, str]] = {
        str: r'"([^"\\]*)"',
        Number: r"(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?)",
        type(None): "null",
    }

    def __init__(self, header: list[str], names: Sequence[str], types: Sequence[type]) -> None:
        given = [name for name, kind in zip(names, types, strict=True) if kind is not type(None)]
        self.pick = _picker(
            [
                given.index(name) if name in given else len(given) + place
                for place, name in enumerate(header)
            ]
        )
        fields = [
            f'"{re.escape(name)}": ?{self._VALUES[kind]}'
            for name, kind in zip(names, types, strict=True)
        ]
        self.pattern = re.compile(r"\{" + ", ?".join(fields) + r"\}\r?\n?")


class Cells:
    """Rows → cells: those of the fields that always mean something or that the first row names."""

    def __init__(self, importer: registry.Importer, first: Any) -> None:
        named = dict(first) if type(first) is tuple else {}
        always = always_of(importer)
        self.fields = [one.name for one in importer.fields]
        self.header = [name for name in self.fields if name in always or name in named]
        self._numbers = numbers_of(importer)
        self._defaults = importer.defaults
        self._tail = tuple(importer.defaults.get(name, "") for name in self.header)
        self._optional = {name for name in self.header if name not in always}
        self._layout_of = lru_cache(_LAYOUTS)(self._find_layout)
        self._layout: _Layout | None = None  # of the row before

    def read_line(self, line: str, number: int) -> tuple[list[str], Problems]:
        """The cells of the row in a line of NDJSON, and what is wrong with it. Raises BadRows."""
        if self._layout and (found := self._layout.pattern.fullmatch(line)):
            cells = list(self._layout.pick(found.groups() + self._tail))
            if _is_plain(cells):
                return cells, ()
        return self.read(json_rows.value_of(line, number))

    def read(self, value: Any) -> tuple[list[str], Problems]:
        """The same of a value as `json_rows` has it."""
        if type(value) is tuple and value:
            names, values = zip(*value, strict=True)
            self._layout = self._layout_of(names, tuple(map(type, values)))
            if self._layout:
                given = tuple(one for one in values if one is not None)
                cells = list(self._layout.pick(given + self._tail))
                if _is_plain(cells):
                    return cells, ()
        return self._read_slowly(value)

    def _find_layout(self, names: tuple[str, ...], types: tuple[type, ...]) -> _Layout | None:
        """None for rows that have to be looked at more closely."""
        named = set(names)
        if len(named) < len(names) or not self._optional <= named <= set(self.header):
            return None
        for name, kind in zip(names, types, strict=True):
            if kind not in (str, type(None)) and not (kind is Number and name in self._numbers):
                return None
        return _Layout(self.header, names, types)

    def _read_slowly(self, value: Any) -> tuple[list[str], Problems]:
        if type(value) is not tuple:
            return [""] * len(self.header), [("", _("The row is not an object with fields."))]
        problems: list[tuple[str, str]] = []
        named: dict[str, Any] = dict(value)
        if len(named) < len(value):
            problems.append(("", _("The row names a field twice.")))
        unknown = [name for name in named if name not in self.fields]
        for name in unknown[:_MOST_UNKNOWN]:
            problems.append((_utf8(name)[:_MOST_NAME], _("There is no such field.")))
        for name in self.fields:
            if name in named and name not in self.header:
                problems.append((name, _("The first row does not name this field.")))
        for name in self.header:
            if name in self._optional and name not in named:
                reason = _("The first row names this field. Give it in each row; null empties it.")
                problems.append((name, reason))
        cells = [self._cell(name, named.get(name), problems) for name in self.header]
        if not any(cells):
            problems.append(("", _("The row is empty.")))
        return cells, problems

    def _cell(self, name: str, value: Any, problems: list[tuple[str, str]]) -> str:
        """The text of one value; what is wrong with it goes to `problems`."""
        if value is None:
            return self._defaults.get(name, "")
        number = name in self._numbers
        if type(value) is Number and number:
            return value
        if type(value) is not str:
            wanted = _("Not a number or a string.") if number else _("Not a string.")
            problems.append((name, wanted))
            return ""
        if "\0" in value:
            problems.append((name, _("The text contains a NUL character.")))
        if (clean := _utf8(value)) != value:
            problems.append((name, _("The text contains half of a surrogate pair.")))
        return INVISIBLE.sub("", clean)


class Records(Table):
    """The rows of a body as a table whose columns are fields: NDJSON (`lines`) or an array, at most
    `most`. Row 1 is the first: there is no header.

    `keys`, if it is given, is filled with the cells of the key of each row, refused or not. Raises
    BadRows and TooManyRows as `json_rows` has them, here or while the rows are read.
    """

    def __init__(
        self,
        importer: registry.Importer,
        stream: IO[bytes],
        *,
        lines: bool,
        most: int,
        keys: list[tuple[str, ...]] | None = None,
    ) -> None:
        given = json_rows.lines(stream, most) if lines else json_rows.values(stream, most)
        first = next(given)  # there always is one, or BadRows
        self._reader = Cells(importer, json_rows.value_of(first, 1) if lines else first)
        super().__init__(Path(), self._reader.header, is_sheet=False)
        self._given, self._lines = chain([first], given), lines
        self._keys = keys
        self._key = _picker([self.header.index(name) for name in importer.key])

    def rows(self) -> Iterator[Row]:
        """Once only."""
        reader = self._reader
        for number, one in enumerate(self._given, start=1):
            cells, problems = reader.read_line(one, number) if self._lines else reader.read(one)
            if self._keys is not None:
                self._keys.append(self._key(cells))
            if not problems:
                yield number, cells
                continue
            self.refused += 1
            for field, reason in problems:
                self.refuse(number, cells, field, reason)  # type: ignore[misc]

    def plain_bytes(self) -> IO[bytes] | None:
        return None


class JsonFile(Records):
    """The body of a request that was kept as it came, packed or not."""

    def __init__(
        self, importer: registry.Importer, path: Path, *, lines: bool, is_gzip: bool
    ) -> None:
        self._size = path.stat().st_size
        self._raw = path.open("rb")
        stream = gzip.GzipFile(fileobj=self._raw, mode="rb") if is_gzip else self._raw
        most = settings.BULK_MAX_ROWS
        try:
            super().__init__(importer, cast("IO[bytes]", stream), lines=lines, most=most)
        except BaseException:
            self._raw.close()
            raise

    def rows(self) -> Iterator[Row]:
        with self._raw:
            yield from super().rows()

    def expected_rows(self, read: int) -> int | None:
        if self._raw.closed:
            return read
        return read * self._size // max(1, self._raw.tell())
