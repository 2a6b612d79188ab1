"""Evaluations against one bare GROUP BY over the same lines, and how they grow."""

from __future__ import annotations

from datetime import date

from django.db import connection

from bench import data
from bench.common import Result, in_pairs
from partners.models import Partner
from performance import services
from performance.models import Evaluation, Scheme, SchemeItem, SchemeVersion

PERIOD, TODAY = "2025Q2", date(2026, 1, 15)
REFERENCE = "one bare GROUP BY partner, quarter"
MEASURES = [
    ("sell_in_net", 30),
    ("target_attainment", 20),
    ("growth_yoy", 15),
    ("focus_line_share", 10),
    ("active_months", 10),
    ("line_breadth", 10),
    ("return_rate", 5),
]


def run(partner_count: int = 20_000, lines: int = 2_000_000, rounds: int = 3) -> list[Result]:
    """Few and many partners, few and many lines, each cold: a new evaluation, its scores written.

    What is compared with the limit is the last; the others show what the time grows with.
    """
    data.base()
    steps = [
        (partner_count // 10, lines // 10, ""),
        (partner_count // 10, lines, ""),
        (partner_count, lines // 10, ""),
        (partner_count, lines, "≤ 3 ×"),
    ]
    scheme = _scheme()
    return [_measure(scheme, p, n, limit, rounds) for p, n, limit in steps]


def _measure(scheme: Scheme, partner_count: int, lines: int, limit: str, rounds: int) -> Result:
    data.clear_facts()
    data.partners(partner_count)
    _keep_active(partner_count)
    data.facts(lines, partner_count)
    _targets(partner_count)
    pairs = in_pairs(
        lambda: services.evaluate(scheme_code=scheme.code, period=PERIOD, by=None, on=TODAY),
        _group_by,
        rounds,
        before=lambda: _forget(scheme),
    )
    name = f"evaluate {partner_count:,} partners over {lines:,} lines, {len(MEASURES)} items, cold"
    return pairs.result(name, REFERENCE, limit)


def _forget(scheme: Scheme) -> None:
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


def _scheme() -> Scheme:
    """Seven items over the measures that read sales, with the curves of the seeded scheme."""
    scheme, created = Scheme.objects.get_or_create(code="bench", defaults={"name": "Bench"})
    if not created:
        return scheme
    version = SchemeVersion.objects.create(scheme=scheme, number=1, scope={"states": ["active"]})
    for position, (measure, weight) in enumerate(MEASURES):
        SchemeItem.objects.create(
            version=version,
            code=measure,
            measure=measure,
            weight=weight,
            position=position,
            target_source="peer_median" if measure == "sell_in_net" else "none",
            curve={"kind": "linear", "points": [["0", "0"], ["2", "100"]]}
            if measure != "return_rate"
            else {"kind": "linear", "points": [["0", "100"], ["0.2", "0"]]},
        )
    services.publish_version(version=version, by=None, on=TODAY)
    return scheme
