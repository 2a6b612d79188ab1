"""Evaluations, their schedules and deductions in the API."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.response import Response

from core import crud
from core.api.serializers import RowSerializer, TextField, WriteSerializer
from core.api.views import CreateMixin, ScopedViewSet, TransitionsMixin, WriteMixin
from performance import services
from performance.filters import DeductionFilter, EvaluationFilter, ScheduleFilter
from performance.models import Deduction, Evaluation, EvaluationSchedule


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
