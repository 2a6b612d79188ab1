"""Machines at the API: OAuth2 client credentials, acting as the client's user.

Only this one grant exists (`OAUTH2_SERVER_CLASS`). A token belongs to a client, a client to a user
of role integration: the user's role and rows say what the token may do, its scopes bound it.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from oauth2_provider.models import AccessToken
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.scopes import SettingsScopes
from oauth2_provider.settings import oauth2_settings
from oauth2_provider.views import TokenView as BaseTokenView
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from accounts.roles import Role
from core.api.permissions import scope_for


def may_act(user: Any) -> bool:
    """Whether a client may act as this user: a machine's account that is in force."""
    return user is not None and user.is_active and user.role == Role.INTEGRATION


class ClientValidator(OAuth2Validator):
    """Tokens only for clients whose user may act."""

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        try:
            known = super().authenticate_client(request, *args, **kwargs)
        except ValueError:  # NUL in the credentials: the database refuses to look for it
            return False
        return known and may_act(request.client.user)


class ClientScopes(SettingsScopes):
    """The scopes that a client was given; without asking for fewer it gets them all."""

    def get_available_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        client = getattr(application, "api_client", None)
        return client.scope_list if client else []

    get_default_scopes = get_available_scopes


class TokenView(BaseTokenView):
    """POST client id and secret, get a token. Errors are those of RFC 6749."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if any("\x00" in value for value in request.POST.values()):
            return JsonResponse({"error": "invalid_request"}, status=400)
        return self.authorization_flow_token_response(request)


class ClientAuthentication(BaseAuthentication):
    """`Authorization: Bearer …`. A token that is not good is an error, not an anonymous request."""

    def authenticate(self, request: Any) -> tuple[Any, AccessToken] | None:
        scheme, _blank, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = self._find(text.strip())
        if token is None or token.is_expired() or token.application is None:
            raise AuthenticationFailed(_("The access token is not valid."), "invalid_token")
        if not token.allows_audience(request.build_absolute_uri(request.path)):
            raise AuthenticationFailed(
                _("The access token is for another address."), "invalid_token"
            )
        if not may_act(token.application.user):
            raise AuthenticationFailed(_("This client is switched off."), "client_disabled")
        return token.application.user, token

    def _find(self, text: str) -> AccessToken | None:
        checksum = hashlib.sha256(text.encode()).hexdigest()
        tokens = AccessToken.objects.select_related("application__user")
        return tokens.filter(token_checksum=checksum).first()

    def authenticate_header(self, request: Any) -> str:
        sent = "Authorization" in request.headers
        return 'Bearer realm="api"' + (', error="invalid_token"' if sent else "")


class ClientScheme(OpenApiAuthenticationExtension):
    """How the schema tells of it."""

    target_class = "accounts.api_auth.ClientAuthentication"
    name = "client"

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[str]]:
        return {self.name: [scope_for(auto_schema.method)]}

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        flow = {"tokenUrl": "/api/token/", "scopes": oauth2_settings.SCOPES}
        return {"type": "oauth2", "flows": {"clientCredentials": flow}}
