"""How often partners report: by week (from Monday), by month, by fiscal quarter. Half-open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import cast

from django.conf import settings
from django.utils.translation import gettext as _, gettext_lazy

from core.periods import Kind, Period

WEEK, MONTH, QUARTER = ALL = ("week", "month", "quarter")
CHOICES = [
    (WEEK, gettext_lazy("Weekly")),
    (MONTH, gettext_lazy("Monthly")),
    (QUARTER, gettext_lazy("Quarterly")),
]
_WEEK = timedelta(days=7)


def containing(frequency: str, day: date) -> tuple[date, date]:
    """(first day, first day after) of the period in which `day` lies."""
    if frequency == WEEK:
        monday = day - timedelta(days=day.weekday())
        return monday, monday + _WEEK
    period = Period.containing(cast("Kind", frequency), day, settings.FISCAL_YEAR_START)
    return period.start, period.end


def between(frequency: str, start: date, end: date) -> Iterator[tuple[date, date]]:
    """The periods that begin in [start, end), in order."""
    first, after = containing(frequency, start)
    if first < start:
        first, after = containing(frequency, after)
    while first < end:
        yield first, after
        first, after = containing(frequency, after)


def before(frequency: str, day: date, count: int) -> list[tuple[date, date]]:
    """The last `count` periods that are over by `day`, in order."""
    out: list[tuple[date, date]] = []
    first, _after = containing(frequency, day)
    for _number in range(count):
        out.append(containing(frequency, first - timedelta(days=1)))
        first = out[-1][0]
    return out[::-1]


def label(start: date, end: date) -> str:
    """A period in words of the active language, told by its length."""
    days = (end - start).days
    if days == _WEEK.days:
        year, week, _day = start.isocalendar()
        return _("Week %(week)02d/%(year)d") % {"week": week, "year": year}
    kind: Kind = "month" if days < 32 else "quarter"
    return Period(start, kind, settings.FISCAL_YEAR_START).label
