"""A scheme that people rate, with an evaluation in each stage: final, superseded by a revision that
an appeal brought, open to appeals, in review, open to ratings."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from channel_crm.demo.clock import early
from channel_crm.demo.people import PARTNER_ADMIN
from channel_crm.demo.story import Story
from core import audit, crud, workflow
from core.periods import Period
from partners.models import Level, Partner
from performance import services
from performance.models import (
    Appeal,
    Basis,
    Correction,
    Evaluation,
    Rater,
    Rating,
    Scheme,
    SchemeItem,
    SchemeLevel,
    SchemeVersion,
)
from performance.models.schemes import default_scope
from performance.process import rating, revisions
from performance.process.appeals import decide_appeal, file_appeal, open_to

CODE = "partner-development"
_MARKS = {"kind": "linear", "points": [["1", "0"], ["3", "60"], ["5", "100"]]}
_ATTAINMENT = {"kind": "linear", "points": [["0.6", "0"], ["1", "100"]]}
_TO_TWICE_THE_MEDIAN = {"kind": "linear", "points": [["0", "0"], ["1", "60"], ["2", "100"]]}
# code, name, English name, weight, anchors for 1, 3 and 5
_RATED = (
    (
        *("service", "服务能力", "Service", 20),
        *("投诉无人处理", "按约定响应", "主动回访，客户点名表扬"),
    ),
    (
        *("market", "市场建设", "Market building", 20),
        *("没有任何推广", "按计划开展活动", "自筹活动并带来新客户"),
    ),
)
_LEVELS = (("gold", 80), ("silver", 65), ("bronze", 45))
_EVIDENCE = {1: "三次投诉均超过一周未处理", 5: "自办两场新品推介会，签到表与照片齐全"}
COMPUTED, RATED, PUBLISHED = 5, 9, 12  # days after the end of a quarter


def tell_process(story: Story) -> None:
    """The scheme, and the two quarters before the last: rated, published in time."""
    last = Period.containing("quarter", story.until, settings.FISCAL_YEAR_START).previous()
    quarters = [last.previous().previous(), last.previous()]
    quarters = [quarter for quarter in quarters if quarter.start >= story.start]
    if not quarters:
        return
    story.tell(early(quarters[0].start, hour=11), partial(_make_scheme, story, quarters[0].start))
    for quarter in quarters:
        days = [quarter.end + timedelta(days=days) for days in (COMPUTED, RATED, PUBLISHED)]
        for day, deed in zip(days, (_compute, _close, _publish), strict=True):
            story.tell(early(day, hour=6), partial(deed, story, quarter, day))


def make_stages(story: Story) -> None:
    """What is under way today: an appeal and its revision, a review, open ratings."""
    today = timezone.localdate()
    last = Period.containing("quarter", story.until, settings.FISCAL_YEAR_START).previous()
    if not Evaluation.objects.filter(scheme__code=CODE).exists():
        return
    _appeal(story, Evaluation.objects.get(scheme__code=CODE, period_code=last.previous().code))
    month = Period.containing("month", story.until, settings.FISCAL_YEAR_START)
    if month.end <= today:
        _compute(story, month, today)
        _review(story, _close(story, month, today), today)
    _compute(story, last, today, half=True)
    before = last.previous().previous()
    final = Evaluation.objects.filter(scheme__code=CODE, period_code=before.code).first()
    if final:
        revisions.check_late(evaluation=final, by=story.director, at=timezone.now())


def _make_scheme(story: Story, on: date) -> None:
    scheme = Scheme(code=CODE, name="伙伴发展考核", name_en="Partner development")
    crud.save(scheme, by=story.director)
    version = SchemeVersion(
        scheme=scheme,
        number=1,
        note="演示数据 / Generated demo data",
        scope={**default_scope(), "channel_types": ["distributor"]},
        rating_days=30,
        review_days=45,
        appeal_days=30,
    )
    version.save()
    audit.record("performance.schemeversion.created", version, by=story.director)
    measured = (
        ("attainment", "target_attainment", 40, "none", _ATTAINMENT),
        ("volume", "sell_in_net", 20, "peer_median", _TO_TWICE_THE_MEDIAN),
    )
    items = [
        SchemeItem(code=code, measure=measure, weight=weight, target_source=source, curve=curve)
        for code, measure, weight, source, curve in measured
    ]
    items += [
        SchemeItem(
            code=code,
            name=name,
            name_en=name_en,
            basis=Basis.RATING,
            weight=weight,
            curve=_MARKS,
            anchors={"1": low, "3": middle, "5": high},
        )
        for code, name, name_en, weight, low, middle, high in _RATED
    ]
    for position, item in enumerate(items, start=1):
        item.version, item.position, item.weight = version, position, Decimal(item.weight)
    SchemeItem.objects.bulk_create(items)
    levels = {level.code: level for level in Level.objects.all()}
    SchemeLevel.objects.bulk_create(
        SchemeLevel(version=version, level=levels[code], min_total=Decimal(least))
        for code, least in _LEVELS
    )
    services.publish_version(version=version, by=story.director, on=on)


def _find(period: Period) -> Evaluation:
    found = Evaluation.objects.filter(scheme__code=CODE, period_code=period.code)
    return found.select_related("scheme", "scheme_version").get()


def _compute(story: Story, period: Period, on: date, *, half: bool = False) -> None:
    """Compute it and let people rate; with `half` they are not done yet."""
    services.evaluate(scheme_code=CODE, period=period.code, by=None, on=on)
    evaluation = _find(period)
    known = evaluation.raters.values_list("user", flat=True)
    others = [story.users[name] for name in ("service", "marketing")]
    Rater.objects.bulk_create(
        Rater(evaluation=evaluation, user=user) for user in others if user.pk not in set(known)
    )
    rows: list[Rating] = []
    for rater in evaluation.raters.select_related("user").order_by("pk"):
        partners = list(rating.scored_partners(evaluation, rater.user).order_by("code"))
        if half:
            thirds = 1 if rater.user.role == Role.SERVICE else 2
            partners = partners[: len(partners) * thirds // 3]
        rows += _marks(evaluation, rater.user, partners)
    Rating.objects.bulk_create(rows, batch_size=1000)
    audit.record_many(
        [("performance.rating.created", row, audit.diff({}, audit.snapshot(row))) for row in rows],
        by=None,
    )


def _marks(evaluation: Evaluation, user: User, partners: list[Partner]) -> list[Rating]:
    """The same partner is good or bad to everybody, and each rater a little milder or stricter."""
    mildness = random.Random(f"mild {user.username}").choice([-0.6, -0.2, 0.2, 0.7])
    found = []
    for partner in partners:
        for code, *_rest in _RATED:
            quality = random.Random(f"quality {partner.code} {code}").gauss(3.3, 0.8)
            rng = random.Random(f"{user.username} {partner.code} {code} {evaluation.period_code}")
            mark = min(5, max(1, round(quality + mildness + rng.gauss(0, 0.4))))
            found.append(
                Rating(
                    evaluation=evaluation,
                    item_code=code,
                    partner=partner,
                    rater=user,
                    mark=mark,
                    evidence=_EVIDENCE.get(mark, ""),
                )
            )
    return found


def _no_progress(done: int, total: int, message: str) -> None:
    """Nobody watches."""


def _recompute(evaluation: Evaluation, on: date) -> Evaluation:
    """What a worker does; here at once."""
    return services.run_prepared(evaluation=evaluation, by=None, on=on, progress=_no_progress)


def _close(story: Story, period: Period, on: date) -> Evaluation:
    closed = workflow.fire(_find(period), "close_ratings", by=story.director, on=on)
    return _recompute(closed, on)


def _publish(story: Story, period: Period, on: date) -> None:
    services.publish_evaluation(evaluation=_find(period), by=story.director, on=on)


def _correction(evaluation: Evaluation, score: Any, other: User, reason: str, **what: Any) -> Any:
    """Proposed by the manager of the partner; by `other` where it has none."""
    by = score.partner.owner or other
    row = Correction(
        evaluation=evaluation, partner=score.partner, proposed_by=by, reason=reason, **what
    )
    return crud.save(row, by=by)


def _best(evaluation: Evaluation, start: int, end: int) -> list[Any]:
    """Some scores by rank, with their partners."""
    rows = evaluation.scores.exclude(rank=None).select_related("partner__owner")
    return list(rows.order_by("rank", "pk")[start:end])


def _review(story: Story, evaluation: Evaluation, on: date) -> None:
    """One change accepted and applied, one that waits for its second person."""
    judge = story.users["admin"]
    first, second = _best(evaluation, 1, 3)
    accepted = _correction(
        *(evaluation, first, judge, "厂家断货两周，任务完成率按可供货量折算"),
        item_code="attainment",
        points=Decimal(95),
    )
    workflow.fire(accepted, "accept", by=story.director, on=on)
    evaluation = _recompute(
        workflow.fire(evaluation, "compute_again", by=story.director, on=on), on
    )
    _correction(
        *(evaluation, second, judge, "新仓库月底才启用，服务评分应参考搬迁前"),
        item_code="service",
        points=Decimal(70),
    )


def _appeal(story: Story, first: Evaluation) -> None:
    """Appeals against the first revision came in time; one was right, and a revision follows. Two
    more are open against it, and one that a partner filed itself."""
    service, judge = story.users["service"], story.users["admin"]
    today = timezone.localdate()
    scores = _best(first, 3, 6)
    appeal = Appeal(
        evaluation=first,
        partner=scores[0].partner,
        item_code="service",
        claim="六月两次投诉属于物流公司责任，已附签收单，服务评分应更正。",
        filed_by=service,
        due_on=today + timedelta(days=first.scheme_version.answer_days),
    )
    # Its window is over by today: it was filed in time, which the form would ask for.
    appeal.save()
    audit.record("performance.appeal.created", appeal, by=service)
    workflow.fire(appeal, "take", by=judge, on=today)
    appeal.refresh_from_db()
    decide_appeal(
        appeal=appeal,
        accept=True,
        by=judge,
        on=today,
        reason="签收单属实，两次投诉不计入。",
        points=Decimal(90),
    )
    revision = services.open_revision(
        evaluation=first, reason="申诉成立：服务评分更正", by=story.director, on=today
    )
    revision = _recompute(revision, today)
    revision = services.publish_evaluation(evaluation=revision, by=story.director, on=today)
    for score, claim in zip(
        scores[1:],
        ("有一笔九千元的提货记在了下级伙伴名下。", "市场活动的照片在系统迁移时丢失，附原件。"),
        strict=True,
    ):
        file_appeal(evaluation=revision, partner=score.partner, claim=claim, by=service, on=today)
    _own_appeal(revision, story.users[PARTNER_ADMIN.username], today)


def _own_appeal(evaluation: Evaluation, user: User, on: date) -> None:
    """A partner appeals itself, if it has a scorecard in the evaluation."""
    if open_to(user, on).filter(pk=evaluation.pk).exists():
        file_appeal(
            evaluation=evaluation,
            partner=user.membership.partner,
            item_code="attainment",
            claim="有一批货因厂家缺货推迟发出，未计入本季任务完成率，附发货单。",
            by=user,
            on=on,
        )
