"""Sales lines by the thousand in one request, through the same loader as files."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action

from core.api import problems
from core.api.bulk import MOST_ROWS, Body, BulkJSONParser, BulkLinesParser, body_of, flags_of
from core.api.idempotency import HEADER, KEY, once
from core.api.rendering import JSONRenderer
from core.importing import records, registry
from sales.importers import SalesImporter
from sales.loading.kinds import SALES
from sales.models import SalesKind

FLAGS = {
    "results": ("all", "rejected"),
    "dry_run": ("false", "true"),
    "all_or_nothing": ("false", "true"),
}
SHAPE = records.Shape(
    names=[field.name for field in SalesImporter.fields],
    numbers=frozenset({"quantity", "amount"}),
    defaults=SALES.defaults,
)
_REFERENCE = SHAPE.names.index("reference")
_SHOWN = 100

# --- The schema -----------------------------------------------------------------------------------

_DECIMAL = {"type": ["string", "number"], "example": "1234.50"}
_LINE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": [field.name for field in SalesImporter.fields if field.required],
    "properties": {
        "source": {
            "type": "string",
            "maxLength": 40,
            "default": SALES.defaults["source"],
            "description": "The system it comes from; with the reference it says which line it is.",
        },
        "reference": {"type": "string", "maxLength": 100, "example": "INV-2026-000123-1"},
        "kind": {"type": "string", "enum": SalesKind.values, "default": SALES.defaults["kind"]},
        "partner": {"type": "string", "description": "Code of the partner."},
        "product": {"type": "string", "description": "Code of the product."},
        "occurred_on": {"type": "string", "format": "date"},
        "unit": {"type": ["string", "null"], "description": "Unit of the quantity."},
        "quantity": {**_DECIMAL, "description": "At most four decimals; a return is negative."},
        "amount": {**_DECIMAL, "description": "At most four decimals; a return is negative."},
        "reverses": {
            "type": ["string", "null"],
            "description": "Reference of the line that this one takes back.",
        },
    },
}
_ANYTHING = {"description": "Whatever else a row is, it is refused alone, with its reasons."}
_REQUEST = {
    BulkJSONParser.media_type: {
        "type": "array",
        "minItems": 1,
        "maxItems": MOST_ROWS,
        "items": {"anyOf": [_LINE, _ANYTHING]},
    },
    BulkLinesParser.media_type: {"type": "string", "description": "The same, one row a line."},
}
_RESULT = {
    "type": "object",
    "required": ["row", "reference", "outcome", "problems"],
    "properties": {
        "row": {"type": "integer", "description": "Its place in the request; the first is 1."},
        "reference": {"type": ["string", "null"]},
        "outcome": {
            "type": "string",
            "enum": ["created", "updated", "unchanged", "rejected"],
        },
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {
                    "field": {"type": ["string", "null"]},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
_COUNTS = ("rows", "created", "updated", "unchanged", "rejected")
_ANSWER = {
    "type": "object",
    "required": ["import", *_COUNTS, "results"],
    "properties": {
        "import": {
            "type": ["integer", "null"],
            "description": "Id of the import of these lines; null when nothing was written.",
        },
        **{name: {"type": "integer"} for name in _COUNTS},
        "results": {"type": "array", "items": _RESULT},
    },
}
_REFUSAL = {
    "allOf": [{"$ref": "#/components/schemas/Problem"}],
    "properties": _ANSWER["properties"],
}
_PARAMETERS = [
    OpenApiParameter(
        "results", enum=FLAGS["results"], default="all", description="Which rows the answer lists."
    ),
    OpenApiParameter(
        "dry_run", OpenApiTypes.BOOL, default=False, description="Check only, write nothing."
    ),
    OpenApiParameter(
        "all_or_nothing",
        OpenApiTypes.BOOL,
        default=False,
        description="When a row is rejected, write nothing and answer 422.",
    ),
    OpenApiParameter(
        HEADER,
        {"type": "string", "pattern": KEY},
        OpenApiParameter.HEADER,
        description="For seven days the same request under this key gets the same answer.",
    ),
]


class BulkMixin:
    """POST …/bulk/."""

    def check_permissions(self: Any, request: Any) -> None:
        super().check_permissions(request)
        if self.action == "bulk" and not registry.get(SalesImporter.kind).may(request.user):
            self.permission_denied(request)

    @extend_schema(
        parameters=_PARAMETERS,
        request=_REQUEST,
        responses={200: _ANSWER, (422, problems.CONTENT_TYPE): _REFUSAL},
        filters=False,
    )
    @action(
        detail=False,
        methods=["post"],
        pagination_class=None,
        filter_backends=[],
        parser_classes=[BulkJSONParser, BulkLinesParser],
    )
    def bulk(self: Any, request: Any) -> HttpResponse:
        """Load up to 50,000 lines at once, as a JSON array or NDJSON (also with Content-Encoding:
        gzip). A line that is known, by its source and reference, is brought up to date. A line
        that is rejected does not keep the others out."""
        flags = flags_of(request, FLAGS)
        body = body_of(request)
        return once(request, body.sha256, lambda: _load(request, body, flags))


def _load(request: Any, body: Body, flags: dict[str, str]) -> HttpResponse:
    all_or_nothing = flags["all_or_nothing"] == "true"
    loaded = records.load(
        SalesImporter.kind,
        SHAPE,
        body.values(),
        name="api",
        sha256=body.sha256,
        by=request.user,
        dry_run=flags["dry_run"] == "true",
        all_or_nothing=all_or_nothing,
    )
    answer = _answer(loaded, only_rejected=flags["results"] == "rejected")
    if not (all_or_nothing and loaded.rejects):
        response = HttpResponse(JSONRenderer().render(answer), content_type="application/json")
        written = loaded.outcome.created + loaded.outcome.updated if loaded.import_id else 0
        response.rows_written = written  # type: ignore[attr-defined]  # for the log of calls
        return response
    message = _("%d rows were rejected, so nothing was loaded.") % len(loaded.rejects)
    return problems.respond(422, "rejected_rows", message, path=request.path, more=answer)


def _answer(loaded: records.Loaded, *, only_rejected: bool) -> dict[str, Any]:
    rows = sorted(loaded.rejects) if only_rejected else range(1, loaded.outcome.rows + 1)
    return {
        "import": loaded.import_id,
        **{name: getattr(loaded.outcome, name) for name in _COUNTS},
        "results": [_result(loaded, row) for row in rows],
    }


def _result(loaded: records.Loaded, row: int) -> dict[str, Any]:
    """What came of one row; of a dry run, what would come of it."""
    rejects = loaded.rejects.get(row, ())
    return {
        "row": row,
        "reference": loaded.table.cells[row - 1][_REFERENCE][:_SHOWN] or None,
        "outcome": "rejected" if rejects else loaded.outcomes[row],
        "problems": [{"field": field or None, "message": reason} for field, reason in rejects],
    }
