"""Schemes, evaluations and scores in the API."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import django_filters
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from catalog.models import ProductLine
from core.api.serializers import RowSerializer, TextField, WriteSerializer
from core.api.views import CreateMixin, ScopedViewSet, TransitionsMixin, WriteMixin
from core.filters import AnyOf, FilterSet
from performance import selectors, services
from performance.definitions import definition
from performance.filters import EvaluationFilter, ScheduleFilter, ScoreFilter
from performance.models import Evaluation, EvaluationSchedule, Scheme, SchemeVersion, Score

# --- Schemes --------------------------------------------------------------------------------------


class VersionRow(RowSerializer):
    class Meta:
        model = SchemeVersion
        fields: tuple[str, ...] = (
            "id",
            "scheme",
            "scheme_code",
            "number",
            "state",
            "note",
            "updated_at",
        )
        paths = {"scheme_code": "scheme__code"}


class SchemeRow(RowSerializer):
    class Meta:
        model = Scheme
        fields: tuple[str, ...] = ("id", "code", "name", "name_en", "updated_at")


class SchemeDetail(SchemeRow):
    versions = VersionRow(many=True)

    class Meta(SchemeRow.Meta):
        fields = (*SchemeRow.Meta.fields, "versions")


class SchemeWrite(WriteSerializer):
    class Meta:
        model = Scheme
        fields = ("code", "name", "name_en")


class ItemDefinition(serializers.Serializer):
    """One line of a scheme version; numbers are strings."""

    code = serializers.CharField()
    measure = serializers.CharField()
    kind = serializers.CharField()
    product_line = serializers.CharField(allow_null=True)
    weight = serializers.CharField()
    target_source = serializers.CharField()
    target = serializers.CharField(allow_null=True)
    curve = serializers.DictField()
    cap = serializers.CharField()
    gate = serializers.CharField(allow_null=True)
    missing = serializers.CharField()


class LevelDefinition(serializers.Serializer):
    """The total from which on a partner has a level."""

    level = serializers.CharField()
    min_total = serializers.CharField()


class ScopeDefinition(serializers.Serializer):
    """Which partners are scored; an empty list restricts nothing."""

    states = serializers.ListField(child=serializers.CharField())
    channel_types = serializers.ListField(child=serializers.CharField())
    levels = serializers.ListField(child=serializers.CharField())
    territories = serializers.ListField(child=serializers.CharField())


class VersionDetail(VersionRow):
    scope = ScopeDefinition()
    items = ItemDefinition(many=True)
    levels = LevelDefinition(many=True)

    class Meta(VersionRow.Meta):
        fields = (*VersionRow.Meta.fields, "scope", "items", "levels")


class SchemeVersionFilter(FilterSet):
    """Versions have no list among the pages, so this filter is the API's own."""

    scheme = django_filters.ModelChoiceFilter(queryset=Scheme.objects.all())
    state = AnyOf(choices=SchemeVersion.State)

    class Meta:
        model = SchemeVersion
        fields = ["scheme", "state"]


class SchemeVersionViewSet(TransitionsMixin, ScopedViewSet):
    """The wordings of schemes. A published one is frozen; publishing retires the one before."""

    model = SchemeVersion
    row_class = VersionRow
    detail_class = VersionDetail
    filterset_class = SchemeVersionFilter
    ordering = ("-id",)

    def elsewhere(self, pk: int) -> dict[str, Any]:
        found = definition(SchemeVersion.objects.select_related("scheme").get(pk=pk))
        return {name: found[name] for name in ("scope", "items", "levels")}


