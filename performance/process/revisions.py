"""Revisions of published results: what is carried over, what changed and for whom; and what facts
that came late would change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Max, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from core import audit, locks
from core.errors import Conflict, DomainError
from performance.models import (
    Appeal,
    Correction,
    Evaluation,
    LateCheck,
    Rater,
    Rating,
    SchemeVersion,
    Score,
    ScoreChange,
)
from performance.models.evaluations import run_key
from performance.models.items import LAYOUT
from sales.models import SalesFact

AT_ONCE = 2000
_CODE, _POINTS = LAYOUT.index("code"), LAYOUT.index("points")


def has_work(evaluation: Evaluation) -> bool:
    """Whether people have put work into it that belongs to its scheme version."""
    return bool(
        evaluation.ratings.exists()
        or evaluation.corrections.exists()
        or evaluation.appeals_taken_up.exists()
    )


def check_last(evaluation: Evaluation) -> None:
    """Conflict not_published, superseded or revision_open unless a revision may follow."""
    if evaluation.state != Evaluation.State.PUBLISHED:
        message = _("What is not published is computed again, not revised.")
        raise Conflict("not_published", message)
    later = Evaluation.objects.filter(
        scheme=evaluation.scheme_id,
        period_code=evaluation.period_code,
        revision__gt=evaluation.revision,
    )
    state = later.order_by("-revision").values_list("state", flat=True).first()
    if state == Evaluation.State.PUBLISHED:
        raise Conflict("superseded", _("A later revision has been published."))
    if state is not None:
        raise Conflict("revision_open", _("The next revision has been begun already."))


@transaction.atomic
def begin(former: Evaluation, version: SchemeVersion, reason: str) -> Evaluation:
    """The next revision of a published evaluation, to be computed. By the same version it takes
    over the marks and the accepted changes, and what accepted appeals granted.

    DomainError reason_required.
    """
    if not reason.strip():
        message = _("This is published already. Say why there is to be another revision.")
        raise DomainError("reason_required", message, "reason")
    revision = _next(former, version, reason)
    _take_up_appeals(former, revision)
    return revision


def _next(former: Evaluation, version: SchemeVersion, reason: str) -> Evaluation:
    last = Evaluation.objects.filter(
        scheme=former.scheme_id, period_code=former.period_code
    ).aggregate(last=Max("revision"))["last"]
    same = version.pk == former.scheme_version_id
    revision = Evaluation.objects.create(
        scheme=former.scheme,
        scheme_version=version,
        period_code=former.period_code,
        starts_on=former.starts_on,
        ends_before=former.ends_before,
        revision=last + 1,
        reason=reason,
        rating_before=former.rating_before if same else None,
        ratings_closed_at=former.ratings_closed_at if same else None,
    )
    if same:
        for model in (Rater, Rating, Correction):
            rows = model._default_manager.filter(evaluation=former)
            if model is Correction:
                rows = rows.filter(state=Correction.State.ACCEPTED)
            _copy(model, rows, revision)
    return revision


def _copy(model: Any, rows: Any, revision: Evaluation) -> None:
    copies = []
    for row in rows.order_by("pk"):
        row.pk, row.evaluation, row._state.adding = None, revision, True
        copies.append(row)
    model._default_manager.bulk_create(copies, batch_size=AT_ONCE)


def _take_up_appeals(former: Evaluation, revision: Evaluation) -> None:
    """Each accepted appeal that no published revision took up takes effect in this one."""
    appeals = Appeal.objects.without_effect().filter(
        evaluation__scheme=former.scheme_id, evaluation__period_code=former.period_code
    )
    keys = list(appeals.values_list("pk", flat=True))
    for appeal in Appeal.objects.filter(pk__in=keys).order_by("pk"):
        if appeal.granted_points is None and appeal.granted_level is None:
            continue
        item = appeal.item_code if appeal.granted_points is not None else ""
        # What the appeal grants takes the place of what the review had decided.
        Correction.objects.filter(
            evaluation=revision, partner=appeal.partner_id, item_code=item
        ).delete()
        Correction.objects.create(
            evaluation=revision,
            partner_id=appeal.partner_id,
            item_code=item,
            points=appeal.granted_points,
            level=appeal.granted_level,
            reason=appeal.answer,
            appeal=appeal,
            state=Correction.State.ACCEPTED,
            proposed_by_id=appeal.filed_by_id,
            decided_by_id=appeal.owner_id,
        )
    Appeal.objects.filter(pk__in=keys).update(revision=revision)


# --- what changed ----------------------------------------------------------------------------


def record_changes(revision: Evaluation) -> None:
    """Keep what is different from the published result before, partner by partner."""
    former = (
        Evaluation.objects.filter(
            scheme=revision.scheme_id,
            period_code=revision.period_code,
            revision__lt=revision.revision,
            state=Evaluation.State.PUBLISHED,
        )
        .order_by("-revision")
        .first()
    )
    if former is None:
        return
    ScoreChange.objects.filter(revision=revision).delete()
    _keep(_differences(former, revision.pk, revision))


def _keep(changes: Iterator[ScoreChange] | list[ScoreChange]) -> int:
    rows = list(changes)
    ScoreChange.objects.bulk_create(rows, batch_size=AT_ONCE)
    return len(rows)


_DIFFERENT = """
    SELECT coalesce(b.partner_id, a.partner_id), b.total, a.total, b.rank, a.rank,
           b.level_id, a.level_id, b.items, a.items
    FROM (SELECT * FROM performance_score WHERE evaluation_id = %s) b
    FULL JOIN (SELECT * FROM performance_score WHERE evaluation_id = %s) a
      ON a.partner_id = b.partner_id
    WHERE (b.total, b.level_id, b.items) IS DISTINCT FROM (a.total, a.level_id, a.items)
    ORDER BY 1
