"""What happened, as a feed that machines follow: GET /api/v1/events/."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import django_filters
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from core.api.changes import ChangePages, Place
from core.api.pages import MAX_KEY
from core.api.queries import Filters
from core.api.serializers import RowSerializer
from core.api.views import Rows, ScopedViewSet
from core.filters import FilterSet
from core.models import Event
from core.scoping import sees_everything

_OBJECT = ("object_app", "object_model", "object_id", "object_repr")


class EventObject(serializers.Serializer):
    """What it happened to. `url` is where the API shows it, if it does and the object is there."""

    type = serializers.CharField(help_text="App and model, like partners.contact.")
    id = serializers.IntegerField()
    repr = serializers.CharField(help_text="Its name at that time.")
    url: Any = serializers.CharField(allow_null=True)


class EventRow(RowSerializer):
    object = EventObject()

    class Meta:
        model = Event
        fields = (
            "id",
            "verb",
            "at",
            "actor",
            "actor_username",
            "source",
            "object",
            "partner",
            "changes",
            "reason",
            "data",
        )
        paths = {
            "at": "created_at",
            "actor_username": "actor__username",
            "partner": "scope_id",
            "object_app": "content_type__app_label",
            "object_model": "content_type__model",
        }
        needs = {"object": ("verb", *_OBJECT), "changes": _OBJECT[:2]}


class EventFilter(FilterSet):
    verb = django_filters.CharFilter(lookup_expr="startswith")
    object_type = django_filters.CharFilter(method="of_type")
    partner = django_filters.NumberFilter(
        field_name="scope_id", min_value=1, max_value=MAX_KEY, decimal_places=0
    )

    class Meta:
        model = Event
        fields = ["verb", "object_type", "partner"]

    def of_type(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        try:
            model = apps.get_model(value)
        except (LookupError, ValueError) as error:
            message = _("There is no such type.")
            raise ValidationError({name: [message]}, "unknown_type") from error
        return queryset.filter(content_type=ContentType.objects.get_for_model(model))


class EventPages(ChangePages):
    """`?after=` takes the id of an event too, `?since=` a time."""

    since, cursor = "since", "after"
    parameters = (since, cursor, "page_size")

    def _place(self, token: str) -> Place:
        if len(token) > len(str(MAX_KEY)) or not (token.isascii() and token.isdecimal()):
            return super()._place(token)
        found = self.view.get_queryset().filter(pk=min(int(token), MAX_KEY))
        at = found.values_list("created_at", flat=True).first()
        if at is None:
            message = _("There is no such event.")
            raise ValidationError({self.cursor: [message]}, "does_not_exist")
        return Place(at, int(token))

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        found = super().get_schema_operation_parameters(view)
        for one in found:
            if one["name"] == self.cursor:
                one["description"] = "The `cursor` of the last answer, or the id of an event."
                one["schema"] = {"type": "string", "pattern": "^([A-Za-z0-9_-]{38}|[0-9]{1,19})$"}
        return found


class EventViewSet(ScopedViewSet):
    """What happened to the rows that you may see, oldest first: poll with the last `cursor` as
    `after`, and you miss nothing. Rows that were deleted are told of here. A file of sales lines is
    one event, `core.import.applied` or `core.import.undone`."""

    model = Event
    row_class = detail_class = EventRow
    filterset_class = EventFilter
    pagination_class = EventPages
    filter_backends = [Filters]
    changed_at = "created_at"

    def get_queryset(self) -> QuerySet:
        """Only events of what the user may see at all."""
        return Event.objects.told_to(self.request.user)

    def shown(self, rows: Rows) -> Rows:
        """The object as one value, and no key of a related row that the user does not see."""
        seen = _seen(rows, self.request.user)
        return [_shown(row, seen) for row in rows]


def _model_of(row: dict[str, Any]) -> Any:
    return apps.get_model(row["object_app"], row["object_model"])


def _references(row: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """(field, model) of the changes that name rows which not everybody sees."""
    fields = {field.name: field for field in _model_of(row)._meta.get_fields()}
    for name in row.get("changes", ()):
        model = getattr(fields.get(name), "related_model", None)
        if model is not None and getattr(model, "scope_path", None):
            yield name, model


def _seen(rows: Rows, user: Any) -> dict[Any, set[int]] | None:
    """{model: keys that the user sees} of all references; None: all. One query a model."""
    if sees_everything(user):
        return None
    named: dict[Any, set[int]] = {}
    for row in rows:
        for name, model in _references(row):
            named.setdefault(model, set()).update(filter(None, row["changes"][name]))
    return {
        model: set(model.objects.visible_to(user).filter(pk__in=keys).values_list("pk", flat=True))
        for model, keys in named.items()
    }


def _shown(row: dict[str, Any], seen: dict[Any, set[int]] | None) -> dict[str, Any]:
    shown = dict(row)
    if seen is not None:
        for name, model in _references(row):
            pair = [key if key in seen[model] else None for key in row["changes"][name]]
            shown["changes"] = shown["changes"] | {name: pair}
    if "object_id" in row:
        shown["object"] = _object_of(row)
    for name in _OBJECT:
        shown.pop(name, None)
    return shown


def _object_of(row: dict[str, Any]) -> dict[str, Any]:
    meta = _model_of(row)._meta
    there = not row["verb"].endswith(".deleted")
    return {
        "type": meta.label_lower,
        "id": row["object_id"],
        "repr": row["object_repr"],
        "url": _url(meta.model_name, row["object_id"]) if there else None,
    }


def _url(name: str, key: int) -> str | None:
    """Where the API shows such a row; None where it shows none."""
    try:
        return reverse(f"api:{name}-detail", args=[key])
    except NoReverseMatch:
        return None
