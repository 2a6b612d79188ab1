"""Pages of partners, their people and places, and levels."""

from __future__ import annotations

from typing import Any

from django.utils.html import conditional_escape
from django.utils.translation import get_language, gettext_lazy as _

from core import tables
from core.tables import Column
from core.views import BulkAction, CRUDView
from core.views.bulk import transition_action
from partners.filters import ContactFilter, MembershipFilter, PartnerFilter, SiteFilter
from partners.forms import ContactForm, MembershipForm, PartnerForm, SiteForm
from partners.models import Contact, Level, Membership, Partner, Site
from partners.selectors import of_parent, visible_parents
from partners.services import may_merge

STATE_COLORS = {
    Partner.State.PROSPECT: "secondary",
    Partner.State.ONBOARDING: "blue",
    Partner.State.ACTIVE: "green",
    Partner.State.SUSPENDED: "orange",
    Partner.State.EXITED: "red",
    Partner.State.MERGED: "secondary",
}


def level_name(name: str | None, name_en: str | None, color: str | None = None) -> str:
    """The name of a level in the language of the page."""
    return (name_en if get_language() == "en" and name_en else name) or ""


def level_badge(name: str | None, name_en: str | None, color: str | None) -> str:
    """The level as a badge."""
    return tables.badge(level_name(name, name_en), color or "") if name else tables.EMPTY


def person(username: str | None, first_name: str | None, last_name: str | None) -> str:
    """A user's name, family name first where it is Chinese, without making a user of it."""
    if not (first_name or last_name):
        return username or ""
    if any("\u4e00" <= letter <= "\u9fff" for letter in last_name or ""):
        return f"{last_name}{first_name}"
    return f"{first_name} {last_name}".strip()


def person_cell(*names: str | None) -> str:
    """The name as a cell."""
    text = person(*names)
    return conditional_escape(text) if text else tables.EMPTY


_MAY = "partners.change_state_partner"


class PartnerView(CRUDView):
    model = Partner
    icon = "building-store"
    section = "partners"
    in_palette = True
    columns = (
        Column("name", sort=("pinyin",)),
        "code",
        "channel_type",
        Column("territory", source="territory__name", label=_("territory")),
        Column(
            "level",
            label=_("level"),
            source=("level__name", "level__name_en", "level__color"),
            sort=("level__rank",),
            render=level_badge,
            export=level_name,
        ),
        Column("state", kind="badge", colors=STATE_COLORS),
        Column(
            "owner",
            label=_("owner"),
            source=("owner__username", "owner__first_name", "owner__last_name"),
            sort=("owner__last_name", "owner__first_name"),
            render=person_cell,
            export=person,
        ),
        "started_on",
        Column("short_name", shown=False),
        Column(
            "parent",
            label=_("parent"),
            source=lambda request: of_parent("name", request.user),
            shown=False,
        ),
        Column("legal_name", shown=False),
        Column("credit_code", shown=False),
        Column("created_at", shown=False),
    )
    ordering = ("pinyin",)
    search_fields = ("name", "short_name", "code", "pinyin")
    filterset_class = PartnerFilter
    form_class = PartnerForm
    bulk_actions: tuple[BulkAction, ...] = (
        transition_action(
            "suspend", _("Suspend"), permission=_MAY, icon="player-pause", needs_reason=True
        ),
        transition_action("resume", _("Resume"), permission=_MAY, icon="player-play"),
    )
    list_actions_template = "partners/_list_actions.html"
    detail_template = "partners/partner_detail.html"
    empty_text = _("Add the first partner, or import a list of them.")

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related(
            "territory", "owner", "level", "parent", "merged_into"
        )

    def detail_context(self, obj: Partner) -> dict[str, Any]:
        # The page shows, it does not save: what the user may not see is taken off the object.
        seen = visible_parents([obj.parent_id, obj.merged_into_id], self.request.user)
        if obj.parent_id not in seen:
            obj.parent = None
        return {
            "state_color": STATE_COLORS[obj.state],
            "frozen": obj.state == Partner.State.MERGED,
            "kept": obj.merged_into if obj.merged_into_id in seen else None,
            "may_merge": may_merge(self.request.user),
        }


class OfPartnerView(CRUDView):
    """What belongs to a partner is edited from its page and leads back there."""

    section = "partners"
    parents = ("partners:partner_list",)

    def back_url(self, obj: Any) -> str:
        if self.safe_next() or not obj.partner_id:
            return super().back_url(obj)
        return PartnerView.url("detail", obj.partner_id)

    def after_save(self, obj: Any) -> str:
        return self.safe_next() or PartnerView.url("detail", obj.partner_id)


class ContactView(OfPartnerView):
    model = Contact
    icon = "user"
    columns = (
        "name",
        Column("partner", label=_("partner"), source="partner__name", sort=("partner__pinyin",)),
        "role",
        "phone",
        "email",
        "wechat",
        "is_primary",
    )
    ordering = ("name",)
    search_fields = ("name", "phone", "email", "partner__name")
    filterset_class = ContactFilter
    form_class = ContactForm
    detail_fields = ("partner", "role", "phone", "email", "wechat", "is_primary", "note")

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("partner")


class SiteView(OfPartnerView):
    model = Site
    icon = "map-pin"
    columns = (
        "name",
        Column("partner", label=_("partner"), source="partner__name", sort=("partner__pinyin",)),
        "kind",
        Column("territory", label=_("territory"), source="territory__name"),
        "address",
    )
    ordering = ("name",)
    search_fields = ("name", "address", "partner__name")
    filterset_class = SiteFilter
    form_class = SiteForm
    detail_fields = ("partner", "kind", "territory", "address", "postcode")

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("partner", "territory")


class MembershipView(OfPartnerView):
    model = Membership
    icon = "key"
    columns = (
        Column("user", label=_("user"), source="user__username"),
        Column("partner", label=_("partner"), source="partner__name", sort=("partner__pinyin",)),
        "include_sub_partners",
    )
    ordering = ("user__username",)
    search_fields = ("user__username", "partner__name")
    filterset_class = MembershipFilter
    form_class = MembershipForm
    detail_fields = ("user", "partner", "include_sub_partners")

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("partner", "user")


class LevelView(CRUDView):
    model = Level
    icon = "award"
    section = "levels"
    columns = ("name", "name_en", "code", "rank", "color")
    ordering = ("-rank",)
    detail_fields = ("code", "name", "name_en", "rank", "color")
