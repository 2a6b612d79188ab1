"""What an evaluation rests on beside sales: ratings, results of other schemes, deductions, levels.

Each is one query for all partners of the scope, whatever their number.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db import connection
from django.db.models import Case, Count, IntegerField, Sum, Value, When

from core.periods import Period
from partners.models import Level, Partner
from performance import scoring
from performance.definitions import compile_card, definition
from performance.models import Deduction, Evaluation, Held, Rating, Score

# Evaluations that the forgiving of levels looks back on; grace is at most 12 of them.
MEMORY = 13


@dataclass(frozen=True)
class Marks:
    """What one partner got for one item: the sum of marks (or results) and how many there are."""

    total: Decimal
    count: int


NONE = Marks(Decimal(0), 0)


def ratings(evaluation_id: int | None) -> dict[str, dict[int, Marks]]:
    """{item code: {partner: marks}} of an evaluation."""
    found: dict[str, dict[int, Marks]] = defaultdict(dict)
    rows = (
        Rating.objects.filter(evaluation_id=evaluation_id)
        .order_by()
        .values_list("item_code", "partner_id")
        .annotate(Sum("mark"), Count("pk"))
    )
    for code, partner, total, count in rows:
        found[code][partner] = Marks(Decimal(total), count)
    return found


def published_within(scheme: str, period: Period) -> list[int]:
    """The evaluations of a scheme, published, whose period lies inside this one; of each period the
    last revision. In order of time."""
    rows = (
        Evaluation.objects.filter(
            scheme__code=scheme,
            state__in=Evaluation.PUBLIC,
            starts_on__gte=period.start,
            ends_before__lte=period.end,
        )
        .order_by("period_code", "-revision")
        .distinct("period_code")
    )
    return [row.pk for row in sorted(rows, key=lambda row: (row.starts_on, row.ends_before))]


def results(evaluations: list[int], items: list[str]) -> dict[int, Marks]:
    """{partner: results}: the total in each evaluation, or where `items` are named
    Σ weight × points ÷ Σ weight over those that apply, 4 places."""
    found: dict[int, list[Decimal]] = defaultdict(list)
    if items:
        for partner, weighted, weights in _sums(evaluations, items):
            found[partner].append(scoring.mean_of(weighted, weights, scoring.POINTS))
    else:
        rows = Score.objects.filter(evaluation__in=evaluations, total__isnull=False).order_by()
        for partner, total in rows.values_list("partner_id", "total"):
            found[partner].append(total)
    return {
        partner: Marks(sum(values, Decimal(0)), len(values)) for partner, values in found.items()
    }


def _sums(evaluations: list[int], items: list[str]) -> list[tuple[int, Decimal, Decimal]]:
    """(partner, Σ weight × points, Σ weight) of the named items, a row a score."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.partner_id, sum((item->>1)::numeric * (item->>4)::numeric), "
            "sum((item->>1)::numeric) FROM performance_score AS s "
            "CROSS JOIN LATERAL jsonb_array_elements(s.items::jsonb) AS item "
            "WHERE s.evaluation_id = ANY(%s) AND item->>0 = ANY(%s) AND item->>4 IS NOT NULL "
            "GROUP BY s.evaluation_id, s.partner_id HAVING sum((item->>1)::numeric) > 0",
            [evaluations, items],
        )
        return cursor.fetchall()


def deductions(period: Period) -> dict[int, Decimal]:
    """{partner: points} of the decided deductions that count on a day of the period."""
    rows = Deduction.objects.filter(
        state=Deduction.State.DECIDED, decided_on__gte=period.start, decided_on__lt=period.end
    )
    return dict(rows.order_by().values_list("partner_id").annotate(Sum("points")))


# --- levels before -------------------------------------------------------------------------


@dataclass(frozen=True)
class Before:
    """The level of each partner before an evaluation (by code), and how often it was forgiven."""

    levels: dict[int, str | None]
    forgiven: dict[int, int]


def before(scheme: str, period: Period, evaluation_id: int | None) -> Before:
    """What the rules of levels start from.

    The level of a partner is the one it got in the last published evaluation of this scheme over an
    earlier period of that kind. Without one, what an earlier revision of this evaluation started
    from; else the level the partner has now.
    """
    levels: dict[int, str | None] = dict(Partner.objects.values_list("pk", "level__code"))
    levels |= _of_earlier_revision(evaluation_id)
    earlier = _earlier(scheme, period)
    place = Case(
        *(When(evaluation=pk, then=Value(place)) for place, pk in enumerate(earlier)),
        output_field=IntegerField(),
    )
    rows = Score.objects.filter(evaluation__in=earlier).order_by("partner_id", place)
    forgiven: dict[int, int] = {}
    ended: set[int] = set()
    for partner, level, held in rows.values_list("partner_id", "level__code", "held"):
        if partner not in forgiven:
            levels[partner], forgiven[partner] = level, 0
        if held != Held.GRACE:
            ended.add(partner)
        elif partner not in ended:
            forgiven[partner] += 1
    return Before(levels, forgiven)


def _earlier(scheme: str, period: Period) -> list[int]:
    """The last published evaluations of earlier periods of the same kind, newest first."""
    rows = (
        Evaluation.objects.filter(
            scheme__code=scheme, state__in=Evaluation.PUBLIC, starts_on__lt=period.start
        )
        .order_by("-starts_on", "period_code", "-revision")
        .values_list("pk", "period_code")
    )
    last: dict[str, int] = {}
    for pk, code in rows[: MEMORY * 10]:
        if Period.parse(code, settings.FISCAL_YEAR_START).kind == period.kind:
            last.setdefault(code, pk)
    return list(last.values())[:MEMORY]


def _of_earlier_revision(evaluation_id: int | None) -> dict[int, str | None]:
    """What the last published revision of the same evaluation started from."""
    this = Evaluation.objects.filter(pk=evaluation_id).first()
    if this is None:
        return {}
    revisions = Evaluation.objects.filter(
        scheme=this.scheme_id, period_code=this.period_code, revision__lt=this.revision
    )
    earlier = revisions.select_related("scheme_version__scheme").order_by("-revision").first()
    # A version without such rules did not look at levels.
    if earlier is None or not compile_card(definition(earlier.scheme_version)).remembers:
        return {}
    rows = Score.objects.filter(evaluation=earlier)
    return dict(rows.values_list("partner_id", "level_before__code"))


def places(ladder: tuple[scoring.Rung, ...]) -> dict[str | None, int]:
    """{level code: its number on the ladder}. A level that the scheme does not have counts as the
    highest one of the scheme that ranks no higher."""
    ranks: dict[str, int] = dict(Level.objects.values_list("code", "rank"))
    own = [ranks[rung.name] for rung in ladder]
    found: dict[str | None, int] = {
        code: sum(1 for each in own if each <= rank) for code, rank in ranks.items()
    }
    return found | {None: 0}
