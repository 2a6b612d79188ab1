"""What becomes of the rows that point to a partner which is merged into another one.

Every foreign key to the partner is found through the models, those of apps above too. Unless its
app says otherwise here, in `AppConfig.ready()`, its rows are pointed to the kept partner by one
UPDATE. An app says otherwise where two rows would then be the same (`register`), where others write
such rows under a lock, and where rows are history (`stays`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection, models
from django.utils.text import capfirst

from core import audit
from core.crud import verb_of
from core.models import Model
from partners.models import Partner

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True)
class Merging:
    """The two partners, and in whose name."""

    keep: Partner
    drop: Partner
    by: Any


# Moves the rows behind a foreign key; returns the names of those that the kept partner had already.
Mover = Callable[[Any, Merging], list[str]]


@dataclass(frozen=True)
class Rule:
    """What an app says about one foreign key."""

    move: Mover | None = None
    lock: str = ""
    stays: str | _StrPromise = ""


_rules: dict[str, Rule] = {}


def register(label: str, *, move: Mover | None = None, lock: str = "") -> None:
    """Say how the rows behind the foreign key `label` ("sales.target.partner") move. `lock` is the
    name of the transaction lock under which others write such rows."""
    _set(label, Rule(move=move, lock=lock))


def stays(label: str, why: str | _StrPromise) -> None:
    """Say that the rows behind a foreign key are left where they are, and why."""
    _set(label, Rule(stays=why))


def _set(label: str, rule: Rule) -> None:
    if label in _rules:
        raise ValueError(f"{label} has a rule already")
    _rules[label] = rule


def label_of(field: Any) -> str:
    """`app.model.field`, in lower case."""
    return f"{field.model._meta.label_lower}.{field.name}"


def relations() -> dict[str, Any]:
    """{label: field} of every foreign key to the partner, those of many-to-many tables too."""
    found = Partner._meta.get_fields(include_hidden=True)
    fields = [one.field for one in found if one.auto_created and not one.concrete]  # type: ignore[union-attr]
    return {label_of(field): field for field in fields if not field.many_to_many}


def rule_of(label: str) -> Rule | None:
    """What an app says about a foreign key, if it does."""
    return _rules.get(label)


def lock_all() -> None:
    """Take the locks of all rules, in order, until the end of the transaction; first of all that of
    merges, so that they run one at a time."""
    locks = sorted({rule.lock for rule in _rules.values() if rule.lock})
    with connection.cursor() as cursor:
        for name in ("partners.merge", *locks):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [name])


def counts(drop: Partner) -> list[tuple[str, int, str]]:
    """(plural name of the model, rows, why they stay or "") of each foreign key with any rows."""
    found = []
    for label, field in relations().items():
        rule = _rules.get(label, Rule())
        count = field.model._base_manager.filter(**{field.name: drop}).count()
        if count:
            found.append((_name_of(field), count, str(rule.stays)))
    return found


def _name_of(field: Any) -> str:
    """What the rows are called; those of a many-to-many table as what they tie to the partner."""
    model = field.model
    if model._meta.auto_created:
        (other,) = (one for one in model._meta.fields if one.is_relation and one is not field)
        model = other.related_model
    return capfirst(str(model._meta.verbose_name_plural))


def move_all(merging: Merging) -> tuple[dict[str, int], dict[str, list[str]]]:
    """Move what has to move, in the open transaction, both partners locked. Returns, by label, how
    many rows there were, and the names of those that the kept partner had already."""
    moved, had = {}, {}
    for label, field in relations().items():
        rule = _rules.get(label, Rule())
        if rule.stays:
            continue
        count = _rows(field, merging.drop).count()
        if count:
            names = (rule.move or repoint)(field, merging)
            moved[label] = count - len(names)
            if names:
                had[label] = names
    return moved, had


# --- Ways to move ------------------------------------------------------------------------------


def repoint(field: Any, merging: Merging) -> list[str]:
    """Point all rows to the kept partner; those that have a history tell it there."""
    rows = _rows(field, merging.drop)
    if issubclass(field.model, Model):
        entries = []
        for row in _locked(rows):
            setattr(row, field.name, merging.keep)
            change = {field.name: [merging.drop.pk, merging.keep.pk]}
            entries.append((verb_of(row, "updated"), row, change))
        audit.record_many(entries, by=merging.by)
    rows.update(**{field.name: merging.keep})
    return []


def once(*key: Any) -> Mover:
    """For rows of which a partner has one of each `key` (names of fields or expressions): where
    both have it, the kept partner's stays and the other is deleted."""

    def move(field: Any, merging: Merging) -> list[str]:
        known = set(_rows(field, merging.keep).values_list(*key))
        mine = _rows(field, merging.drop).values_list("pk", *key)
        double = [pk for pk, *values in mine if tuple(values) in known]
        names = remove(_rows(field, merging.drop).filter(pk__in=double), by=merging.by)
        repoint(field, merging)
        return names

    return move


def remove(rows: Any, *, by: Any) -> list[str]:
    """Delete rows, each with its event if it has a history; returns their names."""
    found = list(_locked(rows))
    if found and issubclass(rows.model, Model):
        audit.record_many(
            [(verb_of(row, "deleted"), row, audit.diff(audit.snapshot(row), {})) for row in found],
            by=by,
        )
    rows.delete()
    return [str(row) for row in found]


def _rows(field: Any, partner: Partner) -> Any:
    return field.model._base_manager.filter(**{field.name: partner})


def _locked(rows: Any) -> Any:
    """In order of their keys, with what their names and events read."""
    related = [
        one.name for one in rows.model._meta.concrete_fields if isinstance(one, models.ForeignKey)
    ]
    return rows.select_related(*related).select_for_update(of=("self",)).order_by("pk")
