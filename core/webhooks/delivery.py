"""The queue: claim what is due, send it, write down what came of it.

A claim is a lease: should the worker die before it could write, the lease ends and the message is
sent again, with the same id. Threads do nothing but HTTP; the database is for the thread that runs.
"""

from __future__ import annotations

import json
import random
import time
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core import locks, workflow
from core.errors import Conflict
from core.models import Event
from core.webhooks import retries, sending, signing
from core.webhooks.dispatch import events_for
from core.webhooks.models import (
    WebhookDelivery,
    WebhookEndpoint,
    WebhookProgress,
    WebhookSecret,
)
from core.webhooks.sending import Outcome

# Longer than any attempt, the resolver's own patience included.
LEASE = timedelta(minutes=2)
THREADS = 16
# At once to one endpoint; to one that fails, a single one probes.
AT_ONCE, AT_ONCE_FAILING = 4, 1
# One run holds a place of a worker no longer than this (and one attempt).
RUN_SECONDS = 20
USER_AGENT = "ChannelCRM-Webhooks/1"
State, Error = WebhookDelivery.State, WebhookDelivery.Error

_CLAIM = """
    WITH due AS (
        SELECT found.id, row_number() OVER (PARTITION BY p.endpoint_id ORDER BY found.id) AS turn
          FROM core_webhookendpoint e
          JOIN core_webhookprogress p ON p.endpoint_id = e.id
         CROSS JOIN LATERAL (
               SELECT d.id
                 FROM core_webhookdelivery d
                WHERE d.endpoint_id = e.id AND d.state = 'pending' AND d.next_attempt_at <= %(at)s
                  AND (d.leased_until IS NULL OR d.leased_until <= %(at)s)
                ORDER BY d.next_attempt_at, d.id
                LIMIT greatest(0, CASE WHEN p.failing_since IS NULL
                                       THEN %(at_once)s ELSE %(failing)s END
                                - (SELECT count(*) FROM core_webhookdelivery held
                                    WHERE held.endpoint_id = e.id AND held.state = 'pending'
                                      AND held.leased_until > %(at)s))
                  FOR UPDATE SKIP LOCKED) AS found
         WHERE e.state = 'active'),
    chosen AS (SELECT id FROM due ORDER BY turn, id LIMIT %(room)s)
    UPDATE core_webhookdelivery SET leased_until = %(until)s
     WHERE id IN (SELECT id FROM chosen)
    RETURNING id"""


@dataclass(frozen=True)
class Message:
    """A claimed delivery, ready to be sent without the database."""

    delivery: WebhookDelivery
    headers: dict[str, str]
    body: bytes

    def send(self) -> Outcome:
        """Send it."""
        return sending.post(self.delivery.endpoint.url, self.headers, self.body)


def payload(event: Event) -> dict[str, Any]:
    """What is told of an event: that it happened, and where to ask for more. No values."""
    model = event.content_type.model_class() if event.content_type else None
    return {
        "type": event.verb,
        "timestamp": event.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": {
            "event_id": event.pk,
            "object_type": model._meta.label_lower if model else None,
            "object_id": event.object_id,
            "url": _api_url(model, event.object_id),
        },
    }


def encode(event: Event) -> bytes:
    """The body of a message: the same bytes for every attempt."""
    return json.dumps(payload(event), ensure_ascii=False, separators=(",", ":")).encode()


def run(*, seconds: float = RUN_SECONDS) -> int:
    """Send what is due until nothing is, or for so many seconds; returns how many attempts.

    One run at a time: webhooks never take more than one place of the workers. Correctness rests
    on the leases, not on that.
    """
    with locks.try_hold("core.webhooks") as mine:
        return _run(time.monotonic() + seconds) if mine else 0


def _run(end: float) -> int:
    sent = 0
    flying: dict[Future[Outcome], Message] = {}
    with ThreadPoolExecutor(THREADS, thread_name_prefix="webhook") as pool:
        while True:
            if time.monotonic() < end and len(flying) < THREADS:
                for message in claim(at=timezone.now(), room=THREADS - len(flying)):
                    flying[pool.submit(message.send)] = message
            if not flying:
                return sent
            done, _waiting = wait(flying, timeout=1, return_when=FIRST_COMPLETED)
            for future in done:
                record(flying.pop(future).delivery, future.result(), at=timezone.now())
                sent += 1


def claim(*, at: datetime, room: int) -> list[Message]:
    """Take at most `room` messages that are due, in turn from each endpoint, for LEASE."""
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM,
            {
                "at": at,
                "until": at + LEASE,
                "room": room,
                "at_once": AT_ONCE,
                "failing": AT_ONCE_FAILING,
            },
        )
        keys = [key for (key,) in cursor.fetchall()]
    rows = WebhookDelivery.objects.filter(pk__in=keys).order_by("pk")
    return _prepare(rows.select_related("endpoint__owner", "event__content_type"), at)


