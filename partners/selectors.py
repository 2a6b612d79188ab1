"""Reads about partners that keep to what a user may see."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Case, F, When
from django.db.models.expressions import Combinable

from core.scoping import sees_everything
from partners.models import Partner


def visible_parents(keys: Iterable[int | None], user: Any) -> set[int]:
    """Those of the partner keys that `user` may see. A partner must not learn of another one, not
    even of the one it buys from."""
    given = {key for key in keys if key is not None}
    if sees_everything(user) or not given:
        return given
    return set(Partner.objects.visible_to(user).filter(pk__in=given).values_list("pk", flat=True))


def of_parent(field: str, user: Any) -> Combinable:
    """The expression of a field of the parent, null where `user` does not see the parent."""
    path = F(f"parent__{field}")
    if sees_everything(user):
        return path
    return Case(When(parent__in=Partner.objects.visible_to(user).values("pk"), then=path))
