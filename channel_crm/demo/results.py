"""What follows from the last published quarter: an award, a warning, a plan to improve, a proposal
to end a cooperation that waits for its second decision, and level changes that wait for theirs."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from django.conf import settings

from channel_crm.demo import schemes
from channel_crm.demo.clock import early
from channel_crm.demo.story import Story
from channel_crm.demo.writing import enter
from core import workflow
from core.errors import DomainError
from core.periods import Period
from partners.models import Partner
from performance.models import Consequence, ConsequenceKind, Evaluation, ImprovementPlan, PlanAction
from performance.results.consequences import propose_level_changes, put_in_force


def tell_results(story: Story) -> None:
    """Everything is proposed two days after the quarter was published; some of it is decided."""
    latest = story.until + timedelta(days=1)
    current = Period.containing("quarter", story.until, settings.FISCAL_YEAR_START)
    quarter = current.previous()
    if quarter.start < story.start:
        return
    day = min(quarter.end + timedelta(days=10), latest)
    story.tell(early(day, hour=11), partial(_propose, story, quarter, day))


def _propose(story: Story, quarter: Period, day: date) -> None:
    rows = Evaluation.objects.filter(
        scheme__code=schemes.RICH, period_code=quarter.code, state__in=Evaluation.PUBLIC
    )
    evaluation = rows.order_by("-revision").first()
    if evaluation is None:
        return
    manager, director = story.users["east"], story.director
    admin = story.users["admin"]
    seen = evaluation.scores.exclude(rank=None).filter(
        partner__in=_partners_of(story, "east"), partner__state="active"
    )
    scores = list(seen.select_related("partner").order_by("rank", "pk"))
    if len(scores) < 4:
        return
    best, second_last, low, lowest = scores[0], scores[-3], scores[-2], scores[-1]
    told = (
        (ConsequenceKind.AWARD, best, "季度综合考核区域第一，授予优秀渠道伙伴"),
        (ConsequenceKind.WARNING, second_last, "目标完成率连续偏低，书面警告"),
        (ConsequenceKind.ELIMINATION, lowest, "连续两个季度排名末位，建议终止合作"),
    )
    made = []
    for kind, score, reason in told:
        made.append(
            Consequence(
                kind=kind,
                partner=score.partner,
                evaluation=evaluation,
                reason=reason,
                effective_on=day,
                proposed_by=manager,
            )
        )
    enter(*made, by=manager)
    for row in made[:2]:
        workflow.fire(row, "decide", by=director, on=day)
    workflow.fire(made[2], "agree", by=admin, on=day)
    put_in_force(on=day)
    plan = ImprovementPlan(
        partner=low.partner,
        evaluation=evaluation,
        goal="主推产品占比和月度规律性低于同类，制定补货和促销计划",
        owner=manager,
        starts_on=day,
        due_on=day + timedelta(days=90),
        scheme=evaluation.scheme,
        retest_period=quarter.next().code,
        goal_total=min((low.total or Decimal(0)) + 10, Decimal(100)),
    )
    enter(plan, by=manager)
    enter(
        PlanAction(
            plan=plan,
            what="与老板面谈，确认季度进货计划",
            owner=manager,
            due_on=day + timedelta(days=7),
            done_on=day,
        ),
        PlanAction(
            plan=plan, what="主推产品培训一次", owner=manager, due_on=day + timedelta(days=30)
        ),
        by=manager,
    )
    _propose_levels(story, quarter, day)


def _propose_levels(story: Story, quarter: Period, day: date) -> None:
    """Level changes by the basic scheme, for the director to be decided by the administrator."""
    evaluation = Evaluation.objects.filter(
        scheme__code=schemes.BASIC, period_code=quarter.code, state__in=Evaluation.PUBLIC
    ).first()
    if evaluation:
        with suppress(DomainError):  # everybody may have the level already
            propose_level_changes(
                evaluation=evaluation,
                effective_on=day + timedelta(days=30),
                by=story.director,
                on=day,
                reason=f"{quarter.code} 考核结果",
            )


def _partners_of(story: Story, username: str) -> list[int]:
    seen = Partner.objects.visible_to(story.users[username])
    return list(seen.values_list("pk", flat=True))
