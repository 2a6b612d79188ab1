"""Lists come in pages: by number, or after a key where the table is long."""

from __future__ import annotations

from typing import Any

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

SIZE, MAX_SIZE = 50, 200
COUNT_LIMIT = 100_000
MAX_KEY = 2**63 - 1


def whole_number(request: Any, name: str, default: int, least: int, most: int) -> int:
    """A parameter of the address between `least` and `most`; 400 when it is anything else."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdecimal() and len(text) < 20 and least <= int(text) <= most:
        return int(text)
    message = _("Give a whole number from %(least)d to %(most)d.") % {"least": least, "most": most}
    raise ValidationError({name: [message]}, "out_of_range")


def page_size(request: Any) -> int:
    """How many rows a page has; 400 when it is no such number."""
    return whole_number(request, "page_size", SIZE, 1, MAX_SIZE)


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": {"type": "integer", **schema},
    }


SIZE_PARAMETER = _parameter(
    "page_size", "Rows a page.", {"minimum": 1, "maximum": MAX_SIZE, "default": SIZE}
)


CURSOR_SCHEMA = {
    "type": "string",
    "description": "For the next poll. Only where changes are asked for.",
}


class Pages(BasePagination):
    """`?page=2&page_size=100`. `count` is null when more than 100,000 rows match."""

    parameters = ("page", "page_size")
    last_page = COUNT_LIMIT

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any]:
        self.request = request
        size = page_size(request)
        self.number = whole_number(request, "page", 1, 1, self.last_page)
        start = (self.number - 1) * size
        rows = list(view.read(queryset)[start : start + size + 1])
        self.more = len(rows) > size
        self.count = self._count(queryset, start + len(rows) if rows or not start else None)
        return rows[:size]

    def _count(self, queryset: QuerySet, seen: int | None) -> int | None:
        """Asked of the database only where this page does not show it."""
        if seen is not None and not self.more:
            return seen
        count = queryset.order_by().values("pk")[: COUNT_LIMIT + 1].count()
        return count if count <= COUNT_LIMIT else None

    def get_paginated_response(self, data: list[Any]) -> Response:
        """{"count", "next", "previous", "results"}."""
        return Response(
            {
                "count": self.count,
                "next": self._link(self.number + 1) if self.more else None,
                "previous": self._link(self.number - 1) if self.number > 1 else None,
                "results": data,
            }
        )

    def _link(self, number: int) -> str:
        url = self.request.build_absolute_uri()
        if number == 1:
            return remove_query_param(url, "page")
        return replace_query_param(url, "page", number)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        page = {"minimum": 1, "maximum": self.last_page, "default": 1}
        return [_parameter("page", "Number of the page.", page), SIZE_PARAMETER]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "results"],  # of changes there is no count
            "properties": {
                "count": {
                    "type": ["integer", "null"],
                    "description": "How many rows match; null when more than 100,000 do.",
                    "example": 153,
                },
                "next": link,
                "previous": link,
                "cursor": CURSOR_SCHEMA,
                "results": schema,
            },
        }


class KeyPages(BasePagination):
    """`?after=<id>`: the rows whose id follows, in order of the id. Costs the same at any depth."""

    parameters = ("after", "page_size")

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any]:
        self.request = request
        size = page_size(request)
        down = request.query_params.get("ordering") == "-id"
        after = whole_number(request, "after", 0, 0, MAX_KEY)
        if after:
            queryset = queryset.filter(**{"pk__lt" if down else "pk__gt": after})
        ordered = queryset.order_by("-pk" if down else "pk")
        rows = list(view.read(ordered).annotate(_key=F("pk"))[: size + 1])
        keys = [row.pop("_key") for row in rows]
        self.last = keys[size - 1] if len(rows) > size else None
        return rows[:size]

    def get_paginated_response(self, data: list[Any]) -> Response:
        """{"next", "results"}."""
        url = self.request.build_absolute_uri()
        link = replace_query_param(url, "after", self.last) if self.last else None
        return Response({"next": link, "results": data})

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        text = "The id of the last row you have; the rows after it follow."
        return [_parameter("after", text, {"minimum": 0, "maximum": MAX_KEY}), SIZE_PARAMETER]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {
                "next": {"type": ["string", "null"], "format": "uri"},
                "cursor": CURSOR_SCHEMA,
                "results": schema,
            },
        }
