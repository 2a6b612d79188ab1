"""Who sees which rows.

A model says how its rows hang on the scope root (`settings.SCOPE_ROOT`, the partner) with
`scope_path`: a lookup path such as `"partner"` or `"evaluation__partner"`, or `None` for shared
reference data. The root alone knows the rule and overrides `visible_to`; every other model follows
its path. It is always a subquery, never a join, so that it can be added to any queryset.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.db import models
from django.db.models import QuerySet
from django.db.models.functions import Upper

_UNDECLARED = object()


class ScopedQuerySet(QuerySet):
    """The default queryset of the house: adds `visible_to(user)`."""

    def visible_to(self, user: Any) -> QuerySet:
        """Rows that `user` may see. Anonymous and inactive users see nothing."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        path = self.model.scope_path  # type: ignore[attr-defined]
        if path is None or sees_everything(user):
            return self.all()
        seen = _end_of(self.model, path).objects.visible_to(user)
        return self.filter(**{f"{path}__in": seen.values("pk")})

    def offered_to(self, user: Any) -> QuerySet:
        """Rows that `user` may choose for a row that refers to them: the visible ones, unless the
        model knows rows to which nothing may be added any more."""
        return self.visible_to(user)

    def by_code(self, field: str) -> QuerySet:
        """The rows with the code by which they are looked up, in capitals, as `_code`."""
        return self.annotate(_code=Upper(field))

    def old_codes(self, field: str) -> QuerySet | None:
        """Codes that have come to mean other rows: `_code`, and the key of the row as `_means`. A
        model overrides it where there are such."""
        return None


def sees_everything(user: Any) -> bool:
    """True for superusers and for the roles whose scope is the whole network."""
    return bool(user.is_superuser or user.is_global)


def scope_root() -> type[models.Model]:
    """The model on which row scoping rests (the partner)."""
    return apps.get_model(settings.SCOPE_ROOT)


def scope_id_of(obj: models.Model) -> int | None:
    """The key of the scope root that `obj` belongs to; None for shared data."""
    if isinstance(obj, scope_root()):
        return obj.pk
    path = getattr(obj, "scope_path", None)
    if not path:
        return None
    value: Any = obj
    *steps, last = path.split("__")
    for step in steps:
        value = getattr(value, step)
        if value is None:
            return None
    return getattr(value, f"{last}_id", None)


def narrow_choices(fields: dict[str, Any], user: Any, *, to_look: bool = False) -> None:
    """Restrict every choice of related rows in a form to what `user` may choose; `to_look` for in a
    FilterSet form, to what the user may see."""
    for field in fields.values():
        queryset = getattr(field, "queryset", None)
        if queryset is not None and hasattr(queryset, "offered_to"):
            rows = queryset.visible_to(user) if to_look else queryset.offered_to(user)
            field.queryset = rows


def _end_of(model: type[models.Model], path: str) -> Any:
    for step in path.split("__"):
        model = model._meta.get_field(step).related_model  # type: ignore[assignment]
    return model


def _own_models() -> list[type[models.Model]]:
    root = str(settings.BASE_DIR)
    return [
        model
        for config in apps.get_app_configs()
        if config.path.startswith(root) and "site-packages" not in config.path
        for model in config.get_models()
    ]


@checks.register
def check_scope_declared(app_configs: Any = None, **kwargs: Any) -> list[checks.Error]:
    """Refuse a model of ours that does not say how its rows are scoped."""
    return [error for model in _own_models() for error in scope_errors(model)]


def scope_errors(model: type[models.Model]) -> list[checks.Error]:
    """What is wrong with the scope declaration of one model."""
    path = getattr(model, "scope_path", _UNDECLARED)
    if path is _UNDECLARED:
        return [
            checks.Error(
                f"{model._meta.label} declares no scope_path.",
                hint='Say scope_path = "partner", a longer path, or None for shared data.',
                obj=model,
                id="core.E001",
            )
        ]
    if not hasattr(model._default_manager, "visible_to"):
        return [
            checks.Error(
                f"{model._meta.label} has no visible_to on its default manager.",
                obj=model,
                id="core.E002",
            )
        ]
    if not isinstance(path, str) or path == "pk":
        return []
    try:
        end = _end_of(model, path)
    except Exception as error:
        return [checks.Error(f"{model._meta.label}.scope_path: {error}", obj=model, id="core.E003")]
    if not hasattr(end._default_manager, "visible_to"):
        return [
            checks.Error(f"{model._meta.label}.scope_path ends at {end}", obj=model, id="core.E003")
        ]
    return []
