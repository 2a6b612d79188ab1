"""Filters of territories and users."""

from __future__ import annotations

import django_filters
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from accounts.models import ApiClient, Territory, User
from accounts.roles import Role
from core.filters import AnyOf, FilterSet


class TerritoryFilter(FilterSet):
    parent = django_filters.ModelChoiceFilter(label=_("parent"), queryset=Territory.objects.all())
    level = AnyOf(label=_("level"), choices=Territory.Level)

    class Meta:
        model = Territory
        fields = ["parent", "level"]


class UserFilter(FilterSet):
    role = AnyOf(label=_("role"), choices=Role)
    territories = django_filters.ModelChoiceFilter(
        label=_("territory"), queryset=Territory.objects.all()
    )
    is_active = django_filters.BooleanFilter(label=_("may sign in"))

    class Meta:
        model = User
        fields = ["role", "territories", "is_active"]


class ApiClientFilter(FilterSet):
    state = AnyOf(label=_("state"), choices=ApiClient.State)
    access = AnyOf(label=pgettext_lazy("API client", "access"), choices=ApiClient.Access)
    sandbox = django_filters.BooleanFilter(label=_("sandbox"))

    class Meta:
        model = ApiClient
        fields = ["state", "access", "sandbox"]
