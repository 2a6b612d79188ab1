"""Sales lines and payments from a file."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from catalog.models import Product
from core.importing.models import Import
from core.importing.outcome import Outcome, Task
from core.importing.registry import Field, Importer, UndoPlan, register
from sales.importers.names import PARTNER
from sales.loading import undo
from sales.loading.kinds import KINDS, PAYMENTS, SALES
from sales.loading.load import FactLoad
from sales.models import Payment, SalesFact

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

    key = ("source", "reference")
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
    sums = SALES.numbers
    label = _("Sales lines")
    model = SalesFact
    lookups = {"partner": "code", "product": "code", "reverses": "reference"}
    defaults = {**SALES.defaults, "reverses": "", "unit": ""}
    fields = (
        Field(
            "reference",
            _("Reference"),
            True,
            (
                "invoice",
                "invoice line",
                "invoice number",
                "invoice item number",
                "order number",
                "sales order number",
                "billing document",
                "vbeln",
                "单号",
                "单据编号",
                "单据号",
                "发票号",
                "出库单号",
                "订单号",
                "外部单号",
            ),
            lines=(
                "行号",
                "项次",
                "行",
                "分录号",
                "line",
                "line number",
                "order line number",
                "sales order line number",
                "item no.",
                "posnr",
            ),
        ),
        Field("partner", _("Partner"), True, PARTNER),
        Field(
            "product",
            _("Product"),
            True,
            (
                "product code",
                "item",
                "item number",
                "sku",
                "material",
                "material number",
                "matnr",
                "产品",
                "产品编码",
                "产品代码",
                "物料",
                "物料编码",
                "物料代码",
                "商品编码",
                "存货编码",
            ),
        ),
        Field(
            "occurred_on",
            _("Date"),
            True,
            (
                "date",
                "order date",
                "invoice date",
                "billing date",
                "fkdat",
                "日期",
                "单据日期",
                "开票日期",
                "出库日期",
                "业务日期",
                "销售日期",
                "发货日期",
            ),
            date=True,
        ),
        Field(
            "quantity",
            _("Quantity"),
            True,
            (
                "qty",
                "order quantity",
                "billed quantity",
                "units sold",
                "bottles sold",
                "fkimg",
                "数量",
                "销售数量",
                "实发数量",
                "开票数量",
            ),
            number=True,
        ),
        Field(
            "unit",
            _("Unit"),
            False,
            (
                "uom",
                "unit of measure",
                "sales unit",
                "vrkme",
                "单位",
                "计量单位",
                "主计量单位",
                "销售单位",
            ),
            _("Checked against the product; an alias converts what partners count otherwise."),
        ),
        Field(
            "amount",
            _("Amount"),
            True,
            (
                "sale",
                "sales amount",
                "net amount",
                "net value",
                "netwr",
                "无税金额",
                "未税金额",
                "不含税金额",
                "金额",
                "销售金额",
            ),
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

    def column(self, name: str) -> Any:
        """The unit of a line is not kept: it is that of the product."""
        return Product._meta.get_field("unit") if name == "unit" else super().column(name)


@register
class PaymentImporter(FactImporter):
    """Payments of partners."""

    kind = "payments"
    sums = PAYMENTS.numbers
    label = _("Payments")
    model = Payment
    lookups = {"partner": "code"}
    defaults = {**PAYMENTS.defaults, "due_on": "", "invoice": ""}
    fields = (
        Field(
            "reference",
            _("Reference"),
            True,
            (
                "payment",
                "receipt number",
                "document number",
                "belnr",
                "收款单号",
                "回款单号",
                "单号",
                "单据编号",
                "单据号",
                "流水号",
            ),
            lines=("行号", "line item", "buzei"),
        ),
        Field("partner", _("Partner"), True, PARTNER),
        Field(
            "paid_on",
            _("Paid on"),
            True,
            (
                "date",
                "payment date",
                "receipt date",
                "posting date",
                "clearing date",
                "budat",
                "收款日期",
                "回款日期",
                "到账日期",
                "单据日期",
                "业务日期",
                "日期",
            ),
        ),
        Field(
            "due_on",
            _("Due on"),
            False,
            ("due date", "net due date", "到期日", "应收日期", "应付日期", "到期日期"),
            _("The day by which it had to be there."),
        ),
        Field(
            "amount",
            _("Amount"),
            True,
            (
                "paid amount",
                "amount in local currency",
                "dmbtr",
                "收款金额",
                "回款金额",
                "回款",
                "实收金额",
                "本币金额",
                "金额",
            ),
            _("What is paid back is negative."),
            number=True,
        ),
        Field(
            "invoice",
            _("Invoice"),
            False,
            ("invoice number", "reference key", "xblnr", "发票号", "应收单号"),
        ),
        _SOURCE,
    )
