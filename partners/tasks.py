"""Thin Celery tasks: ids in, one service call."""

from __future__ import annotations

from celery import shared_task
from django.urls import reverse
from django.utils import timezone

from core import jobs
from partners.models import Partner
from partners.services import merge_partners


@shared_task
def merge(job_id: int, keep_id: int, drop_id: int, reason: str, fields: list[str]) -> None:
    """Merge one partner into another. Delivered twice, it does its work once."""
    if jobs.is_worked_on(job_id):
        return
    with jobs.running(job_id) as progress:
        kept = merge_partners(
            keep=Partner(pk=keep_id),
            drop=Partner(pk=drop_id),
            by=progress.job.created_by,
            on=timezone.localdate(),
            reason=reason,
            fields=fields,
        )
        progress.finish({}, reverse("partners:partner_detail", args=[kept.pk]))
