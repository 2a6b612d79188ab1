"""State changes. One door: lock the row, check, run, save, record, all in one transaction.

A transition is declared with django-fsm-2:

    @transition(field=state, source="active", target="suspended", custom={
        "label": _("Suspend"), "permission": "partners.change_partner_state",
        "blockers": open_orders, "needs_reason": True, "icon": "player-pause"})
    def suspend(self, *, by, on): ...

`blockers(obj, by)` returns a list of Problem. With `"keeps_reason": True` the method is given the
reason, for a row that shows it; the history has it anyway. With `"confirm": _("…")` the page asks
first, for what cannot be taken back. A transition whose permission is None
is for the system alone (`by=None`) and has no button. The verb of the event is
`<app>.<model>.<transition>`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.utils.translation import gettext as _
from django_fsm import FSMField, FSMFieldMixin, Transition

from core import audit
from core.crud import verb_of
from core.errors import Blocked, Conflict, NotVisible, Problem


class StateField(FSMField):
    """A protected state. Migrations know it as the text that it is in the database.

    The models of a migration change no states, and each field of them would listen to every model
    made after it: half of the time that a new database takes.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, protected=True, **kwargs)

    def deconstruct(self) -> tuple[str, str, Any, dict[str, Any]]:
        name, _path, args, kwargs = super().deconstruct()
        del kwargs["protected"]
        return name, "django.db.models.CharField", args, kwargs


class StatefulModel(models.Model):
    """The base of models with a protected state: only a transition writes it."""

    class Meta:
        abstract = True

    def clean_fields(self, exclude: Any = None) -> None:
        super().clean_fields(exclude={*(exclude or ()), *state_fields(type(self))})

    def refresh_from_db(
        self, using: str | None = None, fields: Any = None, from_queryset: Any = None
    ) -> None:
        # The field refuses a second value, so the first is forgotten. (The library's own mixin
        # lifts the protection of the field itself for a moment, for all threads.)
        for name in state_fields(type(self)):
            if fields is None or name in fields:
                self.__dict__.pop(name, None)
        super().refresh_from_db(using, fields, from_queryset)


def state_fields(model: type[models.Model]) -> list[str]:
    """The names of the protected state fields of `model`."""
    return [
        field.attname
        for field in model._meta.concrete_fields
        if isinstance(field, FSMFieldMixin) and field.protected
    ]


@dataclass(frozen=True)
class TransitionOption:
    """One button: `problems` is empty when it can be pressed, `confirm` what is asked before it is
    taken for meant."""

    name: str
    label: str
    icon: str
    needs_reason: bool
    confirm: str
    problems: list[Problem]


def options(obj: models.Model, by: Any) -> list[TransitionOption]:
    """The transitions out of the state `obj` is in that `by` has the permission for."""
    return [
        TransitionOption(
            name=transition.name,
            label=str(transition.custom["label"]),
            icon=transition.custom.get("icon", "arrow-right"),
            needs_reason=transition.custom.get("needs_reason", False),
            confirm=str(transition.custom.get("confirm", "")),
            problems=blockers(obj, transition, by),
        )
        for transition in _declared(type(obj)).values()
        if _leads_out_of(transition, obj) and _may(transition, by)
    ]


@transaction.atomic
def fire(obj: Any, name: str, *, by: Any, on: date, reason: str = "", **data: Any) -> Any:
    """Run transition `name` on `obj` as of the day `on` and return the fresh, saved row.

    `data` is passed to the transition method and kept on the event. Raises LookupError for a name
    that is not declared, PermissionDenied, Conflict `wrong_state`, or Blocked with all reasons.
    """
    transition_of = _declared(type(obj))[name]
    row = type(obj)._base_manager.select_for_update(of=("self",)).get(pk=obj.pk)
    if by is not None and not _may(transition_of, by):
        raise PermissionDenied
    if not _leads_out_of(transition_of, row):
        raise Conflict(
            "wrong_state",
            _("“%(action)s” is not possible in state “%(state)s”.")
            % {
                "action": transition_of.custom["label"],
                "state": row._get_FIELD_display(getattr(type(row), name)._django_fsm.field),
            },
        )
    problems = blockers(row, transition_of, by)
    if transition_of.custom.get("needs_reason") and not reason.strip():
        problems = [*problems, Problem("reason_required", _("Give a reason."), "reason")]
    if problems:
        raise Blocked(problems)
    before = audit.snapshot(row)
    kept = {"reason": reason} if transition_of.custom.get("keeps_reason") else {}
    getattr(row, name)(by=by, on=on, **kept, **data)
    row.save()
    audit.record(
        verb_of(row, name),
        row,
        by=by,
        reason=reason,
        changes=audit.diff(before, audit.snapshot(row)),
        data={key: str(value) for key, value in data.items() if value is not None},
    )
    if by is not None and not type(row)._default_manager.visible_to(by).filter(pk=row.pk).exists():
        raise NotVisible
    return row


def blockers(obj: models.Model, transition: Transition, by: Any) -> list[Problem]:
    """Why `transition` cannot be run on `obj` now."""
    check = transition.custom.get("blockers")
    return check(obj, by) if check else []


def has_transitions(model: type[models.Model]) -> bool:
    """Whether rows of `model` have a state that changes through the workflow."""
    return bool(_declared(model))


def names(model: type[models.Model]) -> list[str]:
    """The names of all transitions declared on `model`."""
    return list(_declared(model))


def _declared(model: type[models.Model]) -> dict[str, Transition]:
    found: dict[str, Transition] = {}
    for field in model._meta.concrete_fields:
        if isinstance(field, FSMFieldMixin):
            for transition in field.get_all_transitions(model):
                found.setdefault(transition.name, transition)
    # In the order in which they are declared, which is the order of the buttons.
    order = [name for cls in reversed(model.__mro__) for name in vars(cls)]
    return dict(sorted(found.items(), key=lambda item: order.index(item[0])))


def _may(transition: Transition, by: Any) -> bool:
    permission = transition.custom["permission"]
    return permission is not None and by.has_perm(permission)


def _leads_out_of(transition: Transition, obj: models.Model) -> bool:
    meta = getattr(type(obj), transition.name)._django_fsm
    return meta.has_transition(getattr(obj, meta.field.name))
