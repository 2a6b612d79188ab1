"""Writing the history: one Event a verb, with what changed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from core import bulk, context, events
from core.models import Event
from core.scoping import scope_id_of

Snapshot = dict[str, Any]
Changes = dict[str, list[Any]]
_NOTHING = [(None, ""), ("", None)]
_IGNORED = {
    "created_at",
    "updated_at",
    "path",
    "sort_path",
    "password",
    "last_login",
    "preferences",
}
_WRITTEN = [one.name for one in Event._meta.concrete_fields if one.name not in ("id", "created_at")]
# Where the context says when; otherwise the database does.
_DATED = [*_WRITTEN, "created_at"]


def snapshot(obj: models.Model) -> Snapshot:
    """The stored values of `obj` as JSON has them, foreign keys by key. No secrets, no clocks."""
    values = {
        field.name: field.value_from_object(obj)
        for field in obj._meta.concrete_fields
        if field.name not in _IGNORED and not field.primary_key and not field.generated
    }
    return json.loads(json.dumps(values, cls=DjangoJSONEncoder, default=str))


def diff(before: Snapshot, after: Snapshot) -> Changes:
    """{field: [old, new]} for what differs; absent, null and empty are the same nothing."""
    names = [*before, *(name for name in after if name not in before)]
    pairs = {name: [before.get(name), after.get(name)] for name in names}
    return {
        name: [old, new]
        for name, (old, new) in pairs.items()
        if old != new and (old, new) not in _NOTHING
    }


def record(
    verb: str,
    obj: models.Model,
    *,
    by: Any,
    changes: Changes | None = None,
    reason: str = "",
    data: dict[str, Any] | None = None,
) -> Event:
    """Append one event about `obj`, by user `by` (None: the system). ValueError: unknown verb."""
    event = _event(verb, obj, by, changes, reason, data)
    event.save(force_insert=True)
    return event


def record_many(
    entries: Iterable[tuple[str, models.Model, Changes]],
    *,
    by: Any,
    reason: str = "",
    data: dict[str, Any] | None = None,
) -> None:
    """Append many events with one statement: (verb, object, changes) each."""
    rows = [_event(verb, obj, by, changes, reason, data) for verb, obj, changes in entries]
    bulk.insert(rows, _DATED if context.current().at else _WRITTEN)


def _event(
    verb: str,
    obj: models.Model,
    by: Any,
    changes: Changes | None,
    reason: str,
    data: dict[str, Any] | None,
) -> Event:
    if not events.is_known(verb):
        raise ValueError(f"unknown verb {verb}")
    current = context.current()
    dated = {"created_at": current.at} if current.at else {}
    return Event(
        **dated,
        verb=verb,
        actor=by,
        source=current.source,
        request_id=current.request_id,
        content_type=ContentType.objects.get_for_model(obj),
        object_id=obj.pk,
        object_repr=str(obj)[:200],
        scope_id=scope_id_of(obj),
        changes=changes or {},
        reason=reason,
        data=data or {},
    )
