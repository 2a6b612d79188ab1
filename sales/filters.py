"""Filters of sales lines and targets; pages and API share them."""

from __future__ import annotations

import django_filters
from django.utils.translation import gettext_lazy as _

from catalog.filters import below_line
from catalog.models import Product, ProductLine
from core.filters import AnyOf, FilterSet
from partners.models import Partner
from sales.models import SalesFact, SalesKind, Target, TargetKind


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
