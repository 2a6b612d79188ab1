"""Verbs on schemes and evaluations."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, jobs, locks, workflow
from core.errors import Blocked, Conflict, DomainError
from core.models import Job
from core.periods import Kind, Period
from performance import run, sharding
from performance.definitions import definition
from performance.models import (
    Evaluation,
    EvaluationSchedule,
    EvaluationShard,
    Scheme,
    SchemeItem,
    SchemeLevel,
    SchemeVersion,
    SchemeVeto,
    Score,
)
from performance.models.evaluations import run_key
from performance.process import rating, revisions

# A run that was handed to a worker this long ago and is worked on by nobody was lost.
ORPHANED_AFTER = timedelta(minutes=2)


def _no_progress(done: int, total: int, message: str) -> None:
    """Nobody watches."""


def evaluate(
    *,
    scheme_code: str,
    period: str,
    by: Any,
    on: date,
    publish: bool = False,
    reason: str = "",
    progress: run.Step = _no_progress,
) -> Evaluation:
    """Score all partners of the scheme's published version over `period` ("2013Q3"), and wait.

    A run that is not published yet is computed again in place; after publishing, the next run is a
    new revision, for which there is a `reason`. `publish` waits for no ratings and no review: it
    closes the ratings with the marks that are there. Raises DomainError unknown_scheme,
    no_published_version, bad_period, period_in_future, period_not_over (only to publish),
    no_partners, reason_required; Conflict already_running.
    """
    scheme = _scheme(scheme_code)
    wanted = _period(period, on)
    if publish and wanted.end > on:
        message = _("%(period)s is not over yet; it cannot be published.")
        raise DomainError("period_not_over", message % {"period": wanted.code}, "period")
    with locks.hold(run_key(scheme.code, wanted.code)):
        evaluation = _prepare(scheme, wanted, reason)
        if publish and evaluation.ratings_closed_at is None:
            evaluation.ratings_closed_at = timezone.now()
            evaluation.save(update_fields=["ratings_closed_at"])
        _compute(evaluation, by=by, on=on, progress=progress)
        if publish:
            evaluation = publish_evaluation(evaluation=evaluation, by=by, on=on)
    evaluation.refresh_from_db()
    return evaluation


@transaction.atomic
def request_evaluation(*, scheme: Scheme, period: str, by: Any, on: date, reason: str = "") -> Job:
    """Let a worker evaluate; returns the job to watch. Raises as `evaluate` does."""
    from performance import tasks

    wanted = _period(period, on)
    if locks.is_held(run_key(scheme.code, wanted.code)):
        raise Conflict("already_running", _("This evaluation is running already."))
    evaluation = _prepare(scheme, wanted, reason)
    job = jobs.enqueue(
        tasks.run_evaluation, evaluation.pk, kind="evaluation", title=str(evaluation), by=by
    )
    Evaluation.objects.filter(pk=evaluation.pk).update(job=job)
    return job


def run_prepared(*, evaluation: Evaluation, by: Any, on: date, progress: run.Step) -> Evaluation:
    """What a worker does for `request_evaluation`; one that is no longer waiting is left as it is.

    Raises Conflict already_running, DomainError no_partners.
    """
    with locks.hold(run_key(evaluation.scheme.code, evaluation.period_code)):
        evaluation.refresh_from_db()
        if evaluation.state == Evaluation.State.RUNNING:
            _compute(evaluation, by=by, on=on, progress=progress)
    evaluation.refresh_from_db()
    return evaluation


def publish_evaluation(*, evaluation: Evaluation, by: Any, on: date) -> Evaluation:
    """Make a computed evaluation known and immutable. Raises as `workflow.fire` does."""
    return workflow.fire(evaluation, "publish", by=by, on=on)


def get_evaluation(pk: int) -> Evaluation:
    """The evaluation of that number. DomainError unknown_evaluation."""
    related = ("scheme", "scheme_version__scheme")
    evaluation = Evaluation.objects.select_related(*related).filter(pk=pk).first()
    if evaluation is None:
        message = _("There is no evaluation %(number)d.") % {"number": pk}
        raise DomainError("unknown_evaluation", message, "evaluation")
    return evaluation


def _scheme(code: str) -> Scheme:
    scheme = Scheme.objects.filter(code=code).first()
    if scheme is None:
        message = _("There is no scheme “%(code)s”.") % {"code": code}
        raise DomainError("unknown_scheme", message, "scheme")
    return scheme


def _period(code: str, on: date) -> Period:
    period = Period.parse(code, settings.FISCAL_YEAR_START)
    if period.start > on:
        message = _("%(period)s lies in the future.") % {"period": period.code}
        raise DomainError("period_in_future", message, "period")
    return period


@transaction.atomic
def _prepare(scheme: Scheme, period: Period, reason: str) -> Evaluation:
    """The row to compute into: the last revision, or a new one when that is published."""
    Scheme.objects.select_for_update().get(pk=scheme.pk)
    version = scheme.current()
    if version is None:
        message = _("The scheme “%(scheme)s” has no published version.") % {"scheme": scheme}
        raise DomainError("no_published_version", message, "scheme")
    runs = Evaluation.objects.filter(scheme=scheme, period_code=period.code)
    last = runs.order_by("-revision").first()
    if last is None:
        return Evaluation.objects.create(
            scheme=scheme,
            scheme_version=version,
            period_code=period.code,
            starts_on=period.start,
            ends_before=period.end,
        )
    if last.state == Evaluation.State.PUBLISHED:
        return revisions.begin(last, version, reason)
    Evaluation.objects.filter(pk=last.pk).update(
        state=Evaluation.State.RUNNING,
        # What people have rated or changed is about the items of this version.
        scheme_version=last.scheme_version if revisions.has_work(last) else version,
        dispatched_at=timezone.now(),
    )
    last.refresh_from_db()
    return last


@transaction.atomic
def open_revision(*, evaluation: Evaluation, reason: str, by: Any, on: date) -> Evaluation:
    """Re-open a published result: a worker computes its next revision, with the marks and the
    decided changes of this one and what accepted appeals granted, by the same scheme version.

    Raises DomainError reason_required; Conflict not_published, superseded, revision_open,
    already_running.
    """
    from performance import tasks

    if locks.is_held(run_key(evaluation.scheme.code, evaluation.period_code)):
        raise Conflict("already_running", _("This evaluation is running already."))
    Scheme.objects.select_for_update().get(pk=evaluation.scheme_id)
    revisions.check_last(evaluation)
    revision = revisions.begin(evaluation, evaluation.scheme_version, reason)
    audit.record("performance.evaluation.revised", revision, by=by, reason=reason)
    revision.job = jobs.enqueue(
        tasks.run_evaluation, revision.pk, kind="evaluation", title=str(revision), by=by
    )
    Evaluation.objects.filter(pk=revision.pk).update(job=revision.job)
    return revision


def _compute(evaluation: Evaluation, *, by: Any, on: date, progress: run.Step) -> None:
    """Everything or nothing in one transaction; what fails leaves the row `failed` and says why.
    Very many partners are scored before it begins, by all workers that have time."""
    try:
        sharded = sharding.score_if_many(evaluation, progress)
        with transaction.atomic():
            _replace_scores(evaluation, sharded, by=by, on=on, progress=progress)
    except Exception as error:
        with transaction.atomic():
            rows = Evaluation.objects.filter(pk=evaluation.pk, state=Evaluation.State.RUNNING)
            if rows.update(state=Evaluation.State.FAILED):
                audit.record(
                    "performance.evaluation.failed",
                    evaluation,
                    by=by,
                    data={"error": str(error) or _("Stopped.")},
                )
        raise


def _replace_scores(
    evaluation: Evaluation,
    sharded: sharding.Sharded | None,
    *,
    by: Any,
    on: date,
    progress: run.Step,
) -> None:
    """Compute what is not `sharded`; then the evaluation is in the next stage of its version."""
    Score.objects.filter(evaluation=evaluation)._raw_delete(using=Score.objects.db)
    if sharded:
        outcome = sharding.write(evaluation.pk, sharded)
    else:
        outcome = run.compute(
            evaluation.pk, definition(evaluation.scheme_version), evaluation.period, progress
        )
    revisions.record_changes(evaluation)
    stage = evaluation.stage_after_computing(on)
    Evaluation.objects.filter(pk=evaluation.pk).update(
        **stage,
        as_of=on,
        computed_at=timezone.now(),
        partner_count=outcome.partner_count,
        digest=outcome.digest,
        watermark=outcome.watermark,
        peers=outcome.peers,
    )
    audit.record(
        "performance.evaluation.computed",
        evaluation,
        by=by,
        data={"digest": outcome.digest, "partners": outcome.partner_count},
    )
    if stage["state"] == Evaluation.State.RATING:
        rating.invite_managers(evaluation=evaluation, by=by)


# --- the calendar --------------------------------------------------------------------------


def start_due(*, on: date) -> list[Evaluation]:
    """Start what the schedules say is due on `on`, each period once. Returns what was started."""
    started = []
    for schedule_id in EvaluationSchedule.objects.filter(active=True).values_list("pk", flat=True):
        evaluation = _start_if_due(schedule_id, on)
        if evaluation:
            started.append(evaluation)
    return started


@transaction.atomic
def request_late_check(*, evaluation: Evaluation, by: Any) -> Job:
    """Let a worker see what facts that came late would change; returns the job to watch.

    Conflict already_running, not_in_force.
    """
    from performance import tasks

    if locks.is_held(run_key(evaluation.scheme.code, evaluation.period_code)):
        raise Conflict("already_running", _("This evaluation is running already."))
    if not Evaluation.objects.in_force().filter(pk=evaluation.pk).exists():
        raise Conflict("not_in_force", _("Only the result that is in force is checked."))
    title = _("Late facts: %(what)s") % {"what": evaluation}
    return jobs.enqueue(tasks.check_late, evaluation.pk, kind="late_facts", title=title, by=by)


@transaction.atomic
def _start_if_due(schedule_id: int, on: date) -> Evaluation | None:
    schedule = (
        EvaluationSchedule.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("scheme")
        .filter(pk=schedule_id, active=True, scheme__versions__state=SchemeVersion.State.PUBLISHED)
        .first()
    )
    if schedule is None:
        return None
    fiscal = settings.FISCAL_YEAR_START
    day = on - timedelta(days=schedule.days_after)
    due = Period.containing(cast("Kind", schedule.every), day, fiscal).previous()
    if schedule.last_period:
        # Where the beat stood still for long, each period that it missed has its turn.
        last = Period.parse(schedule.last_period, fiscal)
        if last.start >= due.start:
            return None
        if last.kind == due.kind:
            due = last.next()
    EvaluationSchedule.objects.filter(pk=schedule.pk).update(last_period=due.code)
    if Evaluation.objects.filter(scheme=schedule.scheme, period_code=due.code).exists():
        return None
    job = request_evaluation(scheme=schedule.scheme, period=due.code, by=None, on=on)
    return Evaluation.objects.get(job=job)


def close_due_ratings(*, on: date) -> list[Evaluation]:
    """Close the ratings whose window is over, and let them be computed. Returns the evaluations."""
    due = Evaluation.objects.filter(state=Evaluation.State.RATING, rating_before__lte=on)
    closed = []
    for evaluation in due:
        # Another beat was quicker, or somebody closed them by hand.
        with suppress(Conflict, Blocked):
            closed.append(workflow.fire(evaluation, "close_ratings", by=None, on=on))
    return closed


def resume_orphans(*, now: datetime) -> list[Evaluation]:
    """Hand evaluations that lost their worker to another one. Returns them.

    Lost is what is `running`, was handed out a while ago and whose lock nobody holds. A job that
    had begun is handed on by core.jobs.
    """
    waiting = Evaluation.objects.filter(
        state=Evaluation.State.RUNNING, dispatched_at__lt=now - ORPHANED_AFTER
    ).select_related("scheme", "job")
    return [evaluation for evaluation in waiting if _resume(evaluation, now)]


@transaction.atomic
def _resume(evaluation: Evaluation, now: datetime) -> bool:
    from performance import tasks

    if locks.is_held(run_key(evaluation.scheme.code, evaluation.period_code)):
        return False
    if evaluation.job and evaluation.job.state == Job.State.RUNNING:
        return False
    if evaluation.job and evaluation.job.state in (Job.State.CANCELLED, Job.State.FAILED):
        _give_up(evaluation, evaluation.job)
        return False
    if evaluation.job and evaluation.job.is_open:
        arguments = (evaluation.job.pk, evaluation.pk)
        transaction.on_commit(lambda: tasks.run_evaluation.delay(*arguments))
        job = evaluation.job
    else:
        job = jobs.enqueue(
            tasks.run_evaluation, evaluation.pk, kind="evaluation", title=str(evaluation), by=None
        )
    rows = Evaluation.objects.filter(
        pk=evaluation.pk, state=Evaluation.State.RUNNING, dispatched_at=evaluation.dispatched_at
    )
    return bool(rows.update(dispatched_at=now, job=job))


def _give_up(evaluation: Evaluation, job: Job) -> None:
    """What was stopped before it began, or killed its workers, is not begun again by itself."""
    rows = Evaluation.objects.filter(
        pk=evaluation.pk, state=Evaluation.State.RUNNING, dispatched_at=evaluation.dispatched_at
    )
    if rows.update(state=Evaluation.State.FAILED):
        EvaluationShard.objects.filter(evaluation=evaluation).delete()
        said = str(job.get_state_display()) + (f": {job.error}" if job.error else "")
        audit.record("performance.evaluation.failed", evaluation, by=None, data={"error": said})


# --- schemes -------------------------------------------------------------------------------


# What a version says itself, beside its items, levels and vetoes.
RULES = (
    *("scope", "deduction_cap", "grace", "most_steps_up", "most_steps_down"),
    *("rating_days", "review_days", "appeal_days", "answer_days"),
)


def publish_version(*, version: SchemeVersion, by: Any, on: date) -> SchemeVersion:
    """Freeze a draft and retire the version in force. Raises Blocked with every problem of it."""
    return workflow.fire(version, "publish", by=by, on=on)


@transaction.atomic
def draft_version(*, scheme: Scheme, by: Any) -> SchemeVersion:
    """A new draft that starts as a copy of the newest version; the open draft if there is one."""
    Scheme.objects.select_for_update().get(pk=scheme.pk)
    newest = scheme.versions.order_by("-number").first()
    if newest and newest.state == SchemeVersion.State.DRAFT:
        return newest
    draft = SchemeVersion(scheme=scheme, number=newest.number + 1 if newest else 1)
    if newest:
        for name in RULES:
            setattr(draft, name, getattr(newest, name))
    draft.save()
    if newest:
        for model in (SchemeItem, SchemeLevel, SchemeVeto):
            model.objects.bulk_create(_copies(model.objects.filter(version=newest), draft))
    audit.record("performance.schemeversion.created", draft, by=by)
    return draft


def _copies(rows: Any, version: SchemeVersion) -> list[Any]:
    copies = []
    for row in rows:
        row.pk, row.version = None, version
        copies.append(row)
    return copies
