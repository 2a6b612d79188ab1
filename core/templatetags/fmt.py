"""Figures as people read them.

Exact amounts keep their decimals (`money`); overviews may show 万 and 亿 (`amount`), where the user
chose so. Ratios are fractions: 0.182 is shown as 18.2 %.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from django import template
from django.utils.translation import pgettext

from core.money import round_money
from core.phrases import per_cent

register = template.Library()
NONE = "—"


def _decimal(value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _grouped(number: Decimal, places: int) -> str:
    text = f"{round_money(number, places):,}"
    return text.replace("-", "\u2212")


@register.filter
def money(value: Any, places: int = 2) -> str:
    """1234.5 → "1,234.50"; None → "—"."""
    number = _decimal(value)
    return NONE if number is None else _grouped(number, places)


@register.filter
def exact(value: Any) -> str:
    """All decimals that are there, grouped: 2024.9940 → "2,024.994"."""
    number = _decimal(value)
    if number is None:
        return NONE
    places = max(0, -int(number.normalize().as_tuple().exponent))
    return _grouped(number, places)


def in_unit(value: Any, unit: str) -> str:
    """An amount for an overview: whole units, or with `unit == "wan"` in 万 and 亿."""
    number = _decimal(value)
    if number is None:
        return NONE
    if unit == "wan" and abs(number) >= 100_000_000:
        return _grouped(number / 100_000_000, 2) + " " + pgettext("10^8", "亿")
    if unit == "wan" and abs(number) >= 10_000:
        return _grouped(number / 10_000, 1) + " " + pgettext("10^4", "万")
    return _grouped(number, 0)


@register.simple_tag(takes_context=True)
def amount(context: template.Context, value: Any) -> str:
    """An amount in the unit that the signed-in user chose."""
    user = context.get("user")
    return in_unit(value, getattr(user, "amount_unit", ""))


@register.filter
def percent(value: Any, places: int = 1) -> str:
    """0.1824 → "18.2 %"."""
    number = _decimal(value)
    return NONE if number is None else per_cent(_grouped(number * 100, places))


@register.filter
def signed_percent(value: Any, places: int = 1) -> str:
    """0.1824 → "+18.2 %"."""
    number = _decimal(value)
    if number is None:
        return NONE
    return ("+" if number > 0 else "") + percent(number, places)


@register.filter
def qty(value: Any) -> str:
    """A quantity: grouped, trailing zeros dropped, at most four decimals."""
    number = _decimal(value)
    if number is None:
        return NONE
    return exact(number.quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP))