def _prepare(rows: Iterable[WebhookDelivery], at: datetime) -> list[Message]:
    """Sign what may be sent; what may not is written down at once."""
    found = list(rows)
    keys = _secrets({row.endpoint_id for row in found}, at)
    seen = _seen(found)
    messages = []
    for row in found:
        if row.event_id not in seen[row.endpoint.owner_id] and not _is_test(row):
            record(row, Outcome(Error.UNSEEN), at=at)
            continue
        try:
            messages.append(_sign(row, keys[row.endpoint_id], at))
        except signing.Unreadable:
            record(row, Outcome(Error.SECRET), at=at)
    return messages


def _sign(row: WebhookDelivery, sealed: list[str], at: datetime) -> Message:
    body, now = encode(row.event), int(at.timestamp())
    secrets = []
    for text in sealed:  # one from before a change of SECRET_KEY does not hold up its successor
        with suppress(signing.Unreadable):
            secrets.append(signing.unseal(text))
    if not secrets:
        raise signing.Unreadable
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "webhook-id": row.message_id,
        "webhook-timestamp": str(now),
        "webhook-signature": signing.signatures(secrets, row.message_id, now, body),
    }
    return Message(row, headers, body)


def _secrets(endpoints: set[int], at: datetime) -> dict[int, list[str]]:
    """The encrypted secrets in force of each endpoint, the current one first."""
    valid = WebhookSecret.objects.filter(Q(ends_at=None) | Q(ends_at__gt=at))
    found: dict[int, list[str]] = defaultdict(list)
    for key, sealed in (
        valid.filter(endpoint__in=endpoints)
        .order_by("-created_at")
        .values_list("endpoint_id", "sealed")
    ):
        found[key].append(sealed)
    return found


def _seen(rows: list[WebhookDelivery]) -> dict[int, set[int]]:
    """Which of the events each owner may still see."""
    owners = {row.endpoint.owner_id: row.endpoint.owner for row in rows}
    keys = {row.event_id for row in rows}
    return {
        key: set(events_for(owner).filter(pk__in=keys).values_list("pk", flat=True))
        for key, owner in owners.items()
    }


def _is_test(row: WebhookDelivery) -> bool:
    """A message about the endpoint itself tells of nothing that its user must not know."""
    own = ContentType.objects.get_for_model(WebhookEndpoint)
    return (row.event.content_type_id, row.event.object_id) == (own.pk, row.endpoint_id)


def _api_url(model: Any, key: int | None) -> str | None:
    """Where the API has the object, from the root of the site; None where it has no such thing."""
    with suppress(NoReverseMatch):
        if model is not None and key is not None:
            return reverse(f"api:{model._meta.model_name}-detail", args=[key])
    return None


@transaction.atomic
def record(row: WebhookDelivery, outcome: Outcome, *, at: datetime) -> None:
    """Write down what came of an attempt. Nothing, when the lease has passed to somebody else."""
    attempts = row.attempts + 1
    entry = {
        "at": at.isoformat(),
        "status": outcome.status,
        "error": outcome.error,
        "detail": outcome.detail,
        "ms": outcome.milliseconds,
    }
    values: dict[str, Any] = {
        "attempts": attempts,
        "leased_until": None,
        "status": outcome.status,
        "error": outcome.error,
        "response": outcome.response,
        "duration_ms": outcome.milliseconds,
        "log": [*row.log, entry][-WebhookDelivery.LOG_LIMIT :],
    }
    mine = WebhookDelivery.objects.filter(pk=row.pk, leased_until=row.leased_until)
    if mine.update(**values, **_next_step(attempts, outcome, at)):
        _judge(row.endpoint, outcome, at)


def _next_step(attempts: int, outcome: Outcome, at: datetime) -> dict[str, Any]:
    """State and time after an attempt."""
    if not outcome.error:
        return {"state": State.DELIVERED, "ended_at": at}
    if outcome.error == Error.UNSEEN:
        return {"state": State.CANCELLED, "ended_at": at}
    asked = outcome.retry_after if outcome.status in (429, 503) else ""
    wait_for = retries.delay(attempts, jitter=random.random(), wish=retries.wish(asked, at=at))
    if wait_for is None or outcome.error == Error.GONE:
        return {"state": State.FAILED, "ended_at": at}
    return {"next_attempt_at": at + wait_for}


def _judge(endpoint: WebhookEndpoint, outcome: Outcome, at: datetime) -> None:
    """Keep since when the endpoint only fails; disable it when that is long, or it is gone."""
    if outcome.error == Error.UNSEEN:
        return
    progress = WebhookProgress.objects.filter(endpoint=endpoint)
    if not outcome.error:
        progress.exclude(failing_since=None).update(failing_since=None)
        return
    progress.filter(failing_since=None).update(failing_since=at)
    since = progress.values_list("failing_since", flat=True).get()
    reason = ""
    if outcome.error == Error.GONE:
        reason = _("The address answered that it is gone for good (410).")
    elif since and at - since >= retries.GIVE_UP_AFTER:
        reason = _("Nothing could be delivered for %(days)s days.") % {
            "days": retries.GIVE_UP_AFTER.days
        }
    if reason:
        with suppress(Conflict):  # a person has paused it in the meantime
            workflow.fire(endpoint, "disable", by=None, on=timezone.localdate(at), reason=reason)
