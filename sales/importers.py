"""What can be imported of sales."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from core.importing.master import MasterImporter
from core.importing.models import Import
from core.importing.outcome import Outcome, Task
from core.importing.registry import Field, Importer, UndoPlan, register
from core.importing.values import parse_month, parse_number
from sales.loading import undo
from sales.loading.kinds import KINDS
from sales.loading.load import FactLoad
from sales.models import ProductAlias, Target

_PARTNER = (
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
)
_SOURCE = Field(
    "source",
    _("Source"),
    False,
    ("system", "来源", "来源系统"),
    _("The system it comes from; with the reference it says which line this is."),
)


class FactImporter(Importer):
    """Facts of the kind that is called like the importer: by COPY and sets, because they come by
    the million."""

    permissions = ("core.add_import",)
    replaces = True

    def run(self, task: Task) -> Outcome:
        return FactLoad(KINDS[self.kind], task).run()

    def undo_plan(self, load: Import) -> UndoPlan:
        return undo.plan(KINDS[self.kind], load)

    def undo(self, load: Import, *, by: Any) -> UndoPlan:
        return undo.undo(KINDS[self.kind], load)


@register
class SalesImporter(FactImporter):
    """Sales lines."""

    kind = "sales"
    label = _("Sales lines")
    fields = (
        Field(
            "reference",
            _("Reference"),
            True,
            ("invoice", "invoice line", "单号", "单据编号", "发票号", "订单号", "外部单号"),
        ),
        Field("partner", _("Partner"), True, _PARTNER),
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
            date=True,
        ),
        Field(
            "quantity",
            _("Quantity"),
            True,
            ("qty", "order quantity", "数量", "销售数量"),
            number=True,
        ),
        Field(
            "unit",
            _("Unit"),
            False,
            ("uom", "unit of measure", "单位", "计量单位", "销售单位"),
            _("Checked against the product; an alias converts what partners count otherwise."),
        ),
        Field(
            "amount",
            _("Amount"),
            True,
            ("sales amount", "net amount", "金额", "销售金额", "无税金额", "未税金额"),
            number=True,
        ),
        Field(
            "kind",
            _("Kind"),
            False,
            ("type", "类型", "业务类型"),
            _("sell_in (default), sell_through or sell_out"),
        ),
        _SOURCE,
        Field(
            "reverses",
            _("Reverses"),
            False,
            ("original reference", "原单号", "冲销单号", "红冲单号"),
            _("Reference of the line that this one takes back."),
        ),
    )


@register
class PaymentImporter(FactImporter):
    """Payments of partners."""

    kind = "payments"
    label = _("Payments")
    fields = (
        Field(
            "reference",
            _("Reference"),
            True,
            ("payment", "receipt number", "收款单号", "回款单号", "单号", "单据编号", "流水号"),
        ),
        Field("partner", _("Partner"), True, _PARTNER),
        Field(
            "paid_on",
            _("Paid on"),
            True,
            ("date", "payment date", "receipt date", "收款日期", "回款日期", "到账日期", "日期"),
        ),
        Field(
            "due_on",
            _("Due on"),
            False,
            ("due date", "到期日", "应收日期", "应付日期", "到期日期"),
            _("The day by which it had to be there."),
        ),
        Field(
            "amount",
            _("Amount"),
            True,
            ("paid amount", "收款金额", "回款金额", "回款", "金额", "实收金额"),
            _("What is paid back is negative."),
            number=True,
        ),
        Field("invoice", _("Invoice"), False, ("invoice number", "发票号", "应收单号")),
        _SOURCE,
    )


@register
class ProductAliasImporter(MasterImporter):
    """What partners call our products and how they count them."""

    kind = "aliases"
    label = _("Product aliases")
    model = ProductAlias
    permissions = ("sales.add_productalias", "sales.change_productalias")
    key = ("partner", "code", "unit")
    lookups = {"partner": "code", "product": "code"}
    fields = (
        Field("partner", _("Partner"), False, _PARTNER, _("Empty: all partners.")),
        Field(
            "code",
            _("Their code"),
            True,
            ("alias", "partner product code", "对方编码", "客户产品编码", "客户料号", "别名"),
        ),
        Field(
            "unit",
            _("Their unit"),
            False,
            ("partner unit", "对方单位", "客户单位", "单位"),
            _("Empty: whatever the unit."),
        ),
        Field(
            "product", _("Product"), True, ("product code", "产品", "产品编码", "物料编码", "sku")
        ),
        Field(
            "factor",
            _("Factor"),
            False,
            ("conversion", "换算率", "换算系数", "装箱数"),
            _("How many of our units one of theirs is."),
        ),
    )


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
