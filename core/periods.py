"""Periods of the fiscal calendar: half-open, pure, named by a code.

`2013-09` is a month, `2013Q3` a quarter and `2013` a year. Months are calendar months. A fiscal
year is named after the calendar year in which it starts: with `fiscal_start=4`, `2013` runs from
2013-04-01 to 2014-04-01 (exclusive) and `2013Q1` starts on 2013-04-01.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from django.utils.translation import gettext as _, gettext_lazy

from core.errors import DomainError

Kind = Literal["month", "quarter", "year"]
KINDS: tuple[Kind, ...] = ("month", "quarter", "year")
KIND_CHOICES = [
    ("month", gettext_lazy("Monthly")),
    ("quarter", gettext_lazy("Quarterly")),
    ("year", gettext_lazy("Annual")),
]
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_CODE = re.compile(r"(?P<year>[0-9]{4})(?:(?:Q(?P<quarter>[1-4]))|(?:-(?P<month>[0-9]{2})))?")


def add_months(day: date, months: int) -> date:
    """The first of the month that lies `months` after the month of `day`."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


@dataclass(frozen=True, order=True)
class Period:
    """`start` is the first day, `end` the first day after: `start <= day < end`."""

    start: date
    kind: Kind
    fiscal_start: int = 1

    @classmethod
    def parse(cls, code: str, fiscal_start: int = 1) -> Period:
        """The period that `code` names. DomainError `bad_period` when it names none."""
        match = _CODE.fullmatch(code.strip().upper())
        if not match or not 1900 <= int(match["year"]) <= 2200:
            raise DomainError(
                "bad_period",
                _("“%(code)s” is not a period. Write 2013-09, 2013Q3 or 2013.") % {"code": code},
                "period",
            )
        year = int(match["year"])
        if match["month"]:
            if not 1 <= int(match["month"]) <= 12:
                raise DomainError(
                    "bad_period",
                    _("“%(code)s”: there is no such month.") % {"code": code},
                    "period",
                )
            return cls(date(year, int(match["month"]), 1), "month", fiscal_start)
        first = date(year, fiscal_start, 1)
        if match["quarter"]:
            start = add_months(first, 3 * (int(match["quarter"]) - 1))
            return cls(start, "quarter", fiscal_start)
        return cls(first, "year", fiscal_start)

    @classmethod
    def containing(cls, kind: Kind, day: date, fiscal_start: int = 1) -> Period:
        """The period of that kind in which `day` lies."""
        offset = (day.month - fiscal_start) % 12
        return cls(add_months(day, -(offset % _MONTHS[kind])), kind, fiscal_start)

    @property
    def end(self) -> date:
        """The first day after the period."""
        return add_months(self.start, _MONTHS[self.kind])

    @property
    def code(self) -> str:
        """`2013-09`, `2013Q3` or `2013`."""
        if self.kind == "month":
            return f"{self.start:%Y-%m}"
        offset = (self.start.month - self.fiscal_start) % 12
        year = add_months(self.start, -offset).year
        return str(year) if self.kind == "year" else f"{year}Q{offset // 3 + 1}"

    @property
    def label(self) -> str:
        """The period in words of the active language."""
        if self.kind == "month":
            return _("%(month)02d/%(year)d") % {
                "year": self.start.year,
                "month": self.start.month,
            }
        if self.kind == "quarter":
            year, quarter = self.code.split("Q")
            return _("Q%(quarter)s %(year)s") % {"year": year, "quarter": quarter}
        return _("Year %(year)s") % {"year": self.code}

    def previous(self) -> Period:
        """The period just before."""
        start = add_months(self.start, -_MONTHS[self.kind])
        return Period(start, self.kind, self.fiscal_start)

    def next(self) -> Period:
        """The period just after."""
        return Period(self.end, self.kind, self.fiscal_start)

    def year_ago(self) -> Period:
        """The same period of the year before."""
        return Period(add_months(self.start, -12), self.kind, self.fiscal_start)

    def months(self) -> list[Period]:
        """Its months, in order."""
        return [
            Period(add_months(self.start, n), "month", self.fiscal_start)
            for n in range(_MONTHS[self.kind])
        ]

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    def __str__(self) -> str:
        return self.code
