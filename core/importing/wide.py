"""Wide to long: a column for each month becomes a row for each month.

The long table has two new columns, named by the fields that they give. So its error file can be
loaded as it is, and also with the choices of the wide file: without columns of months it is long.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import IO, TYPE_CHECKING

from django.utils.translation import gettext as _

from core.errors import DomainError
from core.importing import scales
from core.importing.errorfile import ROW_SCALE
from core.importing.mapping import bare_name, same_name
from core.importing.months import Month, months_of
from core.importing.readers import Row, Table
from core.importing.values import is_nothing, is_total

if TYPE_CHECKING:
    from core.importing.registry import Field

_MAX_ROW = 2**31 // ROW_SCALE - 1


class WideTable(Table):
    """`table` with its columns of months as rows; the other columns are repeated. A cell that holds
    nothing gives no row, and neither do totals."""

    def __init__(self, table: Table, days: dict[int, str], names: tuple[str, str]) -> None:
        super().__init__(
            **{one.name: getattr(table, one.name) for one in dataclasses.fields(table) if one.init}
        )
        self.table, self.days = table, days
        # A column that has the name of a new one gives way: the sum of the year beside its months.
        taken = {_bare(name) for name in names}
        self.kept = [
            place
            for place, name in enumerate(table.header)
            if place not in days and _bare(name) not in taken
        ]
        self.header = [*(table.header[place] for place in self.kept), *names]
        self.row_scale = ROW_SCALE

    @property
    def file_header(self) -> list[str]:
        return self.table.header

    def rows(self) -> Iterator[Row]:
        width = len(self.table.header)
        for number, cells in self.table.rows():
            kept = [cells[place] for place in self.kept]
            if _is_total(kept):
                continue
            if number > _MAX_ROW:
                raise DomainError(
                    "too_large",
                    _("A file with months as columns may have %d rows.") % _MAX_ROW,
                )
            for place, day in self.days.items():
                if not is_nothing(cells[place].strip()):
                    # What a row has beyond the header stays with each of its rows.
                    row = [*kept, day, cells[place], *cells[width:]]
                    yield number * ROW_SCALE + place, row

    def hold_once(self, columns: Iterable[int]) -> None:
        """Of the column with the values, all months."""
        places: dict[int, Iterable[int]] = {i: [place] for i, place in enumerate(self.kept)}
        places[len(self.kept) + 1] = self.days
        self.table.hold_once(place for column in columns for place in places.get(column, ()))

    def plain_bytes(self) -> IO[bytes] | None:
        return None


def choices(fields: Iterable[Field]) -> list[tuple[str, Field, Field]]:
    """(option, field of the month, field of the value) of what month columns can give."""
    fields = list(fields)
    dates, numbers = ([f for f in fields if f.date], [f for f in fields if f.number])
    return [(f"{date.name}={number.name}", date, number) for date in dates for number in numbers]


def fields_of(fields: Iterable[Field], option: str) -> tuple[str, str]:
    """(field of the month, field of the value) of an option month=amount. Raises DomainError
    `bad_wide`."""
    known = [one[0] for one in choices(fields)]
    if option not in known:
        raise DomainError(
            "bad_wide",
            _("Months as columns cannot give “%(option)s” here; they can: %(known)s.")
            % {"option": option, "known": ", ".join(known) or "—"},
            "wide",
        )
    by, _sign, value = option.partition("=")
    return by, value


def unpivot(
    table: Table, by: str, value: str, *, year: int | None = None, scale: str = ""
) -> Table:
    """The long table of a wide one: the first day of the month in the column `by`, the cell in the
    column `value`, whose name says the scale of its numbers. `year` is of months that tell none.

    A table without columns of months that has both columns is returned as it is. Raises DomainError
    `no_months`, `no_year`, `month_order`, `same_month`.
    """
    months = months_of(table.header)
    if not months:
        if {_bare(by), _bare(value)} <= {_bare(name) for name in table.header}:
            return table
        raise DomainError("no_months", _("No column is named by a month."), "wide")
    days = _days(months, table.header, year)
    unit = scales.WORDS.get(scale)
    return WideTable(table, days, (by, f"{value} ({unit})" if unit else value))


def maps(header: Sequence[str], by: str, value: str) -> dict[str, str]:
    """{field: column} of the two fields in a long table."""
    found = {_bare(name): name for name in reversed(header)}
    return {by: found[_bare(by)], value: found[_bare(value)]}


def needs_year(header: Sequence[str]) -> bool:
    """Whether a column is named by a month of no year."""
    return any(not month.year for month in months_of(header).values())


def _days(months: dict[int, Month], header: Sequence[str], year: int | None) -> dict[int, str]:
    bare = [(place, month) for place, month in months.items() if not month.year]
    if bare and not year:
        raise DomainError(
            "no_year", _("Say the year of the column “%s”.") % header[bare[0][0]], "year"
        )
    if any(later.month < earlier.month for (_p, earlier), (_q, later) in pairwise(bare)):
        raise DomainError(
            "month_order",
            _("The months may be of two years. Write the year into the names of the columns."),
            "wide",
        )
    days: dict[int, str] = {}
    for place, month in months.items():
        day = f"{month.year or year}-{month.month:02}-01"
        if day in days.values():
            raise DomainError("same_month", _("Two columns are the month %s.") % day[:7], "wide")
        days[place] = day
    return days


def _bare(name: str) -> str:
    return same_name(bare_name(name))


def _is_total(cells: Sequence[str]) -> bool:
    """Whether a row says that it is a total, and nothing else."""
    filled = [cell for cell in cells if cell.strip()]
    return bool(filled) and all(is_total([cell]) for cell in filled)
