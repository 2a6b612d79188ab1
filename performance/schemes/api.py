"""Schemes and their versions in the API."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from core.api.serializers import RowSerializer, WriteSerializer
from core.api.views import Blocker, ScopedViewSet, TransitionsMixin, WriteMixin
from core.errors import Conflict
from core.filters import AnyOf, FilterSet
from performance import services
from performance.definitions import definition
from performance.models import Scheme, SchemeVersion
from performance.schemes import files


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
            *("rating_days", "review_days", "appeal_days", "answer_days"),
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
    `measures` are the codes of the derived measures that were made with it, `problems` still forbid
    publishing it."""

    outcome = serializers.ChoiceField(choices=[files.UNCHANGED, files.CREATED, files.REPLACED])
    version = serializers.IntegerField()
    number = serializers.IntegerField()
    state = serializers.CharField()
    measures = serializers.ListField(child=serializers.CharField())
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
        return Response(files.document(newest))

    @extend_schema(request=OpenApiTypes.OBJECT, responses={200: LoadedFile})
    @file.mapping.put
    def load_file(self, request: Any, pk: int) -> Response:
        """Make the scheme say what a scheme file says: its open draft, or a new one. What the
        newest version says already changes nothing."""
        scheme = self.get_object()
        wanted = files.parse(request.data)
        if wanted["code"] != scheme.code:
            message = _("The file is of the scheme “%(code)s”.") % {"code": wanted["code"]}
            raise Conflict("other_scheme", message, "code")
        loaded = files.load(wanted, by=request.user)
        return Response(
            {
                "outcome": loaded.outcome,
                "version": loaded.version.pk,
                "number": loaded.version.number,
                "state": loaded.version.state,
                "measures": loaded.measures,
                "problems": [
                    {"code": p.code, "message": str(p.message), "field": p.field}
                    for p in loaded.problems
                ],
            }
        )
