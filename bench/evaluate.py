"""Evaluations against one bare GROUP BY over the same lines, and how they grow."""

from __future__ import annotations

from datetime import date

from django.db import connection

from bench import data
from bench.common import Pairs, Result, in_pairs
from partners.models import Partner
from performance import services
from performance.models import Evaluation, Scheme, SchemeItem, SchemeVersion

PERIOD, TODAY = "2025Q2", date(2026, 1, 15)
REFERENCE = "one bare GROUP BY partner, quarter"
SEVEN = [
    ("sell_in_net", 30),
    ("target_attainment", 20),
    ("growth_yoy", 15),
    ("focus_line_share", 10),
    ("active_months", 10),
    ("line_breadth", 10),
    ("return_rate", 5),
]
TWELVE = [
    ("sell_in_net", 15),
    ("target_attainment", 20),
    ("growth_yoy", 10),
    ("growth_qoq", 5),
    ("focus_line_share", 10),
    ("active_months", 5),
    ("active_month_share", 5),
    ("active_week_share", 5),
    ("monthly_variation", 5),
    ("line_breadth", 10),
    ("return_rate", 5),
    ("target_attainment_ytd", 5),
]
FALLING = ("return_rate", "monthly_variation")


def run(partner_count: int = 20_000, lines: int = 2_000_000, rounds: int = 3) -> list[Result]:
    """Few and many partners, few and many lines, each cold: a new evaluation, its scores written.

    What is compared with the limits are the last; the others show what the time grows with. (Of ten
    times the lines nearly all are days and product lines of their own in the rollup.)
    """
    data.base()
    scheme, found = make_scheme(TWELVE), []
    for count in (partner_count // 10, partner_count):
        limit = "≤ 4 ×" if count == partner_count else ""
        few, result = _measure(scheme, count, lines // 10, "", rounds)
        found.append(result)
        many, result = _measure(scheme, count, lines, limit, rounds)
        found.append(result)
        grown = Pairs(many.work, few.work)
        found.append(
            grown.result(
                f"evaluate {count:,} partners over {lines:,} lines, {len(TWELVE)} items, cold",
                f"the same over {lines // 10:,} lines",
                limit and "≤ 1.3 ×",
            )
        )
    return found


def fill(partner_count: int, lines: int) -> None:
    """So many partners in the scope, so many lines of them, and their targets."""
    data.clear_facts()
    data.partners(partner_count)
    _keep_active(partner_count)
    data.facts(lines, partner_count)
    _targets(partner_count)


def _measure(
    scheme: Scheme, partner_count: int, lines: int, limit: str, rounds: int
) -> tuple[Pairs, Result]:
    fill(partner_count, lines)
    pairs = in_pairs(
        lambda: services.evaluate(scheme_code=scheme.code, period=PERIOD, by=None, on=TODAY),
        _group_by,
        rounds,
        before=lambda: forget(scheme),
    )
    name = f"evaluate {partner_count:,} partners over {lines:,} lines, {len(TWELVE)} items, cold"
    return pairs, pairs.result(name, REFERENCE, limit)


def forget(scheme: Scheme) -> None:
    """No evaluation, and tables at rest: what was deleted is not cleaned up while the next runs."""
    Evaluation.objects.filter(scheme=scheme).delete()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM performance_score")


def _group_by() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT partner_id, date_trunc('quarter', occurred_on), sum(amount)"
            " FROM sales_salesfact GROUP BY 1, 2"
        )
        cursor.fetchall()


def _keep_active(count: int) -> None:
    """Only the first `count` partners are in the scope."""
    keys = Partner.objects.order_by("pk").values("pk")[:count]
    Partner.objects.filter(pk__in=keys).update(state="active")
    Partner.objects.exclude(pk__in=keys).update(state="prospect")


def _targets(count: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE sales_target")
        cursor.execute(
            """
            INSERT INTO sales_target (partner_id, month, kind, amount, created_at, updated_at)
            SELECT id, month, 'sell_in', 5000 + id % 7000, now(), now()
            FROM partners_partner,
                 generate_series(date '2025-01-01', date '2025-12-01', '1 month') AS month
            WHERE state = 'active'
            """
        )
        cursor.execute("ANALYZE sales_target")


def make_scheme(measures: list[tuple[str, int]]) -> Scheme:
    """Items over measures that read sales, with the curves of the seeded scheme."""
    code = f"bench-{len(measures)}"
    scheme, created = Scheme.objects.get_or_create(code=code, defaults={"name": code})
    if not created:
        return scheme
    version = SchemeVersion.objects.create(scheme=scheme, number=1, scope={"states": ["active"]})
    for position, (measure, weight) in enumerate(measures):
        SchemeItem.objects.create(
            version=version,
            code=measure,
            measure=measure,
            weight=weight,
            position=position,
            target_source="peer_median" if measure == "sell_in_net" else "none",
            curve={"kind": "linear", "points": [["0", "0"], ["2", "100"]]}
            if measure not in FALLING
            else {"kind": "linear", "points": [["0", "100"], ["0.2", "0"]]},
        )
    services.publish_version(version=version, by=None, on=TODAY)
    return scheme
