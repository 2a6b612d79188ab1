"""Thin Celery tasks: what the beat calls."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from core import feed
from core.webhooks import delivery, services
from core.webhooks.dispatch import dispatch
from core.webhooks.models import WebhookEndpoint


@shared_task
def send_webhooks() -> None:
    """Every few seconds: queue what happened, send what is due. Without endpoints, one query."""
    if WebhookEndpoint.objects.filter(state=WebhookEndpoint.State.ACTIVE).exists():
        dispatch(until=feed.horizon(), at=timezone.now())
        delivery.run()


@shared_task
def forget_deliveries() -> None:
    """Every hour: delete what is no longer kept."""
    services.forget(at=timezone.now())
