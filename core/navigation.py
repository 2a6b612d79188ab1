"""The navigation, in the order of the business loop. Each app registers its own items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.cache import cache
from django.urls import reverse
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

from core.templatetags.icons import svg

DATA_DAY_SECONDS = 60
_KEY = "data-day"
CURRENT = ' aria-current="page"'


@dataclass(frozen=True)
class Item:
    """One entry. Groups are set apart by a hairline; `order` counts through all of them.

    `permission` hides it from others; `waiting(user)` is a count of what waits there (it must be
    cheap: it runs with each page). What is `under` another entry shows as long as that one is lit,
    or in its place for who may not open that one.
    """

    key: str
    label: Any
    icon: str
    url_name: str
    order: int
    permission: str = ""
    group: int = 0
    waiting: Callable[[Any], int] | None = None
    under: str = ""


_items: list[Item] = []
_data_day: list[Callable[[], date | None]] = []


def register(*items: Item) -> None:
    """Add entries; call it in AppConfig.ready()."""
    _items.extend(items)
    _items.sort(key=lambda item: item.order)


def register_data_day(function: Callable[[], date | None]) -> None:
    """Say up to which day there are data: shown in the bar, and the default period of pages."""
    _data_day.append(function)


def items_for(user: Any) -> list[Item]:
    """The entries that `user` may open."""
    return [item for item in _items if not item.permission or user.has_perm(item.permission)]


def data_day() -> date | None:
    """The newest day with data; worked out at most once a minute."""
    if not _data_day:
        return None
    found = cache.get(_KEY)
    if found is None:
        days = [day for function in _data_day if (day := function())]
        found = max(days, default=False)
        cache.set(_KEY, found, DATA_DAY_SECONDS)
    return found or None


def render(user: Any, section: str) -> SafeString:
    """The side navigation as HTML, the item `section` lit and what it is under open."""
    items = items_for(user)
    above = {item.key: item.under for item in items}
    top = [item for item in items if item.under not in above]
    is_open = above.get(section, "") or section
    out: list[str] = []
    group: int | None = None
    for item in top:
        apart = " apart" if group is not None and item.group != group else ""
        group = item.group
        lit = item.key in (section, is_open)
        below = [each for each in items if each.under == item.key] if lit else []
        out.append(
            f'<li class="nav-item{apart}{" active" if lit else ""}">'
            f"{_link(item, user, section)}{_list(below, user, section)}</li>"
        )
    return mark_safe("".join(out))


def _list(items: list[Item], user: Any, section: str) -> str:
    rows = (f"<li>{_link(item, user, section)}</li>" for item in items)
    return f"<ul>{''.join(rows)}</ul>" if items else ""


def _link(item: Item, user: Any, section: str) -> str:
    count = item.waiting(user) if item.waiting else 0
    badge = f'<span class="badge bg-red-lt ms-auto">{count}</span>' if count else ""
    return (
        f'<a class="nav-link" href="{reverse(item.url_name)}"'
        f"{CURRENT if item.key == section else ''}>"
        f'<span class="nav-link-icon">{svg(item.icon)}</span>'
        f'<span class="nav-link-title">{conditional_escape(item.label)}</span>{badge}</a>'
    )
