"""Thin Celery tasks: ids in, one service call."""

from __future__ import annotations

from smtplib import SMTPRecipientsRefused

from celery import shared_task
from django.core.mail import get_connection
from django.utils import timezone
from django.utils.translation import gettext_noop

from core import jobs
from sales import letters
from sales.services import reporting

# What the page of the job shows; the template translates the keys.
_SENT = gettext_noop("letters sent")
_REFUSED = gettext_noop("addresses refused")


@shared_task
def send_reminders(job_id: int, report_ids: list[int]) -> None:
    """Send the letters about these reports; delivered twice, once. An address that the mail server
    refuses does not keep the others from theirs."""
    with jobs.running(job_id) as progress, get_connection() as mail:
        sent, refused = 0, []
        for letter in letters.reminders(report_ids):
            try:
                sent += mail.send_messages([letter]) or 0
            except SMTPRecipientsRefused:
                refused += letter.to
        progress.finish({_SENT: sent} | ({_REFUSED: ", ".join(refused)} if refused else {}))


@shared_task
def report_tick() -> None:
    """Every hour: make the reports of periods that are over, remind of those that the rules say."""
    on, at = timezone.localdate(), timezone.now()
    reporting.make_reports(on=on)
    reporting.remind_when_due(on=on, at=at)
