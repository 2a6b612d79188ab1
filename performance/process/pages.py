"""What the tabs of an evaluation read: ratings, review, appeals, revision, late facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, F, Max, Min, Q
from django.db.models.functions import Abs
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core import jobs
from core.figures import Figure
from core.models import Job
from core.phrases import per_cent
from core.templatetags.fmt import exact
from partners.models import Partner
from performance import scoring
from performance.definitions import definition, item_definition
from performance.explain import item_label
from performance.models import Appeal, Correction, Evaluation, LateCheck, Rating, Score, ScoreChange
from performance.process import rating, revisions
from performance.process.appeals import own_partner
from performance.selectors import item_names

COLORS = {
    "proposed": "yellow",
    "accepted": "green",
    "rejected": "red",
    "withdrawn": "secondary",
    "filed": "yellow",
    "taken": "blue",
}
SHOWN = 50
WIDE = 2  # marks on one partner that lie this far apart are shown to who runs the evaluation


# --- where it stands ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One stage as the bar above the page shows it."""

    label: str
    note: str
    state: str  # done, now, next


def steps(evaluation: Evaluation, stage: str) -> list[Step]:
    """The stages that the version of an evaluation has, in order, with their dates; it is in
    `stage`."""
    version, states = evaluation.scheme_version, Evaluation.State
    found = [(_("Computed"), _day(evaluation.computed_at), (states.COMPUTED, states.RUNNING))]
    if evaluation.rating_before or (version.rating_days and evaluation.rated_items):
        until = evaluation.last_day_of_ratings
        found.append(
            (_("Ratings"), _until(until, evaluation, version.rating_days), (states.RATING,))
        )
    if evaluation.review_before or version.review_days:
        until = evaluation.last_day_of_review
        found.append(
            (_("Review"), _until(until, evaluation, version.review_days), (states.REVIEW,))
        )
    found.append((_("Published"), _day(evaluation.published_at), (states.PUBLISHED,)))
    if evaluation.appeal_before or version.appeal_days:
        until = evaluation.last_day_of_appeals
        found.append(
            (_("Appeals"), _until(until, None, version.appeal_days), (Evaluation.Stage.APPEAL,))
        )
        found.append((_("Final"), "", (Evaluation.Stage.FINAL,)))
    if stage == Evaluation.Stage.SUPERSEDED:
        stage = Evaluation.State.PUBLISHED
    current = next((at for at, row in enumerate(found) if stage in row[2]), 0)
    last = stage == Evaluation.Stage.FINAL or current == len(found) - 1
    return [
        Step(label, note, _place(at, current + last))
        for at, (label, note, _states) in enumerate(found)
    ]


def _place(at: int, current: int) -> str:
    if at == current:
        return "now"
    return "done" if at < current else "next"


def _day(moment: Any) -> str:
    return timezone.localdate(moment).isoformat() if moment else ""


def _until(day: date | None, evaluation: Evaluation | None, days: int) -> str:
    """The last day of a window; as planned while it is not open."""
    if day is None and evaluation is not None:
        opened = evaluation.rating_before or evaluation.ends_before  # at the latest
        planned = evaluation.window_ends(days, opened) - timedelta(days=1)
        return _("planned until %(day)s") % {"day": planned.isoformat()}
    if day is None:
        return _("%(days)s days after publishing") % {"days": days}
    return _("until %(day)s") % {"day": day.isoformat()}


def notices(request: HttpRequest, evaluation: Evaluation) -> dict[str, Any]:
    """What the head of the page says and offers beside the transitions."""
    user, on = request.user, timezone.localdate()
    waiting = Appeal.objects.visible_to(user).without_effect().filter(evaluation=evaluation)
    revision = _next_revision(evaluation)
    stage = evaluation.stage(on)
    watched = _watched(evaluation, user)
    in_force = (
        evaluation.state == Evaluation.State.PUBLISHED and stage != Evaluation.Stage.SUPERSEDED
    )
    return {
        "job": watched,
        "progress": jobs.progress_of(watched) if watched else None,
        "steps": steps(evaluation, stage),
        "stage": stage,
        "stage_label": _stage_label(evaluation, stage),
        "newer": revision,
        "may_rate": may_rate(evaluation, user),
        "may_revise": in_force
        and revision is None
        and user.has_perm("performance.publish_evaluation"),
        "waiting_appeals": waiting.count() if in_force else 0,
        "may_appeal": evaluation.takes_appeals(on) and user.has_perm("performance.add_appeal"),
        "corrections_to_apply": evaluation.state == Evaluation.State.REVIEW
        and not evaluation.has_all_corrections,
        "overdue": evaluation.state == Evaluation.State.REVIEW
        and evaluation.review_before is not None
        and evaluation.review_before <= on,
    }


