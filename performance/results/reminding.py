"""Who is told of what follows from results, each time once: what was told stands in the history,
written in the transaction that hands the letters out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from core import audit, jobs
from core.models import Event
from performance.models import Consequence, Evaluation, ImprovementPlan, PlanAction, Score
from performance.results import letters

REMIND_DAYS = 3  # so many days before it is due an action is reminded of


def tell_in_force(rows: Iterable[Consequence]) -> None:
    """Write of consequences that are put in force, in the transaction that does so."""
    _send(letters.IN_FORCE, [row.pk for row in rows])


@transaction.atomic
def tell_decided() -> list[Any]:
    """Write of what was decided and waits for its day. Returns what had not been told yet."""
    rows = Consequence.objects.filter(state=Consequence.State.DECIDED)
    return _once(rows, letters.DECIDED, "performance.consequence.told")


@transaction.atomic
def remind_of_actions(*, on: date) -> list[Any]:
    """Remind of open actions: some days before their day, and once more when it is over. Of one
    that is given another day it is reminded again. Returns those that were reminded of."""
    rows = PlanAction.objects.filter(done_on=None, plan__state=ImprovementPlan.State.OPEN)
    last = on + timedelta(days=REMIND_DAYS)
    soon = rows.filter(due_on__gte=on, due_on__lte=last)
    late = rows.filter(due_on__lt=on)
    return [
        *_once(soon, letters.SOON, "performance.planaction.reminded", day="due_on"),
        *_once(late, letters.OVERDUE, "performance.planaction.overdue", day="due_on"),
    ]


@transaction.atomic
def tell_retests(*, on: date) -> list[Any]:
    """Write to the owners of plans whose re-test is due: its result is published, or the day of the
    plan is there. Returns the plans."""
    results = Score.objects.filter(
        partner=OuterRef("partner"),
        evaluation__scheme=OuterRef("scheme"),
        evaluation__period_code=OuterRef("retest_period"),
        evaluation__state__in=Evaluation.PUBLIC,
        total__isnull=False,
    )
    rows = ImprovementPlan.objects.filter(
        Q(due_on__lte=on) | Exists(results), state=ImprovementPlan.State.OPEN
    )
    return _once(rows, letters.RETEST, "performance.improvementplan.retest_due")


def _once(rows: QuerySet, about: str, verb: str, *, day: str = "") -> list[Any]:
    """Hand out the letters about those of the rows of which the history does not say yet that they
    were (for the present `day`). Rows that another run has are left to it."""
    found = list(rows.select_for_update(skip_locked=True, of=("self",)).order_by("pk"))
    if not found:
        return []
    told = Event.objects.filter(
        content_type=ContentType.objects.get_for_model(rows.model),
        object_id__in=[row.pk for row in found],
        verb=verb,
    )
    known = {(key, data.get("day", "")) for key, data in told.values_list("object_id", "data")}
    new = []
    for row in found:
        stamp = getattr(row, day).isoformat() if day else ""
        if (row.pk, stamp) not in known:
            audit.record(verb, row, by=None, data={"day": stamp} if day else None)
            new.append(row)
    _send(about, [row.pk for row in new])
    return new


def _send(about: str, keys: list[int]) -> None:
    from performance import tasks

    if keys:
        title = _("Letters about what follows from results")
        jobs.enqueue(tasks.write_follow_ups, about, keys, kind="letters", title=title, by=None)
