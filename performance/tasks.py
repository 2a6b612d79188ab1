"""Thin Celery tasks: ids in, one service call."""

from __future__ import annotations

from celery import shared_task
from django.urls import reverse
from django.utils import timezone

from core import jobs, locks
from performance import services
from performance.models import Evaluation


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
def tick() -> None:
    """Every minute: start what is due, take up again what lost its worker."""
    services.start_due(on=timezone.localdate())
    services.resume_orphans(now=timezone.now())
