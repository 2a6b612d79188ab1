"""What people do with webhooks, and what is forgotten when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from core import audit, crud
from core.errors import Conflict
from core.webhooks import signing
from core.webhooks.models import (
    WebhookDelivery,
    WebhookEndpoint,
    WebhookProgress,
    WebhookSecret,
)

OVERLAP = timedelta(hours=24)
KEEP_DELIVERED, KEEP_OTHERS = timedelta(days=30), timedelta(days=90)
State = WebhookDelivery.State


@transaction.atomic
def create(form: Any, *, by: Any, at: datetime) -> WebhookEndpoint:
    """Save a valid form as a new endpoint, told of what happens from `at` on, with a secret that
    nobody has seen. Raises NotVisible or Conflict."""
    endpoint = crud.save_form(form, by=by)
    assert isinstance(endpoint, WebhookEndpoint)
    WebhookProgress.objects.create(endpoint=endpoint, event_at=at)
    WebhookSecret.objects.create(
        endpoint=endpoint, sealed=signing.seal(signing.new_secret()), created_at=at
    )
    return endpoint


@transaction.atomic
def rotate(endpoint: WebhookEndpoint, *, by: Any, at: datetime, overlap: timedelta) -> None:
    """Make a new secret. What was valid signs too for `overlap`; zero ends it at once."""
    WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
    old = endpoint.secrets.filter(Q(ends_at=None) | Q(ends_at__gt=at + overlap))
    old.update(ends_at=at + overlap)
    WebhookSecret.objects.create(
        endpoint=endpoint, sealed=signing.seal(signing.new_secret()), created_at=at
    )
    audit.record(
        "core.webhookendpoint.rotated", endpoint, by=by, data={"overlap_hours": overlap // _HOUR}
    )


_HOUR = timedelta(hours=1)


@transaction.atomic
def reveal(endpoint: WebhookEndpoint, *, by: Any, at: datetime) -> str:
    """The current secret, for the first and only time. Conflict when it was shown before, or
    can no longer be read."""
    secret = endpoint.secrets.select_for_update().get(ends_at=None)
    if secret.shown_at:
        raise Conflict(
            "secret_shown", _("The secret was shown before. If it is lost, make a new one.")
        )
    try:
        text = signing.unseal(secret.sealed)
    except signing.Unreadable as error:
        raise Conflict(
            "secret_unreadable", _("The secret cannot be read. Make a new one.")
        ) from error
    secret.shown_at = at
    secret.save(update_fields=["shown_at"])
    audit.record("core.webhookendpoint.secret_shown", endpoint, by=by)
    return text


@transaction.atomic
def send_test(endpoint: WebhookEndpoint, *, by: Any, at: datetime) -> WebhookDelivery:
    """Queue a message that tells of nothing but this test. Conflict unless active."""
    if endpoint.state != WebhookEndpoint.State.ACTIVE:
        raise Conflict("not_active", _("Resume the webhook first."))
    event = audit.record("core.webhookendpoint.tested", endpoint, by=by)
    return WebhookDelivery.objects.create(
        endpoint=endpoint, event=event, next_attempt_at=at, created_at=at
    )


@transaction.atomic
def send_again(delivery: WebhookDelivery, *, by: Any, at: datetime) -> None:
    """Begin a new round of attempts now, with the same id; one that waits is only hurried. What a
    worker has in hand right now is left to it."""
    row = WebhookDelivery.objects.select_for_update().get(pk=delivery.pk)
    if row.leased_until and row.leased_until > at:
        raise Conflict("in_hand", _("It is being sent at this moment."))
    row.log = [*row.log, {"at": at.isoformat(), "by": str(by)}][-WebhookDelivery.LOG_LIMIT :]
    row.state, row.attempts, row.next_attempt_at, row.ended_at = State.PENDING, 0, at, None
    row.save(update_fields=["log", "state", "attempts", "next_attempt_at", "ended_at"])


def forget(*, at: datetime) -> None:
    """Delete what was delivered 30 days ago, what was given up 90 days ago, and dead secrets."""
    ended = WebhookDelivery.objects.filter(ended_at__lt=at - KEEP_DELIVERED)
    ended.filter(Q(state=State.DELIVERED) | Q(ended_at__lt=at - KEEP_OTHERS)).delete()
    WebhookSecret.objects.filter(ends_at__lte=at).delete()
