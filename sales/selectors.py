"""Reads of sales for pages: always the rollup, never the facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Max, Sum
from django.db.models.functions import TruncMonth

from partners.models import Partner
from sales.models import SalesDaily, SalesKind


@dataclass(frozen=True)
class Month:
    """Net amounts of one month by kind; `returns` is not above zero."""

    month: date
    sell_in: Decimal
    sell_through: Decimal
    sell_out: Decimal
    returns: Decimal
    lines: int


def last_day(partner: Partner) -> date | None:
    """The newest day with a line of this partner."""
    return SalesDaily.objects.filter(partner=partner).aggregate(day=Max("day"))["day"]


def by_month(partner: Partner, start: date, end: date) -> list[Month]:
    """Months with lines in [start, end), newest first."""
    rows = (
        SalesDaily.objects.filter(partner=partner, day__gte=start, day__lt=end)
        .annotate(month=TruncMonth("day"))
        .values("month", "kind")
        .annotate(total=Sum("net"), back=Sum("returns"), count=Sum("lines"))
        .order_by("-month")
    )
    months: dict[date, dict[str, Decimal]] = {}
    extra: dict[date, list] = {}
    for row in rows:
        months.setdefault(row["month"], {})[row["kind"]] = row["total"]
        sums = extra.setdefault(row["month"], [Decimal(0), 0])
        sums[0] += row["back"]
        sums[1] += row["count"]
    return [
        Month(
            month,
            sell_in=kinds.get(SalesKind.SELL_IN, Decimal(0)),
            sell_through=kinds.get(SalesKind.SELL_THROUGH, Decimal(0)),
            sell_out=kinds.get(SalesKind.SELL_OUT, Decimal(0)),
            returns=extra[month][0],
            lines=extra[month][1],
        )
        for month, kinds in months.items()
    ]


def by_line(partner: Partner, start: date, end: date, kind: str) -> list[tuple[str, Decimal, int]]:
    """(product line, net amount, lines) in [start, end), the largest first."""
    rows = (
        SalesDaily.objects.filter(partner=partner, kind=kind, day__gte=start, day__lt=end)
        .values_list("product_line__name")
        .annotate(total=Sum("net"), count=Sum("lines"))
        .order_by("-total", "product_line__name")
    )
    return list(rows)
