"""What overviews read: sums over the daily rollup, targets and published scores.

All sums are within the partners that the user may see, given as a queryset; a period is half-open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from core.periods import Period, add_months
from partners.models import Partner
from performance.models import Evaluation, Score
from sales.attainment import attained
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


def net(
    partners: QuerySet | None, start: date, end: date, kind: str = SalesKind.SELL_IN
) -> Decimal:
    """The net amount of `kind` in [start, end)."""
    rows = within(SalesDaily, partners).filter(kind=kind, day__gte=start, day__lt=end)
    return rows.aggregate(total=Sum("net"))["total"] or ZERO


def _targets(partners: QuerySet | None, start: date, end: date) -> QuerySet:
    """The sell-in targets that count."""
    rows = within(Target, partners).filter(kind=TargetKind.SELL_IN, month__gte=start, month__lt=end)
    return rows.that_count().order_by()  # type: ignore[attr-defined]


def target(partners: QuerySet | None, start: date, end: date) -> Decimal | None:
    """The sell-in target of the months in [start, end). None without any."""
    return _targets(partners, start, end).aggregate(total=Sum("amount"))["total"]


def monthly(partners: QuerySet | None, start: date, end: date) -> dict[tuple[date, str], Decimal]:
    """{(month, kind): net}."""
    rows = within(SalesDaily, partners).filter(day__gte=start, day__lt=end)
    found = (
        rows.annotate(month=TruncMonth("day")).values("month", "kind").annotate(total=Sum("net"))
    )
    return {(row["month"], row["kind"]): row["total"] for row in found.order_by()}


def monthly_targets(partners: QuerySet | None, start: date, end: date) -> dict[date, Decimal]:
    """{month: sell-in target}."""
    rows = _targets(partners, start, end).values_list("month")
    return dict(rows.annotate(goal=Sum("amount")))


def by_line(partners: QuerySet | None, start: date, end: date) -> list[tuple[str, Decimal]]:
    """(product line, sell-in net), the largest first."""
    rows = within(SalesDaily, partners).filter(kind=SalesKind.SELL_IN, day__gte=start, day__lt=end)
    found = rows.values("product_line__name").annotate(total=Sum("net")).order_by("-total")
    return [(row["product_line__name"], row["total"]) for row in found]


def largest(
    partners: QuerySet, start: date, end: date, limit: int
) -> list[tuple[Partner, Decimal]]:
    """(partner, sell-in net in [start, end)), the largest first; those that bought something."""
    rows = within(SalesDaily, partners).filter(kind=SalesKind.SELL_IN, day__gte=start, day__lt=end)
    found = rows.values_list("partner").annotate(total=Sum("net")).order_by("-total", "partner")
    sums = dict(found[:limit])
    names = Partner.objects.select_related("level").in_bulk(sums)
    return [(names[key], total) for key, total in sums.items()]


def months(period: Period, count: int = 12) -> list[date]:
    """The first days of `count` months up to the end of the period."""
    return [add_months(period.end, -back) for back in range(count, 0, -1)]


@dataclass(frozen=True)
class Silent:
    """A partner that stopped buying: when it last did, and what it bought in the year before."""

    partner: Partner
    last: date
    amount: Decimal


def silent(partners: QuerySet, day: date, days: int, limit: int) -> tuple[int, list[Silent]]:
    """(how many, the `limit` largest): active partners that bought something in the year up to
    `day`, but nothing in its last `days` days."""
    since, year = day - timedelta(days=days), day - timedelta(days=365)
    bought = SalesDaily.objects.filter(kind=SalesKind.SELL_IN, net__gt=0)
    # Few are left by the days that a BRIN finds; only theirs of the year are read, by the key.
    lately = bought.filter(partner=OuterRef("pk"), day__gt=since, day__lte=day)
    before = bought.filter(partner=OuterRef("pk"), day__gt=year, day__lte=since)
    quiet = partners.filter(~Exists(lately), Exists(before), state=Partner.State.ACTIVE)
    theirs = before.order_by().values("partner")
    rows = list(
        quiet.annotate(
            last=Subquery(theirs.annotate(last=Max("day")).values("last")),
            amount=Subquery(theirs.annotate(amount=Sum("net")).values("amount")),
        ).order_by("-amount", "pk")
    )
    return len(rows), [Silent(row, row.last, row.amount) for row in rows[:limit]]


def same_span(period: Period, day: date) -> tuple[date, date, date, date]:
    """(start, end) of what has passed of the period up to `day`, and the same days a year before.

    Comparing half a quarter with a whole one of last year would always look like a fall.
    """
    ago = period.year_ago()
    end = min(period.end, day + timedelta(days=1))
    if end <= period.start or end == period.end:
        return period.start, period.end, ago.start, ago.end
    return period.start, end, ago.start, ago.start + (end - period.start)


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
        .annotate(rank_before=_rank_before(evaluation))
        .select_related("partner__territory", "level")
        .order_by("rank", "pk")[:limit]
    )
    keys = [score.partner_id for score in scores]
    sums = _sums(keys, evaluation)
    out = []
    for score in scores:
        sell_in, goal = sums.get(score.partner_id, (ZERO, None))
        moved = None if score.rank_before is None else score.rank_before - score.rank
        out.append(Ranked(score, sell_in, attained(sell_in, goal), moved))
    return out


def _sums(keys: Iterable[int], evaluation: Evaluation) -> dict[int, tuple[Decimal, Decimal | None]]:
    start, end = evaluation.starts_on, evaluation.ends_before
    sold = SalesDaily.objects.filter(
        partner__in=keys, kind=SalesKind.SELL_IN, day__gte=start, day__lt=end
    )
    net_of = dict(sold.values_list("partner").annotate(total=Sum("net")).order_by())
    chosen = Partner.objects.filter(pk__in=keys)
    goals = dict(_targets(chosen, start, end).values_list("partner").annotate(goal=Sum("amount")))
    return {key: (net_of.get(key, ZERO), goals.get(key)) for key in keys}


def _rank_before(evaluation: Evaluation) -> Subquery:
    """The rank of the same partner in the published evaluation before."""
    previous = Evaluation.objects.filter(
        scheme=evaluation.scheme_id,
        state=Evaluation.State.PUBLISHED,
        ends_before__lte=evaluation.starts_on,
    ).order_by("-ends_before", "-pk")
    ranks = Score.objects.filter(
        partner=OuterRef("partner"), evaluation=Subquery(previous.values("pk")[:1])
    )
    return Subquery(ranks.values("rank")[:1])


@dataclass(frozen=True)
class Network:
    """How many of the partners are in business, began in a period, are being onboarded, and are
    in business without an owner."""

    in_business: int
    started: int
    onboarding: int
    unowned: int


def network(partners: QuerySet, start: date, end: date) -> Network:
    """The counts of `partners`; those that began in [start, end)."""
    in_business = Q(state__in=Partner.IN_BUSINESS)
    counts = partners.aggregate(
        in_business=Count("pk", filter=in_business),
        started=Count("pk", filter=Q(started_on__gte=start, started_on__lt=end)),
        onboarding=Count("pk", filter=Q(state=Partner.State.ONBOARDING)),
        unowned=Count("pk", filter=in_business & Q(owner__isnull=True)),
    )
    return Network(**counts)


def net_and_ago(partners: QuerySet | None, span: tuple[date, date, date, date]) -> list[Decimal]:
    """The sell-in net of the two halves of `same_span`: now, and a year before."""
    now = Q(day__gte=span[0], day__lt=span[1])
    ago = Q(day__gte=span[2], day__lt=span[3])
    rows = within(SalesDaily, partners).filter(now | ago, kind=SalesKind.SELL_IN)
    sums = rows.aggregate(now=Sum("net", filter=now), ago=Sum("net", filter=ago))
    return [sums["now"] or ZERO, sums["ago"] or ZERO]
