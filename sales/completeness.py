"""How complete the reports are on which a figure rests: docs/algorithms/completeness.md."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import TruncDate

from sales.models import Report, ReportingRule

# (grade, the least per cent of the owed reports that must be in), the best first.
BOUNDS = (("A", 98), ("B", 90), ("C", 0))


@dataclass(frozen=True)
class Completeness:
    """Of `owed` reports `received` are in, `late` of these came after they were due."""

    owed: int
    received: int
    late: int

    @property
    def fraction(self) -> Decimal:
        """Received of owed, 0 to 1."""
        return Decimal(self.received) / self.owed

    @property
    def grade(self) -> str:
        """A, B or C, by whole numbers: no rounding lifts 97.99 %."""
        return next(name for name, least in BOUNDS if self.received * 100 >= least * self.owed)


def worst(found: dict[str, Completeness], kinds: Iterable[str]) -> Completeness | None:
    """The least complete of some kinds, which a figure that rests on all of them has; None where
    none of them is tracked."""
    tracked = [found[kind] for kind in kinds if kind in found]
    return min(tracked, key=lambda one: one.fraction, default=None)


def completeness(
    partners: QuerySet | None, start: date, end: date, *, rule: ReportingRule | None = None
) -> dict[str, Completeness]:
    """{kind of sales: completeness} of the periods that overlap [start, end) and are over, in one
    query. `partners` or `rule` None: all. A kind of which no report is owed is not tracked, and not
    there.
    """
    rows = Report.objects.filter(starts_on__lt=end, ends_before__gt=start)
    if rule is not None:
        rows = rows.filter(rule=rule)
    if partners is not None:
        rows = rows.filter(partner__in=partners.order_by().values("pk"))
    here = Q(received_at__isnull=False) | Q(nothing_at__isnull=False)
    found = (
        rows.annotate(came_on=TruncDate("received_at"))
        .order_by()
        .values_list("kind")
        .annotate(
            owed=Count("pk"),
            received=Count("pk", filter=here),
            late=Count("pk", filter=Q(came_on__gt=F("due_on"))),
        )
    )
    return {kind: Completeness(owed, received, late) for kind, owed, received, late in found}
