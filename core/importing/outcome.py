"""What an import was asked to do, and what came of it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from django.utils.translation import gettext as _

from core.importing.mapping import Expression
from core.importing.models import Import
from core.importing.readers import Table

SHOWN = 50


@dataclass(frozen=True)
class Reject:
    """Why a row was refused: one line of the error file."""

    row: int
    field: str
    reason: str


class Rejects:
    """The error file, written as rejects are found; the first ones are kept to be shown.

    Its columns are the user's own, then row, field and reason, so that it can be corrected and
    loaded again. UTF-8 with a mark, because Excel needs it.
    """

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self.path, self.header = path, list(header)
        self.rows = 0
        self.first: list[Reject] = []
        self._last_row = 0
        self._stream: IO[str] | None = None

    def add(self, row: int, cells: Sequence[str], field: str, reason: str) -> None:
        """One reason; several reasons of a row are added one after the other."""
        if row != self._last_row:
            self.rows, self._last_row = self.rows + 1, row
        if len(self.first) < SHOWN:
            self.first.append(Reject(row, field, reason))
        width = len(self.header)
        kept = [*cells[:width], *[""] * (width - len(cells))]
        self._writer().writerow([*kept, row, field, reason])

    def close(self) -> Path | None:
        """The finished file; None when nothing was rejected."""
        if self._stream is None:
            return None
        self._stream.close()
        return self.path

    def _writer(self) -> Any:
        if self._stream is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self.path.open("w", encoding="utf-8-sig", newline="")
            self._csv = csv.writer(self._stream)
            self._csv.writerow([*self.header, _("Row"), _("Field"), _("Reason")])
        return self._csv


def _no_progress(done: int, total: int | None = None, message: str = "") -> None:
    pass


@dataclass
class Task:
    """One run over one file. `by` is None for the operator, who sees everything.

    `progress(done, total, message)` may stop the work; `show` only tells, and may be called while
    the connection is inside a COPY.
    """

    table: Table
    mapping: dict[str, Expression]
    load: Import
    rejects: Rejects
    by: Any = None
    dry_run: bool = False
    progress: Callable[..., None] = _no_progress
    show: Callable[..., None] = _no_progress


@dataclass
class Outcome:
    """Counts of rows; `months` are (month, rows, sum of amounts as text) of what would go in."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    months: list[tuple[str, int, str]] = field(default_factory=list)
