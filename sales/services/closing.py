"""Closing months. What changes in them afterwards is listed by triggers (migration 0005)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from core import audit
from core.errors import Conflict, DomainError
from core.periods import Period
from core.phrases import listed
from sales.models import ClosedPeriod, SalesDaily, SalesKind
from sales.models.closing import lock_facts


@transaction.atomic
def close_month(
    *, month: date, kinds: Iterable[str], by: Any, on: date, at: datetime
) -> list[ClosedPeriod]:
    """Close the month that begins on `month` for some kinds of sales, with its sums of this moment.

    Waits for a load that runs. Raises DomainError `month_not_over` as seen from the day `on`, or
    `no_kind`, and Conflict `month_closed` when one of the kinds is closed already.
    """
    period, wanted = Period.containing("month", month), sorted(set(kinds))
    if period.end > on:
        raise DomainError(
            "month_not_over", _("Only a month that is over can be closed."), field="month"
        )
    if not wanted:
        raise DomainError("no_kind", _("Choose what to close."), field="kinds")
    lock_facts()
    closed = ClosedPeriod.objects.filter(
        month=period.start, kind__in=wanted, state=ClosedPeriod.State.CLOSED
    )
    if closed:
        raise Conflict(
            "month_closed",
            _("Already closed: %s.") % listed(str(row) for row in closed),
            field="kinds",
        )
    rows = [
        ClosedPeriod(
            month=period.start, kind=kind, closed_at=at, closed_by=by, net=net, lines=lines
        )
        for kind, (net, lines) in sums(period.start, wanted).items()
    ]
    ClosedPeriod.objects.bulk_create(rows)
    audit.record_many(
        [("sales.closedperiod.created", row, audit.diff({}, audit.snapshot(row))) for row in rows],
        by=by,
    )
    return rows


def sums(month: date, kinds: Iterable[str] = SalesKind.values) -> dict[str, tuple[Any, int]]:
    """{kind: (net amount, lines)} of the month that begins on `month`, zeros included."""
    period = Period.containing("month", month)
    found = SalesDaily.objects.filter(day__gte=period.start, day__lt=period.end).order_by()
    by_kind = {
        kind: (net, lines)
        for kind, net, lines in found.values_list("kind").annotate(
            total=Sum("net"), count=Sum("lines")
        )
    }
    return {kind: by_kind.get(kind, (0, 0)) for kind in kinds}
