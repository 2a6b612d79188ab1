"""`ScopedViewSet`: what a model declares to get its resource. The same rows, filters, checks and
verbs as its pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, ClassVar

from django.db import models, transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.permissions import SAFE_METHODS
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core import crud, workflow
from core.api import conditions
from core.api.changes import ChangePages
from core.api.pages import Pages
from core.api.queries import Filters, Ordering, Search, fields_of
from core.api.rendering import CSVRenderer, JSONRenderer
from core.api.serializers import RowSerializer, TextField, WriteSerializer

Rows = list[dict[str, Any]]  # outside of the class, whose own `list` is a verb


def _beside(page: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What a CSV has no place for, as headers."""
    if page.get("next"):
        yield "Link", f'<{page["next"]}>; rel="next"'
    if page.get("cursor"):
        yield "X-Cursor", page["cursor"]


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
    # The time of a row's last change; None: it has none.
    changed_at: ClassVar[str | None] = "updated_at"
    change_pages: ClassVar[type[ChangePages]] = ChangePages

    pagination_class = Pages
    renderer_classes = [JSONRenderer, CSVRenderer]
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

    def get_renderers(self) -> list[Any]:
        """Lists are JSON or CSV, everything else is JSON."""
        return [kind() for kind in self.renderer_classes[: None if self.action == "list" else 1]]

    # --- Reading ---

    @property
    def paginator(self) -> Any:
        """The pages of the list; a walk over its changes where the address asks for them."""
        if not hasattr(self, "_paginator"):
            changes = self.changed_at and self.change_pages.asked_for(self.request)
            kind = self.change_pages if changes else self.pagination_class
            self._paginator = kind and kind()
        return self._paginator

    @cached_property
    def asked(self) -> list[str] | None:
        """The fields that the address asks for; None: all."""
        return fields_of(self.request, self._shape.Meta.fields)

    @property
    def names(self) -> Sequence[str]:
        """The fields of the answer."""
        return self._shape.Meta.fields if self.asked is None else self.asked

    @property
    def _shape(self) -> type[RowSerializer]:
        return self.row_class if self.action == "list" else self.detail_class

    def get_queryset(self) -> QuerySet:
        """The rows that the user may see."""
        return self.model._default_manager.visible_to(self.request.user)  # type: ignore[attr-defined]

    def get_serializer_class(self) -> Any:
        if self.action in ("create", "partial_update"):
            return self.write_class
        return self.row_class if self.action == "list" else self.detail_class

    def read(self, queryset: QuerySet) -> QuerySet:
        """Rows of the list, flat."""
        return self.row_class.read(queryset, self.asked)

    def get_object(self) -> Any:
        """The row in the address; 404 when the user does not see it."""
        found = self.get_queryset().filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise Http404
        return found

    def list(self, request: Any) -> Response:
        """A page of rows."""
        rows: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        response = self.get_paginated_response(self._trimmed(self.shown(rows)))
        for header, value in _beside(response.data):
            response.headers[header] = value
        return response

    def retrieve(self, request: Any, pk: int) -> Response:
        """One row."""
        return self.answer(self.represent(pk))

    def answer(self, row: dict[str, Any], status: int = status.HTTP_200_OK) -> Response:
        """One row with its ETag; 304 without it when the client says that it has it."""
        tag = conditions.tag_of(row)
        if self.request.method in SAFE_METHODS:
            conditions.check_match(self.request, tag)
            if conditions.is_known(self.request, tag):
                return Response(status=304, headers={"ETag": tag})
        return Response(row, status=status, headers={"ETag": tag})

    def represent(self, pk: int) -> dict[str, Any]:
        """The row as the API shows it; 404 when the user does not see it."""
        row = self.detail_class.read(self.get_queryset().filter(pk=pk), self.asked).first()
        if row is None:
            raise Http404
        if not {*self.names}.isdisjoint(self.detail_class._declared_fields):
            row |= self.elsewhere(pk)
        return self._trimmed(self.shown([row]))[0]

    def elsewhere(self, pk: int) -> dict[str, Any]:
        """The values of the fields of one row that are no columns of it."""
        return {}

    def _trimmed(self, rows: Rows) -> Rows:
        """Without what was read only to show something else."""
        if self.asked is None:
            return rows
        return [{name: row[name] for name in self.asked} for row in rows]

    def shown(self, rows: Rows) -> Rows:
        """The rows as the user may read them; override it where a column tells of another row."""
        return rows

    # --- Writing ---

    @contextmanager
    def held(self) -> Iterator[Any]:
        """The row in the address, which nobody else changes until the block and its transaction
        end. 404 when the user does not see it, 412 when it is not in the state that `If-Match`
        names."""
        with transaction.atomic():
            # As an UPDATE locks: loads that only refer to the row go on.
            rows = self.get_queryset().select_for_update(of=("self",), no_key=True)
            found = rows.filter(pk=self.kwargs["pk"]).first()
            if found is None:
                raise Http404
            if conditions.wants_match(self.request):
                conditions.check_match(self.request, conditions.tag_of(self.represent(found.pk)))
            yield found

    def checked(self, **kwargs: Any) -> dict[str, Any]:
        """The values of the request, of the right types; raises ValidationError."""
        serializer = self.get_serializer(data=self.request.data, **kwargs)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data


class CreateMixin:
    """POST to the list."""

    def create(self: Any, request: Any) -> Response:
        """Make a row."""
        with transaction.atomic():  # what cannot be answered as it is asked for is not made
            obj = crud.save(self.model(**self.checked()), by=request.user)
            return self.answer(self.represent(obj.pk), status.HTTP_201_CREATED)


class UpdateMixin:
    """PATCH of a row."""

    def partial_update(self: Any, request: Any, pk: int) -> Response:
        """Change the fields that are given."""
        with self.held() as obj:
            for name, value in self.checked(partial=True).items():
                setattr(obj, name, value)
            crud.save(obj, by=request.user)
            return self.answer(self.represent(pk))


class DeleteMixin:
    """DELETE of a row."""

    def destroy(self: Any, request: Any, pk: int) -> Response:
        """Delete a row; 409 while other rows need it."""
        with self.held() as obj:
            crud.delete(obj, by=request.user)
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
        with self.held() as obj:
            if name not in workflow.names(self.model):
                raise Http404
            data = Reason(data=request.data)
            data.is_valid(raise_exception=True)
            reason = data.validated_data["reason"]
            workflow.fire(obj, name, by=request.user, on=timezone.localdate(), reason=reason)
            return self.answer(self.represent(pk))