def _watched(evaluation: Evaluation, user: Any) -> Job | None:
    """The job that computes it, for who may see it."""
    if evaluation.state != Evaluation.State.RUNNING or not user.has_perm("core.view_job"):
        return None
    return Job.objects.visible_to(user).filter(pk=evaluation.job_id).first()


def _stage_label(evaluation: Evaluation, stage: str) -> str:
    if stage in Evaluation.Stage.values:
        return str(Evaluation.Stage(stage).label)
    return str(evaluation.get_state_display())


def _next_revision(evaluation: Evaluation) -> Evaluation | None:
    later = Evaluation.objects.filter(
        scheme=evaluation.scheme_id,
        period_code=evaluation.period_code,
        revision__gt=evaluation.revision,
    )
    return later.select_related("scheme").order_by("-revision").first()


def may_rate(evaluation: Evaluation, user: Any) -> bool:
    """Whether somebody is asked to give marks now."""
    return (
        evaluation.state == Evaluation.State.RATING
        and user.has_perm(rating.RATE)
        and evaluation.raters.filter(user=user).exists()
    )


# --- ratings -----------------------------------------------------------------------------------


def takes_ratings(evaluation: Evaluation) -> bool:
    """Whether it has, or had, a window for ratings."""
    return evaluation.rating_before is not None


def ratings_page(request: HttpRequest, evaluation: Evaluation) -> dict[str, Any]:
    """Who rates and how far; once closed, or to who runs it, how far they agree."""
    manages = request.user.has_perm("performance.change_evaluation")
    is_open = evaluation.state == Evaluation.State.RATING
    closed = evaluation.ratings_closed_at is not None
    told = manages or closed
    query = urlencode({"evaluation": evaluation.pk})
    return {
        "standings": rating.standings(evaluation),
        "agreements": [
            {"agreement": row, "label": item_label(item_definition(row.item)), "share": _share(row)}
            for row in rating.agreements(evaluation)
        ]
        if told
        else [],
        "apart": _apart(request, evaluation) if told else [],
        "told": told,
        "manages": manages and is_open,
        "too_few": rating.with_too_few(evaluation) if manages and is_open else 0,
        "is_open": is_open,
        "may_rate": may_rate(evaluation, request.user),
        "marks": f"{reverse('performance:rating_list')}?{query}",
    }


def _share(agreement: rating.Agreement) -> str:
    """The share in per cent, with one decimal."""
    if agreement.share is None:
        return "—"
    return per_cent(f"{scoring.quantize(agreement.share * 100, Decimal('0.1')):f}")


def _apart(request: HttpRequest, evaluation: Evaluation) -> list[dict[str, Any]]:
    """Partners whose marks lie far apart."""
    labels = _labels(evaluation)
    rows = (
        Rating.objects.visible_to(request.user)
        .filter(evaluation=evaluation)
        .order_by()
        .values("item_code", "partner", "partner__name")
        .annotate(lowest=Min("mark"), highest=Max("mark"), count=Count("pk"))
        .filter(highest__gte=F("lowest") + WIDE)
        .order_by(F("lowest") - F("highest"), "partner__name")[:SHOWN]
    )
    listing = reverse("performance:rating_list")
    return [
        {
            **row,
            "label": labels.get(row["item_code"], row["item_code"]),
            "href": f"{listing}?"
            + urlencode({"evaluation": evaluation.pk, "partner": row["partner"]}),
        }
        for row in rows
    ]


def _labels(evaluation: Evaluation) -> dict[str, str]:
    return {
        item["code"]: item_label(item) for item in definition(evaluation.scheme_version)["items"]
    }


# --- review ------------------------------------------------------------------------------------


def has_review(evaluation: Evaluation) -> bool:
    """Whether it is, or was, reviewed; or has changes from a revision before."""
    return evaluation.review_before is not None or evaluation.corrections.exists()


