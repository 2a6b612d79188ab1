"""How the API describes itself: OpenAPI 3.1 with problems, filters and ways to sign in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.contrib.django_filters import DjangoFilterExtension
from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema as BaseSchema
from drf_spectacular.utils import OpenApiParameter

from core.api import changes, conditions, problems, sandbox
from core.api.queries import FIELDS
from core.api.rendering import CSVRenderer

_PROBLEM = {
    "type": "object",
    "description": "Problem details as in RFC 9457. `code` is stable, the words are not.",
    "required": ["type", "title", "status", "detail", "code", "instance", "request_id", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "example": "about:blank"},
        "title": {"type": "string", "example": "The request is not valid"},
        "status": {"type": "integer", "example": 400},
        "detail": {"type": "string"},
        "code": {"type": "string", "example": "invalid"},
        "instance": {"type": "string", "format": "uri-reference"},
        "request_id": {"type": "string", "description": "As in the header X-Request-ID."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {
                    "field": {"type": ["string", "null"], "example": "territory"},
                    "code": {"type": "string", "example": "does_not_exist"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
_ALWAYS = (400, 401, 403, 406, 429)
_HEADERS = {401: "WWW-Authenticate", 429: "Retry-After"}
# The operations on one row that show it or change it.
_OF_ONE = ("retrieve", "partial_update", "destroy", "fire")
_CSV = {
    "type": "string",
    "description": "The same rows, the names of the fields first. The next page is in the header "
    "Link, the cursor in X-Cursor.",
}


_SANDBOX = {
    "name": sandbox.HEADER,
    "in": "header",
    "schema": {"type": "string", "enum": ["true", "false"], "default": "false"},
    "description": "Check and answer as if it was done, then roll back.",
}


class AutoSchema(BaseSchema):
    """What comes in is the write serializer, what goes out always the detail."""

    def get_response_serializers(self) -> Any:
        view: Any = self.view
        if getattr(view, "action", "") in ("create", "partial_update"):
            return view.detail_class
        if view.action == "bulk":
            return view.bulk_responses()
        return super().get_response_serializers()

    def get_request_serializer(self) -> Any:
        view: Any = self.view
        if view.action == "bulk":
            return view.bulk_request()
        return super().get_request_serializer()

    def _get_request_for_media_type(self, serializer: Any, direction: Any = "request") -> Any:
        schema, required = super()._get_request_for_media_type(serializer, direction)
        # A schema that is written out stands only where there is a body to describe.
        return schema, required or isinstance(serializer, dict)

    def get_override_parameters(self) -> list[Any]:
        """Which fields are wanted, and under which condition."""
        view: Any = self.view
        verb = getattr(view, "action", "")
        if verb not in ("list", "create", *_OF_ONE) or not hasattr(view, "row_class"):
            return []
        found = [] if verb == "destroy" else [self._fields(view, verb)]
        if verb in _OF_ONE:
            found.append(_tags(conditions.MATCH, "Only if the row is as you read it, else 412."))
        if verb == "retrieve":
            found.append(_tags(conditions.NONE_MATCH, "Only if it is another one, else 304."))
        if verb not in ("list", "destroy"):
            found.append(
                OpenApiParameter("ETag", str, OpenApiParameter.HEADER, response=[200, 201, 202])
            )
        return found

    def _fields(self, view: Any, verb: str) -> OpenApiParameter:
        shape = view.row_class if verb == "list" else view.detail_class
        names = {"type": "string", "enum": list(shape.Meta.fields)}
        return OpenApiParameter(
            FIELDS,
            {"type": "array", "items": names, "minItems": 1},
            description="Only these fields; without it, all of them.",
            style="form",
            explode=False,
        )

    def _get_pagination_parameters(self) -> list[dict[str, Any]]:
        view: Any = self.view
        found, pages = super()._get_pagination_parameters(), self._get_paginator()
        walks = found and not isinstance(pages, changes.ChangePages) and view.changed_at
        return [*found, *(changes.parameters() if walks else ())]

    def _get_response_for_code(
        self,
        serializer: Any,
        status_code: Any,
        media_types: Any = None,
        direction: Any = "response",
    ) -> dict[str, Any]:
        found = super()._get_response_for_code(serializer, status_code, media_types, direction)
        if CSVRenderer.media_type in found.get("content", {}):
            found["content"][CSVRenderer.media_type] = {"schema": _CSV}
        return found

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix(self.path_prefix).strip("/").split("/")[0]]


def _tags(header: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(
        header,
        {"type": "string", "pattern": conditions.TAGS},
        OpenApiParameter.HEADER,
        description=description,
    )


def add_problems(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Postprocessing: every operation names the problems it may answer with."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    components["responses"] = {
        f"Problem{status}": _response(status) for status in problems.TITLES if status < 500
    }
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            if method != "get":
                operation.setdefault("parameters", []).append(_SANDBOX)
            statuses = [*_ALWAYS, *_more(path, method, operation)]
            for status in sorted(statuses):
                reference = {"$ref": f"#/components/responses/Problem{status}"}
                operation["responses"].setdefault(str(status), reference)
    return result


def _more(path: str, method: str, operation: dict[str, Any]) -> list[int]:
    found = [404] if "{" in path else []
    if method in ("post", "patch", "delete"):
        found += [409, 422]
    if "requestBody" in operation:
        found += [413, 415]
    headers = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "header"}
    if conditions.MATCH in headers:
        found.append(412)
    if conditions.NONE_MATCH in headers:
        operation["responses"]["304"] = {"description": "You have it already."}
    return found


def _response(status: int) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": str(problems.TITLES[status]),
        "content": {problems.CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in _HEADERS:
        response["headers"] = {_HEADERS[status]: {"schema": {"type": "string"}}}
    return response


class SessionScheme(OpenApiAuthenticationExtension):
    """The browser's session. Writes also need the header X-CSRFToken."""

    target_class = "core.api.permissions.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class FilterExtension(DjangoFilterExtension):
    """Choices given as an enumeration are choices too."""

    target_class = "core.api.queries.Filters"
    priority = 1

    def _get_explicit_filter_choices(self, filter_field: Any) -> Any:
        choices = filter_field.extra.get("choices")
        if hasattr(choices, "values"):
            return list(choices.values)
        return super()._get_explicit_filter_choices(filter_field)


class CodeFieldExtension(OpenApiSerializerFieldExtension):
    """A code is text."""

    target_class = "core.api.serializers.CodeField"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        return {"type": "string"}
