"""`ScopedViewSet`: what a model declares to get its resource. The same rows, filters, checks and
verbs as its pages."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core import crud, workflow
from core.api.pages import Pages
from core.api.queries import Filters, Ordering, Search
from core.api.serializers import RowSerializer, TextField, WriteSerializer

Rows = list[dict[str, Any]]  # outside of the class, whose own `list` is a verb


class ScopedViewSet(GenericViewSet):
    """List and detail of what the user may see; the mixins below add the verbs."""

    model: ClassVar[type[models.Model]]
    row_class: ClassVar[type[RowSerializer]]  # a row of the list
    detail_class: ClassVar[type[RowSerializer]]  # one row, with more columns
    write_class: ClassVar[type[WriteSerializer]]
    filterset_class: ClassVar[Any] = None
    search_fields: ClassVar[tuple[str, ...]] = ()
    ordering: ClassVar[tuple[str, ...]] = ("id",)
    ordering_fields: ClassVar[dict[str, Any]] = {"id": "pk"}

    pagination_class = Pages
    filter_backends = [Filters, Search, Ordering]
    lookup_value_converter = "int"
    metadata_class = None  # OPTIONS: the schema says it better

    PERMISSIONS: ClassVar[dict[str, str]] = {
        "create": "add",
        "partial_update": "change",
        "destroy": "delete",
    }

    def permission_needed(self) -> str | None:
        """The permission that the request needs; None for a method that does not exist."""
        if not self.action:
            return None
        verb = self.PERMISSIONS.get(self.action, "view")
        return f"{self.model._meta.app_label}.{verb}_{self.model._meta.model_name}"

    # --- Reading ---

    def get_queryset(self) -> QuerySet:
        """The rows that the user may see."""
        return self.model._default_manager.visible_to(self.request.user)  # type: ignore[attr-defined]

    def get_serializer_class(self) -> Any:
        if self.action in ("create", "partial_update"):
            return self.write_class
        return self.row_class if self.action == "list" else self.detail_class

    def read(self, queryset: QuerySet) -> QuerySet:
        """Rows of the list, flat."""
        return self.row_class.read(queryset)

    def get_object(self) -> Any:
        """The row in the address; 404 when the user does not see it."""
        found = self.get_queryset().filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise Http404
        return found

    def list(self, request: Any) -> Response:
        """A page of rows."""
        rows: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.shown(rows))

    def retrieve(self, request: Any, pk: int) -> Response:
        """One row."""
        return Response(self.represent(pk))

    def represent(self, pk: int) -> dict[str, Any]:
        """The row as the API shows it; 404 when the user does not see it."""
        row = self.detail_class.read(self.get_queryset().filter(pk=pk)).first()
        if row is None:
            raise Http404
        return self.shown([row])[0]

    def shown(self, rows: Rows) -> Rows:
        """The rows as the user may read them; override it where a column tells of another row."""
        return rows

    # --- Writing ---

    def checked(self, **kwargs: Any) -> dict[str, Any]:
        """The values of the request, of the right types; raises ValidationError."""
        serializer = self.get_serializer(data=self.request.data, **kwargs)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data


class CreateMixin:
    """POST to the list."""

    def create(self: Any, request: Any) -> Response:
        """Make a row."""
        obj = crud.save(self.model(**self.checked()), by=request.user)
        return Response(self.represent(obj.pk), status=status.HTTP_201_CREATED)


class UpdateMixin:
    """PATCH of a row."""

    def partial_update(self: Any, request: Any, pk: int) -> Response:
        """Change the fields that are given."""
        obj = self.get_object()
        for name, value in self.checked(partial=True).items():
            setattr(obj, name, value)
        crud.save(obj, by=request.user)
        return Response(self.represent(pk))


class DeleteMixin:
    """DELETE of a row."""

    def destroy(self: Any, request: Any, pk: int) -> Response:
        """Delete a row; 409 while other rows need it."""
        crud.delete(self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class WriteMixin(CreateMixin, UpdateMixin, DeleteMixin):
    """All three."""


class Reason(serializers.Serializer):
    """Why; some transitions ask for it."""

    reason = TextField(required=False, allow_blank=True, max_length=2000, default="")


class Blocker(serializers.Serializer):
    """One reason why something cannot be done."""

    code = serializers.CharField()
    message = serializers.CharField()
    field: Any = serializers.CharField(allow_null=True)


class Transition(serializers.Serializer):
    """A way out of the state a row is in."""

    name = serializers.CharField()
    label: Any = serializers.CharField()
    needs_reason = serializers.BooleanField()
    problems = Blocker(many=True)


class TransitionsMixin:
    """The state changes of a row, through the workflow."""

    @extend_schema(responses=Transition(many=True), filters=False)
    @action(detail=True, pagination_class=None, filter_backends=[])
    def transitions(self: Any, request: Any, pk: int) -> Response:
        """The transitions that you may fire from the state the row is in, with what blocks each."""
        found = workflow.options(self.get_object(), request.user)
        return Response(
            [
                {
                    "name": option.name,
                    "label": option.label,
                    "needs_reason": option.needs_reason,
                    "problems": [
                        {"code": p.code, "message": str(p.message), "field": p.field}
                        for p in option.problems
                    ],
                }
                for option in found
            ]
        )

    @extend_schema(request=Reason)
    @action(detail=True, methods=["post"], url_path="transitions/<slug:name>")
    def fire(self: Any, request: Any, pk: int, name: str) -> Response:
        """Change the state; 409 with every reason when that is not possible."""
        obj = self.get_object()
        if name not in workflow.names(self.model):
            raise Http404
        data = Reason(data=request.data)
        data.is_valid(raise_exception=True)
        reason = data.validated_data["reason"]
        workflow.fire(obj, name, by=request.user, on=timezone.localdate(), reason=reason)
        return Response(self.represent(pk))
