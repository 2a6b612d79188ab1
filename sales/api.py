"""Sales lines, targets, reports and closed months in the API."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework.response import Response

from core.api.bulk import BulkMixin
from core.api.pages import KeyPages
from core.api.queries import Filters, Ordering
from core.api.serializers import RowSerializer, WriteSerializer
from core.api.views import ScopedViewSet, TransitionsMixin, WriteMixin
from sales.changes import FactPages
from sales.filters import (
    AdjustmentFilter,
    ClosedPeriodFilter,
    PaymentFilter,
    ProductAliasFilter,
    ReportFilter,
    SalesFactFilter,
    TargetFilter,
    TargetPlanFilter,
    TargetPlanLineFilter,
)
from sales.models import (
    Adjustment,
    ClosedPeriod,
    Payment,
    ProductAlias,
    Report,
    SalesFact,
    Target,
    TargetPlan,
    TargetPlanLine,
)
from sales.planning import services as planning


class SalesFactRow(RowSerializer):
    class Meta:
        model = SalesFact
        fields = (
            "id",
            "source",
            "reference",
            "kind",
            "partner",
            "partner_code",
            "product",
            "product_code",
            "occurred_on",
            "quantity",
            "amount",
            "reverses",
            "recorded_at",
        )
        paths = {"partner_code": "partner__code", "product_code": "product__code"}


class SalesFactViewSet(BulkMixin, ScopedViewSet):
    """Lines of invoices, deliveries and receipts; returns are negative. They are loaded in files or
    by the thousand. The list goes by `after`, the id of the last line you have."""

    model = SalesFact
    changed_at, change_pages = "recorded_at", FactPages
    bulk_kind = "sales"
    row_class = detail_class = SalesFactRow
    filterset_class = SalesFactFilter
    pagination_class = KeyPages
    filter_backends = [Filters, Ordering]


class TargetRow(RowSerializer):
    class Meta:
        model = Target
        fields = (
            "id",
            "partner",
            "partner_code",
            "product_line",
            "product_line_code",
            "month",
            "kind",
            "amount",
            "plan",
            "updated_at",
        )
        paths = {"partner_code": "partner__code", "product_line_code": "product_line__code"}


class TargetWrite(WriteSerializer):
    class Meta:
        model = Target
        fields = ("partner", "product_line", "month", "kind", "amount")
        codes = {
            "partner_code": ("partner", "code"),
            "product_line_code": ("product_line", "code"),
        }


class TargetViewSet(BulkMixin, WriteMixin, ScopedViewSet):
    """What a partner should reach in a month (its first day), for one product line or for all. One
    with a `plan` was signed off with it, and changes only by an amendment of the plan."""

    model = Target
    bulk_kind = "targets"
    row_class = detail_class = TargetRow
    write_class = TargetWrite
    filterset_class = TargetFilter
    ordering_fields = {
        "month": "month",
        "partner": "partner__code",
        "amount": "amount",
        "id": "pk",
    }


class TargetPlanRow(RowSerializer):
    class Meta:
        model = TargetPlan
        fields = (
            "id",
            "code",
            "name",
            "year",
            "starts_on",
            "kind",
            "territory",
            "territory_code",
            "version",
            "amends",
            "state",
            "due_on",
            "submitted_on",
            "signed_on",
            "updated_at",
        )
        paths = {"territory_code": "territory__code"}


class TargetPlanViewSet(TransitionsMixin, ScopedViewSet):
    """Versions of target plans. Signing one off writes its lines into the targets."""

    model = TargetPlan
    row_class = detail_class = TargetPlanRow
    filterset_class = TargetPlanFilter
    search_fields = ("name", "code")
    ordering_fields = {"year": "year", "code": "code", "id": "pk"}


class TargetPlanLineRow(RowSerializer):
    class Meta:
        model = TargetPlanLine
        fields = (
            "id",
            "plan",
            "partner",
            "partner_code",
            "product_line",
            "product_line_code",
            "month",
            "last_year",
            "top_down",
            "manager",
            "proposal",
            "amount",
            "locked",
            "comment",
            "updated_at",
        )
        paths = {"partner_code": "partner__code", "product_line_code": "product_line__code"}


class TargetPlanLineWrite(WriteSerializer):
    class Meta:
        model = TargetPlanLine
        fields = ("manager", "comment")


class TargetPlanLineViewSet(ScopedViewSet):
    """The cells of target plans: top-down, what the manager and the partner entered from below, and
    what is planned. The entry of the manager is written while the plan is a draft; that of the
    partner its own people write, in the portal."""

    model = TargetPlanLine
    row_class = detail_class = TargetPlanLineRow
    write_class = TargetPlanLineWrite
    filterset_class = TargetPlanLineFilter
    ordering_fields = {"month": "month", "partner": "partner__code", "id": "pk"}
    PERMISSIONS: ClassVar[dict[str, str]] = {"partial_update": "enter"}

    def partial_update(self, request: Any, pk: int) -> Response:
        """Enter an amount from below, or a comment."""
        with self.held() as line:
            planning.enter(line=line, values=self.checked(partial=True), by=request.user)
            return self.answer(self.represent(pk))


class PaymentRow(RowSerializer):
    class Meta:
        model = Payment
        fields = (
            "id",
            "source",
            "reference",
            "partner",
            "partner_code",
            "paid_on",
            "due_on",
            "invoice",
            "amount",
            "recorded_at",
        )
        paths = {"partner_code": "partner__code"}


class PaymentViewSet(BulkMixin, ScopedViewSet):
    """Amounts received from partners; what is paid back is negative. The list goes by `after`, the
    id of the last payment you have."""

    model = Payment
    bulk_kind = "payments"
    changed_at, change_pages = "recorded_at", FactPages
    row_class = detail_class = PaymentRow
    filterset_class = PaymentFilter
    pagination_class = KeyPages
    filter_backends = [Filters, Ordering]


class ProductAliasRow(RowSerializer):
    class Meta:
        model = ProductAlias
        fields = (
            "id",
            "partner",
            "partner_code",
            "code",
            "unit",
            "product",
            "product_code",
            "factor",
            "updated_at",
        )
        paths = {"partner_code": "partner__code", "product_code": "product__code"}


class ProductAliasWrite(WriteSerializer):
    class Meta:
        model = ProductAlias
        fields = ("partner", "code", "unit", "product", "factor")
        codes = {
            "partner_code": ("partner", "code"),
            "product_code": ("product", "code"),
        }


class ProductAliasViewSet(WriteMixin, ScopedViewSet):
    """What a partner (null: any partner) calls a product, and how many of ours its unit is."""

    model = ProductAlias
    row_class = detail_class = ProductAliasRow
    write_class = ProductAliasWrite
    filterset_class = ProductAliasFilter
    ordering_fields = {"code": "code", "id": "pk"}


class ReportRow(RowSerializer):
    class Meta:
        model = Report
        fields = (
            "id",
            "partner",
            "partner_code",
            "kind",
            "starts_on",
            "ends_before",
            "due_on",
            "received_at",
            "nothing_at",
            "reminders",
            "reminded_at",
            "updated_at",
        )
        paths = {"partner_code": "partner__code"}


class ReportViewSet(ScopedViewSet):
    """The reports that partners owe for a period. One has come when `received_at` is given, or
    `nothing_at`: somebody confirmed that there was nothing to report."""

    model = Report
    row_class = detail_class = ReportRow
    filterset_class = ReportFilter
    ordering_fields = {"starts_on": "starts_on", "due_on": "due_on", "id": "pk"}


class ClosedPeriodRow(RowSerializer):
    class Meta:
        model = ClosedPeriod
        fields = ("id", "month", "kind", "state", "closed_at", "net", "lines", "updated_at")


class ClosedPeriodViewSet(ScopedViewSet):
    """Months that are closed for a kind of sales, with their sums at that moment. A month that was
    reopened and closed again is there twice."""

    model = ClosedPeriod
    row_class = detail_class = ClosedPeriodRow
    filterset_class = ClosedPeriodFilter
    ordering_fields = {"month": "month", "id": "pk"}


class AdjustmentRow(RowSerializer):
    class Meta:
        model = Adjustment
        fields = (
            "id",
            "closing",
            "month",
            "kind",
            "partner",
            "partner_code",
            "product_line",
            "product_line_code",
            "source",
            "reference",
            "occurred_on",
            "recorded_at",
            "quantity",
            "amount",
            "cause",
        )
        paths = {"partner_code": "partner__code", "product_line_code": "product_line__code"}


class AdjustmentViewSet(ScopedViewSet):
    """What lines that came, changed or went after a month was closed add to its sum. For each
    closed month: net at closing + the amounts of its adjustments = net now. The list goes by
    `after`, the id of the last adjustment you have."""

    model = Adjustment
    changed_at = None  # they are never changed
    row_class = detail_class = AdjustmentRow
    filterset_class = AdjustmentFilter
    pagination_class = KeyPages
    filter_backends = [Filters, Ordering]
