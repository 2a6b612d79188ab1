"""Partners report what they sold on, most of them in time; the director closes the books."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from functools import partial

from django.utils import timezone

from channel_crm.demo.clock import early
from channel_crm.demo.plans import Plan
from channel_crm.demo.sales import REPORT, Fact
from channel_crm.demo.story import Story
from core import crud
from core.periods import add_months
from sales.models import Report, ReportingRule, SalesKind
from sales.services import closing, reporting

MONTHS = 12  # for so long reports have been asked for, and months closed
DUE_DAYS = 10
_LATE, _NOTHING = 0.06, 0.4


def arrives_on(fact: Fact, until: date) -> date:
    """When a line comes in: those of the maker the day after, a partner's month as a whole in the
    days after it; some of them late. None after the day that follows `until`."""
    if fact.source != REPORT:
        return fact.day + timedelta(days=1)
    month = fact.day.replace(day=1)
    rng = random.Random(f"report {fact.partner} {month}")
    late = rng.random() < _LATE
    after = rng.randint(DUE_DAYS + 3, 24) if late else rng.randint(1, DUE_DAYS - 1)
    return min(add_months(month, 1) + timedelta(days=after - 1), until + timedelta(days=1))


def tell_reports(story: Story, plans: list[Plan]) -> None:
    """The rule, the reports of each month, some confirmed as empty; months closed soon after."""
    first = max(add_months(story.until, 1 - MONTHS), story.start)
    codes = [plan.code for plan in plans if plan.reports]
    story.tell(early(first, hour=9), partial(_make_rule, story, first, codes))
    month = first
    while add_months(month, 1) <= story.until + timedelta(days=1):
        after = add_months(month, 1)
        story.tell(early(after, hour=3), partial(reporting.make_reports, on=after))
        due = early(after + timedelta(days=DUE_DAYS - 1), hour=9)
        if due.date() <= story.until:
            story.tell(due, partial(_confirm, story, month, due))
            closed = due + timedelta(days=1)
            story.tell(closed, partial(_close, story, month, closed))
        month = after


def _make_rule(story: Story, start: date, codes: list[str]) -> None:
    rule = ReportingRule(
        name="分销出货月报",
        kind=SalesKind.SELL_THROUGH,
        due_days=DUE_DAYS,
        starts_on=start,
        remind_before=3,
        remind_after=2,
    )
    crud.save(rule, by=story.director)
    rule.partners.set(story.partners[code] for code in codes if code in story.partners)


def _confirm(story: Story, month: date, moment: datetime) -> None:
    """Some of those that sold nothing have said so."""
    waiting = Report.objects.filter(starts_on=month, received_at__isnull=True)
    for report in waiting.select_related("partner").order_by("partner__code"):
        if random.Random(f"nothing {report.partner.code} {month}").random() < _NOTHING:
            reporting.confirm_nothing(report=report, by=story.director, at=moment)


def _close(story: Story, month: date, moment: datetime) -> None:
    closing.close_month(
        month=month,
        kinds=[SalesKind.SELL_IN, SalesKind.SELL_THROUGH],
        by=story.director,
        on=timezone.localdate(moment),
        at=moment,
    )
