"""The language of a request, and what surrounds each call of the API."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from rest_framework.permissions import SAFE_METHODS

from core.api import sandbox


class LanguageMiddleware:
    """The user's choice, else the browser's: the session (set at sign-in and by the switch), the
    cookie, then Accept-Language."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Only a request that carries a session cookie has a session worth a look-up.
        chosen = None
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            chosen = request.session.get("language")
        language = chosen or translation.get_language_from_request(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language  # type: ignore[attr-defined]
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", language)
        return response


class ApiCallMiddleware:
    """Logs the calls of clients, carries out writes in the sandbox where that is asked for, and
    tells callers what is left of their limit. Sits inside the language, around the problems."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        if not request.path_info.startswith("/api/"):
            return self.get_response(request)
        began = time.monotonic()
        response = self.get_response(request)
        if getattr(request, "spent", None):
            request.spent.tell(response)
        if getattr(request, "sandbox", False):
            response[sandbox.HEADER] = "true"
        client = getattr(request, "api_client", None)
        if client is not None:
            from accounts.api_calls import keep_call

            keep_call(client, request, response, round((time.monotonic() - began) * 1000))
        return response

    def process_view(
        self, request: Any, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Answers a write in place of the view when it is to leave nothing behind."""
        from accounts.api_auth import is_sandboxed

        if "api" not in request.resolver_match.namespaces or request.method in SAFE_METHODS:
            return None
        try:
            request.sandbox = is_sandboxed(request)
        except ValueError:
            return sandbox.misspelt(request)
        return sandbox.rehearse(view, request, args, kwargs) if request.sandbox else None
