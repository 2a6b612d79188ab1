"""Amounts of a target plan from a file, long or with a column for each month.

Planners load what is planned, managers what they enter from below. Both go into the draft of a
plan; what is outside of it, and every other state, the database refuses row by row.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.utils.translation import gettext, gettext_lazy as _

from core.errors import Problem
from core.importing.master import MasterImporter
from core.importing.models import Import
from core.importing.registry import Field, UndoPlan, register
from core.importing.undoing import Undo
from core.importing.values import parse_month, parse_number
from sales.importers.names import PARTNER
from sales.models import TargetPlan, TargetPlanLine
from sales.models.planning_guards import PLAN_CLOSED

_PLACE = (
    Field("plan", _("Target plan"), True, ("plan", "plan code", "计划", "计划编码", "任务计划")),
    Field("partner", _("Partner"), True, PARTNER),
    Field(
        "product_line",
        _("Product line"),
        False,
        ("line", "产品线", "产品线编码"),
        _("Empty: all product lines together."),
    ),
    Field("month", _("Month"), True, ("月份", "年月", "期间"), date=True),
)


class _LineUndo(Undo):
    """What a plan says that was submitted or signed since, stays."""

    def plan(self) -> UndoPlan:
        plan = super().plan()
        lines = TargetPlanLine.objects.filter(pk__in=self.events.values("object_id"))
        if not lines.exclude(plan__state=TargetPlan.State.DRAFT).exists():
            return plan
        return replace(plan, problems=[*plan.problems, Problem("frozen", gettext(PLAN_CLOSED))])


class PlanLineImporter(MasterImporter):
    """Cells of plans; subclasses say which amount a file gives."""

    model = TargetPlanLine
    key = ("plan", "partner", "month", "product_line")
    lookups = {"plan": "code", "partner": "code", "product_line": "code"}
    amount: str

    def parse(self, name: str, text: str) -> Any:
        if name == "month":
            return parse_month(text)
        if name == self.amount:
            return parse_number(text, digits=18, places=2)
        return super().parse(name, text)

    def undo_plan(self, load: Import) -> UndoPlan:
        return _LineUndo(self.model, load).plan()

    def undo(self, load: Import, *, by: Any) -> UndoPlan:
        return _LineUndo(self.model, load).run(by=by)


@register
class PlanAmountImporter(PlanLineImporter):
    """What is planned; cells that are locked are refused."""

    kind = "plan_amounts"
    label = _("Target plans: planned amounts")
    permissions = ("sales.change_targetplanline", "sales.add_targetplanline")
    amount = "amount"
    fields = (
        *_PLACE,
        Field(
            "amount",
            _("Amount"),
            True,
            ("planned", "target", "任务", "任务额", "目标", "目标额", "计划额", "金额"),
            number=True,
        ),
    )


@register
class PlanEntryImporter(PlanLineImporter):
    """What managers enter from below."""

    kind = "plan_entries"
    label = _("Target plans: entries of managers")
    permissions = ("sales.enter_targetplanline",)
    amount = "manager"
    fields = (
        *_PLACE,
        Field(
            "manager",
            _("entry of the manager"),
            True,
            ("entry", "amount", "manager", "填报额", "上报额", "预计额", "金额"),
            number=True,
        ),
    )
