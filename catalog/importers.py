"""Product lines and products from a file."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from catalog.models import Product, ProductLine
from core.importing.master import MasterImporter
from core.importing.registry import Field, register


@register
class ProductLineImporter(MasterImporter):
    kind = "product_lines"
    label = _("Product lines")
    model = ProductLine
    permissions = ("catalog.add_productline", "catalog.change_productline")
    lookups = {"parent": "code"}
    fields = (
        Field(
            "code",
            _("Code"),
            True,
            ("product line code", "category code", "产品线编码", "编码", "代码"),
        ),
        Field(
            "name",
            _("Name"),
            True,
            ("product line", "category name", "产品线", "产品线名称", "名称"),
        ),
        Field("parent", _("Parent"), False, ("parent code", "上级", "上级编码", "上级产品线")),
        Field("role", _("Portfolio role"), False, ("role", "角色", "产品角色")),
    )


@register
class ProductImporter(MasterImporter):
    kind = "products"
    label = _("Products")
    model = Product
    permissions = ("catalog.add_product", "catalog.change_product")
    lookups = {"product_line": "code"}
    fields = (
        Field(
            "code",
            _("Code"),
            True,
            ("product code", "item number", "sku", "产品编码", "物料编码", "存货编码", "编码"),
        ),
        Field(
            "name",
            _("Name"),
            True,
            (
                "product",
                "product name",
                "item description",
                "产品名称",
                "物料名称",
                "存货名称",
                "名称",
            ),
        ),
        Field(
            "product_line",
            _("Product line"),
            True,
            ("line", "category code", "category name", "产品线", "产品线编码"),
        ),
        Field("unit", _("Unit"), False, ("uom", "单位", "计量单位")),
        Field(
            "list_price",
            _("List price"),
            False,
            ("price", "unit price", "价格", "标准价", "目录价", "单价"),
            number=True,
        ),
        Field("category", _("Category"), False, ("类别", "分类", "产品类别")),
    )
