"""Pages of the catalogue."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from catalog.filters import ProductFilter, ProductLineFilter
from catalog.models import Product, ProductLine
from core.tables import Column, tree_cell, tree_name
from core.views import CRUDView


class ProductLineView(CRUDView):
    model = ProductLine
    icon = "sitemap"
    section = "product_lines"
    columns = (
        Column(
            "name", source=("name", "path"), sort=("sort_path",), render=tree_cell, export=tree_name
        ),
        "code",
        "role",
        Column("products", label=_("products"), source=Count("products"), kind="number"),
    )
    ordering = ("sort_path",)
    search_fields = ("name", "code")
    filterset_class = ProductLineFilter
    detail_fields = ("code", "name", "parent", "role")
    empty_text = _("Product lines group products and carry their role in the portfolio.")

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("parent")


class ProductView(CRUDView):
    model = Product
    icon = "packages"
    section = "products"
    in_palette = True
    parents = ("catalog:productline_list",)
    columns = (
        "name",
        "code",
        Column("product_line", label=_("product line"), source="product_line__name"),
        "category",
        "unit",
        Column("list_price", kind="qty"),
        "active_from",
        "active_to",
    )
    ordering = ("code",)
    search_fields = ("name", "code")
    filterset_class = ProductFilter
    detail_fields = (
        "code",
        "name",
        "product_line",
        "category",
        "unit",
        "list_price",
        "active_from",
        "active_to",
    )
    empty_text = _("Add the first product, or import a list of them.")

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("product_line")
