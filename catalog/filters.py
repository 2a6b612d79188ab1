"""Filters of product lines and products."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from catalog.models import Product, ProductLine
from core.filters import AnyOf, FilterSet


def below_line(queryset: QuerySet, name: str, value: ProductLine | None) -> QuerySet:
    """Rows in a product line or in one below it."""
    if value is None:
        return queryset
    within = ProductLine.objects.filter(path__startswith=value.path).values("pk")
    return queryset.filter(**{f"{name}__in": within})


class ProductLineFilter(FilterSet):
    parent = django_filters.ModelChoiceFilter(label=_("parent"), queryset=ProductLine.objects.all())
    role = AnyOf(label=_("portfolio role"), choices=ProductLine.Role)

    class Meta:
        model = ProductLine
        fields = ["parent", "role"]


class ProductFilter(FilterSet):
    product_line = django_filters.ModelChoiceFilter(
        label=_("product line"), queryset=ProductLine.objects.all(), method=below_line
    )
    category = django_filters.CharFilter(label=_("category"), lookup_expr="iexact")
    on_sale = django_filters.DateFilter(label=_("on sale on"), method="on_sale_on")

    class Meta:
        model = Product
        fields = ["product_line", "category", "on_sale"]

    def on_sale_on(self, queryset: QuerySet, name: str, value: object) -> QuerySet:
        """Products on sale on that day."""
        return queryset & Product.objects.active_on(value)
