"""Gives every request an id and says whether a page or the API was asked."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from core import context

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


class RequestContextMiddleware:
    """Takes a well-formed `X-Request-ID` from the caller, or makes one, and returns it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else None
        source = "api" if request.path.startswith("/api/") else "page"
        with context.use(source=source, request_id=request_id) as current:
            response = self.get_response(request)
            response["X-Request-ID"] = current.request_id
        return response
