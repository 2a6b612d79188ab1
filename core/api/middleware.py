"""Errors under /api/ that no view of the API raised: unknown addresses, bad hosts, crashes."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from core.api import problems


class ApiProblemMiddleware:
    """Turns pages that tell of an error into problem details. Sits inside the language."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not request.path_info.startswith("/api/") or response.status_code < 400:
            return response
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            return response
        if settings.DEBUG and response.status_code == 500:
            return response  # the developer wants the traceback
        return problems.of_status(request, response.status_code)
