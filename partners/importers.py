"""Partners and their contacts from a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from core.importing.master import MasterImporter
from core.importing.registry import Field, register
from core.importing.storing import Record
from partners import duplicates
from partners.models import Contact, Partner


@register
class PartnerImporter(MasterImporter):
    """Who comes by file does business already, so a new partner is active."""

    kind = "partners"
    label = _("Partners")
    model = Partner
    permissions = ("partners.add_partner", "partners.change_partner")
    lookups = {"territory": "code", "parent": "code", "level": "code", "owner": "username"}
    initial = {"state": Partner.State.ACTIVE}
    words = {
        "channel_type": {
            "wholesaler": Partner.ChannelType.DISTRIBUTOR,
            "批发商": Partner.ChannelType.DISTRIBUTOR,
            "reseller": Partner.ChannelType.DEALER,
            "value added reseller": Partner.ChannelType.DEALER,
            "store": Partner.ChannelType.RETAILER,
            "shop": Partner.ChannelType.RETAILER,
            "门店": Partner.ChannelType.RETAILER,
            "online": Partner.ChannelType.ECOMMERCE,
            "电商平台": Partner.ChannelType.ECOMMERCE,
            "集成商": Partner.ChannelType.INTEGRATOR,
        }
    }
    fields = (
        Field(
            "code",
            _("Code"),
            True,
            (
                "partner code",
                "customer code",
                "store",
                "reseller code",
                "dealer code",
                "distributor code",
                "account number",
                "客户编码",
                "客户编号",
                "经销商编码",
                "编码",
            ),
        ),
        Field(
            "name",
            _("Name"),
            True,
            (
                "partner",
                "partner name",
                "customer",
                "customer name",
                "company name",
                "reseller name",
                "dealer name",
                "store name",
                "客户名称",
                "经销商名称",
                "名称",
            ),
        ),
        Field("short_name", _("Short name"), False, ("简称", "客户简称")),
        Field(
            "channel_type",
            _("Channel type"),
            False,
            ("type", "business type", "渠道类型", "客户类型"),
        ),
        Field(
            "territory",
            _("Territory"),
            True,
            ("territory code", "region", "region code", "county", "区域", "区域编码", "地区"),
        ),
        Field(
            "parent", _("Parent partner"), False, ("parent code", "上级", "上级经销商", "上级客户")
        ),
        Field("level", _("Level"), False, ("grade", "等级", "级别")),
        Field(
            "credit_code",
            _("Unified social credit code"),
            False,
            ("uscc", "统一社会信用代码", "信用代码", "税号"),
        ),
        Field(
            "owner",
            _("Owner"),
            False,
            ("sales manager", "负责人", "业务员", "销售经理"),
            _("User name of the sales manager."),
        ),
    )

    def narrow(self, name: str, rows: Any) -> Any:
        """Only our own people own partners, as in the form; also those who have left."""
        return rows.colleagues() if name == "owner" else rows

    def suspects(
        self, records: Sequence[Record], by: Any
    ) -> Iterator[tuple[Record, str, str, str]]:
        """New rows that look like a partner which is known under another code."""
        rows = [
            (one.values["code"], one.values["name"], str(one.values.get("credit_code") or ""))
            for one in records
        ]
        for place, field, reason in duplicates.like_new(rows, by):
            yield records[place], field, "double", reason


@register
class ContactImporter(MasterImporter):
    """A contact is known again by partner and name."""

    kind = "contacts"
    label = _("Contacts")
    model = Contact
    permissions = ("partners.add_contact", "partners.change_contact")
    key = ("partner", "name")
    lookups = {"partner": "code"}
    fields = (
        Field(
            "partner",
            _("Partner"),
            True,
            ("partner code", "customer code", "客户编码", "经销商编码"),
        ),
        Field("name", _("Name"), True, ("contact", "contact name", "联系人", "姓名")),
        Field("role", _("Role"), False, ("title", "职务", "角色")),
        Field("phone", _("Phone"), False, ("mobile", "telephone", "电话", "手机", "联系电话")),
        Field("email", _("E-mail"), False, ("email address", "邮箱", "电子邮件")),
        Field("wechat", _("WeChat"), False, ("微信", "微信号")),
    )