def review_page(request: HttpRequest, evaluation: Evaluation) -> dict[str, Any]:
    """The proposed changes, the undecided first."""
    labels = _labels(evaluation)
    seen = Correction.objects.visible_to(request.user).filter(evaluation=evaluation)
    rows = seen.select_related("partner", "level", "proposed_by", "decided_by").order_by(
        "-state", "-pk"
    )[:SHOWN]
    query = urlencode({"evaluation": evaluation.pk})
    counts = seen.aggregate(
        proposed=Count("pk", filter=Q(state=Correction.State.PROPOSED)),
        accepted=Count("pk", filter=Q(state=Correction.State.ACCEPTED)),
        rejected=Count("pk", filter=Q(state=Correction.State.REJECTED)),
    )
    return {
        "rows": [
            {"row": row, "label": labels.get(row.item_code, _("Level")), "to": _given(row)}
            for row in rows
        ],
        "figures": [
            Figure(_("To be decided"), str(counts["proposed"])),
            Figure(_("Accepted"), str(counts["accepted"])),
            Figure(_("Rejected"), str(counts["rejected"])),
        ],
        "all": f"{reverse('performance:correction_list')}?{query}",
        "new": f"{reverse('performance:correction_create')}?{query}"
        if evaluation.state == Evaluation.State.REVIEW
        and request.user.has_perm("performance.add_correction")
        else "",
    }


def _given(correction: Correction) -> str:
    """What a correction makes of it."""
    if correction.points is not None:
        return exact(correction.points)
    return str(correction.level) if correction.level else _("No level")


# --- appeals -----------------------------------------------------------------------------------


def has_appeals(evaluation: Evaluation) -> bool:
    """Whether appeals are, or were, taken."""
    return evaluation.appeal_before is not None


def appeals_page(request: HttpRequest, evaluation: Evaluation) -> dict[str, Any]:
    """The appeals against it, the newest first."""
    labels = _labels(evaluation)
    seen = Appeal.objects.visible_to(request.user).filter(evaluation=evaluation)
    rows = seen.select_related("partner", "owner", "filed_by", "revision__scheme")[:SHOWN]
    query = urlencode({"evaluation": evaluation.pk})
    on = timezone.localdate()
    open_now = evaluation.takes_appeals(on)
    counts = seen.aggregate(
        waiting=Count("pk", filter=Q(state__in=Appeal.UNDECIDED)),
        overdue=Count("pk", filter=Q(state__in=Appeal.UNDECIDED, due_on__lt=on)),
        accepted=Count("pk", filter=Q(state=Appeal.State.ACCEPTED)),
        rejected=Count("pk", filter=Q(state=Appeal.State.REJECTED)),
    )
    return {
        "rows": [
            {
                "row": row,
                "label": labels.get(row.item_code, _("The whole result")),
                "overdue": row.is_overdue(on),
            }
            for row in rows
        ],
        "figures": [
            Figure(_("To be decided"), str(counts["waiting"])),
            Figure(_("Overdue"), str(counts["overdue"])),
            Figure(_("Accepted"), str(counts["accepted"])),
            Figure(_("Rejected"), str(counts["rejected"])),
        ],
        "all": f"{reverse('performance:appeal_list')}?{query}",
        "new": f"{reverse('performance:appeal_create')}?{query}"
        if open_now and request.user.has_perm("performance.add_appeal")
        else "",
    }


# --- what is different -------------------------------------------------------------------------


def is_revision(evaluation: Evaluation) -> bool:
    """Whether there was a result before it."""
    return evaluation.revision > 1


def changes_page(request: HttpRequest, evaluation: Evaluation) -> dict[str, Any]:
    """What a revision changed, and for whom."""
    seen = ScoreChange.objects.visible_to(request.user).filter(revision=evaluation)
    return _changes(seen, evaluation, {"revision": evaluation.pk})


def is_published(evaluation: Evaluation) -> bool:
    """Whether facts can be late for it."""
    return bool(evaluation.state == Evaluation.State.PUBLISHED)


def late_page(request: HttpRequest, evaluation: Evaluation) -> dict[str, Any]:
    """What came after it was computed, and what it would change by the last check."""
    seen = ScoreChange.objects.visible_to(request.user).filter(evaluation=evaluation, revision=None)
    partners = Partner.objects.visible_to(request.user)
    late = revisions.late_facts(evaluation).filter(partner__in=partners.values("pk"))
    first = late.order_by("recorded_at").values_list("recorded_at", flat=True).first()
    query = {
        "occurred_on_after": evaluation.starts_on,
        "occurred_on_before": evaluation.ends_before - timedelta(days=1),
        "recorded_at_after": timezone.localdate(evaluation.computed_at),
    }
    check = LateCheck.objects.filter(evaluation=evaluation).select_related("checked_by").first()
    return {
        **_changes(seen, evaluation, {"evaluation": evaluation.pk, "late": "true"}),
        "check": check,
        "late": first is not None,
        "stale": bool(check and late.filter(recorded_at__gt=check.checked_at).exists()),
        "facts": f"{reverse('sales:salesfact_list')}?{urlencode(query)}"
        if first is not None and request.user.has_perm("sales.view_salesfact")
        else "",
        "may_check": not evaluation.is_superseded
        and request.user.has_perm("performance.add_evaluation"),
    }


