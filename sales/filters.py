"""Filters of sales lines and targets; pages and API share them."""

from __future__ import annotations

import django_filters
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from catalog.filters import below_line
from catalog.models import Product, ProductLine
from core.filters import AnyOf, FilterSet
from partners.models import Partner
from sales.models import Payment, ProductAlias, SalesFact, SalesKind, Target, TargetKind


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