"""


def _differences(
    before: Evaluation, after: int, revision: Evaluation | None
) -> Iterator[ScoreChange]:
    """Partners with another total or level, or other points of an item. A rank that only others
    have moved is no change; nor are inputs that come to the same points."""
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERENT, [before.pk, after])
        rows = cursor.fetchall()
    for partner, total, total_now, rank, rank_now, level, level_now, items, items_now in rows:
        changed = _changed_items(items, items_now)
        if (total, level) == (total_now, level_now) and not changed:
            continue
        yield ScoreChange(
            evaluation=before,
            revision=revision,
            partner_id=partner,
            total_before=total,
            total_after=total_now,
            rank_before=rank,
            rank_after=rank_now,
            level_before_id=level,
            level_after_id=level_now,
            items=changed,
        )


def _changed_items(before: str | None, after: str | None) -> list[dict[str, str | None]]:
    old, new = _points(before), _points(after)
    codes = [*old, *(code for code in new if code not in old)]
    return [
        {"code": code, "before": old.get(code), "after": new.get(code)}
        for code in codes
        if _number(old.get(code)) != _number(new.get(code))
    ]


def _points(items: str | None) -> dict[str, str | None]:
    return {row[_CODE]: row[_POINTS] for row in json.loads(items or "[]")}


def _number(points: str | None) -> Decimal | None:
    return None if points is None else Decimal(points)


# --- late facts ------------------------------------------------------------------------------


class _Undo(Exception):
    """Takes back what was computed only to be looked at."""


def late_facts(evaluation: Evaluation) -> Any:
    """Sales lines of the scored partners and the period that were recorded, or changed, after the
    evaluation was computed."""
    return SalesFact.objects.filter(
        partner__in=Score.objects.filter(evaluation=evaluation).values("partner"),
        occurred_on__gte=evaluation.starts_on,
        occurred_on__lt=evaluation.ends_before,
        recorded_at__gt=evaluation.computed_at,
    )


def check_late(*, evaluation: Evaluation, by: Any, at: datetime, progress: Any = None) -> LateCheck:
    """What the published result would be now, with all that has been recorded since: computed by
    the same engine and the same version, compared partner by partner, and taken back.

    Raises Conflict not_published, superseded, already_running.
    """
    from performance import run
    from performance.definitions import definition

    step = progress or (lambda done, total, message: None)
    with locks.hold(run_key(evaluation.scheme.code, evaluation.period_code)):
        if not Evaluation.objects.in_force().filter(pk=evaluation.pk).exists():
            raise Conflict("not_in_force", _("Only the result that is in force is checked."))
        changes: list[ScoreChange] = []
        try:
            with transaction.atomic():
                trial = _next(evaluation, evaluation.scheme_version, "")
                found = definition(evaluation.scheme_version)
                run.compute(trial.pk, found, evaluation.period, step)
                changes = list(_differences(evaluation, trial.pk, None))
                raise _Undo
        except _Undo:
            pass
        return _keep_check(evaluation, changes, by, at)


@transaction.atomic
def _keep_check(
    evaluation: Evaluation, changes: list[ScoreChange], by: Any, at: datetime
) -> LateCheck:
    seen = late_facts(evaluation).aggregate(
        lines=Count("pk"), net=Coalesce(Sum("amount"), Decimal(0))
    )
    ScoreChange.objects.filter(evaluation=evaluation, revision=None).delete()
    changed = _keep(changes)
    check, _made = LateCheck.objects.update_or_create(
        evaluation=evaluation,
        defaults={"checked_at": at, "checked_by": by, "changed": changed, **seen},
    )
    audit.record(
        "performance.evaluation.checked",
        evaluation,
        by=by,
        data={"lines": seen["lines"], "net": str(seen["net"]), "changed": changed},
    )
    return check
