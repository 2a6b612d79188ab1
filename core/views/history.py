"""History: the events of a row, old and new values in the words of the form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpResponse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _, gettext_lazy

from core import events
from core.models import Event
from core.phrases import listed
from core.templatetags.fmt import exact

PAGE = 25
# Follows from the name; nobody types it.
_SILENT = {"pinyin"}
# Where a change came in, told only where it was not a page.
_SOURCES = {
    "api": gettext_lazy("through the API"),
    "import": gettext_lazy("through an import"),
    "task": gettext_lazy("by a job"),
    "command": gettext_lazy("by a command"),
}


@dataclass(frozen=True)
class Entry:
    """One event as people read it: `changes` is (field, old, new) each, no `source` is a page."""

    sentence: str
    icon: str
    actor: str
    source: str
    at: datetime
    subject: str
    reason: str
    changes: list[tuple[str, str, str]]


class HistoryMixin:
    """The `history` route."""

    def history(self: Any, obj: Any) -> HttpResponse:
        """All events of the row, newest first, for those who may read events."""
        if not self.request.user.has_perm("core.view_event"):
            raise PermissionDenied
        queryset = Event.objects.of(obj).select_related("actor", "content_type")
        page = Paginator(queryset, PAGE).get_page(self.request.GET.get("page"))
        context = {"object": obj, "page_obj": page}
        context["entries"] = readable(page.object_list, self.request.user)
        context["crumbs"] = self.crumbs((str(obj), self.back_url(obj)), (_("History"), ""))
        return self.render("core/history.html", context)


def readable(found: Iterable[Event], user: Any) -> list[Entry]:
    """Events in words. The names behind foreign keys are read with one query a model; of a row that
    `user` does not see there is only the number."""
    rows = list(found)
    names = _names_of(rows, user)
    return [_entry(event, names) for event in rows]


def _entry(event: Event, names: dict[tuple[Any, Any], str]) -> Entry:
    verb = events.describe(event.verb)
    model = event.content_type.model_class() if event.content_type else None
    return Entry(
        sentence=str(verb.sentence),
        icon=verb.icon,
        actor=str(event.actor) if event.actor else _("System"),
        source="" if event.source == "page" else str(_SOURCES.get(event.source, event.source)),
        at=event.created_at,
        subject=event.object_repr,
        reason=event.reason,
        changes=[
            (_label(model, name), _value(model, name, old, names), _value(model, name, new, names))
            for name, (old, new) in event.changes.items()
            if name not in _SILENT and (old not in (None, "") or new not in (None, ""))
        ],
    )


def _field(model: type[models.Model] | None, name: str) -> Any:
    try:
        return model._meta.get_field(name) if model else None
    except FieldDoesNotExist:
        return None


def _label(model: type[models.Model] | None, name: str) -> str:
    """The name of the field; of what is told besides (such as related rows), the word itself."""
    field = _field(model, name)
    return str(getattr(field, "verbose_name", "") or _(name.replace("_", " ")))


def _value(model: Any, name: str, value: Any, names: dict[tuple[Any, Any], str]) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    field = _field(model, name)
    if field is not None and field.related_model:
        keys = value if isinstance(value, list) else [value]
        return listed(names.get((field.related_model, key), f"#{key}") for key in keys)
    if field is not None and field.flatchoices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, list):
        return listed(map(str, value))
    if isinstance(field, models.DateTimeField):
        moment = parse_datetime(value)
        return f"{moment:%Y-%m-%d %H:%M}" if moment else str(value)
    return exact(value) if isinstance(field, models.DecimalField) else str(value)


def _names_of(rows: list[Event], user: Any) -> dict[tuple[Any, Any], str]:
    wanted: dict[Any, set[Any]] = {}
    for event in rows:
        model = event.content_type.model_class() if event.content_type else None
        for name, pair in event.changes.items():
            field = _field(model, name)
            if field is None or not field.related_model:
                continue
            for value in pair:
                keys = value if isinstance(value, list) else [value]
                wanted.setdefault(field.related_model, set()).update(k for k in keys if k)
    return {
        (model, row.pk): str(row)
        for model, keys in wanted.items()
        for row in _visible(model, user).filter(pk__in=keys)
    }


def _visible(model: Any, user: Any) -> Any:
    rows = model._default_manager.all()
    return rows.visible_to(user) if hasattr(rows, "visible_to") else rows
