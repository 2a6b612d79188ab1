"""What an address asks for: fields, and of a list filters, search, order. Anything unknown is
refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend

from core.api.changes import ChangePages
from core.filters import YES_OR_NO, search

FIELDS = "fields"
_SEARCH_LENGTH = 100
_MOST_TERMS = 4


def fields_of(request: Any, known: Sequence[str]) -> list[str] | None:
    """`?fields=code,name`: those of the known fields that are asked for, in their own order; None
    where all are. ValidationError naming those that do not exist."""
    given = request.query_params.get(FIELDS)
    if given is None:
        return None
    asked = given.split(",")
    unknown = [name for name in asked if name not in known]
    if unknown:
        message = _("There is no field “%(names)s”. There are: %(known)s.") % {
            "names": ", ".join(unknown)[:200],
            "known": ", ".join(known),
        }
        raise ValidationError({FIELDS: [message]}, "unknown_field")
    return [name for name in known if name in asked]


class Filters(DjangoFilterBackend):
    """The model's own FilterSet, with its choices narrowed to what the user may see.

    A parameter that nobody knows is an error, and one without a value: a misspelt or empty filter
    must not return everything.
    """

    def filter_queryset(self, request: Any, queryset: QuerySet, view: Any) -> QuerySet:
        self._refuse_unknown(request, view)
        return super().filter_queryset(request, queryset, view)

    def get_filterset(self, request: Any, queryset: QuerySet, view: Any) -> Any:
        if view.filterset_class is None:
            return None
        return view.filterset_class(request.query_params, queryset, request=request)

    def _refuse_unknown(self, request: Any, view: Any) -> None:
        known = {*view.pagination_class.parameters, "ordering", FIELDS}
        if view.changed_at:
            known.update(ChangePages.parameters)
        if view.search_fields:
            known.add("q")
        for name, value in request.query_params.items():
            if "\x00" in value:
                message = _("The text contains a NUL character.")
                raise ValidationError({name: [message]}, "null_characters_not_allowed")
            filters = view.filterset_class
            if name not in known and not (filters and filters.accepts(name)):
                message = _("There is no such parameter.")
                raise ValidationError({name[:100]: [message]}, "unknown_parameter")
            if not value and name != "q":
                message = _("It has no value; leave it out.")
                raise ValidationError({name: [message]}, "empty_parameter")
            if filters and not filters.understands(name, value):
                message = _("Give one of: %(words)s.") % {"words": ", ".join(YES_OR_NO)}
                raise ValidationError({name: [message]}, "invalid_choice")


class Search(BaseFilterBackend):
    """`?q=words`: rows where each word stands in one of `view.search_fields`."""

    def filter_queryset(self, request: Any, queryset: QuerySet, view: Any) -> QuerySet:
        text = request.query_params.get("q", "").strip()
        if not text or not view.search_fields:
            return queryset
        if len(text) > _SEARCH_LENGTH:
            message = _("At most %(count)d characters.") % {"count": _SEARCH_LENGTH}
            raise ValidationError({"q": [message]}, "max_length")
        return search(queryset, view.search_fields, text)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        if not view.search_fields:
            return []
        words = ", ".join(name.replace("__", ".") for name in view.search_fields)
        return [
            {
                "name": "q",
                "in": "query",
                "required": False,
                "description": f"Each word must stand in one of: {words}.",
                "schema": {"type": "string", "maxLength": _SEARCH_LENGTH},
            }
        ]


class Ordering(BaseFilterBackend):
    """`?ordering=-level,code`: names from `view.ordering_fields`, each a lookup or an expression
    that an index serves; the key makes it stable."""

    def filter_queryset(self, request: Any, queryset: QuerySet, view: Any) -> QuerySet:
        text = request.query_params.get("ordering")
        names = list(view.ordering) if text is None else text.split(",")
        if len(names) > _MOST_TERMS:
            message = _("Order by at most %(count)d fields.") % {"count": _MOST_TERMS}
            raise ValidationError({"ordering": [message]}, "too_many")
        terms = [self._term(name, view) for name in names]
        return queryset.order_by(*terms, "-pk" if names[0].startswith("-") else "pk")

    def _term(self, name: str, view: Any) -> Any:
        sign, bare = ("-", name[1:]) if name.startswith("-") else ("", name)
        path = view.ordering_fields.get(bare)
        if path is None:
            message = _("Order by: %(names)s.") % {"names": ", ".join(view.ordering_fields)}
            raise ValidationError({"ordering": [message]}, "unknown_ordering")
        if isinstance(path, str):
            return sign + path
        return path.desc() if sign else path.asc()

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        names = [sign + name for name in view.ordering_fields for sign in ("", "-")]
        return [
            {
                "name": "ordering",
                "in": "query",
                "required": False,
                "description": "Fields to order by; “-” in front: descending.",
                "style": "form",
                "explode": False,
                "schema": {
                    "type": "array",
                    "items": {"type": "string", "enum": names},
                    "minItems": 1,
                    "maxItems": _MOST_TERMS,
                },
                "example": [*view.ordering],
            }
        ]
