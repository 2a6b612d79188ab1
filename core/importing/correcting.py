"""Rejected rows, corrected and sent again: as an import of their own that points to the first."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from django.core.files import File
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.utils.translation import gettext as _

from core.errors import Conflict, DomainError
from core.importing import errorfile, mapping, readers, services
from core.importing.models import Import

State = Import.State
CORRECTABLE = (State.CHECKED, State.APPLIED)
_GONE = (State.FAILED, State.UNDONE)


@dataclass(frozen=True)
class Rejected:
    """A record that was refused: its place in the file, its cells, (field, reason)s, and the cells
    that it had too much."""

    place: str
    cells: list[str]
    problems: list[tuple[str, str]]
    surplus: list[str]

    @property
    def number(self) -> int:
        """By this it is known among those of the file."""
        return cast(int, errorfile.number_of(self.place))


def can_correct(load: Import) -> bool:
    """Whether it is in a state in which rejected rows may be sent again, and has any. What replaces
    a period is loaded whole or not at all."""
    whole = bool(load.options.get("replace"))
    return load.state in CORRECTABLE and bool(load.error_file) and not whole


def error_table(load: Import) -> readers.Table:
    """The error file of `load`. DomainError `file_gone` when it was removed."""
    path = Path(load.error_file.path)
    if not path.is_file():
        raise DomainError("file_gone", _("The file of the rejected rows is no longer there."))
    table = readers.Table(path, [], encoding="utf-8-sig")
    table.find_header(())
    return table


def sent(load: Import) -> set[int]:
    """The numbers of the rows that a correction has taken up and was not given up."""
    rows = load.corrections.exclude(state__in=_GONE).values_list("corrected_rows", flat=True)
    return {number for numbers in rows for number in numbers}


def waiting(load: Import) -> Iterator[Rejected]:
    """The rejected rows that no correction has taken up, in order of the file."""
    taken = sent(load)
    for row in _all(error_table(load)):
        if row.number not in taken:
            yield row


def _all(table: readers.Table) -> Iterator[Rejected]:
    return itertools.starmap(Rejected, table.rejected())


def still_rejected(load: Import) -> int:
    """How many rows of `load` and of its corrections are not in the books: rejected, and not in a
    correction that was applied. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """WITH RECURSIVE chain AS (
                SELECT id, rejected, NULL::bigint AS corrects_id, '{}'::int[] AS corrected_rows
                  FROM core_import WHERE id = %s
                UNION ALL
                SELECT i.id, i.rejected, i.corrects_id, i.corrected_rows
                  FROM core_import i JOIN chain c ON i.corrects_id = c.id WHERE i.state = %s)
            SELECT (SELECT sum(rejected) FROM chain) - (SELECT count(*) FROM
                   (SELECT DISTINCT corrects_id, unnest(corrected_rows) FROM chain) taken)""",
            [load.pk, State.APPLIED],
        )
        return int(cursor.fetchone()[0])


def correct(*, load: Import, cells: Mapping[int, Mapping[int, str]], by: Any) -> Import:
    """Check rejected rows again: `cells` is {row: {column: new text}} for each row to be sent.

    Makes an import of the same kind with the same choices and starts its check. Conflict
    `not_correctable`, DomainError `no_rows` when none of the rows waits.
    """
    rows = [_corrected(row, cells[row.number]) for row in waiting(load) if row.number in cells]
    if not rows:
        raise DomainError("no_rows", _("No row is left to be checked."))
    text = _csv([error_table(load).header + errorfile.names(), *map(_cells, rows)])
    name = f"{_stem(load)}-corrected.csv"
    return _start(load, ContentFile(text, name=name), by)


def correct_by_file(*, load: Import, file: File, by: Any) -> Import:
    """The same with a corrected error file. DomainError `not_the_error_file` when it has other
    columns."""
    return _start(load, file, by)


def _start(load: Import, file: File, by: Any) -> Import:
    if not can_correct(load):
        raise Conflict("not_correctable", _("This import has no rows that could be corrected now."))
    rejected = error_table(load)
    numbers = {row.number for row in _all(rejected)}
    with transaction.atomic():
        new = services.upload(file=file, kind=load.kind, by=by)
        try:
            table = readers.open_table(services.path_of(new))
            if not table.has_reasons or _differ(table.header, rejected.header):
                raise DomainError(
                    "not_the_error_file",
                    _("This is not the file of the rejected rows: its columns must be %(names)s.")
                    % {"names": ", ".join([*rejected.header, *errorfile.names()])[:500]},
                    "file",
                )
            new.corrects = load
            new.corrected_rows = sorted(numbers & {row.number for row in _all(table)})
            new.save()
        except BaseException:
            new.file.delete(save=False)
            raise
        return services.start_check(load=new, options=_options(load), profile=load.profile, by=by)


def _options(load: Import) -> dict[str, Any]:
    """Those of `load`, but for what was about the file itself; the order of its dates is known,
    which few rows may not show."""
    dates = load.options.get("dates") or load.report.get("dates", "")
    own = {"encoding": "", "sheet": None, "dates": dates, "without_suspicious": False}
    return {**load.options, **own}


def _differ(one: Iterable[str], other: Iterable[str]) -> bool:
    return mapping.columns_of(one) != mapping.columns_of(other)


def _corrected(row: Rejected, texts: Mapping[int, str]) -> Rejected:
    """The row with new texts. What it had too much is gone with the first change."""
    cells = [texts.get(place, cell) for place, cell in enumerate(row.cells)]
    surplus = row.surplus if cells == row.cells else []
    return Rejected(row.place, cells, row.problems, surplus)


def _cells(row: Rejected) -> list[Any]:
    return [*row.cells, row.place, *errorfile.joined(row.problems), *row.surplus]


def _csv(rows: Iterable[list[Any]]) -> bytes:
    """Every cell in quotation marks: then no sign in a column name is taken for the delimiter."""
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows(rows)
    return buffer.getvalue().encode("utf-8-sig", "replace")


def _stem(load: Import) -> str:
    return Path(load.file_name).name.split(".")[0].removesuffix("-corrected")[:150] or "import"
