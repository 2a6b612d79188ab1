"""Who may: the permission of the model for people and machines, the scope of the token besides."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import SessionAuthentication as BaseSession
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission

READ, WRITE = "read", "write"


class SessionAuthentication(BaseSession):
    """The browser's session; every write needs the CSRF token."""

    def enforce_csrf(self, request: Any) -> None:
        try:
            super().enforce_csrf(request)
        except PermissionDenied as error:
            message = _("The CSRF token is missing or wrong. Send it as X-CSRFToken.")
            raise PermissionDenied(message, "csrf_failed") from error


def scope_for(method: str) -> str:
    """The scope that a token needs for a request of this method."""
    return READ if method in SAFE_METHODS else WRITE


class ModelPermission(BasePermission):
    """Signed in, with the permission that `view.permission_needed()` names (None: no more)."""

    def has_permission(self, request: Any, view: Any) -> bool:
        if not request.user.is_authenticated:
            return False
        if request.auth is not None and not request.auth.allow_scopes([scope_for(request.method)]):
            message = _("The access token does not have the scope “%(scope)s”.")
            raise PermissionDenied(
                str(message) % {"scope": scope_for(request.method)}, "insufficient_scope"
            )
        needed = view.permission_needed() if hasattr(view, "permission_needed") else None
        return needed is None or request.user.has_perm(needed)
