"""Filters of partners, their people and places; pages and API share them."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Territory, User
from core.filters import AnyOf, AnyRowOf, FilterSet
from partners.models import Contact, Level, Membership, Partner, Site


def below_territory(queryset: QuerySet, name: str, value: Territory | None) -> QuerySet:
    """Rows in a territory or anywhere below it, as a subquery."""
    if value is None:
        return queryset
    within = Territory.objects.filter(path__startswith=value.path).values("pk")
    return queryset.filter(**{f"{name}__in": within})


class PartnerFilter(FilterSet):
    territory = django_filters.ModelChoiceFilter(
        label=_("territory"), queryset=Territory.objects.all(), method=below_territory
    )
    channel_type = AnyOf(label=_("channel type"), choices=Partner.ChannelType)
    level = AnyRowOf(label=_("level"), queryset=Level.objects.all())
    state = AnyOf(label=_("state"), choices=Partner.State)
    owner = django_filters.ModelChoiceFilter(label=_("owner"), queryset=User.objects.all())
    unowned = django_filters.BooleanFilter(
        label=_("without owner"), field_name="owner", lookup_expr="isnull"
    )
    parent = django_filters.ModelChoiceFilter(label=_("parent"), queryset=Partner.objects.all())
    started_on = django_filters.DateFromToRangeFilter(label=_("cooperation since"))

    class Meta:
        model = Partner
        fields = [
            "territory",
            "channel_type",
            "level",
            "state",
            "owner",
            "unowned",
            "parent",
            "started_on",
        ]


class ContactFilter(FilterSet):
    partner = django_filters.ModelChoiceFilter(label=_("partner"), queryset=Partner.objects.all())
    role = AnyOf(label=_("role"), choices=Contact.Role)

    class Meta:
        model = Contact
        fields = ["partner", "role"]


class SiteFilter(FilterSet):
    partner = django_filters.ModelChoiceFilter(label=_("partner"), queryset=Partner.objects.all())
    kind = AnyOf(label=_("kind"), choices=Site.Kind)
    territory = django_filters.ModelChoiceFilter(
        label=_("territory"), queryset=Territory.objects.all(), method=below_territory
    )

    class Meta:
        model = Site
        fields = ["partner", "kind", "territory"]


class MembershipFilter(FilterSet):
    partner = django_filters.ModelChoiceFilter(label=_("partner"), queryset=Partner.objects.all())

    class Meta:
        model = Membership
        fields = ["partner"]
