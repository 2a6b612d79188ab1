"""Product lines and products in the API."""

from django.db.models.functions import Upper

from catalog.filters import ProductFilter, ProductLineFilter
from catalog.models import Product, ProductLine
from core.api.bulk import BulkMixin
from core.api.serializers import RowSerializer, WriteSerializer
from core.api.views import ScopedViewSet, WriteMixin


class ProductLineRow(RowSerializer):
    class Meta:
        model = ProductLine
        fields = ("id", "code", "name", "role", "parent", "parent_code", "updated_at")
        paths = {"parent_code": "parent__code"}


class ProductLineWrite(WriteSerializer):
    class Meta:
        model = ProductLine
        fields = ("code", "name", "role", "parent")
        codes = {"parent_code": ("parent", "code")}


class ProductLineViewSet(WriteMixin, ScopedViewSet):
    """Families of products, in a tree, with their role in the portfolio."""

    model = ProductLine
    row_class = detail_class = ProductLineRow
    write_class = ProductLineWrite
    filterset_class = ProductLineFilter
    search_fields = ("name", "code")
    ordering_fields = {"code": Upper("code"), "name": "name", "path": "sort_path", "id": "pk"}


class ProductRow(RowSerializer):
    class Meta:
        model = Product
        fields = (
            "id",
            "code",
            "name",
            "product_line",
            "product_line_code",
            "unit",
            "category",
            "list_price",
            "active_from",
            "active_to",
            "updated_at",
        )
        paths = {"product_line_code": "product_line__code"}


class ProductWrite(WriteSerializer):
    class Meta:
        model = Product
        fields = (
            "code",
            "name",
            "product_line",
            "unit",
            "category",
            "list_price",
            "active_from",
            "active_to",
        )
        codes = {"product_line_code": ("product_line", "code")}


class ProductViewSet(BulkMixin, WriteMixin, ScopedViewSet):
    """Articles with unit and list price. `active_to` is the first day it is no longer sold."""

    model = Product
    bulk_kind = "products"
    row_class = detail_class = ProductRow
    write_class = ProductWrite
    filterset_class = ProductFilter
    search_fields = ("name", "code")
    ordering_fields = {
        "code": Upper("code"),
        "name": "name",
        "list_price": "list_price",
        "id": "pk",
    }
