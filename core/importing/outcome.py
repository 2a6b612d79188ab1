"""What an import was asked to do, and what came of it."""

from __future__ import annotations

import csv
import io
from array import array
from bisect import insort
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

from django.utils.translation import gettext as _

from core.importing import errorfile
from core.importing.mapping import Expression
from core.importing.models import Import
from core.importing.readers import Table

SHOWN = 50


@dataclass(frozen=True)
class Reject:
    """Why a row was refused."""

    row: int
    field: str
    reason: str


class Rejects:
    """The error file, written as rejects are found and put in order of the rows at the end.

    Its columns are the user's own, then row, fields and reasons, so that it can be corrected and
    loaded again (core.importing.errorfile). UTF-8 with a mark, because Excel needs it. Numbers of
    rows come in as the table counts them and go out, also to those who write them into a reason, as
    the user's file has them.
    """

    def __init__(self, path: Path, header: Sequence[str], row_scale: int = 1) -> None:
        self.path, self.header, self._row_scale = path, list(header), row_scale
        self.rows = 0
        self.first: list[Reject] = []  # of the file, to be shown
        self._stream: IO[bytes] | None = None
        self._cells: Sequence[str] = ()
        self._problems: list[tuple[str, str]] = []  # of the last row, which is not yet written
        # A file of millions may be refused whole: row and place of each, eight bytes each.
        self._numbers, self._places = array("q"), array("q")

    def add(self, row: int, cells: Sequence[str], field: str, reason: str) -> None:
        """One reason; several reasons of a row are added one after the other."""
        insort(self.first, Reject(self.file_row(row), field, reason), key=lambda one: one.row)
        del self.first[SHOWN:]
        if not self._problems or row != self._numbers[-1]:
            self._write()
            self.rows += 1
            self._numbers.append(row)
            self._cells, self._problems = cells, []
        self._problems.append((field, reason))

    def file_row(self, row: int) -> int:
        """The row of the user's file that a number of `Table.rows` stands for."""
        return row // self._row_scale

    def close(self) -> Path | None:
        """The finished file; None when nothing was rejected."""
        self._write()
        if self._stream is None:
            return None
        self._places.append(self._stream.tell())
        self._stream.close()
        if any(earlier > later for earlier, later in pairwise(self._numbers)):
            self._sort()
        return self.path

    def _write(self) -> None:
        """The line of the last row, whose reasons are all known now."""
        if not self._problems:
            return
        width = len(self.header)
        kept = [*self._cells[:width], *[""] * (width - len(self._cells))]
        stream = self._opened()
        self._places.append(stream.tell())
        place = errorfile.place_of(self._numbers[-1], self._row_scale)
        surplus = self._cells[width:]
        stream.write(_line([*kept, place, *errorfile.joined(self._problems), *surplus]))
        self._problems = []

    def _opened(self) -> IO[bytes]:
        if self._stream is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self.path.open("wb")
            self._stream.write(BOM_UTF8 + _line([*self.header, *errorfile.names()]))
        return self._stream

    def _sort(self) -> None:
        places, ordered = self._places, self.path.with_suffix(".sorted")
        with self.path.open("rb") as found, ordered.open("wb") as stream:
            stream.write(found.read(places[0]))
            for i in sorted(range(len(self._numbers)), key=self._numbers.__getitem__):
                found.seek(places[i])
                stream.write(found.read(places[i + 1] - places[i]))
        ordered.replace(self.path)


def _line(cells: Sequence[Any]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue().encode("utf-8", "replace")


def too_many_cells(surplus: Sequence[str]) -> str:
    """Why a row is refused that goes on behind the last column."""
    told = ", ".join(cell for cell in surplus if cell)[:60]
    return _("The row has more cells than the header has columns: %s.") % told


@dataclass(frozen=True)
class Replace:
    """What a file takes the place of: the rows of its sources and kinds from `first` to `last`,
    both included (None: the first, the last day of the file itself); of the partners in the file
    only, or of the `whole` source."""

    first: date | None = None
    last: date | None = None
    whole: bool = False


def _no_progress(done: int, total: int | None = None, message: str = "") -> None:
    pass


@dataclass
class Task:
    """One run over one file. `by` is None for the operator, who sees everything. `dates` says which
    of day and month comes first in dates that do not tell; "" where the file has to show it.
    `scales` says of which fields the numbers are given in thousands or the like.

    `progress(done, total, message)` may stop the work; `show` only tells, and may be called while
    the connection is inside a COPY. Where `outcomes` is given, the loader notes in it which rows
    are "updated" or "unchanged"; a row that is neither noted nor refused is created.
    """

    table: Table
    mapping: dict[str, Expression]
    load: Import
    rejects: Rejects
    by: Any = None
    dry_run: bool = False
    dates: str = ""
    scales: Mapping[str, Decimal] = field(default_factory=dict)
    replace: Replace | None = None
    without_suspicious: bool = False
    progress: Callable[..., None] = _no_progress
    show: Callable[..., None] = _no_progress
    outcomes: dict[int, str] | None = None

    def __post_init__(self) -> None:
        self.table.refuse = self.rejects.add


@dataclass
class Outcome:
    """Counts of rows, and what a check shows of them.

    `removed` counts rows of the books that a file which replaces a period leaves out. `months` are
    (month, rows, sum of amounts as text) of what would go in, `sources` whence it comes, `changes`
    are (file row, field, old, new) of the first rows that differ from the books, `suspicious` the
    count of rows for each reason and `suspects` the first of them with (file row, field, reason).
    `known_from` names the imports that brought what the file brings again: {import: rows}. `dates`
    is the order of day and month that the file showed, "" where it did not.
    """

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    removed: int = 0
    months: list[tuple[str, int, str]] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    changes: list[tuple[int, str, str, str]] = field(default_factory=list)
    suspicious: dict[str, int] = field(default_factory=dict)
    suspects: list[tuple[int, str, str]] = field(default_factory=list)
    known_from: dict[int, int] = field(default_factory=dict)
    dates: str = ""
