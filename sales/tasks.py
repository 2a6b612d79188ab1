"""Thin Celery tasks: ids in, one service call."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from smtplib import SMTPRecipientsRefused
from typing import Any

from celery import shared_task
from django.core.mail import EmailMessage, get_connection
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_noop

from core import jobs
from sales import letters
from sales.models import TargetPlan
from sales.planning import background, letters as planning_letters, reminders
from sales.services import reporting

# What the page of the job shows; the template translates the keys.
_SENT = gettext_noop("letters sent")
_REFUSED = gettext_noop("addresses refused")
_CELLS = gettext_noop("cells")


@shared_task
def send_reminders(job_id: int, report_ids: list[int]) -> None:
    """Send the letters about these reports; delivered twice, once. An address that the mail server
    refuses does not keep the others from theirs."""
    with jobs.running(job_id) as progress:
        progress.finish(_send(letters.reminders(report_ids)))


def _send(written: Iterable[EmailMessage]) -> dict[str, Any]:
    """Send them, and say for the page of the job how many went out and who was refused."""
    sent, refused = 0, []
    with get_connection() as mail:
        for letter in written:
            try:
                sent += mail.send_messages([letter]) or 0
            except SMTPRecipientsRefused:
                refused += letter.to
    return {_SENT: sent} | ({_REFUSED: ", ".join(refused)} if refused else {})


@shared_task
def work_on_plan(job_id: int, plan_id: int, what: str, chosen: dict[str, Any], on: str) -> None:
    """Split a plan, take amounts over or give them back; delivered twice, once."""
    if jobs.is_worked_on(job_id):
        return  # another worker has it
    with jobs.running(job_id) as progress:
        plan = TargetPlan.objects.select_related("territory").get(pk=plan_id)
        count = background.work(
            plan=plan,
            what=what,
            chosen=chosen,
            on=date.fromisoformat(on),
            by=progress.job.created_by,
            progress=progress.set,
            job=job_id,
        )
        progress.finish({_CELLS: count}, reverse("sales:targetplan_detail", args=[plan_id]))


@shared_task
def remind_of_plan(job_id: int, plan_id: int, partner_ids: list[int], user_ids: list[int]) -> None:
    """Remind these partners and managers of the figures they have not entered; delivered twice,
    once."""
    with jobs.running(job_id) as progress:
        plan = TargetPlan.objects.get(pk=plan_id)
        progress.finish(_send(planning_letters.reminders(plan, partner_ids, user_ids)))


@shared_task
def report_tick() -> None:
    """Every hour: make the reports of periods that are over, remind of those that the rules say,
    and of the figures of plans."""
    on, at = timezone.localdate(), timezone.now()
    reporting.make_reports(on=on)
    reporting.remind_when_due(on=on, at=at)
    reminders.remind_when_due(on=on)
