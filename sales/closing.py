"""Reads of closed months."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db.models import Count, Sum

from sales.models import Adjustment, ClosedPeriod


def closed_months(kind: str | None = None) -> set[tuple[str, date]]:
    """(kind of sales, first day) of each month that is closed; of one kind, or of all."""
    rows = ClosedPeriod.objects.filter(state=ClosedPeriod.State.CLOSED)
    if kind is not None:
        rows = rows.filter(kind=kind)
    return set(rows.values_list("kind", "month"))


def by_cause(closing: ClosedPeriod) -> list[tuple[str, int, Decimal]]:
    """(cause in words, adjustments, amount) of a closed month, the largest first."""
    rows = (
        closing.adjustments.order_by()
        .values_list("cause")
        .annotate(count=Count("pk"), total=Sum("amount"))
    )
    found = [(str(Adjustment.Cause(cause).label), count, total) for cause, count, total in rows]
    return sorted(found, key=lambda row: -abs(row[2]))
