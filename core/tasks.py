"""Thin Celery tasks of the frame; Celery also finds those of imports and webhooks here."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.urls import get_resolver
from django.utils import timezone

from core import jobs
from core.importing.tasks import apply_import, check_import
from core.webhooks.tasks import forget_deliveries, send_webhooks

__all__ = [
    "apply_import",
    "check_import",
    "forget_answers",
    "forget_deliveries",
    "resume_jobs",
    "run_bulk",
    "send_webhooks",
]


def _load_pages() -> None:
    """The pages of all models register themselves when the addresses are read."""
    assert get_resolver().url_patterns


@shared_task
def run_bulk(job_id: int, label: str, what: dict[str, Any], reason: str) -> None:
    """A bulk action over many rows of a list, in one transaction. Delivered twice, it runs once."""
    from core.views.bulk import run_queued

    if jobs.is_worked_on(job_id):
        return
    _load_pages()
    with jobs.running(job_id) as progress:
        run_queued(label, what, reason, progress.job.created_by, progress)


@shared_task
def resume_jobs() -> None:
    """Take up again the jobs whose worker was killed."""
    jobs.resume_orphans()


@shared_task
def forget_answers() -> None:
    """Delete the answers of the API that nobody may ask for again."""
    from core.api import idempotency

    idempotency.forget(at=timezone.now())
