"""Pages of sales lines and targets."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from core.importing.models import Import
from core.tables import Column
from core.tabs import Tab
from core.views import CRUDView
from sales.filters import PaymentFilter, ProductAliasFilter, SalesFactFilter, TargetFilter
from sales.forms import ProductAliasForm, TargetForm
from sales.models import Payment, ProductAlias, SalesFact, Target

MONTH = Column("month", kind="month")
PARTNER = Column("partner", label=_("partner"), source="partner__name", sort=("partner__pinyin",))
PRODUCT = Column("product", label=_("product"), source="product__name", sort=("product__code",))
FILE = Column(
    "file",
    label=_("Import"),
    source="load__file_name",
    sort=(),
    shown=False,
    permission="core.view_import",
)
# Where a fact comes from: its file and the row there.
ORIGIN = (
    FILE,
    Column("row_no", kind="number", shown=False, permission="core.view_import"),
    Column("recorded_at", shown=False),
)


class FromImport:
    """Whoever has to do with imports also reads from which file the `load` of an object came."""

    def field_values(self: Any, obj: Any, tab: Tab) -> list[tuple[str, str]]:
        """The fields, and the file."""
        values = [*super().field_values(obj, tab)]  # type: ignore[misc]
        if values and obj.load and self.request.user.has_perm("core.view_import"):
            values.append((str(obj.load._meta.verbose_name), self.origin(obj, obj.load)))
        return values

    def origin(self: Any, obj: Any, load: Import) -> str:
        """The file, with the row if it is known; a link for whom the import is to be seen."""
        words = str(load)
        if getattr(obj, "row_no", None):
            words = _("%(file)s, row %(row)s") % {"file": load, "row": obj.row_no}
        if not Import.objects.visible_to(self.request.user).filter(pk=load.pk).exists():
            return words
        return format_html(
            '<a href="{}">{}</a>', reverse("core:import_detail", args=[load.pk]), words
        )


class FactView(FromImport, CRUDView):
    """Facts are read here; they are written by imports only."""

    # The newest recorded first: the primary key serves, however many there are.
    ordering = ("-id",)
    exclude = frozenset({"create", "edit", "delete", "bulk", "history"})


class SalesFactView(FactView):
    model = SalesFact
    icon = "receipt"
    section = "sales"
    columns = (
        Column("occurred_on", sort=("occurred_on",)),
        PARTNER,
        PRODUCT,
        "kind",
        Column("quantity", kind="qty"),
        Column("amount", kind="money"),
        "reference",
        "source",
        *ORIGIN,
    )
    filterset_class = SalesFactFilter
    list_actions_template = "sales/_fact_actions.html"
    detail_fields = (
        "occurred_on",
        "partner",
        "product",
        "kind",
        "quantity",
        "amount",
        "source",
        "reference",
        "reverses",
        "recorded_at",
    )
    empty_text = _("Import the first sales lines from a CSV or XLSX file.")

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("partner", "product", "reverses", "load")


class TargetView(CRUDView):
    model = Target
    icon = "target"
    section = "targets"
    parents = ("sales:salesfact_list",)
    columns = (
        MONTH,
        PARTNER,
        Column(
            "product_line",
            label=_("product line"),
            source="product_line__name",
            sort=("product_line__code",),
        ),
        "kind",
        Column("amount", kind="money"),
    )
    ordering = ("-month", "partner__pinyin")
    filterset_class = TargetFilter
    form_class = TargetForm
    list_actions_template = "sales/_target_actions.html"
    detail_fields = ("partner", MONTH, "kind", "product_line", "amount")
    empty_text = _("Set what each partner is expected to reach, or import a list.")

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("partner", "product_line")


class PaymentView(FactView):
    model = Payment
    icon = "cash"
    section = "payments"
    columns = (
        Column("paid_on", sort=("paid_on",)),
        PARTNER,
        Column("amount", kind="money"),
        "due_on",
        "invoice",
        "reference",
        "source",
        *ORIGIN,
    )
    filterset_class = PaymentFilter
    list_actions_template = "sales/_payment_actions.html"
    detail_fields = (
        "paid_on",
        "partner",
        "amount",
        "due_on",
        "invoice",
        "source",
        "reference",
        "recorded_at",
    )
    empty_text = _("Import the first payments from a CSV or XLSX file.")

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("partner", "load")


class ProductAliasView(CRUDView):
    """What partners call our products: imports of sales lines read it."""

    model = ProductAlias
    icon = "language"
    section = "products"
    parents = ("catalog:product_list",)
    columns = (
        "code",
        "unit",
        PRODUCT,
        Column("factor", kind="qty"),
        Column(
            "partner",
            label=_("partner"),
            source="partner__name",
            sort=("partner__pinyin",),
        ),
    )
    ordering = ("code", "unit")
    search_fields = ("code", "product__name", "product__code")
    filterset_class = ProductAliasFilter
    form_class = ProductAliasForm
    list_actions_template = "sales/_alias_actions.html"
    detail_fields = ("code", "unit", "product", "factor", "partner")
    empty_text = _("Say what a partner calls a product, or how many of ours its unit is.")

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("partner", "product")
