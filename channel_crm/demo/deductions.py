"""Cases that cost points: what managers propose and the director decides."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from channel_crm.demo.clock import early
from channel_crm.demo.plans import ACTIVE, Plan
from channel_crm.demo.story import Story
from channel_crm.demo.writing import enter
from core.workflow import fire
from performance.models import Deduction

# Days before the end, points, why, and what the director says (None: nothing yet).
_CASES = (
    (150, "3.00", "跨区销售：货物流入邻省，经核实属实", "decide"),
    (132, "1.50", "连续两个月未按时提交分销月报", "decide"),
    (118, "5.00", "低价倾销，扰乱市场价格秩序", "decide"),
    (75, "2.00", "客户投诉：安装服务未按承诺完成", "decide"),
    (60, "4.00", "擅自更改授权书中的经营范围", "reject"),
    (45, "1.00", "未参加季度培训", "decide"),
    (9, "2.50", "疑似跨区销售，等待复核", None),
    (5, "0.50", "陈列检查不合格", None),
)
_NOT_PROVEN = "证据不足，不予扣分"


def tell_deductions(story: Story, plans: list[Plan]) -> None:
    """Each case is entered by the manager of the partner and decided four days later."""
    active = [plan for plan in plans if plan.fate == ACTIVE]
    for number, (days, points, reason, verdict) in enumerate(_CASES):
        plan = active[number * 5 % len(active)]
        day = story.until - timedelta(days=days)
        if plan.started_on is None or plan.started_on > day or day < story.start:
            continue
        story.tell(
            early(day, hour=11), partial(_propose, story, plan, day, Decimal(points), reason)
        )
        if verdict:
            decided = day + timedelta(days=4)
            deed = partial(_decide, story, plan, day, verdict, decided)
            story.tell(early(decided, hour=15), deed)


def _propose(story: Story, plan: Plan, day: date, points: Decimal, reason: str) -> None:
    manager = story.users[plan.manager]
    row = Deduction(
        partner=story.partners[plan.code],
        decided_on=day,
        points=points,
        reason=reason,
        entered_by=manager,
    )
    enter(row, by=manager)


def _decide(story: Story, plan: Plan, day: date, verdict: str, on: date) -> None:
    row = Deduction.objects.get(partner=story.partners[plan.code], decided_on=day)
    reason = _NOT_PROVEN if verdict == "reject" else ""
    fire(row, verdict, by=story.director, on=on, reason=reason)
