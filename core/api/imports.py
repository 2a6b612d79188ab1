"""Imports in the API: how far one is, what came of it, and the rows that were rejected."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import FileResponse, Http404
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _, gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from core import jobs
from core.api.pages import page_size, whole_number
from core.api.rendering import JSONRenderer
from core.api.serializers import RowSerializer
from core.api.views import ScopedViewSet
from core.filters import AnyOf, FilterSet
from core.importing import rejected
from core.importing.models import Import
from core.models import Job


class ImportRow(RowSerializer):
    class Meta:
        model = Import
        fields: tuple[str, ...] = (
            "id",
            "kind",
            "state",
            "file_name",
            "rows",
            "created",
            "updated",
            "unchanged",
            "removed",
            "rejected",
            "error",
            "job",
            "created_by_username",
            "created_at",
            "applied_at",
            "undone_at",
        )
        paths = {"created_by_username": "created_by__username"}


class Progress(serializers.Serializer):
    """How far the work is. `percent` is that of the step which `message` names, or null."""

    percent: Any = serializers.IntegerField(allow_null=True)
    message: Any = serializers.CharField()


class Reject(serializers.Serializer):
    """One reason why a row was rejected."""

    row = serializers.IntegerField()
    field: Any = serializers.CharField(allow_null=True)
    message = serializers.CharField()


class ImportDetail(ImportRow):
    """`progress` is there while a worker has it, `rejects` with rejected rows."""

    progress = Progress(allow_null=True)
    first_rejects = Reject(many=True)
    rejects = serializers.CharField(allow_null=True, help_text="Address of the rejected rows.")

    class Meta(ImportRow.Meta):
        fields = (*ImportRow.Meta.fields, "progress", "first_rejects", "rejects")


class Problem(serializers.Serializer):
    field: Any = serializers.CharField(allow_null=True)
    message = serializers.CharField()


class RejectedRow(serializers.Serializer):
    """A row as it was sent, and why it was rejected."""

    row = serializers.IntegerField()
    values: Any = serializers.DictField(child=serializers.CharField(allow_blank=True))
    problems = Problem(many=True)


class RejectedPage(serializers.Serializer):
    next = serializers.URLField(allow_null=True)
    results = RejectedRow(many=True)


class ImportFilter(FilterSet):
    kind = django_filters.CharFilter(label=gettext_lazy("kind"))
    state = AnyOf(label=gettext_lazy("state"), choices=Import.State)

    class Meta:
        model = Import
        fields = ["kind", "state"]


class CSVRenderer(BaseRenderer):
    """Only names the type: the file is sent as it is."""

    media_type, format = "text/csv", "csv"


class ImportViewSet(ScopedViewSet):
    """Files and large requests on their way in. You see your own; who may look at all imports of
    the network sees those."""

    model = Import
    changed_at = None  # follow the events
    row_class = ImportRow
    detail_class = ImportDetail
    filterset_class = ImportFilter
    ordering = ("-id",)

    def get_renderers(self) -> list[Any]:
        """Rejected rows are JSON or the file."""
        if self.action == "rejects":
            return [JSONRenderer(), CSVRenderer()]
        return super().get_renderers()

    def permission_needed(self) -> str | None:
        """None: one's own import may always be asked for, and others are not seen without it."""
        return None

    def elsewhere(self, pk: int) -> dict[str, Any]:
        return _elsewhere(self.get_queryset().select_related("job").get(pk=pk))

    @extend_schema(
        parameters=[
            OpenApiParameter("after", int, description="Follow `next`."),
            OpenApiParameter("page_size", int, description="Rows a page."),
        ],
        responses={
            (200, "application/json"): RejectedPage,
            (200, "text/csv"): OpenApiTypes.BINARY,
        },
        filters=False,
    )
    @action(
        detail=True,
        pagination_class=None,
        filter_backends=[],
        renderer_classes=[JSONRenderer, CSVRenderer],
    )
    def rejects(self, request: Any, pk: int) -> HttpResponseBase:
        """The rows that were rejected, page by page; all of them with `Accept: text/csv`. 404 where
        there are none."""
        load = self.get_object()
        if not load.error_file or not load.error_file.storage.exists(load.error_file.name):
            raise Http404
        if request.accepted_renderer.format == "csv":
            return FileResponse(load.error_file.open("rb"), content_type="text/csv; charset=utf-8")
        place = whole_number(request, "after", 0, 0, load.error_file.size)
        with load.error_file.open("rb") as stream:
            try:
                rows, following = rejected.read(stream, place, page_size(request))
            except ValueError as error:
                message = _("No row begins there. Follow “next”.")
                raise ValidationError({"after": [message]}, "out_of_range") from error
        url = request.build_absolute_uri()
        return Response(
            {
                "next": replace_query_param(url, "after", following) if following else None,
                "results": [
                    {
                        "row": one.row,
                        "values": one.values,
                        "problems": [
                            {"field": name or None, "message": reason}
                            for name, reason in one.problems
                        ],
                    }
                    for one in rows
                ],
            }
        )


def represent(found: QuerySet) -> dict[str, Any]:
    """The one import in `found` as the API shows it; 404 when there is none."""
    load = found.select_related("job").first()
    if load is None:
        raise Http404
    row: dict[str, Any] = ImportDetail.read(found).get()
    return row | _elsewhere(load)


def _elsewhere(load: Import) -> dict[str, Any]:
    return {
        "progress": _progress(load.job) if load.is_running and load.job else None,
        "first_rejects": [
            {"row": number, "field": name or None, "message": reason}
            for number, name, reason in load.report.get("rejects", [])
        ],
        "rejects": reverse("api:import-rejects", args=[load.pk]) if load.error_file else None,
    }


def _progress(job: Job) -> dict[str, Any]:
    found = jobs.progress_of(job)
    return {"percent": found["percent"], "message": found["message"]}
