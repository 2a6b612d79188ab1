"""How the schema describes bulk writing: rows as their importer and their model have them."""

from __future__ import annotations

from typing import Any

from django.db import models
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from core.api import problems
from core.api.bodies import BulkJSONParser, BulkLinesParser
from core.api.idempotency import HEADER, KEY
from core.importing.registry import Field, Importer

FLAGS = {
    "results": ("all", "rejected"),
    "dry_run": ("false", "true"),
    "all_or_nothing": ("false", "true"),
}
PARAMETERS = [
    OpenApiParameter(
        "results",
        enum=FLAGS["results"],
        default="all",
        description="Which rows an answer at once lists.",
    ),
    OpenApiParameter(
        "dry_run", OpenApiTypes.BOOL, default=False, description="Check only, write nothing."
    ),
    OpenApiParameter(
        "all_or_nothing",
        OpenApiTypes.BOOL,
        default=False,
        description="When a row is rejected, write nothing: 422, or the import fails.",
    ),
    OpenApiParameter(
        HEADER,
        {"type": "string", "pattern": KEY},
        OpenApiParameter.HEADER,
        description="For seven days the same request under this key gets the same answer.",
    ),
    OpenApiParameter(
        "Prefer",
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        description="`respond-async`: let a worker load the rows, however few there are.",
    ),
    OpenApiParameter(
        "Location",
        OpenApiTypes.URI_REF,
        OpenApiParameter.HEADER,
        response=[202],
        description="The address of the import: ask it how far it is.",
    ),
]
_ANYTHING = {"description": "Whatever else a row is, it is refused alone, with its reasons."}
PROBLEMS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["field", "message"],
        "properties": {"field": {"type": ["string", "null"]}, "message": {"type": "string"}},
    },
}
_COUNTS = ("rows", "created", "updated", "unchanged", "rejected")


def request_of(importer: Importer) -> dict[str, Any]:
    """The body, by media type."""
    rows = {"type": "array", "minItems": 1, "items": {"anyOf": [_row(importer), _ANYTHING]}}
    lines = {"type": "string", "description": "The same, one row a line."}
    return {BulkJSONParser.media_type: rows, BulkLinesParser.media_type: lines}


def responses_of(importer: Importer, detail: Any) -> dict[Any, Any]:
    """The answers, by status; `detail` is that of an import."""
    answer = {
        "type": "object",
        "required": ["import", *_COUNTS, "results"],
        "properties": {
            "import": {
                "type": ["integer", "null"],
                "description": "Id of the import of these rows; null when nothing was written.",
            },
            **{name: {"type": "integer"} for name in _COUNTS},
            "results": {"type": "array", "items": _result(importer)},
        },
    }
    refusal = {
        "allOf": [{"$ref": "#/components/schemas/Problem"}],
        "properties": answer["properties"],
    }
    return {200: answer, 202: detail, (422, problems.CONTENT_TYPE): refusal}


def _result(importer: Importer) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["row", "key", "outcome", "problems"],
        "properties": {
            "row": {"type": "integer", "description": "Its place in the request; the first is 1."},
            "key": {
                "type": "object",
                "description": "What the row was known by, as it was sent.",
                "required": [*importer.key],
                "properties": {name: {"type": ["string", "null"]} for name in importer.key},
            },
            "outcome": {
                "type": "string",
                "enum": ["created", "updated", "unchanged", "rejected"],
            },
            "problems": PROBLEMS,
        },
    }


def _row(importer: Importer) -> dict[str, Any]:
    """A row that can be used, if what it names exists."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [field.name for field in importer.fields if field.required],
        "properties": {field.name: _property(importer, field) for field in importer.fields},
    }


def _property(importer: Importer, field: Field) -> dict[str, Any]:
    column, is_code = importer.column(field.name), field.name in importer.lookups
    found = {"title": str(field.label), **_type_of(column, is_code=is_code)}
    if field.help:
        found["description"] = str(field.help)
    if importer.defaults.get(field.name):
        found["default"] = importer.defaults[field.name]
    if not field.required:
        types = found["type"] if isinstance(found["type"], list) else [found["type"]]
        found["type"] = [*types, "null"]
        if "enum" in found:
            found["enum"] = [*found["enum"], None]
    return found


def _type_of(column: models.Field | None, *, is_code: bool) -> dict[str, Any]:
    if column is None:
        return {"type": "string"}
    if isinstance(column, models.DecimalField):
        before, after = column.max_digits - column.decimal_places, column.decimal_places
        return {
            "type": ["string", "number"],
            "description": f"At most {before} digits before the point and {after} behind it.",
            "example": f"1234.{'50'.ljust(after, '0')[:after]}",
        }
    if isinstance(column, models.DateField):
        return {"type": "string", "format": "date"}
    if column.choices and not is_code:
        return {"type": "string", "enum": [value for value, _label in column.choices if value]}
    found: dict[str, Any] = {"type": "string"}
    if isinstance(column, models.EmailField):
        found["format"] = "email"
    return found | ({"maxLength": column.max_length} if column.max_length else {})
