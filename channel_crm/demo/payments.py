"""What partners pay for what they bought: a month's purchases 30 days after it, most in time."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from django.utils import timezone

from channel_crm.demo.clock import early
from channel_crm.demo.sales import ERP, Fact
from channel_crm.demo.story import Story
from core.periods import add_months
from sales.models import Payment

DUE_DAYS = 30
_EARLIEST, _LATEST = 12, 45  # days before the day it is due, and after it


def tell_payments(story: Story, facts: list[Fact]) -> None:
    """Each month's payments come in on the first night after it."""
    nights: dict[date, list[tuple[str, Payment]]] = defaultdict(list)
    for (code, month), cents in sorted(_bought(facts).items()):
        due = add_months(month, 1) + timedelta(days=DUE_DAYS - 1)
        paid = due + timedelta(days=_after_due(code, month))
        if cents > 0 and paid <= story.until:
            payment = Payment(
                source=ERP,
                reference=f"RC-{code}-{month:%Y%m}",
                invoice=f"{month:%Y-%m}",
                paid_on=paid,
                due_on=due,
                amount=Decimal(cents).scaleb(-2),
            )
            night = min(add_months(paid, 1), story.until + timedelta(days=1))
            nights[night].append((code, payment))
    for night, rows in nights.items():
        story.tell(early(night, hour=1), partial(_enter, story, rows))


def _bought(facts: list[Fact]) -> dict[tuple[str, date], int]:
    """What each partner bought of the maker in each month, returns taken off, in cents."""
    sums: dict[tuple[str, date], int] = defaultdict(int)
    for fact in facts:
        if fact.source == ERP:
            sums[fact.partner, fact.day.replace(day=1)] += fact.cents
    return sums


def _after_due(code: str, month: date) -> int:
    """Days after the day it is due: some partners are slower than others, each by its own habit."""
    reliable = random.Random(f"pays {code}").uniform(0.55, 1)
    rng = random.Random(f"payment {code} {month}")
    if rng.random() < reliable:
        return -rng.randint(0, _EARLIEST)
    return rng.randint(1, _LATEST)


def _enter(story: Story, rows: list[tuple[str, Payment]]) -> None:
    for code, payment in rows:
        payment.partner = story.partners[code]
        payment.recorded_at = timezone.now()
    Payment.objects.bulk_create([payment for _code, payment in rows])