def _changes(seen: Any, evaluation: Evaluation, query: dict[str, Any]) -> dict[str, Any]:
    labels = _labels(evaluation)
    counts = seen.aggregate(
        all=Count("pk"),
        better=Count("pk", filter=Q(difference__gt=0)),
        worse=Count("pk", filter=Q(difference__lt=0)),
        levels=Count("pk", filter=_OTHER_LEVEL),
    )
    rows = seen.select_related("partner", "level_before", "level_after").order_by(
        Abs("difference").desc(), "pk"
    )[:SHOWN]
    return {
        "rows": [
            {"row": row, "items": [_item_change(each, labels) for each in row.items]}
            for row in rows
        ],
        "figures": [
            Figure(_("Changed scores"), str(counts["all"])),
            Figure(_("Higher"), str(counts["better"])),
            Figure(_("Lower"), str(counts["worse"])),
            Figure(_("Other level"), str(counts["levels"])),
        ],
        "count": counts["all"],
        "all": f"{reverse('performance:scorechange_list')}?{urlencode(query)}",
    }


_OTHER_LEVEL = (
    Q(level_before__isnull=False, level_after__isnull=False) & ~Q(level_before=F("level_after"))
    | Q(level_before__isnull=True, level_after__isnull=False)
    | Q(level_before__isnull=False, level_after__isnull=True)
)


def _item_change(item: dict[str, Any], labels: dict[str, str]) -> str:
    values = {
        "item": labels.get(item["code"], item["code"]),
        "before": "—" if item["before"] is None else exact(item["before"]),
        "after": "—" if item["after"] is None else exact(item["after"]),
    }
    return _("%(item)s: %(before)s → %(after)s") % values


# --- one mark after the other --------------------------------------------------------------------


def marks_of(evaluation: Evaluation, item: str, user: Any) -> dict[int, Rating]:
    """{partner: rating} that somebody gave for an item."""
    rows = Rating.objects.filter(evaluation=evaluation, item_code=item, rater=user)
    return {row.partner_id: row for row in rows}


def totals_of(evaluation: Evaluation, partners: list[int]) -> dict[int, Score]:
    """The provisional score of each partner, for who rates to know the rest."""
    rows = Score.objects.filter(evaluation=evaluation, partner__in=partners)
    return {row.partner_id: row for row in rows}


def score_actions(request: HttpRequest, score: Score) -> dict[str, Any]:
    """Where a change of a score is proposed, or an appeal against it filed; "" where not now, or
    by whom not: people of a partner appeal for the own one alone."""
    evaluation, user = score.evaluation, request.user
    query = urlencode({"evaluation": evaluation.pk, "partner": score.partner_id})
    propose = evaluation.state == Evaluation.State.REVIEW and user.has_perm(
        "performance.add_correction"
    )
    appeal = (
        user.has_perm("performance.add_appeal")
        and (not user.is_partner_user or own_partner(user) == score.partner_id)
        and evaluation.takes_appeals(timezone.localdate())
    )
    return {
        "propose_url": f"{reverse('performance:correction_create')}?{query}" if propose else "",
        "appeal_url": f"{reverse('performance:appeal_create')}?{query}" if appeal else "",
        "appeal_hint": _("Appeals can be filed until %(day)s.")
        % {"day": evaluation.last_day_of_appeals}
        if appeal
        else "",
    }


def appeals_of_score(user: Any, score: Score) -> list[dict[str, Any]]:
    """The appeals against a score that `user` may see, the newest first."""
    if not user.has_perm("performance.view_appeal"):
        return []
    seen = Appeal.objects.visible_to(user).filter(
        evaluation=score.evaluation_id, partner=score.partner_id
    )
    rows = list(seen.select_related("evaluation")[:SHOWN])
    names = item_names(rows, _("The whole result"))
    on = timezone.localdate()
    return [
        {
            "row": row,
            "label": names[row.pk],
            "note": _note(row),
            "state": _("overdue") if row.is_overdue(on) else row.get_state_display(),
            "color": "red" if row.is_overdue(on) else COLORS[row.state],
        }
        for row in rows
    ]


def _note(appeal: Appeal) -> str:
    """When an appeal was answered, or is to be."""
    if appeal.decided_at:
        day = timezone.localdate(appeal.decided_at)
        return _("Answered on %(day)s") % {"day": day.isoformat()}
    if appeal.state in Appeal.UNDECIDED:
        return _("Answer due on %(day)s") % {"day": appeal.due_on.isoformat()}
    return ""
