"""Filters of schemes, evaluations and scores; pages and API share them."""

from __future__ import annotations

import django_filters
from django.utils.translation import gettext_lazy as _

from accounts.models import Territory, User
from core.filters import AnyOf, AnyRowOf, FilterSet
from partners.filters import below_territory
from partners.models import Level, Partner
from performance.models import (
    Consequence,
    ConsequenceKind,
    Deduction,
    Evaluation,
    EvaluationSchedule,
    ImprovementPlan,
    PlanAction,
    Scheme,
    SchemeVersion,
    Score,
)


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


class DeductionFilter(FilterSet):
    partner = django_filters.ModelChoiceFilter(label=_("partner"), queryset=Partner.objects.all())
    state = AnyOf(label=_("state"), choices=Deduction.State)
    decided_on = django_filters.DateFromToRangeFilter(label=_("counts on"))

    class Meta:
        model = Deduction
        fields = ["partner", "state", "decided_on"]


class ConsequenceFilter(FilterSet):
    partner = django_filters.ModelChoiceFilter(label=_("partner"), queryset=Partner.objects.all())
    kind = AnyOf(label=_("Kind"), choices=ConsequenceKind)
    state = AnyOf(label=_("state"), choices=Consequence.State)
    evaluation = django_filters.ModelChoiceFilter(
        label=_("evaluation"), queryset=Evaluation.objects.select_related("scheme")
    )
    effective_on = django_filters.DateFromToRangeFilter(label=_("takes effect on"))

    class Meta:
        model = Consequence
        fields = ["partner", "kind", "state", "evaluation", "effective_on"]


class ImprovementPlanFilter(FilterSet):
    partner = django_filters.ModelChoiceFilter(label=_("partner"), queryset=Partner.objects.all())
    state = AnyOf(label=_("state"), choices=ImprovementPlan.State)
    owner = django_filters.ModelChoiceFilter(label=_("owner"), queryset=User.objects.all())
    due_on = django_filters.DateFromToRangeFilter(label=_("due on"))

    class Meta:
        model = ImprovementPlan
        fields = ["partner", "state", "owner", "due_on"]


class PlanActionFilter(FilterSet):
    plan = django_filters.ModelChoiceFilter(
        label=_("improvement plan"), queryset=ImprovementPlan.objects.select_related("partner")
    )
    owner = django_filters.ModelChoiceFilter(label=_("owner"), queryset=User.objects.all())
    due_on = django_filters.DateFromToRangeFilter(label=_("due on"))
    done = django_filters.BooleanFilter(
        label=_("done"), field_name="done_on", lookup_expr="isnull", exclude=True
    )

    class Meta:
        model = PlanAction
        fields = ["plan", "owner", "due_on", "done"]


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
    # Of a queryset `performance.telling.with_told_total`: who is not told a total cannot find it
    # out by asking for ranges.
    total = django_filters.RangeFilter(label=_("total"), field_name="told_total")

    class Meta:
        model = Score
        fields = ["evaluation", "partner", "territory", "level", "total"]


class MatrixFilter(ScoreFilter):
    """Partners of one evaluation."""

    channel_type = AnyOf(
        label=_("channel type"), field_name="partner__channel_type", choices=Partner.ChannelType
    )
    evaluation = None

    class Meta:
        model = Score
        fields = ["partner", "territory", "level", "channel_type", "total"]