class SchemeViewSet(WriteMixin, ScopedViewSet):
    """Ways of scoring partners; what they say is in their versions."""

    model = Scheme
    row_class = SchemeRow
    detail_class = SchemeDetail
    write_class = SchemeWrite
    search_fields = ("code", "name", "name_en")
    ordering_fields = {"code": "code", "name": "name", "id": "pk"}
    PERMISSIONS = ScopedViewSet.PERMISSIONS | {"drafts": "add"}

    def elsewhere(self, pk: int) -> dict[str, Any]:
        versions = SchemeVersion.objects.visible_to(self.request.user).filter(scheme_id=pk)
        return {"versions": list(VersionRow.read(versions.order_by("-number")))}

    @extend_schema(request=None, responses={201: VersionDetail})
    @action(detail=True, methods=["post"])
    def drafts(self, request: Any, pk: int) -> Response:
        """The open draft of the scheme, or a new one: a copy of its newest version."""
        shown = SchemeVersionViewSet(request=request, action="retrieve")
        with transaction.atomic():
            draft = services.draft_version(scheme=self.get_object(), by=request.user)
            return shown.answer(shown.represent(draft.pk), status.HTTP_201_CREATED)


class ScheduleRow(RowSerializer):
    class Meta:
        model = EvaluationSchedule
        fields = (
            "id",
            "scheme",
            "scheme_code",
            "every",
            "days_after",
            "active",
            "last_period",
            "updated_at",
        )
        paths = {"scheme_code": "scheme__code"}


class ScheduleWrite(WriteSerializer):
    class Meta:
        model = EvaluationSchedule
        fields = ("scheme", "every", "days_after", "active")
        codes = {"scheme_code": ("scheme", "code")}


class EvaluationScheduleViewSet(WriteMixin, ScopedViewSet):
    """Evaluate a scheme every month, quarter or year, so many days after the period has ended."""

    model = EvaluationSchedule
    row_class = detail_class = ScheduleRow
    write_class = ScheduleWrite
    filterset_class = ScheduleFilter


# --- Evaluations ----------------------------------------------------------------------------------


class EvaluationRow(RowSerializer):
    class Meta:
        model = Evaluation
        fields: tuple[str, ...] = (
            "id",
            "scheme",
            "scheme_code",
            "scheme_version",
            "version_number",
            "period_code",
            "starts_on",
            "ends_before",
            "revision",
            "state",
            "partner_count",
            "as_of",
            "computed_at",
            "published_at",
            "updated_at",
        )
        paths = {"scheme_code": "scheme__code", "version_number": "scheme_version__number"}


class EvaluationDetail(EvaluationRow):
    class Meta(EvaluationRow.Meta):
        fields = (*EvaluationRow.Meta.fields, "digest", "watermark", "peers", "job", "job_state")
        paths = EvaluationRow.Meta.paths | {"job_state": "job__state"}


class EvaluationWrite(WriteSerializer):
    period = TextField(max_length=10, help_text="2013-09, 2013Q3 or 2013")

    class Meta:
        model = Evaluation
        fields = ("scheme", "period")
        codes = {"scheme_code": ("scheme", "code")}


class EvaluationViewSet(TransitionsMixin, CreateMixin, ScopedViewSet):
    """Runs of a scheme over a period. A new one is computed by a worker: ask again until its state
    is no longer `running`, then fire the transition `publish`."""

    model = Evaluation
    row_class = EvaluationRow
    detail_class = EvaluationDetail
    write_class = EvaluationWrite
    filterset_class = EvaluationFilter
    ordering = ("-starts_on", "-id")
    ordering_fields = {"starts_on": "starts_on", "computed_at": "computed_at", "id": "pk"}

    @extend_schema(responses={202: EvaluationDetail})
    def create(self, request: Any) -> Response:
        """Start an evaluation, or compute one again that is not published yet."""
        values = self.checked()
        with transaction.atomic():  # what cannot be answered as it is asked for is not begun
            job = services.request_evaluation(
                scheme=values["scheme"],
                period=values["period"],
                by=request.user,
                on=timezone.localdate(),
            )
            evaluation = Evaluation.objects.get(job=job)
            return self.answer(self.represent(evaluation.pk), status.HTTP_202_ACCEPTED)


