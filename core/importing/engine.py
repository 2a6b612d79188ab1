"""One file through one importer: the same for the command, the page and the worker."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, context
from core.errors import Conflict, DomainError
from core.importing import json_table, mapping, readers, registry, scales, wide
from core.importing.models import Import, ImportProfile
from core.importing.outcome import Outcome, Rejects, Replace, Task

REPLACE_PARTNERS, REPLACE_SOURCE = "partners", "source"


@dataclass(frozen=True)
class Options:
    """How to read the file: what the user may say on the command line or on the page."""

    maps: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    ignored: Sequence[str] = ()  # fields that no column gives, though one may be called like it
    encoding: str = ""
    sheet: str | None = None
    dates: str = ""  # values.DAY_FIRST, MONTH_FIRST, or "" to find out
    all_or_nothing: bool = False
    wide: str = ""  # FIELD=VALUE_FIELD that columns of months give, or "" for none
    year: int | None = None  # of columns such as 1月 and Jan
    scales: Mapping[str, str] = field(default_factory=dict)  # {field: "1000"}
    replace: str = ""  # REPLACE_PARTNERS, REPLACE_SOURCE, or "": add and update only
    replace_first: str = ""  # of the period, as ISO; "" where the file begins
    replace_last: str = ""  # included
    without_suspicious: bool = False
    json: str = ""  # "array" or "lines", of what came over the API
    is_gzip: bool = False  # of JSON; other files show it themselves

    def replacing(self) -> Replace | None:
        """What the file takes the place of, if of anything."""
        if not self.replace:
            return None
        first, last = (
            date.fromisoformat(text) if text else None
            for text in (self.replace_first, self.replace_last)
        )
        return Replace(first, last, whole=self.replace == REPLACE_SOURCE)


COUNTS = ("rows", "created", "updated", "unchanged", "removed", "rejected")


@dataclass(frozen=True)
class Result:
    """The counts, the first rejects, and the error file if any row was rejected."""

    outcome: Outcome
    rejects: Rejects
    error_file: Path | None


class RejectedRows(Conflict):
    """All or nothing was asked for and some rows were refused. Nothing was written; `result` says
    what would have been."""

    def __init__(self, result: Result) -> None:
        super().__init__(
            "rejected_rows",
            _("%d rows were rejected, so nothing was loaded.") % result.outcome.rejected,
        )
        self.result = result


def run(
    path: Path,
    load: Import,
    options: Options,
    *,
    by: Any,
    error_path: Path,
    dry_run: bool = False,
    progress: Callable[..., None] | None = None,
) -> Result:
    """Load `path` as `load.kind` in one transaction; a dry run rolls it back.

    `load` is saved with its counts when the file was applied. Rejected rows go to `error_path`.
    Raises DomainError when the file cannot be read or mapped, RejectedRows as its name says.
    """
    importer = registry.get(load.kind)
    table = open_table(path, importer, options)
    load.columns = mapping.columns_of(table.file_header)
    expressions = resolve(table, importer, options)
    table.hold_once(place for name in importer.sums for place in _columns(expressions.get(name)))
    rejects = Rejects(error_path, table.header, table.row_scale)
    task = Task(
        table,
        expressions,
        load,
        rejects,
        by=by,
        dry_run=dry_run,
        dates=options.dates,
        scales=scales.checked(importer.fields, options.scales),
        replace=options.replacing() if importer.replaces else None,
        without_suspicious=options.without_suspicious,
    )
    if progress:
        task.progress = progress
        task.show = getattr(progress, "show", task.show)
    # Of a rejected row nobody knows whether what it replaces should go.
    return apply(task, all_or_nothing=options.all_or_nothing or task.replace is not None)


def apply(task: Task, *, all_or_nothing: bool) -> Result:
    """The second half of `run`: a table with its mapping, wherever its rows come from."""
    load = task.load
    with context.use(source="import"), transaction.atomic():
        if load.pk is None:
            load.save()
        outcome = registry.get(load.kind).run(task)
        outcome.rows += task.table.refused
        outcome.rejected = task.rejects.rows
        result = Result(outcome, task.rejects, task.rejects.close())
        if all_or_nothing and outcome.rejected and not task.dry_run:
            raise RejectedRows(result)
        if task.dry_run:
            transaction.set_rollback(True)
        else:
            _mark_applied(load, outcome, by=task.by)
    return result


def undo(load: Import, *, by: Any) -> registry.UndoPlan:
    """Take an applied import back, in one transaction; returns what was done.

    Raises Conflict `not_applied`, or Blocked with all that stands in the way.
    """
    with context.use(source="import"), transaction.atomic():
        # Its key stays free: a load that changes its lines refers to it, while this waits for it.
        row = Import.objects.select_for_update(of=("self",), no_key=True).get(pk=load.pk)
        if row.state not in (Import.State.APPLIED, Import.State.UNDOING):
            raise Conflict("not_applied", _("Only an import that was applied can be undone."))
        plan = registry.get(row.kind).undo(row, by=by)
        load.state, load.undone_by, load.undone_at = Import.State.UNDONE, by, timezone.now()
        load.save(update_fields=["state", "undone_by", "undone_at"])
        _record("undone", load, by, deleted=plan.deleted, restored=plan.restored)
    return plan


def open_table(path: Path, importer: registry.Importer, options: Options) -> readers.Table:
    """The file with the header that the importer's fields and the options make out, long where the
    options say that it is wide.

    Raises as readers.open_table and wide.unpivot; of JSON as json_table.Records.
    """
    if options.json:
        lines = options.json == "lines"
        return json_table.JsonFile(importer, path, lines=lines, is_gzip=options.is_gzip)
    names = mapping.names(importer.fields, options.maps)
    table = readers.open_table(path, encoding=options.encoding, sheet=options.sheet, names=names)
    if not options.wide:
        return table
    by, value = wide.fields_of(importer.fields, options.wide)
    scale = options.scales.get(value, "")
    return wide.unpivot(table, by, value, year=options.year, scale=scale)


def resolve(
    table: readers.Table, importer: registry.Importer, options: Options
) -> dict[str, mapping.Expression]:
    """{field: expression} for a table opened with the same options. Raises as mapping.resolve, and
    DomainError `given_twice`."""
    maps = dict(options.maps)
    if options.wide:
        by, value = wide.fields_of(importer.fields, options.wide)
        for name in (by, value):
            if name in maps or name in options.constants:
                raise DomainError(
                    "given_twice", _("“%s” comes from the columns of months.") % name, name
                )
        maps |= wide.maps(table.header, by, value)
    ignored = {*options.ignored} - maps.keys() - options.constants.keys()
    fields = [one for one in importer.fields if one.name not in ignored]
    return mapping.resolve(fields, table.header, maps, options.constants)


def _columns(expression: mapping.Expression | None) -> list[int]:
    return expression.columns if expression else []


def sha256_of(path: Path) -> str:
    """The fingerprint by which the same file is known again."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def same_file_before(load: Import) -> Import | None:
    """An earlier import of the same bytes as the same kind that was applied."""
    earlier = Import.objects.filter(
        kind=load.kind, sha256=load.sha256, state=Import.State.APPLIED
    ).exclude(pk=load.pk)
    return earlier.order_by("-id").first()


def _mark_applied(load: Import, outcome: Outcome, *, by: Any) -> None:
    counts = {name: getattr(outcome, name) for name in COUNTS}
    for name, count in counts.items():
        setattr(load, name, count)
    load.state, load.applied_at = Import.State.APPLIED, timezone.now()
    load.save()
    if load.profile_id:
        ImportProfile.objects.filter(pk=load.profile_id).update(
            uses=F("uses") + 1, last_used_at=load.applied_at
        )
    _record("applied", load, by, **counts)


def _record(what: str, load: Import, by: Any, **counts: int) -> None:
    """One event a file: rows that come by the million have none each."""
    data = {"import": load.pk, "kind": load.kind, **counts}
    audit.record(f"core.import.{what}", load, by=by, data=data)
