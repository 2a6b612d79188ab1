"""From the history to the queue: which events go to which endpoint.

Each endpoint keeps how far it is in the order of (time, key). It looks up to the horizon of
`core.feed`, before which nothing more can appear, so that no late commit is missed; and an event is
there once for an endpoint by a unique key, so that looking twice adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from core.models import Event
from core.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookProgress

# Looked at for one endpoint in one transaction.
WINDOW = 10_000
EVERYTHING = "*"


def events_for(user: Any) -> QuerySet:
    """The events that may be told to `user`: those of the feed, if it may read events."""
    if not user.has_perm("core.view_event"):
        return Event.objects.none()
    return Event.objects.told_to(user)


def of_types(event_types: Iterable[str]) -> Q:
    """The condition on events for verbs and prefixes ("partners.partner.*", "*" for all)."""
    found = Q()
    for name in event_types:
        if name.endswith(EVERYTHING):
            found |= Q(verb__startswith=name.removesuffix(EVERYTHING))
        else:
            found |= Q(verb=name)
    return found


def dispatch(*, until: datetime, at: datetime) -> int:
    """Put what happened before `until` (a horizon) into the queues of all active endpoints, due
    `at`; returns how many were added. Endpoints that another dispatcher has in hand are its own."""
    active = WebhookEndpoint.objects.filter(state=WebhookEndpoint.State.ACTIVE)
    return sum(
        _dispatch(endpoint, until, at)
        for endpoint in active.filter(progress__event_at__lt=until).select_related("owner")
    )


def _dispatch(endpoint: WebhookEndpoint, until: datetime, at: datetime) -> int:
    added = 0
    while True:
        with transaction.atomic():
            mine = WebhookProgress.objects.select_for_update(skip_locked=True)
            progress = mine.filter(endpoint=endpoint, event_at__lt=until).first()
            if progress is None:
                return added
            start = (progress.event_at, progress.event_id)
            new = _after(Event.objects.filter(created_at__lt=until), *start)
            end = _end_of_window(new) or (until, 0)
            due = _up_to(_after(events_for(endpoint.owner), *start), *end)
            added += _enqueue(endpoint, due.filter(of_types(endpoint.event_types)), at)
            progress.event_at, progress.event_id = end
            progress.save(update_fields=["event_at", "event_id"])


def _end_of_window(events: QuerySet) -> tuple[datetime, int] | None:
    """(time, key) of the last event of a full window; None when fewer are left."""
    keys = events.order_by("created_at", "pk").values_list("created_at", "pk")
    return keys[WINDOW - 1 : WINDOW].first()


def _after(events: QuerySet, event_at: datetime, event_id: int) -> QuerySet:
    later = Q(created_at__gt=event_at) | Q(created_at=event_at, pk__gt=event_id)
    return events.filter(later, created_at__gte=event_at)


def _up_to(events: QuerySet, event_at: datetime, event_id: int) -> QuerySet:
    earlier = Q(created_at__lt=event_at) | Q(created_at=event_at, pk__lte=event_id)
    return events.filter(earlier, created_at__lte=event_at)


def _enqueue(endpoint: WebhookEndpoint, events: QuerySet, at: datetime) -> int:
    with suppress(EmptyResultSet), connection.cursor() as cursor:
        chosen, params = events.order_by().values_list("pk").query.sql_with_params()
        cursor.execute(
            f"""
            INSERT INTO {WebhookDelivery._meta.db_table}
                   (endpoint_id, event_id, state, attempts, next_attempt_at, error, response, log,
                    created_at)
            SELECT %s, event.id, %s, 0, %s, '', '', '[]', %s
              FROM ({chosen}) AS event (id)
             ORDER BY event.id
                ON CONFLICT (endpoint_id, event_id) DO NOTHING""",
            [endpoint.pk, WebhookDelivery.State.PENDING, at, at, *params],
        )
        return cursor.rowcount
    return 0
