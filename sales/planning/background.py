"""Work on a plan of many cells: a job one can watch, done once however often it is delivered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Territory
from core import jobs
from core.errors import Conflict
from core.models import Event, Job
from sales.models import TargetPlan
from sales.planning import grid, services

KIND = "target_plan"
# What has more cells than this is not made while somebody waits for a page: about a second.
IN_REQUEST = 5_000
SPLIT, TAKE, UNDO = "split", "take", "undo"
_VERBS = {
    SPLIT: "sales.targetplan.split",
    TAKE: "sales.targetplan.taken",
    UNDO: "sales.targetplan.given_back",
}


def open_job(plan: TargetPlan) -> Job | None:
    """The job that works on the plan or waits to, if there is one."""
    return Job.objects.filter(kind=KIND, state__in=Job.OPEN, arguments__0=plan.pk).first()


@transaction.atomic
def begin(*, plan: TargetPlan, what: str, chosen: dict[str, Any], on: date, by: Any) -> Job:
    """Let a worker split the plan, take amounts over or give them back, as seen from the day `on`;
    `chosen` as for `lines`. Conflict `working` while another job is at it, `frozen` when it is no
    draft."""
    from sales.tasks import work_on_plan

    row = TargetPlan.objects.select_for_update().get(pk=plan.pk)
    services.hold_draft(row)
    if open_job(row):
        raise Conflict("working", _("Work on this plan is under way. Wait for its end."))
    titles = {
        SPLIT: _("Split: %(plan)s"),
        TAKE: _("Take amounts over: %(plan)s"),
        UNDO: _("Give amounts back: %(plan)s"),
    }
    arguments = (row.pk, what, chosen, on.isoformat())
    return jobs.enqueue(
        work_on_plan, *arguments, kind=KIND, title=titles[what] % {"plan": row}, by=by
    )


def lines(plan: TargetPlan, user: Any, chosen: dict[str, Any]) -> Any:
    """The cells that `user` sees of a territory, a partner and a product line, where `chosen` names
    them by their keys."""
    within = Territory.objects.filter(pk=chosen.get("territory")).first()
    rows = grid.lines_for(plan, user, within)
    for name, field in (("partner", "partner"), ("line", "product_line")):
        if chosen.get(name):
            rows = rows.filter(**{field: chosen[name]})
    return rows


def work(
    *,
    plan: TargetPlan,
    what: str,
    chosen: dict[str, Any],
    on: date,
    by: Any,
    progress: Callable[..., None] | None = None,
    job: int | None = None,
) -> int:
    """Do it, and return the number of cells; of a job whose worker was killed right after it had
    committed, only the number. Raises what the service raises."""
    if job and (done := _done_by(job, plan, what)) is not None:
        return done
    if what == SPLIT:
        more = {"progress": progress} if progress else {}
        return services.split_plan(plan=plan, by=by, on=on, job=job, **more)
    if what == UNDO:
        return services.undo_take(plan=plan, by=by, job=job)
    cells = lines(plan, by, chosen)
    return services.take_over(plan=plan, lines=cells, source=chosen["source"], by=by, job=job)


def _done_by(job: int, plan: TargetPlan, what: str) -> int | None:
    """How many cells this job has written already; None when it has not."""
    event = Event.objects.filter(
        content_type=ContentType.objects.get_for_model(TargetPlan),
        object_id=plan.pk,
        verb=_VERBS[what],
        data__job=job,
    ).first()
    return event.data["cells"] if event else None
