"""What the ERP says it sold in the last months: its totals, one of which our books do not reach."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from channel_crm.demo.clock import early
from channel_crm.demo.sales import ERP, Fact
from channel_crm.demo.story import Story
from core.periods import add_months
from sales.control import services
from sales.models import SalesKind

MONTHS = 6
LOST = 2  # so many months before the last one, the last order of the month never arrived


def tell_control(story: Story, facts: list[Fact]) -> None:
    """The ERP posts each of the last months when it is over, and its rows of the one that
    differs."""
    last = add_months(story.until, 0)
    wanted = {add_months(last, -age) for age in range(MONTHS)}
    months: dict[date, list[Fact]] = defaultdict(list)
    for fact in facts:
        month = fact.day.replace(day=1)
        if month in wanted and fact.source == ERP:
            months[month].append(fact)
    for month, rows in months.items():
        lost = _lost(rows) if month == add_months(last, -LOST) else {}
        day = min(add_months(month, 1), story.until + timedelta(days=1))
        story.tell(early(day, hour=2), partial(_post, story, month, rows, lost))


def _lost(rows: list[Fact]) -> dict[str, Decimal]:
    """Two lines of an order that our books do not have: {reference: amount}."""
    head = f"SO{rows[-1].day:%Y%m%d}9001"
    return {f"{head}-01": Decimal("12480.00"), f"{head}-02": Decimal("3960.50")}


def _post(story: Story, month: date, rows: list[Fact], lost: dict[str, Decimal]) -> None:
    amounts = {fact.reference: Decimal(fact.cents) / 100 for fact in rows} | lost
    total, _new = services.post(
        by=story.users["erp"],
        source=ERP,
        kind=SalesKind.SELL_IN.value,
        starts_on=month,
        ends_before=add_months(month, 1),
        partner=None,
        rows=len(amounts),
        amount=sum(amounts.values(), Decimal(0)),
    )
    if lost:
        services.replace_references(
            total, ({"reference": key, "amount": str(amount)} for key, amount in amounts.items())
        )
