"""Filters of sales lines and targets; pages and API share them."""

from __future__ import annotations

import django_filters
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Territory
from catalog.filters import below_line
from catalog.models import Product, ProductLine
from core.filters import AnyOf, FilterSet
from partners.filters import below_territory
from partners.models import Partner
from sales.models import (
    Adjustment,
    ClosedPeriod,
    ControlKind,
    ControlTotal,
    Payment,
    ProductAlias,
    Report,
    ReportingRule,
    SalesFact,
    SalesKind,
    Target,
    TargetKind,
    TargetPlan,
    TargetPlanLine,
)
from sales.models.control import MATCHES


class SalesFactFilter(FilterSet):
    partner = django_filters.ModelChoiceFilter(label=_("partner"), queryset=Partner.objects.all())
    kind = AnyOf(label=_("Kind"), choices=SalesKind)
    occurred_on = django_filters.DateFromToRangeFilter(label=_("Date"))
    product = django_filters.ModelChoiceFilter(label=_("product"), queryset=Product.objects.all())
    product_line = django_filters.ModelChoiceFilter(
        label=_("product line"),
        field_name="product__product_line",
        queryset=ProductLine.objects.all(),
        method=below_line,
    )
    source = django_filters.CharFilter(label=_("Source"))
    reference = django_filters.CharFilter(label=_("Reference"))

    class Meta:
        model = SalesFact
        fields = [
            "partner",
            "kind",
            "occurred_on",
            "product",
            "product_line",
            "source",
            "reference",
        ]


class TargetFilter(FilterSet):
    partner = django_filters.ModelChoiceFilter(label=_("partner"), queryset=Partner.objects.all())
    kind = AnyOf(label=_("Kind"), choices=TargetKind)
    month = django_filters.DateFromToRangeFilter(label=_("Month"))
    product_line = django_filters.ModelChoiceFilter(
        label=_("product line"), queryset=ProductLine.objects.all(), method=below_line
    )

    class Meta:
        model = Target
        fields = ["partner", "kind", "month", "product_line"]


class TargetPlanFilter(FilterSet):
    year = django_filters.NumberFilter(label=_("fiscal year"), min_value=1990, max_value=2100)
    kind = AnyOf(label=_("Kind"), choices=TargetKind)
    state = AnyOf(label=_("state"), choices=TargetPlan.State)
    territory = django_filters.ModelChoiceFilter(
        label=_("territory"), queryset=Territory.objects.all(), method=below_territory
    )

    class Meta:
        model = TargetPlan
        fields = ["year", "kind", "state", "territory"]


class TargetPlanLineFilter(FilterSet):
    plan = django_filters.ModelChoiceFilter(
        label=_("target plan"), queryset=TargetPlan.objects.all()
    )
    partner = django_filters.ModelChoiceFilter(label=_("partner"), queryset=Partner.objects.all())
    month = django_filters.DateFromToRangeFilter(label=_("Month"))
    product_line = django_filters.ModelChoiceFilter(
        label=_("product line"), queryset=ProductLine.objects.all(), method=below_line
    )

    class Meta:
        model = TargetPlanLine
        fields = ["plan", "partner", "month", "product_line"]


