"""Territories from a file: any tree of places."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import Territory
from core.importing.master import MasterImporter
from core.importing.registry import Field, register
from core.importing.values import parse_number


@register
class TerritoryImporter(MasterImporter):
    kind = "territories"
    label = _("Territories")
    model = Territory
    permissions = ("accounts.add_territory", "accounts.change_territory")
    lookups = {"parent": "code"}
    fields = (
        Field(
            "code", _("Code"), True, ("territory code", "区域编码", "行政区划代码", "编码", "代码")
        ),
        Field("name", _("Name"), True, ("territory", "territory name", "区域", "区域名称", "名称")),
        Field("parent", _("Parent"), False, ("parent code", "上级", "上级编码", "上级区域")),
        Field("level", _("Level"), False, ("级别", "层级")),
        Field(
            "population",
            _("Population"),
            False,
            ("inhabitants", "人口", "常住人口", "总人口"),
            _("Persons."),
            number=True,
        ),
        Field(
            "gdp",
            _("GDP"),
            False,
            ("gross domestic product", "地区生产总值", "生产总值"),
            number=True,
        ),
    )

    def parse(self, name: str, text: str) -> Any:
        if name == "population":
            return int(parse_number(text, digits=12, places=0)) if text else None
        return super().parse(name, text)