# --- Scores ---------------------------------------------------------------------------------------


class ScoreRow(RowSerializer):
    class Meta:
        model = Score
        fields: tuple[str, ...] = (
            "id",
            "evaluation",
            "scheme_code",
            "period_code",
            "partner",
            "partner_code",
            "total",
            "rank",
            "level",
            "level_code",
        )
        paths = {
            "scheme_code": "evaluation__scheme__code",
            "period_code": "evaluation__period_code",
            "partner_code": "partner__code",
            "level_code": "level__code",
        }


class SourceLines(serializers.Serializer):
    """Sales lines behind an item, counted and summed now: `starts_on` ≤ day < `ends_before`."""

    kind = serializers.CharField()
    starts_on = serializers.DateField()
    ends_before = serializers.DateField()
    product_line = serializers.CharField(allow_null=True)
    lines = serializers.IntegerField()
    net = serializers.CharField()
    url = serializers.CharField(help_text="Where the API lists them.")


class ScoreItem(serializers.Serializer):
    """One item with its derivation. Null points: the item does not apply to the partner."""

    code = serializers.CharField()
    measure = serializers.CharField()
    weight = serializers.CharField()
    value = serializers.CharField(allow_null=True)
    target = serializers.CharField(allow_null=True)
    x = serializers.CharField(allow_null=True, help_text="Where the curve is read.")
    points = serializers.CharField(allow_null=True)
    weighted = serializers.CharField(allow_null=True, help_text="What it adds to the total.")
    status = serializers.CharField()
    numerator = serializers.CharField()
    denominator = serializers.CharField(allow_null=True)
    lines = serializers.IntegerField()
    curve = serializers.CharField()
    sentence = serializers.CharField(help_text="The derivation in words.")
    sources = SourceLines(many=True)


class ScoreDetail(ScoreRow):
    items = ScoreItem(many=True)

    class Meta(ScoreRow.Meta):
        fields = (*ScoreRow.Meta.fields, "items")


_STORED = ("code", "weight", "value", "target", "x", "points", "status")
_COUNTED = ("numerator", "denominator", "lines")


class ScoreViewSet(ScopedViewSet):
    """What partners got, with the derivation of each item down to the sales lines."""

    model = Score
    row_class = ScoreRow
    detail_class = ScoreDetail
    filterset_class = ScoreFilter
    changed_at = None
    ordering = ("-evaluation", "rank")
    ordering_fields = {
        "evaluation": "evaluation",
        "rank": "rank",
        "total": "total",
        "partner": "partner__code",
        "id": "pk",
    }

    def elsewhere(self, pk: int) -> dict[str, Any]:
        score = self._with_evaluation().get(pk=pk)
        return {"items": [_item(score, line) for line in selectors.scorecard(score)]}

    def _with_evaluation(self) -> QuerySet:
        return Score.objects.select_related("evaluation__scheme_version__scheme")


def _item(score: Score, line: selectors.Line) -> dict[str, Any]:
    return {
        **{name: line.stored[name] for name in _STORED},
        "measure": line.definition["measure"],
        "weighted": None if line.weighted is None else str(line.weighted),
        **{name: line.stored[name] for name in _COUNTED},
        "curve": line.curve,
        "sentence": line.sentence,
        "sources": [_source(score, each) for each in selectors.sources(score, line.definition)],
    }


def _source(score: Score, source: selectors.Source) -> dict[str, Any]:
    query = selectors.list_filter(score.partner_id, source)
    if source.product_line:
        query["product_line"] = ProductLine.objects.get(code=source.product_line).pk
    return {
        "kind": source.kind,
        "starts_on": source.starts_on,
        "ends_before": source.ends_before,
        "product_line": source.product_line,
        "lines": source.lines,
        "net": str(source.net),
        "url": f"{reverse('api:salesfact-list')}?{urlencode(query)}",
    }
