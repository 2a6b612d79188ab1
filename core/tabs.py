"""Tabs of a detail page. An upper app adds its tab to the page of a lower one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Tab:
    """`template` is a partial; `context(request, obj)` what it reads, besides `object`.

    A tab is read when it is opened. Without the permission it is not there, nor where it does not
    apply to the object.
    """

    key: str
    label: Any
    template: str
    context: Callable[[HttpRequest, Any], dict[str, Any]] | None = None
    permission: str = ""
    order: int = 100
    applies: Callable[[Any], bool] | None = None


OVERVIEW = Tab("overview", _("Overview"), "core/_overview.html", order=0)
_tabs: dict[str, list[Tab]] = {}


def register(model_label: str, tab: Tab) -> None:
    """Add a tab to the page of a model ("partners.partner"); call it in AppConfig.ready()."""
    tabs = _tabs.setdefault(model_label.lower(), [])
    if any(other.key == tab.key for other in tabs):
        raise ValueError(f"{model_label} has a tab {tab.key} already")
    tabs.append(tab)
    tabs.sort(key=lambda item: item.order)


def of(model: type[models.Model], obj: Any, user: Any) -> list[Tab]:
    """The tabs of a page that `user` may open; the overview always, and first unless replaced."""
    own = _tabs.get(model._meta.label_lower, [])
    shown = [
        tab
        for tab in own
        if (not tab.permission or user.has_perm(tab.permission))
        and (tab.applies is None or tab.applies(obj))
    ]
    return shown if any(tab.key == "overview" for tab in shown) else [OVERVIEW, *shown]
