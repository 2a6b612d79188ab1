"""Every error of the API as one kind of document: RFC 9457 problem details.

{"type", "title", "status", "detail", "code", "instance", "request_id", "errors": [...]}: `code` and
the codes in `errors` are stable, the words are in the caller's language.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError as ModelError
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.encoding import escape_uri_path
from django.utils.translation import gettext as _, gettext_lazy
from rest_framework import exceptions
from rest_framework.settings import api_settings

from core import context
from core.errors import DomainError, Problem

_log = logging.getLogger("channel_crm.api")
AWAY_SECONDS = 5  # after which one may ask again when the database is away
CONTENT_TYPE = "application/problem+json"
TITLES = {
    400: gettext_lazy("The request is not valid"),
    401: gettext_lazy("Sign-in needed"),
    403: gettext_lazy("Not permitted"),
    404: gettext_lazy("Not found"),
    405: gettext_lazy("Not possible with this address"),
    406: gettext_lazy("This format is not served"),
    409: gettext_lazy("Not possible now"),
    412: gettext_lazy("Changed meanwhile"),
    413: gettext_lazy("Too large"),
    415: gettext_lazy("This format is not read"),
    422: gettext_lazy("Not carried out"),
    429: gettext_lazy("Too many requests"),
    500: gettext_lazy("Our mistake"),
    503: gettext_lazy("Not available now"),
}
DETAILS = {
    400: gettext_lazy("The request could not be understood."),
    401: gettext_lazy("Sign in, or send a valid access token."),
    403: gettext_lazy("You do not have the permission for this."),
    404: gettext_lazy("There is nothing here, or nothing that you may see."),
    500: gettext_lazy("Something went wrong on our side. The request id helps to find it."),
    503: gettext_lazy("The service is not available now. Try again later."),
}


def respond(
    status: int,
    code: str,
    detail: Any,
    *,
    path: str,
    errors: Sequence[Problem] = (),
    headers: dict[str, str] | None = None,
    more: dict[str, Any] | None = None,
) -> JsonResponse:
    """The response that tells of one problem; `errors` are its parts, field by field, and `more`
    what this kind of problem has besides."""
    body = {
        "type": "about:blank",
        "title": str(TITLES.get(status, TITLES[400])),
        "status": status,
        "detail": str(detail),
        "code": code,
        "instance": escape_uri_path(path),
        "request_id": context.current().request_id,
        "errors": [
            {"field": error.field, "code": error.code, "message": str(error.message)}
            for error in errors
        ],
    }
    response = JsonResponse(
        body | (more or {}),
        status=status,
        headers=headers,
        content_type=CONTENT_TYPE,
        json_dumps_params={"ensure_ascii": False},
    )
    response.problem_code = code  # type: ignore[attr-defined]  # for the log of calls
    return response


def of_status(request: HttpRequest, status: int) -> JsonResponse:
    """The problem of a bare status, for errors that never reached a view of the API."""
    codes = {
        400: "bad_request",
        403: "permission_denied",
        404: "not_found",
        405: "method_not_allowed",
        500: "server_error",
    }
    detail = DETAILS.get(status, DETAILS[400] if status < 500 else DETAILS[500])
    return respond(status, codes.get(status, f"http_{status}"), detail, path=request.path)


def handler(error: Exception, seen: dict[str, Any]) -> JsonResponse | None:
    """DRF's exception handler. None for what nobody foresaw: that is raised and logged as a 500."""
    path = seen["request"].path
    if isinstance(error, DomainError):
        return respond(error.status, error.code, error.message, path=path, errors=error.problems)
    if isinstance(error, ModelError):
        return _invalid(list(_of_model(error)), path)
    if isinstance(error, exceptions.ValidationError):
        return _invalid(list(_flat(error.detail)), path)
    if isinstance(error, Http404 | exceptions.NotFound):
        return respond(404, "not_found", DETAILS[404], path=path)
    if isinstance(error, PermissionDenied):
        return respond(403, "permission_denied", DETAILS[403], path=path)
    if isinstance(error, DataError):
        # The last net: a number or date that no column can hold.
        return respond(400, "out_of_range", _("A value is out of range."), path=path)
    if isinstance(error, OperationalError | InterfaceError):
        # It is away, or was restarted: nothing was done, and the same request may come again.
        _log.error("The database gave way.", exc_info=error)
        headers = {"Retry-After": str(AWAY_SECONDS)}
        return respond(503, "unavailable", DETAILS[503], path=path, headers=headers)
    if isinstance(error, exceptions.APIException):
        return _of_api(error, path)
    return None


def _invalid(errors: list[Problem], path: str) -> JsonResponse:
    detail = _("The request is not valid.") if len(errors) != 1 else errors[0].message
    return respond(400, "invalid", detail, path=path, errors=errors)


def _of_api(error: exceptions.APIException, path: str) -> JsonResponse:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait) + 1)  # type: ignore[attr-defined]
    status = error.status_code
    own_words = getattr(error.detail, "code", "") not in _GENERAL
    detail = error.detail if own_words or status not in DETAILS else DETAILS[status]
    code = getattr(error.detail, "code", error.default_code)
    return respond(status, code, detail, path=path, headers=headers)


_GENERAL = {"permission_denied", "not_authenticated", "authentication_failed"}


def _of_model(error: ModelError) -> Iterator[Problem]:
    """The parts of django's ValidationError."""
    if not hasattr(error, "error_dict"):
        for part in error.error_list:
            yield _part(part, None)
        return
    for field, parts in error.error_dict.items():
        for part in parts:
            yield _part(part, None if field == NON_FIELD_ERRORS else field)


def _part(part: ModelError, field: str | None) -> Problem:
    return Problem(part.code or "invalid", " ".join(part.messages), field)


def _flat(detail: Any, path: str = "") -> Iterator[Problem]:
    """The parts of DRF's ValidationError; `items.2.weight` for what is nested."""
    if isinstance(detail, dict):
        for name, below in detail.items():
            own = name == api_settings.NON_FIELD_ERRORS_KEY or name == NON_FIELD_ERRORS
            yield from _flat(below, path if own else f"{path}.{name}".lstrip("."))
    elif isinstance(detail, list):
        for number, below in enumerate(detail):
            nested = isinstance(below, dict | list)
            yield from _flat(below, f"{path}.{number}".lstrip(".") if nested else path)
    else:
        yield Problem(getattr(detail, "code", None) or "invalid", str(detail), path or None)
