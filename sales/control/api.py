"""Control totals in the API."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from core.api.bodies import BulkJSONParser, BulkLinesParser, body_of
from core.api.bulk import MOST_ROWS
from core.api.pages import Pages
from core.api.serializers import DecimalField, RowSerializer, TextField, WriteSerializer
from core.api.views import Rows, ScopedViewSet
from core.importing import json_rows
from sales.control import services
from sales.control.differences import Differences, Status
from sales.filters import ControlTotalFilter
from sales.models import ControlTotal
from sales.models.control import period_code


class ControlTotalRow(RowSerializer):
    period = serializers.CharField(help_text="2026-03 or 2026-03-05")
    difference = DecimalField(
        30, 4, allow_null=True, help_text="Our amount less that of the source."
    )
    matches = serializers.BooleanField(allow_null=True, help_text="Null: not compared yet.")

    class Meta:
        model = ControlTotal
        fields = (
            "id",
            "source",
            "kind",
            "period",
            "partner",
            "partner_code",
            "starts_on",
            "ends_before",
            "rows",
            "amount",
            "books_rows",
            "books_amount",
            "difference",
            "matches",
            "checked_at",
            "requested_at",
            "updated_at",
        )
        paths = {"partner_code": "partner__code"}
        needs = {
            "period": ("starts_on", "ends_before"),
            "difference": ("amount", "books_amount", "books_rows"),
            "matches": ("rows", "amount", "books_rows", "books_amount"),
        }


class ControlTotalWrite(WriteSerializer):
    period = TextField(max_length=10, help_text="2026-03 or 2026-03-05")

    class Meta:
        model = ControlTotal
        fields = ("source", "kind", "period", "partner", "rows", "amount")
        codes = {"partner_code": ("partner", "code")}


class DifferenceRow(serializers.Serializer):
    """One row in which the source and our books differ."""

    reference = serializers.CharField()
    status = serializers.ChoiceField(choices=Status.choices)
    amount_there = serializers.DecimalField(18, 4, allow_null=True)
    amount_here = serializers.DecimalField(18, 4, allow_null=True)


class DifferencePages(Pages):
    """Pages of what counts itself."""

    def _count(self, queryset: Any, seen: int | None) -> int:
        return queryset.count() if seen is None or self.more else seen


_REFERENCE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["reference", "amount"],
    "properties": {
        "reference": {"type": "string", "minLength": 1, "maxLength": 100},
        "amount": {"type": ["string", "number"], "example": "1234.50"},
    },
}
_REFERENCES = {
    BulkJSONParser.media_type: {
        "type": "array",
        "minItems": 1,
        "maxItems": MOST_ROWS,
        "items": _REFERENCE,
    },
    BulkLinesParser.media_type: {"type": "string", "description": "The same, one row a line."},
}


class ControlTotalViewSet(ScopedViewSet):
    """What a source says its rows of a day or a month sum up to (of one partner, or null: of all),
    beside what our books have."""

    model = ControlTotal
    row_class = detail_class = ControlTotalRow
    write_class = ControlTotalWrite
    filterset_class = ControlTotalFilter
    ordering_fields = {"period": "starts_on", "id": "pk"}
    PERMISSIONS = {"create": "add", "references": "change", "ask_again": "change"}

    def read(self, queryset: Any) -> Any:
        return queryset if isinstance(queryset, Differences) else super().read(queryset)

    def shown(self, rows: Rows) -> Rows:
        asked = {*self.names}
        for row in rows:
            if "period" in asked:
                row["period"] = period_code(row["starts_on"], row["ends_before"])
            if asked.isdisjoint({"difference", "matches"}):
                continue
            compared = row["books_rows"] is not None
            difference = row["books_amount"] - row["amount"] if compared else None
            if "difference" in asked:
                row["difference"] = difference
            if "matches" in asked:
                same = row["books_rows"] == row["rows"] and not difference
                row["matches"] = same if compared else None
        return rows

    @extend_schema(responses={201: ControlTotalRow, 200: ControlTotalRow})
    def create(self, request: Any) -> Response:
        """Post a total: 201 for a new one, 200 for one that is known by source, kind, period and
        partner and is brought up to date. The answer has the comparison with our books."""
        given = self.checked()
        starts_on, ends_before = services.days_of(given.pop("period"))
        given.setdefault("partner", None)
        with transaction.atomic():  # as all that writes here: answered, or not done
            total, new = services.post(
                by=request.user, starts_on=starts_on, ends_before=ends_before, **given
            )
            code = status.HTTP_201_CREATED if new else status.HTTP_200_OK
            return self.answer(self.represent(total.pk), code)

    @extend_schema(request=_REFERENCES, responses=ControlTotalRow)
    @action(
        detail=True,
        methods=["put"],
        parser_classes=[BulkJSONParser, BulkLinesParser],
    )
    def references(self, request: Any, pk: int) -> Response:
        """Send the list of your rows behind a total, at most 50,000, in place of an earlier list.
        By it the differences are found."""
        body = body_of(request)
        text = body.unpacked()
        if body.lines:
            lines = enumerate(json_rows.lines(text, MOST_ROWS), start=1)
            values = (json_rows.value_of(line, row) for row, line in lines)
        else:
            values = json_rows.values(text, MOST_ROWS)
        with transaction.atomic():
            services.replace_references(self.get_object(), values)
            return Response(self.represent(pk))

    @extend_schema(responses=DifferenceRow(many=True), filters=False)
    @action(detail=True, pagination_class=DifferencePages, filter_backends=[])
    def differences(self, request: Any, pk: int) -> Response:
        """The rows that are missing on one side or have another amount, by reference. None while
        no list of references has been sent."""
        found: Any = self.paginate_queryset(Differences(self.get_object()))  # type: ignore[arg-type]
        return self.get_paginated_response(DifferenceRow(found, many=True).data)

    @extend_schema(request=None, responses=ControlTotalRow)
    @action(detail=True, methods=["post"], url_path="request")
    def ask_again(self, request: Any, pk: int) -> Response:
        """Ask the source for the rows again, by an event `sales.controltotal.requested`; 409 when
        the totals match."""
        with transaction.atomic():
            services.ask_again(self.get_object(), by=request.user, at=timezone.now())
            return Response(self.represent(pk))
