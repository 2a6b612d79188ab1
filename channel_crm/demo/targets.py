"""Monthly targets: what was agreed for a year before it began, so that some reach and some miss."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date

from channel_crm.demo import market
from channel_crm.demo.plans import Plan
from core.periods import Period
from sales.models import Target, TargetKind

_FOCUS_SHARES = {"FIB": 0.16, "SWP": 0.08}  # product lines with a target of their own
_STEP = 500  # targets are round figures


def yearly_targets(
    plan: Plan, year: Period, start: date, partner_id: int, lines: dict[str, int]
) -> Iterator[Target]:
    """The targets of one partner for one fiscal year, from the month in which it begins."""
    if plan.started_on is None or (plan.sells_until and plan.sells_until < year.start):
        return
    rng = random.Random(f"targets {plan.code} {year.code}")
    stretch = rng.uniform(0.86, 1.24)
    for period in year.months():
        month = period.start
        if month < max(start, plan.started_on.replace(day=1)):
            continue
        amount = _expected(plan, year, month, start) * stretch
        yield _target(partner_id, month, TargetKind.SELL_IN, amount)
        if plan.reports:
            yield _target(partner_id, month, TargetKind.SELL_THROUGH, amount * 1.05)
        if plan.character.size > 250_000:
            for code, share in _FOCUS_SHARES.items():
                yield _target(partner_id, month, TargetKind.SELL_IN, amount * share, lines[code])


def _expected(plan: Plan, year: Period, month: date, start: date) -> float:
    """Last year's level, some growth on top, and the season: nobody knew what would come.

    The level is taken at the middle of the year before; for a newcomer when it began.
    """
    character = plan.character
    years = max(0.0, (year.start - start).days / 365 - 0.5)
    level = character.size * (1 + character.growth) ** years * 1.08
    if plan.started_on and plan.started_on > start and plan.started_on >= year.start:
        level *= 0.6
    return level * market.season(month, character)


def _target(
    partner_id: int, month: date, kind: TargetKind, amount: float, line: int | None = None
) -> Target:
    rounded = max(_STEP, round(amount / _STEP) * _STEP)
    return Target(
        partner_id=partner_id, month=month, kind=kind, amount=rounded, product_line_id=line
    )
