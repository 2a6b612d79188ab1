"""Targets from a file."""

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
from sales.models import Target


class TargetUndo(Undo):
    """Targets that a plan has taken over since are the plan's."""

    def plan(self) -> UndoPlan:
        plan = super().plan()
        keys = self.events.values("object_id")
        count = Target.objects.filter(pk__in=keys, plan__isnull=False).count()
        if not count:
            return plan
        text = gettext("%(count)d of its targets belong to a signed plan by now.") % {
            "count": count
        }
        return replace(plan, problems=[*plan.problems, Problem("planned", text)])


@register
class TargetImporter(MasterImporter):
    """Targets, a row a partner, month, kind and product line."""

    kind = "targets"
    sums = ("amount",)
    label = _("Targets")
    model = Target
    permissions = ("sales.add_target", "sales.change_target")
    key = ("partner", "month", "kind", "product_line")
    lookups = {"partner": "code", "product_line": "code"}
    fields = (
        Field(
            "partner",
            _("Partner"),
            True,
            ("partner code", "customer code", "客户编码", "经销商编码", "经销商"),
        ),
        Field(
            "product_line",
            _("Product line"),
            False,
            ("line", "产品线", "产品线编码"),
            _("Empty: all product lines together."),
        ),
        Field("month", _("Month"), True, ("月份", "年月", "期间"), date=True),
        Field(
            "kind", _("Kind"), False, ("类型",), _("sell_in (default), sell_through or collection")
        ),
        Field(
            "amount",
            _("Amount"),
            True,
            ("target", "任务", "任务额", "目标", "目标额", "金额"),
            number=True,
        ),
    )

    def parse(self, name: str, text: str) -> Any:
        if name == "month":
            return parse_month(text)
        if name == "amount":
            return parse_number(text, digits=18, places=2)
        return super().parse(name, text)

    def undo_plan(self, load: Import) -> UndoPlan:
        return TargetUndo(self.model, load).plan()

    def undo(self, load: Import, *, by: Any) -> UndoPlan:
        return TargetUndo(self.model, load).run(by=by)
