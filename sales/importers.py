"""What can be imported of sales."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from core.importing.master import MasterImporter
from core.importing.models import Import
from core.importing.outcome import Outcome, Task
from core.importing.registry import Field, Importer, UndoPlan, register
from core.importing.values import parse_month, parse_number
from sales import undoing
from sales.loading import SalesLoad
from sales.models import Target


@register
class SalesImporter(Importer):
    """Sales lines: by COPY and sets, because they come by the million."""

    kind = "sales"
    label = _("Sales lines")
    permissions = ("core.add_import",)
    fields = (
        Field(
            "reference",
            _("Reference"),
            True,
            ("invoice", "invoice line", "单号", "单据编号", "发票号", "订单号", "外部单号"),
        ),
        Field(
            "partner",
            _("Partner"),
            True,
            (
                "partner code",
                "customer",
                "customer code",
                "store",
                "store number",
                "客户",
                "客户编码",
                "客户编号",
                "经销商",
                "经销商编码",
                "渠道伙伴",
            ),
        ),
        Field(
            "product",
            _("Product"),
            True,
            (
                "product code",
                "item",
                "item number",
                "sku",
                "产品",
                "产品编码",
                "物料",
                "物料编码",
                "商品编码",
                "存货编码",
            ),
        ),
        Field(
            "occurred_on",
            _("Date"),
            True,
            ("date", "order date", "invoice date", "日期", "单据日期", "销售日期", "发货日期"),
        ),
        Field("quantity", _("Quantity"), True, ("qty", "order quantity", "数量", "销售数量")),
        Field(
            "amount",
            _("Amount"),
            True,
            ("sales amount", "net amount", "金额", "销售金额", "无税金额", "未税金额"),
        ),
        Field(
            "kind",
            _("Kind"),
            False,
            ("type", "类型", "业务类型"),
            _("sell_in (default), sell_through or sell_out"),
        ),
        Field(
            "source",
            _("Source"),
            False,
            ("system", "来源", "来源系统"),
            _("The system it comes from; with the reference it says which line this is."),
        ),
        Field(
            "reverses",
            _("Reverses"),
            False,
            ("original reference", "原单号", "冲销单号", "红冲单号"),
            _("Reference of the line that this one takes back."),
        ),
    )

    undoes = True

    def run(self, task: Task) -> Outcome:
        return SalesLoad(task).run()

    def undo_plan(self, load: Import) -> UndoPlan:
        return undoing.plan(load)

    def undo(self, load: Import) -> UndoPlan:
        return undoing.undo(load)


@register
class TargetImporter(MasterImporter):
    """Targets, a row a partner, month, kind and product line."""

    kind = "targets"
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
        Field("month", _("Month"), True, ("月份", "年月", "期间")),
        Field(
            "kind", _("Kind"), False, ("类型",), _("sell_in (default), sell_through or collection")
        ),
        Field("amount", _("Amount"), True, ("target", "任务", "任务额", "目标", "目标额", "金额")),
    )

    def parse(self, name: str, text: str) -> Any:
        if name == "month":
            return parse_month(text)
        if name == "amount":
            return parse_number(text, digits=18, places=2)
        return super().parse(name, text)
