"""Filters of schemes, evaluations and scores; pages and API share them."""

from __future__ import annotations

import django_filters
from django.utils.translation import gettext_lazy as _

from accounts.models import Territory
from core.filters import AnyOf, AnyRowOf, FilterSet
from partners.filters import below_territory
from partners.models import Level, Partner
from performance.models import Evaluation, EvaluationSchedule, Scheme, SchemeVersion, Score


class SchemeVersionFilter(FilterSet):
    scheme = django_filters.ModelChoiceFilter(label=_("scheme"), queryset=Scheme.objects.all())
    state = AnyOf(label=_("state"), choices=SchemeVersion.State)

    class Meta:
        model = SchemeVersion
        fields = ["scheme", "state"]


class ScheduleFilter(FilterSet):
    scheme = django_filters.ModelChoiceFilter(label=_("scheme"), queryset=Scheme.objects.all())
    active = django_filters.BooleanFilter(label=_("active"))

    class Meta:
        model = EvaluationSchedule
        fields = ["scheme", "active"]


class EvaluationFilter(FilterSet):
    scheme = django_filters.ModelChoiceFilter(label=_("scheme"), queryset=Scheme.objects.all())
    state = AnyOf(label=_("state"), choices=Evaluation.State)
    period_code = django_filters.CharFilter(label=_("period"), lookup_expr="iexact")
    starts_on = django_filters.DateFromToRangeFilter(label=_("from"))

    class Meta:
        model = Evaluation
        fields = ["scheme", "state", "period_code", "starts_on"]


class ScoreFilter(FilterSet):
    evaluation = django_filters.ModelChoiceFilter(
        label=_("evaluation"), queryset=Evaluation.objects.select_related("scheme")
    )
    partner = django_filters.ModelChoiceFilter(label=_("partner"), queryset=Partner.objects.all())
    territory = django_filters.ModelChoiceFilter(
        label=_("territory"),
        field_name="partner__territory",
        queryset=Territory.objects.all(),
        method=below_territory,
    )
    level = AnyRowOf(label=_("level"), queryset=Level.objects.all())
    total = django_filters.RangeFilter(label=_("total"))

    class Meta:
        model = Score
        fields = ["evaluation", "partner", "territory", "level", "total"]
