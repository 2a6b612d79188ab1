"""How much a partner sells in a month: size, growth, season, and its own character. Pure.

Amounts here are floats: they are expectations from which whole quantities are drawn; money is made
of Decimals in `sales`.
"""

from __future__ import annotations

import calendar
import random
from dataclasses import dataclass
from datetime import date, timedelta

from core.periods import add_months

# First day of the lunar year. The dip is around it; a year that is not here gets a dip in early
# February.
_NEW_YEAR = {
    2020: (1, 25), 2021: (2, 12), 2022: (2, 1), 2023: (1, 22), 2024: (2, 10), 2025: (1, 29),
    2026: (2, 17), 2027: (2, 6), 2028: (1, 26), 2029: (2, 13), 2030: (2, 3), 2031: (1, 23),
    2032: (2, 11), 2033: (1, 31), 2034: (2, 19), 2035: (2, 8),
}  # fmt: skip
_YEAR = (1.02, 0.98, 1.0, 0.98, 1.0, 1.06, 0.93, 0.97, 1.08, 1.02, 1.1, 1.28)
_SUMMER = (0.5, 0.5, 0.7, 0.8, 1.0, 1.5, 1.9, 1.8, 1.2, 0.8, 0.7, 0.6)  # schools build in holidays
_WINTER_STOP = (0.3, 0.35, 0.8, 1.15, 1.3, 1.35, 1.3, 1.3, 1.25, 1.15, 0.75, 0.4)

STEADY, RISING, FAILING, STUFFING = "steady", "rising", "failing", "stuffing"
SEASONAL, ERRATIC, NEWCOMER = "seasonal", "erratic", "newcomer"


@dataclass(frozen=True)
class Character:
    """How a partner behaves. `size` is the expected monthly purchase at the start, in yuan."""

    kind: str
    size: float
    growth: float
    noise: float
    returns: float
    cold: bool = False


def new_year(year: int) -> date:
    """The first day of the lunar year that begins in `year`."""
    return date(year, *_NEW_YEAR.get(year, (2, 5)))


def is_holiday(day: date) -> bool:
    """Whether nothing is shipped: around the lunar new year and in the first week of October."""
    since = (day - new_year(day.year)).days
    return -4 <= since <= 8 or (day.month == 10 and day.day <= 7)


def season(month: date, character: Character) -> float:
    """The factor of that month, 1 on the average of a year."""
    factor = _YEAR[month.month - 1] * (1 - 0.8 * _share_of_holidays(month))
    if character.kind == SEASONAL:
        factor *= (_WINTER_STOP if character.cold else _SUMMER)[month.month - 1]
    return factor


def _share_of_holidays(month: date) -> float:
    days = calendar.monthrange(month.year, month.month)[1]
    first = new_year(month.year) - timedelta(days=7)
    hit = [n for n in range(21) if (first + timedelta(days=n)).replace(day=1) == month]
    return len(hit) / days


def demand(month: date, start: date, character: Character, begun: date | None) -> float:
    """What the partner's customers want in that month, without chance.

    `start` is the first month of the network, `begun` when the partner began (newcomers ramp up).
    """
    years = _months(start, month) / 12
    level = character.size * (1 + character.growth) ** years
    if begun and begun > start:
        level *= min(1.0, 0.3 + 0.14 * _months(begun.replace(day=1), month))
    return level * season(month, character)


def purchase(wanted: float, month: date, character: Character, rng: random.Random) -> float:
    """What the partner buys in that month when its customers want `wanted`."""
    bought = wanted * max(0.2, rng.gauss(1, character.noise))
    if character.kind == ERRATIC and rng.random() < 0.22:
        return 0.0
    if character.kind == STUFFING:
        bought *= 1.95 if month.month % 3 == 0 else 0.62
    return bought


def resale(wanted: float, character: Character, rng: random.Random) -> float:
    """What the partner sells on in that month; 0 where it does not report."""
    if character.kind == ERRATIC and rng.random() < 0.3:
        return 0.0
    weak = 0.86 if character.kind in (STUFFING, FAILING) else 0.98
    return wanted * weak * max(0.3, rng.gauss(1, character.noise * 0.6))


def _months(earlier: date, later: date) -> int:
    return max(0, (later.year - earlier.year) * 12 + later.month - earlier.month)


def months(start: date, count: int) -> list[date]:
    """`count` first days of months from `start`."""
    return [add_months(start, n) for n in range(count)]
