"""What overviews read: sums over the daily rollup, targets and published scores.

All sums are within the partners that the user may see, given as a queryset; a period is half-open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from core.periods import Period, add_months
from partners.models import Partner
from performance.models import Evaluation, Score
from sales.models import SalesDaily, SalesKind, Target, TargetKind

ZERO = Decimal(0)


def newest_day() -> date | None:
    """The last day with sales, not after today."""
    days = SalesDaily.objects.filter(day__lte=timezone.localdate())
    return days.order_by("-day").values_list("day", flat=True).first()


def within(model: Any, partners: QuerySet | None) -> QuerySet:
    """Rows of the given partners; None stands for all of them and costs no comparison."""
    rows = model.objects.all()
    return rows if partners is None else rows.filter(partner__in=partners.values("pk"))


def net(partners: QuerySet | None, start: date, end: date, kind: str = SalesKind.SELL_IN) -> Decimal:
    """The net amount of `kind` in [start, end)."""
    rows = within(SalesDaily, partners).filter(kind=kind, day__gte=start, day__lt=end)
    return rows.aggregate(total=Sum("net"))["total"] or ZERO


def target(partners: QuerySet | None, start: date, end: date) -> Decimal | None:
    """The sell-in target of the months in [start, end): over all lines where there is one, else
    the sum of those by line. None without any."""
    rows = within(Target, partners).filter(
        kind=TargetKind.SELL_IN, month__gte=start, month__lt=end
    )
    by_partner = rows.values("partner", "month").annotate(
        whole=Sum("amount", filter=Q(product_line__isnull=True)),
        parts=Sum("amount", filter=Q(product_line__isnull=False)),
    )
    amounts = [row["parts"] if row["whole"] is None else row["whole"] for row in by_partner]
    return sum(amounts, ZERO) if amounts else None


def monthly(partners: QuerySet | None, start: date, end: date) -> dict[tuple[date, str], Decimal]:
    """{(month, kind): net}."""
    rows = within(SalesDaily, partners).filter(day__gte=start, day__lt=end)
    found = rows.annotate(month=TruncMonth("day")).values("month", "kind").annotate(total=Sum("net"))
    return {(row["month"], row["kind"]): row["total"] for row in found.order_by()}


def monthly_targets(partners: QuerySet | None, start: date, end: date) -> dict[date, Decimal]:
    """{month: sell-in target}."""
    rows = within(Target, partners).filter(
        kind=TargetKind.SELL_IN, month__gte=start, month__lt=end
    )
    by_partner = rows.values("partner", "month").annotate(
        whole=Sum("amount", filter=Q(product_line__isnull=True)),
        parts=Sum("amount", filter=Q(product_line__isnull=False)),
    )
    out: dict[date, Decimal] = {}
    for row in by_partner:
        amount = row["parts"] if row["whole"] is None else row["whole"]
        out[row["month"]] = out.get(row["month"], ZERO) + amount
    return out


def by_line(partners: QuerySet | None, start: date, end: date) -> list[tuple[str, Decimal]]:
    """(product line, sell-in net), the largest first."""
    rows = within(SalesDaily, partners).filter(
        kind=SalesKind.SELL_IN, day__gte=start, day__lt=end
    )
    found = rows.values("product_line__name").annotate(total=Sum("net")).order_by("-total")
    return [(row["product_line__name"], row["total"]) for row in found]


def months(period: Period, count: int = 12) -> list[date]:
    """The first days of `count` months up to the end of the period."""
    return [add_months(period.end, -back) for back in range(count, 0, -1)]


def silent(partners: QuerySet, day: date, days: int) -> QuerySet:
    """Active partners without any sell-in in the `days` up to `day` that had some in the year
    before."""
    since, year = date.fromordinal(day.toordinal() - days), date.fromordinal(day.toordinal() - 365)
    bought = SalesDaily.objects.filter(kind=SalesKind.SELL_IN, day__lte=day, net__gt=0)
    lately = bought.filter(day__gt=since).values("partner")
    before = bought.filter(day__gt=year, day__lte=since).values("partner")
    active = partners.filter(state=Partner.State.ACTIVE)
    return active.filter(pk__in=before).exclude(pk__in=lately)


def latest_evaluation() -> Evaluation | None:
    """The published evaluation of the newest period."""
    published = Evaluation.objects.filter(state=Evaluation.State.PUBLISHED)
    return published.select_related("scheme").order_by("-ends_before", "-pk").first()


@dataclass(frozen=True)
class Ranked:
    """A line of the ranking; `moved` is the change of rank against the evaluation before."""

    score: Score
    sell_in: Decimal
    attainment: Decimal | None
    moved: int | None

    @property
    def percent(self) -> Decimal:
        """The attainment for the width of a bar."""
        return (self.attainment or ZERO) * 100

    @property
    def fell(self) -> int:
        """How many ranks it lost."""
        return -(self.moved or 0)


def ranking(evaluation: Evaluation, user: Any, limit: int) -> list[Ranked]:
    """The best partners of an evaluation that the user may see."""
    scores = list(
        Score.objects.visible_to(user)
        .filter(evaluation=evaluation, rank__isnull=False)
        .select_related("partner__territory", "level")
        .order_by("rank", "pk")[:limit]
    )
    keys = [score.partner_id for score in scores]
    sums = _sums(keys, evaluation)
    before = _ranks_before(evaluation, keys)
    out = []
    for score in scores:
        sell_in, goal = sums.get(score.partner_id, (ZERO, None))
        old = before.get(score.partner_id)
        moved = None if old is None else old - score.rank
        out.append(Ranked(score, sell_in, sell_in / goal if goal else None, moved))
    return out


def _sums(keys: Iterable[int], evaluation: Evaluation) -> dict[int, tuple[Decimal, Decimal | None]]:
    start, end = evaluation.starts_on, evaluation.ends_before
    sold = SalesDaily.objects.filter(
        partner__in=keys, kind=SalesKind.SELL_IN, day__gte=start, day__lt=end
    )
    net_of = dict(sold.values_list("partner").annotate(total=Sum("net")).order_by())
    goals: dict[int, Decimal] = {}
    rows = Target.objects.filter(
        partner__in=keys, kind=TargetKind.SELL_IN, month__gte=start, month__lt=end
    )
    found = rows.values("partner", "month").annotate(
        whole=Sum("amount", filter=Q(product_line__isnull=True)),
        parts=Sum("amount", filter=Q(product_line__isnull=False)),
    )
    for row in found:
        amount = row["parts"] if row["whole"] is None else row["whole"]
        goals[row["partner"]] = goals.get(row["partner"], ZERO) + amount
    return {key: (net_of.get(key, ZERO), goals.get(key)) for key in keys}


def _ranks_before(evaluation: Evaluation, keys: Iterable[int]) -> dict[int, int]:
    previous = (
        Evaluation.objects.filter(
            scheme=evaluation.scheme_id,
            state=Evaluation.State.PUBLISHED,
            ends_before__lte=evaluation.starts_on,
        )
        .order_by("-ends_before", "-pk")
        .first()
    )
    if previous is None:
        return {}
    scores = Score.objects.filter(evaluation=previous, partner__in=keys, rank__isnull=False)
    return dict(scores.values_list("partner", "rank"))
