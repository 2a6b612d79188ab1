"""Filters of ratings, changes in review, appeals and changed scores; pages and API share them."""

from __future__ import annotations

from typing import Any

import django_filters
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Territory
from core.filters import AnyOf, FilterSet
from partners.filters import below_territory
from partners.models import Partner
from performance.models import Appeal, Correction, Evaluation, Rating, ScoreChange


def _evaluations(**kwargs: Any) -> django_filters.ModelChoiceFilter:
    rows = Evaluation.objects.select_related("scheme")
    return django_filters.ModelChoiceFilter(queryset=rows, **kwargs)


def _partners() -> django_filters.ModelChoiceFilter:
    return django_filters.ModelChoiceFilter(label=_("partner"), queryset=Partner.objects.all())


class RatingFilter(FilterSet):
    evaluation = _evaluations(label=_("evaluation"))
    partner = _partners()
    item_code = django_filters.CharFilter(label=_("item"))
    mark = django_filters.RangeFilter(label=_("mark"))

    class Meta:
        model = Rating
        fields = ["evaluation", "partner", "item_code", "mark"]


class CorrectionFilter(FilterSet):
    evaluation = _evaluations(label=_("evaluation"))
    partner = _partners()
    state = AnyOf(label=_("state"), choices=Correction.State)

    class Meta:
        model = Correction
        fields = ["evaluation", "partner", "state"]


class AppealFilter(FilterSet):
    evaluation = _evaluations(label=_("evaluation"))
    partner = _partners()
    state = AnyOf(label=_("state"), choices=Appeal.State)
    due_on = django_filters.DateFromToRangeFilter(label=_("answer due on"))
    overdue = django_filters.BooleanFilter(label=_("overdue"), method="of_overdue")
    by_partner = django_filters.BooleanFilter(label=_("filed by the partner"))

    class Meta:
        model = Appeal
        fields = ["evaluation", "partner", "state", "due_on", "overdue", "by_partner"]

    def of_overdue(self, rows: Any, name: str, value: bool) -> Any:
        """Those that should have their answer by now, or all others."""
        overdue = Appeal.objects.overdue(timezone.localdate()).values("pk")
        return rows.filter(pk__in=overdue) if value else rows.exclude(pk__in=overdue)


class ScoreChangeFilter(FilterSet):
    evaluation = _evaluations(label=_("evaluation"))
    revision = _evaluations(label=_("revision"))
    late = django_filters.BooleanFilter(
        label=_("only what late facts would change"),
        field_name="revision",
        lookup_expr="isnull",
    )
    partner = _partners()
    territory = django_filters.ModelChoiceFilter(
        label=_("territory"),
        field_name="partner__territory",
        queryset=Territory.objects.all(),
        method=below_territory,
    )
    difference = django_filters.RangeFilter(label=_("difference"))

    class Meta:
        model = ScoreChange
        fields = ["evaluation", "revision", "late", "partner", "territory", "difference"]
