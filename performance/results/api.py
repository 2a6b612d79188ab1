"""Scores, consequences and improvement plans in the API."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from core import crud
from core.api.serializers import RowSerializer, WriteSerializer
from core.api.views import ScopedViewSet, TransitionsMixin, WriteMixin
from core.errors import DomainError
from performance import selectors
from performance.backtest.api import WhatIfMixin
from performance.definitions import definition
from performance.explain import outcome_sentences
from performance.filters import (
    ConsequenceFilter,
    ImprovementPlanFilter,
    PlanActionFilter,
    ScoreFilter,
)
from performance.models import Consequence, ImprovementPlan, PlanAction, Score
from performance.results import document, peers
from performance.results.ahead import Ahead, ahead
from performance.sources import Source, api_url
from performance.telling import resting_on_others, told, with_told_total

# --- Scores ---------------------------------------------------------------------------------------


_FIGURES = ("total", "base", "bonus")
_RANK = "Null for people of a partner: it would tell how many others there are."
_TOLD = "Null for people of a partner where it would tell what others sold."


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
        extra_kwargs = {
            name: {"allow_null": True, "help_text": text}
            for name, text in (
                ("rank", _RANK),
                ("total", _TOLD),
                ("base", _TOLD),
                ("bonus", _TOLD),
            )
        }
        # What says whether the figure is told to who asks.
        needs = dict.fromkeys(_FIGURES, ("evaluation",))
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
    """One item with its derivation. Null points: the item does not apply to the partner; with the
    status `withheld` all its figures are null, because they would tell people of the partner what
    others sold."""

    code = serializers.CharField()
    measure = serializers.CharField()
    weight = serializers.CharField()
    value = serializers.CharField(allow_null=True)
    target = serializers.CharField(allow_null=True)
    x = serializers.CharField(allow_null=True, help_text="Where the curve is read.")
    points = serializers.CharField(allow_null=True)
    weighted = serializers.CharField(allow_null=True, help_text="What it adds to the total.")
    status = serializers.CharField(help_text="scored, cap, floor, gate, missing or withheld")
    numerator = serializers.CharField(allow_null=True)
    denominator = serializers.CharField(allow_null=True)
    lines = serializers.IntegerField()
    curve = serializers.CharField()
    sentence = serializers.CharField(help_text="The derivation in words.")
    quartile = serializers.IntegerField(
        allow_null=True,
        help_text="Where its points are among those of all partners: 1 is the top 25 %, 4 the last "
        "25 %; null with fewer than 5 peers. It has nothing to do with quarters of a year.",
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

    quartile = serializers.IntegerField(
        allow_null=True,
        help_text="Where the total is among those of all partners: 1 is the top 25 %, 4 the last "
        "25 %; null with fewer than 5 peers.",
    )
    next_level = NextLevel(
        allow_null=True, help_text="Null at the highest level, and where the total is not told."
    )
    trend = TrendEntry(many=True)

    class Meta(ScoreRow.Meta):
        fields = (*ScoreRow.Meta.fields, "items", "applied", "quartile", "next_level", "trend")


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
        "total": "told_total",
        "partner": "partner__code",
        "id": "pk",
    }

    def get_queryset(self) -> QuerySet:
        """Those that the user sees, to filter and order by what it is told of them."""
        return with_told_total(super().get_queryset(), self.request.user)

    def shown(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """People of a partner are told nothing that gives away others: see performance.telling."""
        if not self.request.user.is_partner_user:
            return rows
        hidden = resting_on_others({row["evaluation"] for row in rows if "evaluation" in row})
        return [{**row, **_untold(row, hidden)} for row in rows]

    def elsewhere(self, pk: int) -> dict[str, Any]:
        score = self._told(pk)
        found = definition(score.evaluation.scheme_version)
        among, missing = peers.cuts(score.evaluation), ahead(score)
        total = among.get(peers.TOTAL)
        people = not self.request.user.is_partner_user
        lines = selectors.scorecard(score, people=people)
        return {
            "items": [_item(score, line, among) for line in lines],
            "applied": outcome_sentences(found, score, people=people),
            "quartile": total and total.quartile(score.total),
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
        score = self._told(self.get_object().pk)
        language = request.query_params.get("language", document.LANGUAGES[0])
        if language not in document.LANGUAGES:
            message = _("Choose one of: %(choices)s.") % {"choices": ", ".join(document.LANGUAGES)}
            raise DomainError("bad_language", message, "language")
        content = document.scorecard_pdf(score, language)
        response = HttpResponse(content, content_type="application/pdf")
        name = document.file_name(score)
        response["Content-Disposition"] = content_disposition_header(True, name)
        return response

    def _told(self, pk: int) -> Score:
        """The score with what its page reads, as it is told to the user."""
        related = ("evaluation__scheme_version__scheme", "partner", "level", "level_before")
        return told([Score.objects.select_related(*related).get(pk=pk)], self.request.user)[0]


def _untold(row: dict[str, Any], hidden: dict[int, frozenset[str]]) -> dict[str, Any]:
    """The figures that people of a partner see as null."""
    names = ("rank", *_FIGURES) if row.get("evaluation") in hidden else ("rank",)
    return {name: None for name in names if name in row}


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
        "quartile": cuts and cuts.quartile(None if points is None else Decimal(points)),
        **{name: line.stored[name] for name in _STORED},
        "measure": line.definition["measure"],
        "weighted": None if line.weighted is None else str(line.weighted),
        **{name: line.stored[name] for name in _COUNTED},
        "curve": line.curve,
        "sentence": line.sentence,
        "sources": []
        if line.withheld
        else [_source(score, each) for each in selectors.sources(score, line.definition)],
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
