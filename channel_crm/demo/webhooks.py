"""A webhook as it looks after some weeks: paused, so that the demo talks to nobody."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import User
from channel_crm.demo.writing import enter
from core import workflow
from core.models import Event
from core.webhooks import signing
from core.webhooks.dispatch import events_for, of_types
from core.webhooks.models import (
    WebhookDelivery,
    WebhookEndpoint,
    WebhookProgress,
    WebhookSecret,
)

SHOWN = 30
TYPES = ["partners.partner.*", "performance.evaluation.*"]
State, Error = WebhookDelivery.State, WebhookDelivery.Error


def make_webhook(users: dict[str, User], at: datetime) -> None:
    """An endpoint of the ERP that was told of the last events, all but two of them."""
    endpoint = WebhookEndpoint(
        name="ERP",
        url="https://erp.demo.example/channel-crm",
        event_types=TYPES,
        owner=users["erp"],
    )
    enter(endpoint, by=users["admin"])
    WebhookProgress.objects.create(endpoint=endpoint, event_at=at)
    WebhookSecret.objects.create(
        endpoint=endpoint, sealed=signing.seal(signing.new_secret()), created_at=at, shown_at=at
    )
    told = events_for(endpoint.owner).filter(of_types(TYPES)).order_by("-pk")[:SHOWN]
    WebhookDelivery.objects.bulk_create(
        [
            _delivery(endpoint, event, number, at - timedelta(days=9) + number * timedelta(hours=6))
            for number, event in enumerate(reversed(told))
        ]
    )
    workflow.fire(endpoint, "pause", by=users["admin"], on=timezone.localdate(at))


def _delivery(
    endpoint: WebhookEndpoint, event: Event, number: int, first: datetime
) -> WebhookDelivery:
    failed = number in (7, 8)
    status, error = (503, Error.STATUS) if failed else (204, "")
    waits = [timedelta(hours=9 * tried) for tried in range(10 if failed else 1)]
    milliseconds = 40 + 13 * (number % 7)
    return WebhookDelivery(
        endpoint=endpoint,
        event=event,
        state=State.FAILED if failed else State.DELIVERED,
        attempts=len(waits),
        next_attempt_at=first,
        status=status,
        error=error,
        duration_ms=milliseconds,
        created_at=first,
        ended_at=first + waits[-1],
        log=[
            {
                "at": (first + wait).isoformat(),
                "status": status,
                "error": error,
                "detail": "",
                "ms": milliseconds,
            }
            for wait in waits
        ],
    )