class PaymentFilter(FilterSet):
    partner = django_filters.ModelChoiceFilter(label=_("partner"), queryset=Partner.objects.all())
    paid_on = django_filters.DateFromToRangeFilter(label=_("Paid on"))
    due_on = django_filters.DateFromToRangeFilter(label=_("Due on"))
    late = django_filters.BooleanFilter(label=_("Paid late"), method="paid_late")
    source = django_filters.CharFilter(label=_("Source"))
    reference = django_filters.CharFilter(label=_("Reference"))
    invoice = django_filters.CharFilter(label=_("Invoice"))

    class Meta:
        model = Payment
        fields = ["partner", "paid_on", "due_on", "late", "source", "reference", "invoice"]

    def paid_late(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        """Payments after their day, or those that were not; without a day none is late."""
        late = Q(due_on__lt=F("paid_on"))
        return queryset.filter(late) if value else queryset.exclude(late)


class ProductAliasFilter(FilterSet):
    partner = django_filters.ModelChoiceFilter(label=_("partner"), queryset=Partner.objects.all())
    product = django_filters.ModelChoiceFilter(label=_("product"), queryset=Product.objects.all())

    class Meta:
        model = ProductAlias
        fields = ["partner", "product"]


def rules_seen(request: HttpRequest | None) -> QuerySet:
    """The rules that one may choose: all for who may see rules, else those of the reports seen."""
    rules = ReportingRule.objects.all()
    if request is None or request.user.has_perm("sales.view_reportingrule"):
        return rules
    return rules.asking_for(request.user)


class ReportFilter(FilterSet):
    rule = django_filters.ModelChoiceFilter(label=_("rule"), queryset=rules_seen)
    state = AnyOf(label=_("state"), choices=Report.State, method="in_state")
    partner = django_filters.ModelChoiceFilter(label=_("partner"), queryset=Partner.objects.all())
    territory = django_filters.ModelChoiceFilter(
        label=_("territory"),
        field_name="partner__territory",
        queryset=Territory.objects.all(),
        method=below_territory,
    )
    kind = AnyOf(label=_("Kind"), choices=SalesKind)
    starts_on = django_filters.DateFromToRangeFilter(label=_("period begins"))
    due_on = django_filters.DateFromToRangeFilter(label=_("due on"))

    class Meta:
        model = Report
        fields = ["rule", "state", "partner", "territory", "kind", "starts_on", "due_on"]

    def in_state(self, queryset: QuerySet, name: str, value: list[str]) -> QuerySet:
        """Reports that are in one of these states today."""
        if not value:
            return queryset
        return queryset.with_state(timezone.localdate()).filter(state__in=value)  # type: ignore[attr-defined]


class ClosedPeriodFilter(FilterSet):
    month = django_filters.DateFromToRangeFilter(label=_("Month"))
    kind = AnyOf(label=_("Kind"), choices=SalesKind)
    state = AnyOf(label=_("state"), choices=ClosedPeriod.State)

    class Meta:
        model = ClosedPeriod
        fields = ["month", "kind", "state"]


class AdjustmentFilter(FilterSet):
    month = django_filters.DateFromToRangeFilter(label=_("Month"))
    kind = AnyOf(label=_("Kind"), choices=SalesKind)
    cause = AnyOf(label=_("cause"), choices=Adjustment.Cause)
    partner = django_filters.ModelChoiceFilter(label=_("partner"), queryset=Partner.objects.all())
    product_line = django_filters.ModelChoiceFilter(
        label=_("product line"), queryset=ProductLine.objects.all(), method=below_line
    )
    closing = django_filters.ModelChoiceFilter(
        label=_("closed month"), queryset=ClosedPeriod.objects.all()
    )
    recorded_at = django_filters.DateFromToRangeFilter(label=_("Recorded at"))

    class Meta:
        model = Adjustment
        fields = [
            "month",
            "kind",
            "cause",
            "partner",
            "product_line",
            "closing",
            "recorded_at",
        ]


class ControlTotalFilter(FilterSet):
    source = django_filters.CharFilter(label=_("Source"))
    kind = AnyOf(label=_("Kind"), choices=ControlKind)
    matches = django_filters.BooleanFilter(label=_("Matches"), method="that_match")
    period = django_filters.DateFromToRangeFilter(label=_("Period"), field_name="starts_on")
    partner = django_filters.ModelChoiceFilter(label=_("partner"), queryset=Partner.objects.all())

    class Meta:
        model = ControlTotal
        fields = ["source", "kind", "matches", "period", "partner"]

    def that_match(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        """Totals that match our books, or those that were compared and do not."""
        return queryset.filter(MATCHES if value else ~MATCHES, books_rows__isnull=False)
