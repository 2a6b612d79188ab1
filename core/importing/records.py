"""Rows of JSON through the same loaders as files, for whoever waits for the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.db import transaction

from core.importing import engine, mapping, registry
from core.importing.json_table import Records
from core.importing.models import Import
from core.importing.outcome import SHOWN, Outcome, Rejects, Task


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


@dataclass(frozen=True)
class Loaded:
    """What came of the rows: `keys` are the cells of their keys as they were given, `outcomes` as
    of a Task. Where nothing was to be written, it is what would have come, and `import_id` None."""

    import_id: int | None
    outcome: Outcome
    keys: list[tuple[str, ...]]
    outcomes: dict[int, str]
    rejects: dict[int, list[tuple[str, str]]]


@transaction.atomic
def load(
    kind: str,
    stream: IO[bytes],
    *,
    lines: bool,
    most: int,
    name: str,
    sha256: str,
    by: Any,
    dry_run: bool = False,
    all_or_nothing: bool = False,
) -> Loaded:
    """Load the rows of `stream`, NDJSON (`lines`) or an array, at most `most`, as `kind` in the
    scope of `by`, with an Import called `name`, in one transaction. Nothing is written in a dry
    run, nor when a row is refused in `all_or_nothing`. Raises BadRows, TooManyRows."""
    importer, rejects = registry.get(kind), KeptRejects()
    keys: list[tuple[str, ...]] = []
    table = Records(importer, stream, lines=lines, most=most, keys=keys)
    expressions = mapping.resolve(importer.fields, table.header, {}, {})
    row = Import(kind=kind, file_name=name, sha256=sha256, created_by=by)
    task = Task(table, expressions, row, rejects, by=by, dry_run=dry_run, outcomes={})
    try:
        outcome = engine.apply(task, all_or_nothing=all_or_nothing).outcome
    except engine.RejectedRows as refusal:
        outcome, dry_run = refusal.result.outcome, True
    if not dry_run:
        row.report = {"rejects": _shown(rejects)}
        row.save(update_fields=["report"])
    key = None if dry_run else row.pk
    return Loaded(key, outcome, keys, task.outcomes or {}, rejects.of)


def _shown(rejects: KeptRejects) -> list[list[Any]]:
    """The first of them, for the page of the import."""
    found = [[row, *one] for row in sorted(rejects.of) for one in rejects.of[row]]
    return found[:SHOWN]
