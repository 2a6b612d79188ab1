"""Measures that the director made of others."""

from __future__ import annotations

from typing import Any

from core import crud
from performance.models import DerivedMeasure

_MADE: tuple[dict[str, Any], ...] = (
    {
        "code": "sell_through_rate",
        "name": "动销率",
        "name_en": "Sell-through rate",
        "definition": "净分销出货额 ÷ 净提货额：进的货有多少卖了出去。",
        "definition_en": "Net sell-through ÷ net sell-in: how much of what came in was sold on.",
        "expression": "sell_through_net ÷ sell_in_net",
    },
    {
        "code": "sell_through_rate_ytd",
        "name": "累计动销率",
        "name_en": "Sell-through rate, year to date",
        "definition": "从财年第一天到期末的净分销出货额 ÷ 净提货额。",
        "definition_en": "Net sell-through ÷ net sell-in from the first day of the fiscal year.",
        "expression": "sell_through_rate",
        "span": "year_to_date",
    },
    {
        "code": "paid_share",
        "name": "回款占提货比",
        "name_en": "Collection to sell-in",
        "definition": "回款 ÷ 净提货额，最多算 100 %。",
        "definition_en": "Collection ÷ net sell-in, at most 100 %.",
        "expression": "min(collection ÷ sell_in_net, 1)",
    },
    {
        "code": "sell_in_per_active_month",
        "name": "活跃月均提货",
        "name_en": "Net sell-in per active month",
        "definition": "净提货额 ÷ 活跃月数；没有活跃月则为 0。",
        "definition_en": "Net sell-in ÷ active months; 0 without any.",
        "expression": "sell_in_net ÷ active_months",
        "unit": "currency",
        "places": 2,
        "zero": "zero",
    },
)


def make_measures(*, by: Any) -> None:
    """Make them, as the page does. ValidationError where an expression does not hold."""
    for fields in _MADE:
        crud.save(DerivedMeasure(**fields), by=by)
