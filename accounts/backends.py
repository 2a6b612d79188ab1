"""Permissions of a role from memory: a page spends no query on them.

The table in `accounts.roles` is code; groups are its copy for Django's admin and other readers.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from accounts.roles import codenames


@lru_cache
def _of_role(role: str) -> frozenset[str]:
    return frozenset(codenames(role))


class RoleBackend(AuthenticationBackend):
    """Signs people in as allauth does; reads the permissions of their role from the table."""

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        if user_obj.is_superuser:
            return super().get_all_permissions(user_obj, obj)
        return set(_of_role(user_obj.role))

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return False
        return user_obj.is_superuser or perm in _of_role(user_obj.role)
