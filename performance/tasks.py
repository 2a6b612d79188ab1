"""Thin Celery tasks: ids in, one service call."""

from __future__ import annotations

from smtplib import SMTPRecipientsRefused
from typing import Any

from celery import shared_task
from django.core.mail import EmailMessage, get_connection
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_noop

from core import jobs, locks
from performance import services, sharding
from performance.backtest.services import run_requested
from performance.models import BacktestReport, Evaluation
from performance.process import appeals, letters, rating, revisions
from performance.results import letters as follow_ups, reminding
from performance.results.consequences import put_in_force

# What the page of the job shows; the template translates the keys.
_SENT = gettext_noop("letters sent")
_REFUSED = gettext_noop("addresses refused")
_LINES, _CHANGED = gettext_noop("late lines"), gettext_noop("scores that would change")


@shared_task
def run_evaluation(job_id: int, evaluation_id: int) -> None:
    """Compute a prepared evaluation. Delivered twice, it does its work once."""
    evaluation = Evaluation.objects.select_related("scheme").get(pk=evaluation_id)
    if locks.is_held(services.run_key(evaluation.scheme.code, evaluation.period_code)):
        return  # another worker has it, and the job
    with jobs.running(job_id) as progress:
        evaluation = services.run_prepared(
            evaluation=evaluation,
            by=progress.job.created_by,
            on=timezone.localdate(),
            progress=progress.set,
        )
        progress.finish(
            {"partners": evaluation.partner_count, "digest": evaluation.digest},
            reverse("performance:evaluation_detail", args=[evaluation.pk]),
        )


@shared_task
def help_evaluation(evaluation_id: int) -> None:
    """Help whoever computes an evaluation of many partners; late or twice, it finds nothing to do.
    It has no job: that is the coordinator's."""
    sharding.help_with(evaluation_id)


@shared_task
def run_backtest(job_id: int, report_id: int) -> None:
    """Fill a backtest. Delivered twice, it does its work once."""
    if jobs.is_worked_on(job_id):
        return  # another worker has it
    with jobs.running(job_id) as progress:
        row = BacktestReport.objects.get(pk=report_id)
        row = run_requested(row=row, by=progress.job.created_by, progress=progress.set)
        progress.finish(
            {"partners": row.partner_count, "digest": row.digest},
            reverse("performance:backtestreport_detail", args=[row.pk]),
        )


@shared_task
def check_late(job_id: int, evaluation_id: int) -> None:
    """See what facts that came late would change of a published result."""
    with jobs.running(job_id) as progress:
        check = revisions.check_late(
            evaluation=services.get_evaluation(evaluation_id),
            by=progress.job.created_by,
            at=timezone.now(),
            progress=progress.set,
        )
        page = reverse("performance:evaluation_detail", args=[evaluation_id])
        progress.finish({_LINES: check.lines, _CHANGED: check.changed}, f"{page}?tab=late")


@shared_task
def write_to_raters(job_id: int, rater_ids: list[int], reminder: bool) -> None:
    """Invite or remind these raters; delivered twice, once."""
    with jobs.running(job_id) as progress:
        progress.finish(_send(letters.to_raters(rater_ids, reminder=reminder)))


@shared_task
def write_about_appeals(job_id: int, appeal_ids: list[int], kind: str) -> None:
    """Write to those who have to answer these appeals; delivered twice, once."""
    with jobs.running(job_id) as progress:
        progress.finish(_send(letters.about_appeals(appeal_ids, kind)))


@shared_task
def write_follow_ups(job_id: int, about: str, keys: list[int]) -> None:
    """Send the letters about consequences, actions or re-tests; delivered twice, once."""
    with jobs.running(job_id) as progress:
        progress.finish(_send(follow_ups.letters(about, keys)))


def _send(written: list[EmailMessage]) -> dict[str, Any]:
    """Send letters, and tell of the addresses that the server refuses."""
    sent, refused = 0, []
    with get_connection() as mail:
        for letter in written:
            try:
                sent += mail.send_messages([letter]) or 0
            except SMTPRecipientsRefused:
                refused += letter.to
    return {_SENT: sent} | ({_REFUSED: ", ".join(refused)} if refused else {})


@shared_task
def tick() -> None:
    """Every minute: start what is due, close ratings whose window is over, remind raters and who
    has to answer appeals, take up again what lost its worker, put decisions in force, write of what
    follows from results."""
    on, at = timezone.localdate(), timezone.now()
    services.start_due(on=on)
    services.close_due_ratings(on=on)
    rating.remind_when_due(on=on, at=at)
    appeals.remind_when_due(on=on, at=at)
    services.resume_orphans(now=at)
    put_in_force(on=on)
    reminding.tell_decided()
    reminding.remind_of_actions(on=on)
    reminding.tell_retests(on=on)
