"""Create, change and delete one row: validated, recorded, and still visible to the writer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, models, router, transaction
from django.db.models.deletion import Collector, ProtectedError, RestrictedError
from django.utils.translation import gettext as _

from core import audit
from core.errors import Conflict, NotVisible


def verb_of(obj: models.Model, what: str) -> str:
    """`partners.partner.created` for a partner and "created"."""
    return f"{obj._meta.app_label}.{obj._meta.model_name}.{what}"


@transaction.atomic
def save_form(form: Any, *, by: Any, reason: str = "") -> models.Model:
    """Save a valid ModelForm (its many-to-many fields too) with one event.

    The form has been validated, so the model has been cleaned. Raises NotVisible, and rolls back,
    when the writer could not see the row afterwards; Conflict when the database refuses.
    """
    obj = form.instance
    new = obj.pk is None
    before = {} if new else _stored(obj, form)
    try:
        with transaction.atomic():
            form.save()
    except IntegrityError as error:
        raise refusal(error) from error
    changes = audit.diff(before, _stored(obj, form))
    return _finish(obj, new, changes, by, reason)


@transaction.atomic
def save(obj: models.Model, *, by: Any, reason: str = "") -> models.Model:
    """Validate and save one object with one event; nothing is written when nothing changed.

    Raises django's ValidationError, NotVisible or Conflict.
    """
    new = obj.pk is None
    before = {} if new else audit.snapshot(type(obj)._base_manager.get(pk=obj.pk))
    obj.full_clean()
    changes = audit.diff(before, audit.snapshot(obj))
    if not new and not changes:
        return obj
    try:
        with transaction.atomic():
            obj.save()
    except IntegrityError as error:
        raise refusal(error) from error
    return _finish(obj, new, changes, by, reason)


@transaction.atomic
def delete(obj: models.Model, *, by: Any, reason: str = "") -> None:
    """Delete one object with one event. Conflict, naming them, when other rows need it."""
    plan = delete_plan(obj)
    if plan.protected:
        raise Conflict("protected", plan.refusal())
    audit.record(
        verb_of(obj, "deleted"),
        obj,
        by=by,
        reason=reason,
        changes=audit.diff(audit.snapshot(obj), {}),
    )
    try:
        with transaction.atomic():
            obj.delete()
    except IntegrityError as error:
        raise refusal(error) from error


@dataclass(frozen=True)
class DeletePlan:
    """What goes along with a row: (plural name, count) each; and what forbids its deletion."""

    cascades: list[tuple[str, int]]
    protected: list[tuple[str, int]]

    def refusal(self) -> str:
        """Why the row cannot be deleted."""
        parts = [f"{name} ({count})" for name, count in self.protected]
        return _("It cannot be deleted, because it is still used by: %(what)s.") % {
            "what": ", ".join(parts)
        }


def delete_plan(obj: models.Model) -> DeletePlan:
    """What deleting `obj` would take along, and what protects it."""
    using = router.db_for_write(type(obj))
    collector = Collector(using=using, origin=obj)
    protected: dict[str, int] = {}
    try:
        collector.collect([obj])
    except (ProtectedError, RestrictedError) as error:
        rows = getattr(error, "protected_objects", None) or error.restricted_objects  # type: ignore[union-attr]
        for row in rows:
            name = str(row._meta.verbose_name_plural)
            protected[name] = protected.get(name, 0) + 1
    counts: dict[str, int] = {}
    for model, rows in collector.data.items():
        others = len(rows) - (1 if isinstance(obj, model) else 0)
        _add(counts, model, others)
    for queryset in collector.fast_deletes:
        _add(counts, queryset.model, queryset.count())
    return DeletePlan(sorted(counts.items()), sorted(protected.items()))


def _add(counts: dict[str, int], model: type[models.Model], count: int) -> None:
    if count and not model._meta.auto_created:
        name = str(model._meta.verbose_name_plural)
        counts[name] = counts.get(name, 0) + count


def refusal(error: IntegrityError) -> Conflict:
    """A database refusal in words; the constraint's own message where the model declares one."""
    diagnostics = getattr(error.__cause__, "diag", None)
    name = getattr(diagnostics, "constraint_name", None) or ""
    if name == "tree_cycle":
        return Conflict("tree_cycle", _("A record cannot be placed below itself."), "parent")
    code = getattr(error.__cause__, "pgcode", "")
    if code == "23505":
        return Conflict("duplicate", _("A record with these values exists already."))
    if code == "23001":  # raised by the triggers that freeze what is published
        # Their hint, where they have one, is a message of the catalogue.
        hint = getattr(diagnostics, "message_hint", None)
        return Conflict(
            "frozen", _(hint) if hint else _("It is published and can no longer be changed.")
        )
    if code == "23503":
        return Conflict("still_used", _("Other records still need this one."))
    return Conflict(name or "refused", _("The database refused this change."))


def _stored(obj: models.Model, form: Any) -> audit.Snapshot:
    fresh = type(obj)._base_manager.get(pk=obj.pk)
    values = audit.snapshot(fresh)
    for field in obj._meta.many_to_many:
        if field.name in form.fields:
            keys = getattr(fresh, field.name).values_list("pk", flat=True)
            values[field.name] = sorted(keys)
    return values


def _finish(
    obj: models.Model, new: bool, changes: audit.Changes, by: Any, reason: str
) -> models.Model:
    if new or changes:
        what = "created" if new else "updated"
        audit.record(verb_of(obj, what), obj, by=by, changes=changes, reason=reason)
    if by is not None and not type(obj)._default_manager.visible_to(by).filter(pk=obj.pk).exists():  # type: ignore[attr-defined]
        raise NotVisible
    return obj
