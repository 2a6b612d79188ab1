"""Partners, their people and places, and levels in the API."""

from typing import Any

from django.db.models.functions import Upper

from core.api.bulk import BulkMixin
from core.api.serializers import RowSerializer, WriteSerializer
from core.api.views import ScopedViewSet, TransitionsMixin, WriteMixin
from partners.filters import ContactFilter, PartnerFilter, SiteFilter
from partners.models import Contact, Level, Partner, Site
from partners.selectors import visible_parents


class PartnerRow(RowSerializer):
    class Meta:
        model = Partner
        fields: tuple[str, ...] = (
            "id",
            "code",
            "name",
            "short_name",
            "channel_type",
            "state",
            "credit_code",
            "territory",
            "territory_code",
            "level",
            "level_code",
            "owner",
            "owner_username",
            "parent",
            "parent_code",
            "merged_into",
            "merged_into_code",
            "started_on",
            "ended_on",
            "updated_at",
        )
        paths = {
            "territory_code": "territory__code",
            "level_code": "level__code",
            "owner_username": "owner__username",
            "parent_code": "parent__code",
            "merged_into_code": "merged_into__code",
        }
        needs = {"parent_code": ("parent",), "merged_into_code": ("merged_into",)}


class PartnerDetail(PartnerRow):
    class Meta(PartnerRow.Meta):
        fields = (*PartnerRow.Meta.fields, "legal_name", "note", "created_at")


class PartnerWrite(WriteSerializer):
    class Meta:
        model = Partner
        fields = (
            "code",
            "name",
            "short_name",
            "channel_type",
            "legal_name",
            "credit_code",
            "territory",
            "owner",
            "parent",
            "level",
            "started_on",
            "note",
        )
        codes = {
            "territory_code": ("territory", "code"),
            "level_code": ("level", "code"),
            "owner_username": ("owner", "username"),
            "parent_code": ("parent", "code"),
        }

    def narrow(self, relation: str, rows: Any) -> Any:
        """Only our own people own partners, as in the form."""
        return rows.staff() if relation == "owner" else rows


# Fields that refer to another partner, each with its code.
_OTHERS = ("parent", "merged_into")


class PartnerViewSet(BulkMixin, TransitionsMixin, WriteMixin, ScopedViewSet):
    """Companies through which we sell. A new one is a prospect; transitions change the state. One
    that was merged into another stays, and its code means that one."""

    model = Partner
    bulk_kind = "partners"
    row_class = PartnerRow
    detail_class = PartnerDetail
    write_class = PartnerWrite
    filterset_class = PartnerFilter
    search_fields = ("name", "short_name", "code", "pinyin")
    ordering_fields = {
        "code": Upper("code"),
        "name": "pinyin",
        "level": "level__rank",
        "started_on": "started_on",
        "updated_at": "updated_at",
        "id": "pk",
    }

    def checked(self, **kwargs: Any) -> dict[str, Any]:
        """A parent that the user does not see was shown as null: sent back so, it stays."""
        values = super().checked(**kwargs)
        if "pk" in self.kwargs and values.get("parent", self) is None:
            parent = self.get_object().parent_id
            if parent not in visible_parents({parent}, self.request.user):
                del values["parent"]
        return values

    def shown(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Other partners that the user does not see are not told of, and the note is the vendor's
        own."""
        keys = {row.get(name) for row in rows for name in _OTHERS}
        seen = visible_parents(keys, self.request.user)
        return [{**row, **_hidden(row, seen, self.request.user)} for row in rows]


def _hidden(row: dict[str, Any], seen: set[int], user: Any) -> dict[str, Any]:
    """The values that `user` is shown instead."""
    unseen = [name for name in _OTHERS if row.get(name) not in seen]
    hidden: dict[str, Any] = {one: None for name in unseen for one in (name, f"{name}_code")}
    if user.is_partner_user:
        hidden["note"] = ""
    return {name: value for name, value in hidden.items() if name in row}


class ContactRow(RowSerializer):
    class Meta:
        model = Contact
        fields = (
            "id",
            "partner",
            "partner_code",
            "name",
            "role",
            "phone",
            "email",
            "wechat",
            "is_primary",
            "note",
            "updated_at",
        )
        paths = {"partner_code": "partner__code"}


class ContactWrite(WriteSerializer):
    class Meta:
        model = Contact
        fields = ("partner", "name", "role", "phone", "email", "wechat", "is_primary", "note")
        codes = {"partner_code": ("partner", "code")}


class ContactViewSet(BulkMixin, WriteMixin, ScopedViewSet):
    """People at partners."""

    model = Contact
    bulk_kind = "contacts"
    row_class = detail_class = ContactRow
    write_class = ContactWrite
    filterset_class = ContactFilter
    search_fields = ("name", "phone", "email", "partner__name")
    ordering_fields = {"name": "name", "partner": "partner__code", "id": "pk"}


class SiteRow(RowSerializer):
    class Meta:
        model = Site
        fields = (
            "id",
            "partner",
            "partner_code",
            "kind",
            "name",
            "territory",
            "territory_code",
            "address",
            "postcode",
            "updated_at",
        )
        paths = {"partner_code": "partner__code", "territory_code": "territory__code"}


class SiteWrite(WriteSerializer):
    class Meta:
        model = Site
        fields = ("partner", "kind", "name", "territory", "address", "postcode")
        codes = {"partner_code": ("partner", "code"), "territory_code": ("territory", "code")}


class SiteViewSet(WriteMixin, ScopedViewSet):
    """Offices, warehouses and shops of partners."""

    model = Site
    row_class = detail_class = SiteRow
    write_class = SiteWrite
    filterset_class = SiteFilter
    search_fields = ("name", "address", "partner__name")
    ordering_fields = {"name": "name", "partner": "partner__code", "id": "pk"}


class LevelRow(RowSerializer):
    class Meta:
        model = Level
        fields = ("id", "code", "name", "name_en", "rank", "color", "updated_at")


class LevelWrite(WriteSerializer):
    class Meta:
        model = Level
        fields = ("code", "name", "name_en", "rank", "color")


class LevelViewSet(WriteMixin, ScopedViewSet):
    """What a partner can reach; a higher rank is a better level."""

    model = Level
    row_class = detail_class = LevelRow
    write_class = LevelWrite
    ordering = ("-rank",)
    ordering_fields = {"rank": "rank", "code": "code", "id": "pk"}
