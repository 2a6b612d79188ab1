"""`CRUDView`: what a model declares to get all its pages."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core import filters, tables, tabs, workflow
from core.errors import DomainError
from core.preferences import preferences_of, save_preferences
from core.views import exports
from core.views.base import ModelPages, is_partial
from core.views.bulk import BulkAction, BulkMixin, delete_action
from core.views.history import HistoryMixin
from core.views.listing import Listing
from core.views.writing import WritingMixin

OPTIONS_LIMIT = 20


@cache
def _columns_of(view: type[CRUDView]) -> tuple[tables.Column, ...]:
    declared = (*view.columns, *tables.added_to(view.model))
    return tuple(tables.resolve(column, view.model) for column in declared)


class CRUDView(WritingMixin, BulkMixin, HistoryMixin, ModelPages):
    """List, detail, create, edit, delete, history, export, bulk, transitions of one model.

    Declare `model` and `columns`; the rest has defaults. `urls()` gives the patterns. Every route
    reads `Model.objects.visible_to(user)` and asks for the model permission; writes go through
    `core.crud`, state changes through `core.workflow`.
    """

    columns: ClassVar[tuple[Any, ...]] = ("__str__",)
    form_class: ClassVar[type[forms.ModelForm] | None] = None
    bulk_actions: ClassVar[tuple[BulkAction, ...]] = ()
    detail_fields: ClassVar[tuple[Any, ...]] = ()
    list_template: ClassVar[str] = "core/list.html"
    detail_template: ClassVar[str] = "core/detail.html"
    form_template: ClassVar[str] = "core/form.html"
    empty_text: ClassVar[Any] = ""

    # --- What is declared, resolved ---

    @classmethod
    def all_columns(cls) -> tuple[tables.Column, ...]:
        """Every column of the list: this class's own and those that other apps add."""
        return _columns_of(cls)  # type: ignore[arg-type]

    @cached_property
    def row_href(self) -> str:
        """The address of a row with `%s` for its key."""
        return self.url("detail", 0).replace("/0/", "/%s/")

    def nothing(self) -> QuerySet:
        """No rows."""
        return self.model._default_manager.none()

    def preferences(self) -> dict[str, Any]:
        """What the user chose for this list: columns and page size."""
        return preferences_of(self.request.user).get(self.model._meta.label_lower, {})

    def allowed_bulk_actions(self) -> list[BulkAction]:
        """The bulk actions that the user has the permission for."""
        actions = [*self.bulk_actions]
        if "delete" not in self.exclude:
            actions.append(delete_action(self.model))
        if "bulk" in self.exclude:
            return []
        return [item for item in actions if self.request.user.has_perm(item.permission)]

    # --- Routes ---

    def list(self) -> HttpResponse:
        """The list; for HTMX only its table."""
        listing = Listing(self)
        self.remember_size(listing)
        if is_partial(self.request):
            response = self.render("core/_table.html", {"listing": listing})
            response["HX-Push-Url"] = listing.query(page=self.request.GET.get("page"))
        else:
            response = self.render(self.list_template, {"listing": listing})
        response["Vary"] = "HX-Request"
        return response

    def remember_size(self, listing: Listing) -> None:
        """Keep a page size that the user just chose."""
        if "size" in self.request.GET and listing.size != listing.saved.get("size"):
            self.save_preference(size=listing.size)

    def save_preference(self, **values: Any) -> None:
        """Keep choices about this list for the user."""
        label = self.model._meta.label_lower
        save_preferences(self.request.user, {label: {**self.preferences(), **values}})

    def filters(self) -> HttpResponse:
        """The drawer with all filters; rendered only when it is opened."""
        assert self.filterset_class  # without one there is no such route
        filterset = self.filterset_class(
            self.request.GET, queryset=self.nothing(), request=self.request, whole=True
        )
        self.lookups(filterset.form)
        return self.render("core/_filters.html", {"filterset": filterset, "listing": Listing(self)})

    def choose_columns(self) -> HttpResponse:
        """The choice of columns: shown on GET, kept on POST."""
        listing = Listing(self)
        if self.request.method == "POST":
            known = {column.name for column in listing.all_columns}
            chosen = [name for name in self.request.POST.getlist("columns") if name in known]
            self.save_preference(columns=chosen)
            return redirect(f"{self.url('list')}?{self.request.POST.get('query', '')}")
        return self.render("core/_columns.html", {"listing": listing})

    def export(self) -> HttpResponseBase:
        """The rows as they are seen, as CSV or XLSX."""
        listing = Listing(self)
        try:
            return exports.respond(listing, self.request.GET.get("format", "csv"))
        except DomainError as error:
            messages.error(self.request, str(error.message))
            return redirect(self.url("list") + listing.query(format=None))

    def detail(self, obj: Any) -> HttpResponse:
        """The page of one row: the tab that the address asks for, others when they are opened."""
        shown = tabs.of(self.model, obj, self.request.user)
        key = self.request.GET.get("tab", "")
        active = next((tab for tab in shown if tab.key == key), shown[0])
        if is_partial(self.request):
            response = self.render(active.template, self.tab_context(obj, active))
            response["Vary"] = "HX-Request"
            return response
        context = {
            "object": obj,
            "tabs": shown,
            "active": active,
            "crumbs": self.crumbs((str(obj), "")),
            "transitions": workflow.options(obj, self.request.user) if self.state_field else [],
            **self.detail_context(obj),
            **self.tab_context(obj, active),
        }
        response = self.render(self.detail_template, context)
        response["Vary"] = "HX-Request"
        return response

    def tab_context(self, obj: Any, tab: tabs.Tab) -> dict[str, Any]:
        """What the template of a tab reads."""
        own = tab.context(self.request, obj) if tab.context else {}
        return {"object": obj, "tab": tab, "fields": self.field_values(obj, tab), **own}

    def detail_context(self, obj: Any) -> dict[str, Any]:
        """More for the detail page of a model; override it."""
        return {}

    def field_values(self, obj: Any, tab: tabs.Tab) -> Sequence[tuple[str, str]]:
        """(label, HTML) of `detail_fields`, for the tab that shows them."""
        return tables.describe(obj, self.detail_fields) if tab.key == "overview" else []

    def options(self) -> HttpResponse:
        """Rows that match `q`, for a lookup field: those that the user may choose."""
        text = self.request.GET.get("q", "").replace("\x00", "").strip()[:100]
        offered = self.model._default_manager.offered_to(self.request.user)
        queryset = filters.search(offered, self.search_fields, text)
        terms = tables.order_by(self.ordering, self.model, descending=False)
        found = queryset.order_by(*terms, "pk")[:OPTIONS_LIMIT]
        return JsonResponse({"results": [{"id": row.pk, "text": str(row)} for row in found]})

    def transition(self, obj: Any, name: str) -> HttpResponse:
        """Fire a transition (POST) and return to the page of the row."""
        return require_POST(self._transition)(self.request, obj, name)

    def _transition(self, request: HttpRequest, obj: Any, name: str) -> HttpResponse:
        if name not in workflow.names(self.model):
            raise Http404
        reason = request.POST.get("reason", "")
        try:
            workflow.fire(obj, name, by=request.user, reason=reason, on=timezone.localdate())
        except DomainError as error:
            for problem in error.problems:
                messages.error(request, str(problem.message))
        else:
            messages.success(request, _("Done: the state has changed."))
        return redirect(self.url("detail", obj.pk))
