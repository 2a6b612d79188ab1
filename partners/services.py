"""Verbs about partners that touch more than the row itself."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _, gettext_noop

from core import audit, crud
from core.errors import Conflict, DomainError, NotVisible
from partners import moves
from partners.models import NotDuplicate, Partner

# Of these fields a merge may take the value of the partner that goes.
CHOSEN = (
    "name",
    "short_name",
    "legal_name",
    "credit_code",
    "channel_type",
    "territory",
    "owner",
    "parent",
    "level",
    "started_on",
    "note",
)
# The relation by which the history of the kept partner names the other.
_MERGED_FROM = "merged_from"
gettext_noop("merged from")


def may_merge(user: Any) -> bool:
    """Whether `user` may merge partners that they see."""
    return user.has_perms(["partners.merge_partner", "partners.change_partner"])


@transaction.atomic
def merge_partners(
    *, keep: Partner, drop: Partner, by: Any, on: date, reason: str, fields: Collection[str] = ()
) -> Partner:
    """Merge `drop` into `keep` as of the day `on`; it cannot be undone. Returns the kept partner.

    What points to `drop` points to `keep` afterwards, but for what is history (partners.moves).
    `drop` stays as a row in its end state: its code is taken and means `keep` from now on, and so
    do the codes of those that were merged into it. `fields` names the fields of CHOSEN whose values
    are taken from `drop`; an empty credit code of `drop` leaves none. `drop` keeps no credit code,
    which nobody else could have then. The events of both name the other, and say what was moved,
    and what `keep` had already and was deleted.

    `by` None is the operator. Raises PermissionDenied, DomainError for a reason or field that is
    wrong, Conflict when one of them was merged meanwhile or the database refuses, NotVisible.
    """
    if not reason.strip():
        raise DomainError("reason_required", _("Give a reason."), "reason")
    unknown = sorted(set(fields) - set(CHOSEN))
    if unknown:
        raise DomainError("unknown_field", _("There is no field “%s” to choose.") % unknown[0])
    moves.lock_all()
    keep, drop = _locked(keep, drop)
    if by is not None and not (may_merge(by) and _sees_both(keep, drop, by)):
        raise PermissionDenied
    _refuse_merged(keep, drop)
    before = audit.snapshot(keep), audit.snapshot(drop)
    try:
        with transaction.atomic():
            _write(keep, drop, by, on, fields)
            moved, had = moves.move_all(moves.Merging(keep, drop, by))
    except IntegrityError as error:
        raise crud.refusal(error) from error
    except ValidationError as error:
        raise DomainError("invalid", " ".join(error.messages)) from error
    # The other is named among the changes: there it is hidden from who does not see it.
    for partner, old, verb, other in (
        (drop, before[1], "merge", {}),
        (keep, before[0], "absorb", {_MERGED_FROM: [None, drop.pk]}),
    ):
        audit.record(
            crud.verb_of(partner, verb),
            partner,
            by=by,
            reason=reason,
            changes=audit.diff(old, audit.snapshot(partner)) | other,
            data={"moved": moved, "had": had, "fields": sorted(fields)},
        )
    if by is not None and not Partner.objects.visible_to(by).filter(pk=keep.pk).exists():
        raise NotVisible
    return keep


def _locked(keep: Partner, drop: Partner) -> tuple[Partner, Partner]:
    """Fresh rows, locked in the order of their keys. Nobody can add to a locked partner."""
    if keep.pk == drop.pk:
        raise Conflict("same_partner", _("A partner cannot be merged into itself."))
    rows = Partner._base_manager.select_for_update(of=("self",)).order_by("pk")
    found = {row.pk: row for row in rows.filter(pk__in=[keep.pk, drop.pk])}
    if len(found) < 2:
        raise Conflict("row_gone", _("One of the partners was deleted meanwhile."))
    return found[keep.pk], found[drop.pk]


def _sees_both(keep: Partner, drop: Partner, by: Any) -> bool:
    return Partner.objects.visible_to(by).filter(pk__in=[keep.pk, drop.pk]).count() == 2


def _refuse_merged(*partners: Partner) -> None:
    for partner in partners:
        if partner.merged_into_id:
            raise Conflict(
                "merged_already",
                _("“%(name)s” (%(code)s) was merged into another partner already.")
                % {"name": partner.name, "code": partner.code},
            )


def _write(keep: Partner, drop: Partner, by: Any, on: date, fields: Collection[str]) -> None:
    """Both rows. The kept one rises to the place of the other when it lies below it."""
    chosen = {name: getattr(drop, name) for name in fields}
    if keep.path.startswith(drop.path):
        chosen["parent"] = drop.parent
    drop.credit_code = None  # no two partners have the same, and this one cannot be changed again
    drop.merge(by=by, on=on, into=keep)
    drop.save()
    for name, value in chosen.items():
        setattr(keep, name, value)
    keep.full_clean()
    keep.save()


def say_not_duplicate(*, one: Partner, other: Partner, by: Any) -> None:
    """Keep that two partners are not the same company, so that they are not proposed again. Raises
    PermissionDenied, Conflict `same_partner`."""
    if not by.has_perm("partners.change_partner") or not _sees_both(one, other, by):
        raise PermissionDenied
    if one.pk == other.pk:
        raise Conflict("same_partner", _("A partner is the same as itself."))
    first, second = sorted((one, other), key=lambda partner: partner.pk)
    if not NotDuplicate.objects.filter(first=first, second=second).exists():
        crud.save(NotDuplicate(first=first, second=second, by=by), by=by)
