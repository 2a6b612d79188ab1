"""Reading what has changed: a list in order of the last change, up to the horizon (core.feed).

`?updated_since=` begins such a walk and `?cursor=` goes on with it, for as many polls as one likes:
a place in the walk is the time of the last change and the id of the last row that was given. What
is written meanwhile gets a later place, so that nothing is skipped, and a row is given again only
when it has changed again.
"""

from __future__ import annotations

import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import crc32
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import models
from django.db.models import F, QuerySet, Value
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from core import feed
from core.api.pages import CURSOR_SCHEMA, SIZE_PARAMETER, page_size

SINCE, CURSOR = "updated_since", "cursor"
TOKEN = r"[A-Za-z0-9_-]{38}"
_PLACE, _CHECK = struct.Struct(">qqq"), struct.Struct(">I")
_EPOCH, _TICK = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_TIME_SCHEMA = {"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}


class Place(NamedTuple):
    """Behind the row of this key that changed at this time; key 0: before all rows of the time.

    `new` is for lists that give rows never changed in order of their keys: the last such key.
    """

    at: datetime
    key: int
    new: int = 0


BEGINNING = Place(datetime(1, 1, 1, tzinfo=UTC), 0)


def token_of(place: Place, resource: str) -> str:
    """The cursor for a place in the walk over a resource."""
    packed = _PLACE.pack((place.at - _EPOCH) // _TICK, place.key, place.new)
    check = _CHECK.pack(crc32(resource.encode() + packed))
    return urlsafe_b64encode(packed + check).decode().rstrip("=")


def place_of(token: str, resource: str, parameter: str) -> Place:
    """The place that a cursor of this resource names. ValidationError when it is none."""
    try:
        if not re.fullmatch(TOKEN, token):
            raise ValueError(token)
        ticks, key, new = _PLACE.unpack(urlsafe_b64decode(token + "==")[: _PLACE.size])
        place = Place(_EPOCH + ticks * _TICK, key, new)
        if token_of(place, resource) != token:
            raise ValueError(token)
    except (ValueError, OverflowError) as error:
        message = _("This is no cursor of this list.")
        raise ValidationError({parameter: [message]}, "bad_cursor") from error
    return place


def time_of(text: str, parameter: str) -> datetime:
    """An RFC 3339 time, or a date, which begins at midnight UTC. ValidationError otherwise."""
    try:
        day = parse_date(text)
        moment = datetime(day.year, day.month, day.day, tzinfo=UTC) if day else parse_datetime(text)
        if moment is None or moment.tzinfo is None:
            raise ValueError(text)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        message = _("Give a time with its offset, like 2026-01-31T08:00:00Z, or a date.")
        raise ValidationError({parameter: [message]}, "bad_time") from error


class _Behind(models.Func):
    """(a, b) > (x, y) as one comparison, which an index on (a, b) serves."""

    output_field = models.BooleanField()

    def as_sql(self, compiler: Any, connection: Any, *_args: Any, **context: Any) -> Any:
        parts = [compiler.compile(part) for part in self.get_source_expressions()]
        a, b, x, y = (sql for sql, _params in parts)
        return f"({a}, {b}) > ({x}, {y})", [value for _sql, params in parts for value in params]


class ChangePages(BasePagination):
    """{"next", "cursor", "results"}: the rows that changed, in order of (last change, id). `next`
    is null when there are no more now; `cursor` is for the next poll."""

    since, cursor = SINCE, CURSOR  # the names of its parameters
    parameters: tuple[str, ...] = (SINCE, CURSOR, "page_size")

    @classmethod
    def asked_for(cls, request: Any) -> bool:
        """Whether the address asks for changes."""
        return cls.since in request.query_params or cls.cursor in request.query_params

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any]:
        self.request, self.view = request, view
        self._refuse_others()
        size, start = page_size(request), self._start()
        until = feed.horizon()  # asked for before the rows are read
        rows, self.place, self.more = self.walk(queryset, start, until, size)
        return rows

    def walk(
        self, queryset: QuerySet, start: Place, until: datetime, size: int
    ) -> tuple[list[Any], Place, bool]:
        """At most `size` rows behind `start` that changed before `until`, where they end, and
        whether there are more."""
        time = self.view.changed_at
        behind = _Behind(F(time), F("pk"), Value(start.at), Value(start.key))
        wanted = queryset.filter(behind, **{f"{time}__lt": until}).order_by(time, "pk")
        found = list(self.view.read(wanted).annotate(_at=F(time), _key=F("pk"))[: size + 1])
        places = [start, *(Place(row.pop("_at"), row.pop("_key"), start.new) for row in found)]
        if len(found) > size:
            return found[:size], places[size], True
        # All that lies before the horizon has been given; what comes later comes behind it.
        return found, max(start, Place(until, 0, start.new)), False

    def _refuse_others(self) -> None:
        """Other ways to order and to page are not for this walk."""
        for name in ("ordering", *self.view.pagination_class.parameters):
            if name in self.request.query_params and name not in self.parameters:
                message = _("Changes come in the order in which they were made.")
                raise ValidationError({name: [message]}, "not_with_changes")

    def _start(self) -> Place:
        """The later of the places that are given."""
        given = self.request.query_params
        places = [BEGINNING]
        if self.since in given:
            places.append(Place(time_of(given[self.since], self.since), 0))
        if self.cursor in given:
            places.append(self._place(given[self.cursor]))
        return max(places)

    def _place(self, token: str) -> Place:
        return place_of(token, self.view.basename, self.cursor)

    def get_paginated_response(self, data: list[Any]) -> Response:
        """{"next", "cursor", "results"}."""
        token = token_of(self.place, self.view.basename)
        url = remove_query_param(self.request.build_absolute_uri(), self.since)
        link = replace_query_param(url, self.cursor, token) if self.more else None
        return Response({"next": link, "cursor": token, "results": data})

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [*parameters(self), SIZE_PARAMETER]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["next", "cursor", "results"],
            "properties": {
                "next": {"type": ["string", "null"], "format": "uri"},
                "cursor": CURSOR_SCHEMA,
                "results": schema,
            },
        }


def parameters(pages: Any = ChangePages) -> list[dict[str, Any]]:
    """The two parameters of such a walk, for the schema."""
    since = "The rows that changed at this time or later, in order of their change."
    cursor = "The `cursor` of the last answer: the rows that have changed since."
    return [
        {"name": pages.since, "in": "query", "description": since, "schema": _TIME_SCHEMA},
        {
            "name": pages.cursor,
            "in": "query",
            "description": cursor,
            "schema": {"type": "string", "pattern": f"^{TOKEN}$"},
        },
    ]
