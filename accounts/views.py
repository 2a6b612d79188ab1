"""Pages of the administrator: territories and users."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from accounts.filters import TerritoryFilter, UserFilter
from accounts.forms import UserForm
from accounts.models import Territory, User
from core.tables import Column, tree_cell, tree_name
from core.views import CRUDView


class TerritoryView(CRUDView):
    model = Territory
    icon = "map-2"
    section = "territories"
    columns = (
        Column(
            "name", source=("name", "path"), sort=("sort_path",), render=tree_cell, export=tree_name
        ),
        "code",
        "level",
        Column("parent", label=_("parent"), source="parent__name"),
        Column("partners", label=_("partners"), source=Count("partners"), kind="number"),
        Column("population", kind="number", shown=False),
        Column("gdp", kind="money", shown=False),
    )
    ordering = ("sort_path",)
    search_fields = ("name", "code")
    filterset_class = TerritoryFilter
    detail_fields = ("code", "name", "level", "parent", "population", "gdp")
    empty_text = _("Load the divisions of a country, or import territories of your own.")

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("parent")


class UserView(CRUDView):
    model = User
    icon = "users"
    section = "users"
    palette_note = "username"
    columns = (
        Column("username"),
        "last_name",
        "first_name",
        "email",
        "role",
        Column("is_active", label=_("may sign in")),
        "last_login",
    )
    ordering = ("username",)
    search_fields = ("username", "first_name", "last_name", "email")
    filterset_class = UserFilter
    form_class = UserForm
    detail_fields = (
        "username",
        "last_name",
        "first_name",
        "email",
        "role",
        "territories",
        "language",
        "is_active",
        "last_login",
    )
