"""Verbs of consequences: propose the level changes of an evaluation, put in force what is due."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from core import audit, bulk
from core.errors import Conflict, DomainError
from partners.models import Partner
from performance.models import Consequence, ConsequenceKind, Evaluation, Score
from performance.results.reminding import tell_in_force


def differing(evaluation: Evaluation, user: Any = None) -> QuerySet:
    """The scores (that `user` sees) whose level is another one than the partner has, of partners
    in business, without those for which a level change stands already."""
    scores = Score.objects.all() if user is None else Score.objects.visible_to(user)
    standing = Consequence.objects.filter(
        evaluation=evaluation, kind=ConsequenceKind.LEVEL
    ).exclude(state=Consequence.State.REJECTED)
    return (
        scores.filter(
            evaluation=evaluation,
            total__isnull=False,
            partner__state__in=Partner.IN_BUSINESS,
        )
        .exclude(level=F("partner__level"))
        .filter(Q(level__isnull=False) | Q(partner__level__isnull=False))
        .exclude(partner__in=standing.values("partner"))
    )


@transaction.atomic
def propose_level_changes(
    *, evaluation: Evaluation, effective_on: date, by: Any, on: date, reason: str = ""
) -> int:
    """Propose for every partner that `by` sees the level of its score, where that is another one
    than it has; returns how many. Called again it proposes only what is new.

    Conflict not_published, superseded; DomainError effective_in_past, nothing_to_propose.
    """
    if evaluation.state not in Evaluation.PUBLIC:
        message = _("Level changes follow from published results only.")
        raise Conflict("not_published", message)
    later = Evaluation.objects.filter(
        scheme=evaluation.scheme_id,
        period_code=evaluation.period_code,
        revision__gt=evaluation.revision,
        state__in=Evaluation.PUBLIC,
    )
    if later.exists():
        message = _("A later revision of this evaluation is published; its levels count.")
        raise Conflict("superseded", message)
    if effective_on < on:
        message = _("A level cannot change before today.")
        raise DomainError("effective_in_past", message, "effective_on")
    Evaluation.objects.select_for_update(of=("self",)).get(pk=evaluation.pk)
    found = differing(evaluation, by).select_related("partner", "level", "partner__level")
    rows = [
        Consequence(
            kind=ConsequenceKind.LEVEL,
            partner=score.partner,
            evaluation=evaluation,
            level=score.level,
            reason=reason or str(evaluation),
            effective_on=effective_on,
            proposed_by=by,
        )
        for score in found.order_by("rank", "pk")
    ]
    if not rows:
        message = _("Every partner has the level of its score, or a change that waits already.")
        raise DomainError("nothing_to_propose", message)
    Consequence.objects.bulk_create(rows)
    entries = [
        ("performance.consequence.created", row, audit.diff({}, audit.snapshot(row)))
        for row in rows
    ]
    audit.record_many(entries, by=by)
    return len(rows)


@transaction.atomic
def put_in_force(*, on: date) -> list[Consequence]:
    """Put in force what is decided and due on `on`, each once; a level change gives the partner its
    level. Returns them in the order in which they took effect.

    The earliest first, so that of two changes of one partner the later one stays. Partners that
    were merged into others keep what they had.
    """
    due = (
        Consequence.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(state=Consequence.State.DECIDED, effective_on__lte=on)
        .exclude(partner__state=Partner.State.MERGED)
        .select_related("partner__level", "level")
        .order_by("effective_on", "pk")
    )
    rows = list(due)
    changes = [row for row in rows if row.kind == ConsequenceKind.LEVEL]
    partners = _give_levels(changes)
    entries = []
    for row in rows:
        before = audit.snapshot(row)
        was = partners.get(row.pk)
        row.level_before_id = was
        values = audit.snapshot(row) | {"state": Consequence.State.IN_FORCE.value}
        entries.append(("performance.consequence.in_force", row, audit.diff(before, values)))
    keys = [row.pk for row in rows]
    bulk.update(changes, ["level_before"])
    Consequence.objects.filter(pk__in=keys).update(state=Consequence.State.IN_FORCE)
    audit.record_many(entries, by=None)
    tell_in_force(rows)
    return rows


def _give_levels(changes: list[Consequence]) -> dict[int, int | None]:
    """Write the levels of the partners; {change: the level that it took the place of}."""
    keys = {row.partner_id for row in changes}
    locked = Partner.objects.select_for_update(of=("self",)).order_by("pk").in_bulk(keys)
    was: dict[int, int | None] = {}
    entries: list[tuple[str, Any, audit.Changes]] = []
    for row in changes:
        partner = locked[row.partner_id]
        before = audit.snapshot(partner)
        was[row.pk] = partner.level_id
        partner.level = row.level
        diff = audit.diff(before, audit.snapshot(partner))
        if diff:
            entries.append(("partners.partner.updated", partner, diff))
    bulk.update(list(locked.values()), ["level"])
    audit.record_many(entries, by=None)
    return was
