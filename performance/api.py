"""Schemes, evaluations and scores in the API."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import django_filters
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from core import crud
from core.api.serializers import RowSerializer, TextField, WriteSerializer
from core.api.views import Blocker, CreateMixin, ScopedViewSet, TransitionsMixin, WriteMixin
from core.errors import Conflict, DomainError
from core.filters import AnyOf, FilterSet
from performance import scheme_files, selectors, services
from performance.backtest.api import WhatIfMixin
from performance.definitions import definition
from performance.explain import outcome_sentences
from performance.filters import (
    ConsequenceFilter,
    DeductionFilter,
    EvaluationFilter,
    ImprovementPlanFilter,
    PlanActionFilter,
    ScheduleFilter,
    ScoreFilter,
)
from performance.models import (
    Consequence,
    Deduction,
    Evaluation,
    EvaluationSchedule,
    ImprovementPlan,
    PlanAction,
    Scheme,
    SchemeVersion,
    Score,
)
from performance.results import document, peers
from performance.results.ahead import Ahead, ahead
from performance.sources import Source, api_url

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
    name = serializers.CharField(required=False)
    name_en = serializers.CharField(required=False)
    basis = serializers.CharField(required=False, help_text="rating or scores; absent: measure")
    role = serializers.CharField(required=False, help_text="bonus; absent: weighted")
    anchors = serializers.DictField(required=False, child=serializers.CharField())
    raters = serializers.IntegerField(required=False)
    source_scheme = serializers.CharField(required=False)
    source_items = serializers.ListField(required=False, child=serializers.CharField())
    minimum = serializers.CharField(required=False)
    minimum_rule = serializers.CharField(required=False)
    derived = serializers.DictField(
        required=False, help_text="Of a derived measure, what decides its value."
    )


class LevelDefinition(serializers.Serializer):
    """The total from which on a partner has a level, and the one that keeps it."""

    level = serializers.CharField()
    min_total = serializers.CharField()
    keep_total = serializers.CharField(required=False)


class VetoDefinition(serializers.Serializer):
    """A value beyond its bound takes the level, or the whole total."""

    code = serializers.CharField()
    name = serializers.CharField()
    name_en = serializers.CharField(required=False)
    measure = serializers.CharField()
    kind = serializers.CharField()
    product_line = serializers.CharField(allow_null=True)
    side = serializers.CharField()
    bound = serializers.CharField()
    effect = serializers.CharField()


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
    vetoes = VetoDefinition(many=True)

    class Meta(VersionRow.Meta):
        fields = (
            *VersionRow.Meta.fields,
            *("deduction_cap", "grace", "most_steps_up", "most_steps_down"),
            *("rating_days", "review_days", "appeal_days"),
            *("scope", "items", "levels", "vetoes"),
        )


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
        return {name: found.get(name, []) for name in ("scope", "items", "levels", "vetoes")}


class LoadedFile(serializers.Serializer):
    """What loading a scheme file came to: unchanged, created (a draft) or replaced (the open one);
    `problems` still forbid publishing it."""

    outcome = serializers.ChoiceField(
        choices=[scheme_files.UNCHANGED, scheme_files.CREATED, scheme_files.REPLACED]
    )
    version = serializers.IntegerField()
    number = serializers.IntegerField()
    state = serializers.CharField()
    problems = Blocker(many=True)


class SchemeViewSet(WriteMixin, ScopedViewSet):
    """Ways of scoring partners; what they say is in their versions."""

    model = Scheme
    row_class = SchemeRow
    detail_class = SchemeDetail
    write_class = SchemeWrite
    search_fields = ("code", "name", "name_en")
    ordering_fields = {"code": "code", "name": "name", "id": "pk"}
    PERMISSIONS = ScopedViewSet.PERMISSIONS | {"drafts": "add", "load_file": "change"}

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

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def file(self, request: Any, pk: int) -> Response:
        """What the newest version of the scheme says, as a scheme file (docs/schemes.md)."""
        newest = self.get_object().versions.select_related("scheme").order_by("-number").first()
        if newest is None:
            raise Http404
        return Response(scheme_files.document(newest))

    @extend_schema(request=OpenApiTypes.OBJECT, responses={200: LoadedFile})
    @file.mapping.put
    def load_file(self, request: Any, pk: int) -> Response:
        """Make the scheme say what a scheme file says: its open draft, or a new one. What the
        newest version says already changes nothing."""
        scheme = self.get_object()
        wanted = scheme_files.parse(request.data)
        if wanted["code"] != scheme.code:
            message = _("The file is of the scheme “%(code)s”.") % {"code": wanted["code"]}
            raise Conflict("other_scheme", message, "code")
        loaded = scheme_files.load(wanted, by=request.user)
        return Response(
            {
                "outcome": loaded.outcome,
                "version": loaded.version.pk,
                "number": loaded.version.number,
                "state": loaded.version.state,
                "problems": [
                    {"code": p.code, "message": str(p.message), "field": p.field}
                    for p in loaded.problems
                ],
            }
        )


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
            *("reason", "rating_before", "review_before", "appeal_before"),
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
        fields = ("scheme", "period", "reason")
        codes = {"scheme_code": ("scheme", "code")}


class EvaluationViewSet(TransitionsMixin, CreateMixin, ScopedViewSet):
    """Runs of a scheme over a period. A new one is computed by a worker: ask again until its state
    is no longer `running`, then fire the transition `publish`; or, where its version has windows,
    `close_ratings` before. What is published is opened again as a revision, with a `reason`."""

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
                reason=values.get("reason", ""),
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
            "base",
            "bonus",
            "deducted",
            "vetoes",
            "held",
            "level_before_code",
        )
        paths = {
            "level_before_code": "level_before__code",
            "scheme_code": "evaluation__scheme__code",
            "period_code": "evaluation__period_code",
            "partner_code": "partner__code",
            "level_code": "level__code",
        }


class SourceLines(serializers.Serializer):
    """Rows behind a value, counted and summed now: `starts_on` ≤ day < `ends_before`."""

    table = serializers.CharField(help_text="sales, payments, reports or targets")
    kind = serializers.CharField()
    starts_on = serializers.DateField()
    ends_before = serializers.DateField()
    product_line = serializers.CharField(allow_null=True)
    lines = serializers.IntegerField()
    net = serializers.CharField(allow_null=True)
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
    quarter = serializers.IntegerField(
        allow_null=True, help_text="1 (best) to 4 among the partners; null with fewer than 5 peers."
    )
    sources = SourceLines(many=True)


class WayToLevel(serializers.Serializer):
    """One item that alone would be enough: the points it needs, and the value that gives them."""

    code = serializers.CharField()
    points_now = serializers.CharField()
    points = serializers.CharField()
    value_now = serializers.CharField()
    value = serializers.CharField()
    more = serializers.CharField(
        allow_null=True, help_text="More net sales, where the item compares with what stands."
    )


class NextLevel(serializers.Serializer):
    """What is missing for the next level."""

    level_code = serializers.CharField()
    needed = serializers.CharField(help_text="The total that it takes.")
    points = serializers.CharField(help_text="What is missing of it.")
    obstacles = serializers.ListField(child=serializers.CharField())
    ways = WayToLevel(many=True)


class TrendEntry(serializers.Serializer):
    """The total of the partner by the same scheme in an earlier period, or this one."""

    period_code = serializers.CharField()
    score = serializers.IntegerField()
    total = serializers.DecimalField(max_digits=6, decimal_places=2, allow_null=True)


class ScoreDetail(ScoreRow):
    items = ScoreItem(many=True)
    applied = serializers.ListField(
        child=serializers.CharField(),
        help_text="What was applied between the items and the level, in sentences.",
    )

    quarter = serializers.IntegerField(
        allow_null=True, help_text="1 (best) to 4 by the total; null with fewer than 5 peers."
    )
    next_level = NextLevel(allow_null=True)
    trend = TrendEntry(many=True)

    class Meta(ScoreRow.Meta):
        fields = (*ScoreRow.Meta.fields, "items", "applied", "quarter", "next_level", "trend")


_STORED = ("code", "weight", "value", "target", "x", "points", "status")
_COUNTED = ("numerator", "denominator", "lines")


class ScoreViewSet(WhatIfMixin, ScopedViewSet):
    """What partners got, with the derivation of each item down to the sales lines."""

    model = Score
    row_class = ScoreRow
    detail_class = ScoreDetail
    filterset_class = ScoreFilter
    changed_at = None
    PERMISSIONS = ScopedViewSet.PERMISSIONS | {"pdf": "view"}
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
        found = definition(score.evaluation.scheme_version)
        among, missing = peers.cuts(score.evaluation), ahead(score)
        total = among.get(peers.TOTAL)
        return {
            "items": [_item(score, line, among) for line in selectors.scorecard(score)],
            "applied": outcome_sentences(found, score),
            "quarter": total and total.quarter(score.total),
            "next_level": missing and _next_level(missing),
            "trend": [
                {"period_code": row.evaluation.period_code, "score": row.pk, "total": row.total}
                for row in selectors.trend(score)
            ],
        }

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "language", str, enum=document.LANGUAGES, description="Default: zh-hans"
            )
        ],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
    )
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def pdf(self, request: Any, pk: int) -> HttpResponse:
        """The scorecard as a PDF."""
        score = self._with_evaluation().get(pk=self.get_object().pk)
        language = request.query_params.get("language", document.LANGUAGES[0])
        if language not in document.LANGUAGES:
            message = _("Choose one of: %(choices)s.") % {"choices": ", ".join(document.LANGUAGES)}
            raise DomainError("bad_language", message, "language")
        content = document.scorecard_pdf(score, language)
        response = HttpResponse(content, content_type="application/pdf")
        name = document.file_name(score)
        response["Content-Disposition"] = content_disposition_header(True, name)
        return response

    def _with_evaluation(self) -> QuerySet:
        related = ("evaluation__scheme_version__scheme", "partner", "level", "level_before")
        return Score.objects.select_related(*related)


def _next_level(found: Ahead) -> dict[str, Any]:
    return {
        "level_code": found.level.code,
        "needed": str(found.needed),
        "points": str(found.points),
        "obstacles": found.obstacles,
        "ways": [
            {
                "code": way.code,
                "points_now": str(way.points_now),
                "points": str(way.points),
                "value_now": str(way.value_now),
                "value": str(way.value),
                "more": None if way.more is None else str(way.more),
            }
            for way in found.ways
        ],
    }


def _item(score: Score, line: selectors.Line, among: dict[str, peers.Cuts]) -> dict[str, Any]:
    points, cuts = line.stored["points"], among.get(line.code)
    return {
        "quarter": cuts and cuts.quarter(None if points is None else Decimal(points)),
        **{name: line.stored[name] for name in _STORED},
        "measure": line.definition["measure"],
        "weighted": None if line.weighted is None else str(line.weighted),
        **{name: line.stored[name] for name in _COUNTED},
        "curve": line.curve,
        "sentence": line.sentence,
        "sources": [_source(score, each) for each in selectors.sources(score, line.definition)],
    }


def _source(score: Score, source: Source) -> dict[str, Any]:
    return {
        "table": source.table,
        "kind": source.kind,
        "starts_on": source.starts_on,
        "ends_before": source.ends_before,
        "product_line": source.product_line,
        "lines": source.lines,
        "net": None if source.net is None else str(source.net),
        "url": api_url(score.partner_id, source),
    }


# --- Deductions -----------------------------------------------------------------------------------


class DeductionRow(RowSerializer):
    class Meta:
        model = Deduction
        fields: tuple[str, ...] = (
            "id",
            "partner",
            "partner_code",
            "decided_on",
            "points",
            "reason",
            "state",
            "entered_by",
            "decided_by",
            "updated_at",
        )
        paths = {"partner_code": "partner__code"}


class DeductionWrite(WriteSerializer):
    class Meta:
        model = Deduction
        fields = ("partner", "decided_on", "points", "reason")
        codes = {"partner_code": ("partner", "code")}


class DeductionViewSet(TransitionsMixin, WriteMixin, ScopedViewSet):
    """Points off for cases. Whoever proposes one cannot decide it: a second person fires the
    transition `decide` or `reject`; then it cannot be changed any more."""

    model = Deduction
    row_class = detail_class = DeductionRow
    write_class = DeductionWrite
    filterset_class = DeductionFilter
    search_fields = ("partner__code", "partner__name", "reason")
    ordering = ("-decided_on", "-id")
    ordering_fields = {"decided_on": "decided_on", "points": "points", "id": "pk"}

    def create(self, request: Any) -> Response:
        """Propose a deduction."""
        row = Deduction(**self.checked(), entered_by=request.user)
        crud.save(row, by=request.user)
        return self.answer(self.represent(row.pk), status.HTTP_201_CREATED)


# --- Consequences ---------------------------------------------------------------------------------


class ConsequenceRow(RowSerializer):
    class Meta:
        model = Consequence
        fields: tuple[str, ...] = (
            "id",
            "kind",
            "partner",
            "partner_code",
            "evaluation",
            "level_code",
            "level_before_code",
            "reason",
            "effective_on",
            "state",
            "proposed_by",
            "agreed_by",
            "decided_by",
            "updated_at",
        )
        paths = {
            "partner_code": "partner__code",
            "level_code": "level__code",
            "level_before_code": "level_before__code",
        }


class ConsequenceWrite(WriteSerializer):
    class Meta:
        model = Consequence
        fields = ("kind", "partner", "evaluation", "level", "reason", "effective_on")
        codes = {"partner_code": ("partner", "code"), "level_code": ("level", "code")}


class ConsequenceViewSet(TransitionsMixin, WriteMixin, ScopedViewSet):
    """Level changes, awards, warnings and eliminations. Whoever proposes one cannot decide it;
    what is decided takes effect on its day and cannot be changed any more."""

    model = Consequence
    row_class = detail_class = ConsequenceRow
    write_class = ConsequenceWrite
    filterset_class = ConsequenceFilter
    search_fields = ("partner__code", "partner__name", "reason")
    ordering = ("-effective_on", "-id")
    ordering_fields = {"effective_on": "effective_on", "id": "pk"}

    def create(self, request: Any) -> Response:
        """Propose a consequence."""
        row = Consequence(**self.checked(), proposed_by=request.user)
        crud.save(row, by=request.user)
        return self.answer(self.represent(row.pk), status.HTTP_201_CREATED)


class ImprovementPlanRow(RowSerializer):
    class Meta:
        model = ImprovementPlan
        fields: tuple[str, ...] = (
            "id",
            "partner",
            "partner_code",
            "evaluation",
            "goal",
            "owner",
            "starts_on",
            "due_on",
            "scheme",
            "scheme_code",
            "retest_period",
            "goal_total",
            "state",
            "result",
            "updated_at",
        )
        paths = {"partner_code": "partner__code", "scheme_code": "scheme__code"}


class ImprovementPlanWrite(WriteSerializer):
    class Meta:
        model = ImprovementPlan
        fields = (
            *("partner", "evaluation", "goal", "owner", "starts_on", "due_on"),
            *("scheme", "retest_period", "goal_total"),
        )
        codes = {"partner_code": ("partner", "code"), "scheme_code": ("scheme", "code")}


class ImprovementPlanViewSet(TransitionsMixin, WriteMixin, ScopedViewSet):
    """What partners are to do better until a re-test, which closes the plan by its result."""

    model = ImprovementPlan
    row_class = detail_class = ImprovementPlanRow
    write_class = ImprovementPlanWrite
    filterset_class = ImprovementPlanFilter
    search_fields = ("partner__code", "partner__name", "goal")
    ordering = ("due_on", "id")
    ordering_fields = {"due_on": "due_on", "id": "pk"}


class PlanActionRow(RowSerializer):
    class Meta:
        model = PlanAction
        fields = (
            *("id", "plan", "partner_code", "what", "owner", "due_on", "done_on", "note"),
            "updated_at",
        )
        paths = {"partner_code": "plan__partner__code"}


class PlanActionWrite(WriteSerializer):
    class Meta:
        model = PlanAction
        fields = ("plan", "what", "owner", "due_on", "done_on", "note")


class PlanActionViewSet(WriteMixin, ScopedViewSet):
    """The actions of improvement plans, each with an owner and a day."""

    model = PlanAction
    row_class = detail_class = PlanActionRow
    write_class = PlanActionWrite
    filterset_class = PlanActionFilter
    search_fields = ("what", "plan__partner__code")
    ordering = ("due_on", "id")
    ordering_fields = {"due_on": "due_on", "id": "pk"}
