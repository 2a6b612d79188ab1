"""Machines at the API: OAuth2 client credentials, acting as the client's user.

Only this one grant exists (`OAUTH2_SERVER_CLASS`). A token belongs to a client, a client to a user
of role integration: the user's role and rows say what the token may do, its scopes bound it.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from oauth2_provider.models import AccessToken
from oauth2_provider.oauth2_backends import OAuthLibCore
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.scopes import SettingsScopes
from oauth2_provider.settings import oauth2_settings
from oauth2_provider.views import TokenView as BaseTokenView
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied, Throttled

from core.addresses import client_address
from core.api import problems, sandbox
from core.api.permissions import scope_for
from core.api.throttling import UserThrottle, spend
from core.errors import Problem

_NOT_ALLOWED = "address_not_allowed"
_OAUTH_WORD = {_NOT_ALLOWED: "unauthorized_client", "client_expired": "invalid_client"}


def refusal_of(client: Any, request: HttpRequest) -> Problem | None:
    """Why this client is not let in with this request, if so."""
    return client.refusal(address=client_address(request), on=timezone.localdate())


# --- Tokens ---------------------------------------------------------------------------------------


class ClientValidator(OAuth2Validator):
    """Tokens only for clients whose user may act and that are let in. It serves one request."""

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__()
        self.http_request: Any = request  # None where the library makes one that serves none
        self.refusal: Problem | None = None

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        try:
            known = super().authenticate_client(request, *args, **kwargs)
        except ValueError:  # NUL in the credentials: the database refuses to look for it
            return False
        # Also one that sends a wrong secret is told of in the log of its calls.
        client = self.http_request.api_client = getattr(request.client, "api_client", None)
        if not known or client is None:
            return False
        self.refusal = refusal_of(client, self.http_request)
        return self.refusal is None


class ClientScopes(SettingsScopes):
    """The scopes that a client was given; without asking for fewer it gets them all."""

    def get_available_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        client = getattr(application, "api_client", None)
        return client.scope_list if client else []

    get_default_scopes = get_available_scopes


class TokenView(BaseTokenView):
    """POST client id and secret, get a token. Errors are those of RFC 6749; who is right but not
    let in, or asks too often, is told why in problem details."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        spent = spend(f"token:{client_address(request)}", settings.API_TOKEN_RATE)
        if spent and spent.exceeded:
            throttled = problems.handler(Throttled(spent.seconds), {"request": request})
            assert throttled is not None
            return throttled
        if any("\x00" in value for value in request.POST.values()):
            return JsonResponse({"error": "invalid_request"}, status=400)
        self.validator = ClientValidator(request)
        response = self.authorization_flow_token_response(request)
        refusal = self.validator.refusal
        if refusal is not None and refusal.code in _OAUTH_WORD:
            return problems.respond(
                403 if refusal.code == _NOT_ALLOWED else 401,
                refusal.code,
                refusal.message,
                path=request.path,
                more={"error": _OAUTH_WORD[refusal.code]},
            )
        if response.status_code >= 400:
            response.problem_code = json.loads(response.content).get("error", "")
        return response

    def create_token_response(self, request: HttpRequest) -> Any:
        server = oauth2_settings.OAUTH2_SERVER_CLASS(
            self.validator, **oauth2_settings.server_kwargs
        )
        return OAuthLibCore(server).create_token_response(request)


# --- Calls ----------------------------------------------------------------------------------------


def token_of(request: Any) -> AccessToken | None:
    """The token that a request bears, with its client; None where it bears none that is known.

    It is looked up once a request, also for what happens around the views (accounts.middleware).
    """
    if not hasattr(request, "api_token"):
        scheme, _blank, text = request.headers.get("Authorization", "").partition(" ")
        request.api_token = _find(text.strip()) if scheme.lower() == "bearer" else None
        if request.api_token is not None:
            request.api_client = getattr(request.api_token.application, "api_client", None)
    return request.api_token


def _find(text: str) -> AccessToken | None:
    checksum = hashlib.sha256(text.encode()).hexdigest()
    tokens = AccessToken.objects.select_related("application__user", "application__api_client")
    return tokens.filter(token_checksum=checksum).first()


def forget_tokens(*, at: datetime) -> int:
    """Delete the tokens that ended a day before the time `at`; how many there were."""
    return AccessToken.objects.filter(expires__lte=at - timedelta(days=1)).delete()[0]


def is_sandboxed(request: HttpRequest) -> bool:
    """Whether what the request writes is to be rolled back: it asks for that, or its client never
    does anything else. ValueError as `sandbox.asked_for`."""
    asked = sandbox.asked_for(request)
    token_of(request)
    client = getattr(request, "api_client", None)
    return asked or (client is not None and client.sandbox)


class ClientAuthentication(BaseAuthentication):
    """`Authorization: Bearer …`. A token that is not good is an error, not an anonymous request."""

    def authenticate(self, request: Any) -> tuple[Any, AccessToken] | None:
        if request.headers.get("Authorization", "").partition(" ")[0].lower() != "bearer":
            return None
        token = token_of(request._request)
        client = getattr(request._request, "api_client", None)
        if token is None or token.is_expired() or client is None:
            raise AuthenticationFailed(_("The access token is not valid."), "invalid_token")
        if not token.allows_audience(request.build_absolute_uri(request.path)):
            raise AuthenticationFailed(
                _("The access token is for another address."), "invalid_token"
            )
        refusal = refusal_of(client, request._request)
        if refusal is not None:
            kind = PermissionDenied if refusal.code == _NOT_ALLOWED else AuthenticationFailed
            raise kind(refusal.message, refusal.code)
        return token.application.user, token

    def authenticate_header(self, request: Any) -> str:
        sent = "Authorization" in request.headers
        return 'Bearer realm="api"' + (', error="invalid_token"' if sent else "")


class ClientThrottle(UserThrottle):
    """A client has a limit of its own; people share the usual one."""

    def caller(self, request: Any) -> str:
        client = getattr(request._request, "api_client", None)
        return super().caller(request) if client is None else f"client:{client.pk}"

    def rate(self, request: Any) -> str:
        client = getattr(request._request, "api_client", None)
        return super().rate(request) if client is None else client.rate


class ClientScheme(OpenApiAuthenticationExtension):
    """How the schema tells of it."""

    target_class = "accounts.api_auth.ClientAuthentication"
    name = "client"

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[str]]:
        return {self.name: [scope_for(auto_schema.method)]}

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        flow = {"tokenUrl": "/api/token/", "scopes": oauth2_settings.SCOPES}
        return {"type": "oauth2", "flows": {"clientCredentials": flow}}
