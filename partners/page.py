"""The page of a partner: what upper apps put on it.

Apps above (sales, performance …) register figures, panels and tabs in their `AppConfig.ready()`;
this app knows none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core import navigation, tables, tabs
from core.errors import DomainError
from core.figures import Figure
from core.models import Event
from core.periods import Period
from core.views.history import readable
from partners.models import Partner

TIMELINE = 8
MASTER_FIELDS = (
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
    "ended_on",
    "note",
)
INTERNAL = frozenset({"note"})  # not for the partner's own people
FiguresOf = Callable[[Partner, Period, Any], list[Figure]]
ContextOf = Callable[[Partner, Period, Any], dict[str, Any] | None]


@dataclass(frozen=True)
class Panel:
    """A card on the overview. `context` gives what `template` reads, None leaves the card out."""

    template: str
    context: ContextOf
    side: bool = False
    permission: str = ""
    order: int = 100


_figures: list[tuple[str, FiguresOf]] = []
_panels: list[Panel] = []


def register_figures(function: FiguresOf, *, permission: str = "") -> None:
    """Add figures to the row under the header."""
    _figures.append((permission, function))


def register_panel(panel: Panel) -> None:
    """Add a card to the overview."""
    _panels.append(panel)
    _panels.sort(key=lambda item: item.order)


def register_tab(tab: tabs.Tab) -> None:
    """Add a tab."""
    tabs.register("partners.partner", tab)


def period_of(request: HttpRequest) -> Period:
    """The period in the address, else the quarter of the newest data, else the current one."""
    code = request.GET.get("period", "")
    if code:
        try:
            return Period.parse(code, settings.FISCAL_YEAR_START)
        except DomainError:
            pass
    day = navigation.data_day() or timezone.localdate()
    return Period.containing("quarter", day, settings.FISCAL_YEAR_START)


def overview(request: HttpRequest, partner: Partner) -> dict[str, Any]:
    """What the overview shows: figures, cards, the latest events."""
    period, user = period_of(request), request.user
    figures = [
        figure
        for permission, function in _figures
        if not permission or user.has_perm(permission)
        for figure in function(partner, period, user)
    ]
    cards = []
    for panel in _panels:
        if not panel.permission or user.has_perm(panel.permission):
            context = panel.context(partner, period, user)
            if context is not None:
                cards.append({"template": panel.template, "side": panel.side, **context})
    return {
        "period": period,
        "figures": sorted(figures, key=lambda figure: figure.order),
        "main_cards": [card for card in cards if not card["side"]],
        "side_cards": [card for card in cards if card["side"]],
        "entries": _timeline(partner, user) if user.has_perm("core.view_event") else None,
    }


def _timeline(partner: Partner, user: Any) -> list[Any]:
    events = Event.objects.visible_to(user).of_partner(partner)
    return readable(events.select_related("actor", "content_type")[:TIMELINE], user)


def merged_from(partner: Partner, period: Period, user: Any) -> dict[str, Any] | None:
    """The partners that were merged into this one, of those that the user sees."""
    merged = list(partner.merged_from.visible_to(user).order_by("ended_on", "pk"))
    return {"merged": merged} if merged else None


def people_and_places(request: HttpRequest, partner: Partner) -> dict[str, Any]:
    """Contacts and sites of a partner, with what the user may do to them."""
    may = request.user.has_perm
    alive = partner.merged_into_id is None  # nothing is added to one that was merged
    return {
        "contacts": partner.contacts.all() if may("partners.view_contact") else [],
        "sites": partner.sites.select_related("territory") if may("partners.view_site") else [],
        "may": {
            "add_contact": alive and may("partners.add_contact"),
            "change_contact": may("partners.change_contact"),
            "add_site": alive and may("partners.add_site"),
            "change_site": may("partners.change_site"),
        },
    }


def master_data(request: HttpRequest, partner: Partner) -> dict[str, Any]:
    """The fields of the partner, and the partners that buy from it."""
    hidden = INTERNAL if request.user.is_partner_user else frozenset()
    fields = [name for name in MASTER_FIELDS if name not in hidden]
    below = partner.children.visible_to(request.user).select_related("level", "territory")
    return {
        "rows": tables.describe(partner, fields),
        "children": below.order_by("pinyin", "pk")[:50],
    }


def register_own_tabs() -> None:
    """Overview with the partners merged into this one, people and places, master data."""
    register_panel(Panel("partners/_merged.html", merged_from, side=True, order=90))
    register_tab(tabs.Tab("overview", _("Overview"), "partners/_overview.html", overview, order=0))
    register_tab(
        tabs.Tab(
            "contacts",
            _("Contacts and sites"),
            "partners/_contacts.html",
            people_and_places,
            permission="partners.view_contact",
            order=80,
        )
    )
    register_tab(tabs.Tab("data", _("Master data"), "partners/_data.html", master_data, order=90))
