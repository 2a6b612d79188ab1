"""How the rows of this app move when partners are merged."""

from __future__ import annotations

from typing import Any

from core import audit, bulk
from core.crud import verb_of
from partners import moves
from partners.models import Contact, NotDuplicate

_FILLED = ("role", "phone", "email", "wechat", "note")


def move_contacts(field: Any, merging: moves.Merging) -> list[str]:
    """A person at both is kept once, with what only the other row knew. There stays one first
    contact."""
    known: dict[str, Contact] = {}
    for contact in merging.keep.contacts.select_for_update().order_by("pk"):
        known.setdefault(_name(contact), contact)
    mine = list(merging.drop.contacts.select_for_update().order_by("pk"))
    double = [contact for contact in mine if _name(contact) in known]
    _change(
        [(known[_name(one)], _missing(known[_name(one)], one)) for one in double], by=merging.by
    )
    rows = Contact.objects.filter(pk__in=[contact.pk for contact in double])
    names = moves.remove(rows, by=merging.by)
    if merging.keep.contacts.filter(is_primary=True).exists():
        others = merging.drop.contacts.filter(is_primary=True)
        _change([(contact, {"is_primary": False}) for contact in others], by=merging.by)
    moves.repoint(field, merging)
    return names


def _name(contact: Contact) -> str:
    return "".join(contact.name.split()).casefold()


def _missing(kept: Contact, other: Contact) -> dict[str, Any]:
    """What `other` knows and `kept` does not."""
    empty = ("", Contact.Role.OTHER)
    return {
        name: getattr(other, name)
        for name in _FILLED
        if getattr(kept, name) in empty and getattr(other, name) not in empty
    }


def _change(changes: list[tuple[Contact, dict[str, Any]]], *, by: Any) -> None:
    before = {row.pk: audit.snapshot(row) for row, _values in changes}
    rows = {row.pk: row for row, _values in changes}
    for row, values in changes:
        for name, value in values.items():
            setattr(row, name, value)
    entries = [
        (verb_of(row, "updated"), row, diff)
        for row in rows.values()
        if (diff := audit.diff(before[row.pk], audit.snapshot(row)))
    ]
    bulk.update([row for _verb, row, _diff in entries], [*_FILLED, "is_primary"])
    audit.record_many(entries, by=by)


def move_dismissals(field: Any, merging: moves.Merging) -> list[str]:
    """Who is not the same as the one is not the same as the other."""
    keep, drop = merging.keep.pk, merging.drop.pk
    rows = NotDuplicate.objects.filter(**{field.name: drop})
    for row in rows.order_by("pk"):
        other = row.second_id if field.name == "first" else row.first_id
        if other != keep:
            first, second = sorted((keep, other))
            NotDuplicate.objects.get_or_create(
                first_id=first, second_id=second, defaults={"by_id": row.by_id}
            )
    rows.delete()
    return []


def register() -> None:
    """Called when the app is ready."""
    moves.register("partners.contact.partner", move=move_contacts)
    moves.register("partners.partner_machines.partner", move=moves.once("user"))
    moves.register("partners.notduplicate.first", move=move_dismissals)
    moves.register("partners.notduplicate.second", move=move_dismissals)
