"""Rows that come as values (JSON) through the same loaders as files.

Here a row only becomes cells, or is refused because its values are of no use as cells. What the
cells mean, the loader of the kind says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from django.db import transaction
from django.utils.translation import gettext as _

from core.importing import engine, mapping, registry
from core.importing.models import Import
from core.importing.outcome import SHOWN, Outcome, Rejects, Task
from core.importing.readers import INVISIBLE, Row, Table

_MOST_NAME = 100
# The longest exponent that is written out; with a longer one no column can hold the number.
_MOST_EXPONENT = 3


class Number(str):
    """A JSON number as it was written, NaN and Infinity too: it never was a float."""

    __slots__ = ()


class Repeated(dict):
    """A JSON object that names a field twice, so that nobody knows which value is meant."""


@dataclass(frozen=True)
class Shape:
    """The fields of a row, which of them may be JSON numbers, and what one that is absent is."""

    names: Sequence[str]
    numbers: Collection[str]
    defaults: Mapping[str, str]


class KeptRejects(Rejects):
    """Rejects for whoever is answered at once: {row: [(field, reason)]}, no file."""

    def __init__(self) -> None:
        super().__init__(Path(), [])
        self.of: dict[int, list[tuple[str, str]]] = {}

    def add(self, row: int, cells: Sequence[str], field: str, reason: str) -> None:
        self.of.setdefault(row, []).append((field, reason))
        self.rows = len(self.of)

    def close(self) -> None:
        return None


class Records(Table):
    """Values as a table whose columns are the fields. Row 1 is the first: there is no header.

    `cells` are those of every row; refused ones have what could be read of them.
    """

    def __init__(self, shape: Shape, values: Iterable[Any], rejects: KeptRejects) -> None:
        super().__init__(Path(), list(shape.names))
        self.cells: list[list[str]] = []
        for number, value in enumerate(values, start=1):
            cells, problems = _read(shape, value)
            self.cells.append(cells)
            for field, reason in problems:
                rejects.add(number, cells, field, reason)
        self._refused = frozenset(rejects.of)

    def rows(self) -> Iterator[Row]:
        for number, cells in enumerate(self.cells, start=1):
            if number not in self._refused:
                yield number, cells

    def plain_bytes(self) -> IO[bytes] | None:
        return None


@dataclass(frozen=True)
class Loaded:
    """What came of the rows: `outcomes` are "created", "updated" or "unchanged", as they would be
    if nothing was to be written; `import_id` is None then."""

    import_id: int | None
    outcome: Outcome
    table: Records
    outcomes: dict[int, str]
    rejects: dict[int, list[tuple[str, str]]]


@transaction.atomic
def load(
    kind: str,
    shape: Shape,
    values: Iterable[Any],
    *,
    name: str,
    sha256: str,
    by: Any,
    dry_run: bool = False,
    all_or_nothing: bool = False,
) -> Loaded:
    """Load `values` as `kind` in the scope of `by`, with an Import called `name`, in one
    transaction. Nothing is written in a dry run, nor when a row is refused in `all_or_nothing`."""
    rejects = KeptRejects()
    table = Records(shape, values, rejects)
    expressions = mapping.resolve(registry.get(kind).fields, table.header, {}, {})
    row = Import(kind=kind, file_name=name, sha256=sha256, created_by=by)
    task = Task(table, expressions, row, rejects, by=by, dry_run=dry_run, outcomes={})
    try:
        outcome = engine.apply(task, all_or_nothing=all_or_nothing).outcome
    except engine.RejectedRows as refusal:
        outcome, dry_run = refusal.outcome, True
    outcome.rows = len(table.cells)
    if not dry_run:
        row.rows, row.report = outcome.rows, {"rejects": _shown(rejects)}
        row.save(update_fields=["rows", "report"])
    key = None if dry_run else row.pk
    return Loaded(key, outcome, table, task.outcomes or {}, rejects.of)


def _shown(rejects: KeptRejects) -> list[list[Any]]:
    """The first of them, for the page of the import."""
    found = [[row, *one] for row in sorted(rejects.of) for one in rejects.of[row]]
    return found[:SHOWN]


def _read(shape: Shape, value: Any) -> tuple[list[str], list[tuple[str, str]]]:
    """(cells, [(field, reason why they cannot be used)]) of one row."""
    if not isinstance(value, dict):
        return [""] * len(shape.names), [("", _("The row is not an object with fields."))]
    problems: list[tuple[str, str]] = []
    if isinstance(value, Repeated):
        problems.append(("", _("The row names a field twice.")))
    if not value.keys() <= set(shape.names):
        unknown = [name for name in value if name not in shape.names]
        problems += [(_utf8(name)[:_MOST_NAME], _("There is no such field.")) for name in unknown]
    cells = [_cell(shape, name, value.get(name), problems) for name in shape.names]
    if not any(cells):
        problems.append(("", _("The row is empty.")))
    return cells, problems


def _cell(shape: Shape, name: str, value: Any, problems: list[tuple[str, str]]) -> str:
    """The text of one value; what is wrong with it goes to `problems`."""
    if type(value) is str and value.isascii() and value.isprintable():
        return value
    if value is None:
        return shape.defaults.get(name, "")
    if type(value) is Number and name in shape.numbers:
        return _plain(value)
    if type(value) is not str:
        wanted = _("Not a number or a string.") if name in shape.numbers else _("Not a string.")
        problems.append((name, wanted))
        return ""
    if "\0" in value:
        problems.append((name, _("The text contains a NUL character.")))
    if (clean := _utf8(value)) != value:
        problems.append((name, _("The text contains half of a surrogate pair.")))
    return INVISIBLE.sub("", clean)


def _plain(number: Number) -> str:
    """The number without an exponent, as people write it; one that is absurd stays as it is."""
    exponent = number.lower().partition("e")[2].lstrip("+-")
    if not exponent or len(exponent) > _MOST_EXPONENT:
        return str(number)
    return f"{Decimal(number):f}"


def _utf8(text: str) -> str:
    """The text with a question mark for what UTF-8 cannot say: halves of surrogate pairs."""
    return text.encode("utf-8", "replace").decode()
