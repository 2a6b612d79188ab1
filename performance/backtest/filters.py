"""Filters of backtests; pages and API share them."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Territory
from core.filters import AnyOf, FilterSet
from partners.filters import below_territory
from partners.models import Partner
from performance.models import BacktestReport, BacktestResult, SchemeVersion

MOVES = [(1, _("Higher level")), (0, _("Same level")), (-1, _("Lower level"))]


class BacktestReportFilter(FilterSet):
    version = django_filters.ModelChoiceFilter(
        label=_("draft"), queryset=SchemeVersion.objects.select_related("scheme")
    )
    state = AnyOf(label=_("state"), choices=BacktestReport.State)

    class Meta:
        model = BacktestReport
        fields = ["version", "state"]


class BacktestResultFilter(FilterSet):
    report = django_filters.ModelChoiceFilter(
        label=_("backtest"), queryset=BacktestReport.objects.select_related("version__scheme")
    )
    partner = django_filters.ModelChoiceFilter(label=_("partner"), queryset=Partner.objects.all())
    territory = django_filters.ModelChoiceFilter(
        label=_("territory"),
        field_name="partner__territory",
        queryset=Territory.objects.all(),
        method=below_territory,
    )
    steps = django_filters.TypedChoiceFilter(label=_("levels"), choices=MOVES, coerce=int)
    near = django_filters.BooleanFilter(
        label=_("within 2 points of a threshold"), method="filter_near"
    )
    change = django_filters.RangeFilter(label=_("change"))

    class Meta:
        model = BacktestResult
        fields = ["report", "partner", "territory", "steps", "near", "change"]

    def filter_near(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        """Those near a threshold, or those that are not."""
        return queryset.filter(near_level__isnull=not value)
