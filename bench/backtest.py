"""A backtest over eight quarters against one evaluation of one quarter."""

from __future__ import annotations

from decimal import Decimal

from django.db import connection

from bench import data, evaluate
from bench.common import Result, in_pairs
from performance import services
from performance.backtest import asking
from performance.backtest.services import backtest
from performance.models import Scheme, SchemeVersion

PERIODS = "2024Q1..2025Q4"
# The draft moves every weight; in the second row also the curves of three items are others.
WEIGHTS = {
    "sell_in_net": 25,
    "target_attainment": 25,
    "growth_yoy": 10,
    "focus_line_share": 15,
    "active_months": 5,
    "line_breadth": 10,
    "return_rate": 10,
}
CURVES = ("sell_in_net", "target_attainment", "growth_yoy")


def run(partner_count: int = 5_000, lines: int = 500_000, rounds: int = 3) -> list[Result]:
    """A draft with other weights, and one with other curves too."""
    data.base()
    data.clear_facts()
    data.partners(partner_count)
    evaluate._keep_active(partner_count)
    data.facts(lines, partner_count)
    evaluate._targets(partner_count)
    _targets_of_the_year_before()
    scheme = evaluate.make_scheme(evaluate.SEVEN)
    draft = services.draft_version(scheme=scheme, by=None)
    for code, weight in WEIGHTS.items():
        draft.items.filter(code=code).update(weight=Decimal(weight))
    found = [_measure(scheme, draft, partner_count, "other weights", rounds)]
    curve = {"kind": "linear", "points": [["0", "0"], ["1.5", "100"]]}
    draft.items.filter(code__in=CURVES).update(curve=curve)
    return [*found, _measure(scheme, draft, partner_count, "3 other curves of 7", rounds)]


def _measure(
    scheme: Scheme, draft: SchemeVersion, partner_count: int, what: str, rounds: int
) -> Result:
    against = scheme.current()
    assert against is not None
    periods = asking.find_periods(PERIODS, evaluate.TODAY)
    pairs = in_pairs(
        lambda: backtest(draft=draft, against=against, periods=periods),
        lambda: services.evaluate(
            scheme_code=scheme.code, period=evaluate.PERIOD, by=None, on=evaluate.TODAY
        ),
        rounds,
        before=lambda: evaluate.forget(scheme),
    )
    name = f"backtest {partner_count:,} partners over 8 quarters, {what}"
    return pairs.result(name, "one evaluation of one quarter, cold", "≤ 9 ×")


def _targets_of_the_year_before() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sales_target (partner_id, month, kind, amount, created_at, updated_at)"
            " SELECT partner_id, month - interval '1 year', kind, amount, now(), now()"
            " FROM sales_target"
        )
        cursor.execute("ANALYZE sales_target")
