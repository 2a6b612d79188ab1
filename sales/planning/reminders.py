"""Who has not entered figures from below, and reminding them before the plan's day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core import audit, jobs
from core.errors import Conflict
from partners.models import Partner
from sales.models import TargetPlan
from sales.models.planning_guards import PLAN_CLOSED
from sales.planning import grid, letters


def without_figure(plan: TargetPlan) -> QuerySet:
    """The partners with a cell for which neither side has entered anything."""
    return Partner.objects.filter(
        pk__in=plan.lines.filter(grid.WITHOUT_FIGURE).values("partner")
    ).order_by()


def without_proposal(plan: TargetPlan) -> QuerySet:
    """The partners that have not entered every cell of their own."""
    return Partner.objects.filter(
        pk__in=plan.lines.filter(proposal__isnull=True).values("partner")
    ).order_by()


@transaction.atomic
def remind(*, plan: TargetPlan, by: Any, on: date) -> tuple[int, int]:
    """Write to the partners that have not entered all their figures, and to the managers of those
    with cells that nobody has filled; a worker sends the letters once this is committed. Returns
    how many partners and managers. Conflict `frozen` when the plan is no draft."""
    row = TargetPlan.objects.select_for_update().get(pk=plan.pk)
    if not row.is_draft:
        raise Conflict("frozen", _(PLAN_CLOSED))
    return _remind(row, by, on)


def remind_when_due(*, on: date) -> list[TargetPlan]:
    """Remind of each plan once, from so many days before its day as it says up to that day; again
    only when the day is moved. Returns the plans."""
    due = TargetPlan.objects.filter(
        state=TargetPlan.State.DRAFT, due_on__gte=on, remind_before__isnull=False
    )
    reminded = []
    for key in due.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            # Looked at under the lock: another run may have reminded meanwhile.
            row = TargetPlan.objects.select_for_update().get(pk=key)
            if row.is_draft and _is_due(row, on) and any(_remind(row, None, on)):
                reminded.append(row)
    return reminded


def _is_due(plan: TargetPlan, on: date) -> bool:
    if plan.due_on is None or plan.remind_before is None:
        return False
    first = plan.due_on - timedelta(days=plan.remind_before)
    return first <= on <= plan.due_on and (plan.reminded_on is None or plan.reminded_on < first)


def _remind(plan: TargetPlan, by: Any, on: date) -> tuple[int, int]:
    from sales.tasks import remind_of_plan

    partners = sorted(letters.people_of(without_proposal(plan)))
    managers = sorted(letters.managers_of(without_figure(plan)))
    if partners or managers:
        TargetPlan.objects.filter(pk=plan.pk).update(reminded_on=on)
        data = {"partners": len(partners), "managers": len(managers)}
        audit.record("sales.targetplan.reminded", plan, by=by, data=data)
        title = _("Reminders of figures: %(plan)s") % {"plan": plan}
        jobs.enqueue(
            remind_of_plan, plan.pk, partners, managers, kind="reminders", title=title, by=by
        )
    return len(partners), len(managers)
