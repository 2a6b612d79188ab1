"""Product aliases from a file."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.importing.master import MasterImporter
from core.importing.registry import Field, register
from sales.importers.names import PARTNER
from sales.models import ProductAlias


@register
class ProductAliasImporter(MasterImporter):
    """What partners call our products and how they count them."""

    kind = "aliases"
    label = _("Product aliases")
    model = ProductAlias
    permissions = ("sales.add_productalias", "sales.change_productalias")
    key = ("partner", "code", "unit")
    lookups = {"partner": "code", "product": "code"}
    fields = (
        Field("partner", _("Partner"), False, PARTNER, _("Empty: all partners.")),
        Field(
            "code",
            _("Their code"),
            True,
            ("alias", "partner product code", "对方编码", "客户产品编码", "客户料号", "别名"),
        ),
        Field(
            "unit",
            _("Their unit"),
            False,
            ("partner unit", "对方单位", "客户单位", "单位"),
            _("Empty: whatever the unit."),
        ),
        Field(
            "product", _("Product"), True, ("product code", "产品", "产品编码", "物料编码", "sku")
        ),
        Field(
            "factor",
            _("Factor"),
            False,
            ("conversion", "换算率", "换算系数", "装箱数"),
            _("How many of our units one of theirs is."),
        ),
    )
