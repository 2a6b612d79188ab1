"""Backtests in the API."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from core.api.serializers import DecimalField, RowSerializer, TextField, WriteSerializer
from core.api.views import CreateMixin, DeleteMixin, ScopedViewSet
from performance import scoring
from performance.backtest import services, whatif
from performance.backtest.filters import BacktestReportFilter, BacktestResultFilter
from performance.models import BacktestReport, BacktestResult, Score
from sales.models import SalesKind

# --- what if --------------------------------------------------------------------------------------


class SupposedSales(serializers.Serializer):
    """Sales of the period that are so many per cent more."""

    percent = DecimalField(max_digits=7, decimal_places=2)
    lines = TextField(
        required=False,
        allow_blank=True,
        default=whatif.ALL,
        max_length=40,
        help_text="Code of a product line, with all below; *focus for the focus lines; empty: all.",
    )
    kind = serializers.ChoiceField(
        choices=SalesKind.choices, required=False, allow_blank=True, default=""
    )


class Supposed(serializers.Serializer):
    """What is supposed of the partner; what is not named stays as it is."""

    sales = SupposedSales(many=True, required=False)
    marks = serializers.DictField(
        child=DecimalField(max_digits=3, decimal_places=2),
        required=False,
        help_text="Mean marks, by code of the rated item.",
    )

    def scenario(self) -> whatif.Scenario:
        """The same as values of the engine."""
        told = self.validated_data
        changes = tuple(whatif.Change(**each) for each in told.get("sales", []))
        return whatif.Scenario(changes, dict(told.get("marks", {})))


class SupposedOutcome(serializers.Serializer):
    """Total, rank and level (by code); null where there is none."""

    total = serializers.CharField(allow_null=True)
    rank = serializers.IntegerField(allow_null=True)
    level = serializers.CharField(allow_null=True)
    held = serializers.CharField()


class SupposedItem(serializers.Serializer):
    """One item now and as supposed; `gain` is what it adds to the total more than now, `stays`
    tells what it rests on that supposed sales leave as it is."""

    code = serializers.CharField()
    value_now = serializers.CharField(allow_null=True)
    value_then = serializers.CharField(allow_null=True)
    points_now = serializers.CharField(allow_null=True)
    points_then = serializers.CharField(allow_null=True)
    gain = serializers.CharField()
    stays = serializers.CharField()


class WhatIfAnswer(serializers.Serializer):
    """Both outcomes, and where the difference comes from."""

    now = SupposedOutcome()
    then = SupposedOutcome()
    items = SupposedItem(many=True)


class WhatIfMixin:
    """What the partner of a row would get on other figures; nothing is written."""

    @extend_schema(request=Supposed, responses={200: WhatIfAnswer}, filters=False)
    @action(detail=True, methods=["post"], url_path="what-if")
    def what_if(self: Any, request: Any, pk: int) -> Response:
        """Score the partner on supposed sales and marks. The medians of the peers and the totals of
        the others stay as they are; nothing is saved."""
        row = self.get_object()
        if request.user.is_partner_user:
            raise PermissionDenied  # ranks among the others are ours to suppose
        told = Supposed(data=request.data)
        told.is_valid(raise_exception=True)
        base = whatif.base_of_score(row) if isinstance(row, Score) else whatif.base_of_result(row)
        found = whatif.what_if(base=base, scenario=told.scenario())
        return Response(
            {
                "now": _outcome(found.now, found.rank_now),
                "then": _outcome(found.then, found.rank_then),
                "items": [_item(each) for each in found.items],
            }
        )


def _outcome(outcome: scoring.Outcome, rank: int | None) -> dict[str, Any]:
    return {
        "total": _text(outcome.total),
        "rank": rank,
        "level": outcome.level,
        "held": outcome.held,
    }


def _item(item: whatif.Item) -> dict[str, Any]:
    return {
        "code": item.definition["code"],
        "value_now": _text(item.value_now),
        "value_then": _text(item.value_then),
        "points_now": _text(item.now.points),
        "points_then": _text(item.then.points),
        "gain": str(item.gain),
        "stays": item.stays,
    }


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


# --- backtests ------------------------------------------------------------------------------------


class BacktestRow(RowSerializer):
    class Meta:
        model = BacktestReport
        fields: tuple[str, ...] = (
            "id",
            "version",
            "scheme_code",
            "version_number",
            "against",
            "against_code",
            "against_number",
            "first_period",
            "last_period",
            "state",
            "partner_count",
            "computed_at",
            "attached_at",
            "updated_at",
        )
        paths = {
            "scheme_code": "version__scheme__code",
            "version_number": "version__number",
            "against_code": "against__scheme__code",
            "against_number": "against__number",
        }


class BacktestDetail(BacktestRow):
    result = serializers.DictField(
        help_text="docs/algorithms/backtest.md tells what is in it; numbers are exact text."
    )

    class Meta(BacktestRow.Meta):
        fields = (*BacktestRow.Meta.fields, "digest", "job", "job_state", "result")
        paths = BacktestRow.Meta.paths | {"job_state": "job__state"}


class BacktestWrite(WriteSerializer):
    first_period = TextField(max_length=10, help_text="2013-09, 2013Q3 or 2013")
    last_period = TextField(max_length=10, help_text="of the same kind; at most 24 periods")

    class Meta:
        model = BacktestReport
        fields = ("version", "against", "first_period", "last_period")


class BacktestReportViewSet(CreateMixin, DeleteMixin, ScopedViewSet):
    """A draft tried on past periods beside a version in force. A new one is filled by a worker: ask
    again until its state is no longer `running`. It is attached to the publishing of a version that
    says exactly what was tried."""

    model = BacktestReport
    row_class = BacktestRow
    detail_class = BacktestDetail
    write_class = BacktestWrite
    filterset_class = BacktestReportFilter
    ordering = ("-id",)
    ordering_fields = {"computed_at": "computed_at", "id": "pk"}

    def elsewhere(self, pk: int) -> dict[str, Any]:
        return {"result": BacktestReport.objects.values_list("result", flat=True).get(pk=pk)}

    def destroy(self, request: Any, pk: int) -> Response:
        """Delete a backtest; 409 for one that is attached to a published version."""
        with self.held() as row:
            services.refuse_attached(row)
            return super().destroy(request, pk)

    @extend_schema(responses={202: BacktestDetail})
    def create(self, request: Any) -> Response:
        """Start a backtest."""
        values = self.checked()
        with transaction.atomic():  # what cannot be answered as it is asked for is not begun
            row = services.request_backtest(
                draft=values["version"],
                against=values["against"],
                first=values["first_period"],
                last=values["last_period"],
                by=request.user,
                on=timezone.localdate(),
            )
            return self.answer(self.represent(row.pk), status.HTTP_202_ACCEPTED)


class BacktestResultRow(RowSerializer):
    class Meta:
        model = BacktestResult
        fields: tuple[str, ...] = (
            "id",
            "report",
            "partner",
            "partner_code",
            "total_draft",
            "total_against",
            "change",
            "rank_draft",
            "rank_against",
            "level_draft_code",
            "level_against_code",
            "steps",
            "near_level_code",
            "margin",
        )
        paths = {
            "partner_code": "partner__code",
            "level_draft_code": "level_draft__code",
            "level_against_code": "level_against__code",
            "near_level_code": "near_level__code",
        }


class BacktestResultDetail(BacktestResultRow):
    trail = serializers.ListField(
        child=serializers.ListField(),
        help_text="Of each period: its code; total, rank, level by the draft; the same in force.",
    )

    class Meta(BacktestResultRow.Meta):
        fields = (*BacktestResultRow.Meta.fields, "trail")


class BacktestResultViewSet(WhatIfMixin, ScopedViewSet):
    """What became of each partner in a backtest; totals, ranks and levels of its last period."""

    model = BacktestResult
    row_class = BacktestResultRow
    detail_class = BacktestResultDetail
    filterset_class = BacktestResultFilter
    changed_at = None
    ordering = ("-report", "id")
    ordering_fields = {
        "report": "report",
        "change": "change",
        "total_draft": "total_draft",
        "rank_draft": "rank_draft",
        "partner": "partner__code",
        "id": "pk",
    }

    def elsewhere(self, pk: int) -> dict[str, Any]:
        return {"trail": BacktestResult.objects.values_list("trail", flat=True).get(pk=pk)}
