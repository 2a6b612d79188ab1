"""What every page of a model shares: its routes, who may open them, and finding its row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.apps import apps
from django.contrib.auth import get_permission_codename
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.functional import classproperty
from django.utils.text import capfirst
from django_fsm import FSMFieldMixin

from core.filters import FilterSet

# Model label → its view class: the pages that exist, for tests, lookups and the command palette.
registry: dict[str, type[ModelPages]] = {}

# Route → (path, permission asked for). `None`: the handler itself asks for the right one.
ROUTES: dict[str, tuple[str, str | None]] = {
    "list": ("", "view"),
    "create": ("new/", "add"),
    "filters": ("filters/", "view"),
    "choose_columns": ("columns/", "view"),
    "options": ("options/", None),
    "export": ("export/", "view"),
    "bulk": ("bulk/", "view"),
    "detail": ("<int:pk>/", "view"),
    "edit": ("<int:pk>/edit/", "change"),
    "delete": ("<int:pk>/delete/", "delete"),
    "history": ("<int:pk>/history/", "view"),
    "transition": ("<int:pk>/transition/<slug:name>/", "view"),
}


def is_partial(request: HttpRequest) -> bool:
    """Whether HTMX asks for a part of the page (and not the browser for a page of its history)."""
    return (
        request.headers.get("HX-Request") == "true"
        and "HX-History-Restore-Request" not in request.headers
    )


class ModelPages:
    """The base of `CRUDView`: declares nothing a page shows, only how pages are reached."""

    model: ClassVar[Any]  # a model whose manager has `visible_to`
    icon: ClassVar[str] = "list"
    section: ClassVar[str] = ""  # key of the navigation item that lights up
    parents: ClassVar[tuple[str, ...]] = ()  # url names of pages above the list, for breadcrumbs
    filterset_class: ClassVar[type[FilterSet] | None] = None
    search_fields: ClassVar[tuple[str, ...]] = ()
    in_palette: ClassVar[bool] = False  # whether Ctrl-K finds its rows
    palette_note: ClassVar[str] = "code"  # the attribute shown beside a row in the palette
    ordering: ClassVar[tuple[Any, ...]] = ()
    list_actions_template: ClassVar[str] = "core/_list_actions.html"
    exclude: ClassVar[frozenset[str]] = frozenset()  # routes this model does not have

    request: Any  # an HttpRequest whose user is signed in

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "model" in cls.__dict__:
            registry[cls.model._meta.label_lower] = cls

    @classproperty
    def prefix(cls) -> str:  # noqa: N805
        """`app:model`, in front of every url name."""
        return f"{cls.model._meta.app_label}:{cls.model._meta.model_name}"

    @classproperty
    def state_field(cls) -> str | None:  # noqa: N805
        """The name of the state field, for models with a workflow."""
        for item in cls.model._meta.fields:
            if isinstance(item, FSMFieldMixin):
                return item.name
        return None

    @classmethod
    def routes(cls) -> list[str]:
        """The names of the routes of this model."""
        without = set(cls.exclude)
        if cls.state_field is None:
            without.add("transition")
        if cls.filterset_class is None:
            without.add("filters")
        if not cls.search_fields:
            without.add("options")
        return [name for name in ROUTES if name not in without]

    @classmethod
    def urls(cls) -> list[URLPattern]:
        """URL patterns `<model>_list`, `<model>_detail` … to include under a path."""
        model_name = cls.model._meta.model_name
        return [
            path(ROUTES[name][0], cls.as_view(name), name=f"{model_name}_{name}")
            for name in cls.routes()
        ]

    @classmethod
    def as_view(cls, route: str) -> Callable[..., HttpResponse]:
        """The view function of one route."""

        def view(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            page = cls()
            page.request = request
            return page.dispatch(route, **kwargs)

        view.crud = (cls, route)  # type: ignore[attr-defined]
        view.__name__ = f"{cls.__name__}_{route}"
        return view

    def dispatch(self, route: str, pk: int | None = None, **kwargs: Any) -> HttpResponse:
        """Unseen is 404, seen but not allowed is 403; then the handler of the route."""
        action = ROUTES[route][1]
        if pk is not None:
            kwargs["obj"] = self.get_object(pk)
        if action is not None:
            self.require(action)
        return getattr(self, route)(**kwargs)

    # --- Who may ---

    @classmethod
    def permission(cls, action: str) -> str:
        """`app.action_model`."""
        options = cls.model._meta
        return f"{options.app_label}.{get_permission_codename(action, options)}"

    @classmethod
    def allows(cls, user: Any, action: str) -> bool:
        """Whether `user` holds the permission for view, add, change or delete."""
        return user.has_perm(cls.permission(action))

    def can(self, route: str) -> bool:
        """Whether the user of this request may open a route that this model has."""
        action = ROUTES[route][1]
        return route not in self.exclude and (
            action is None or self.allows(self.request.user, action)
        )

    @property
    def can_create(self) -> bool:
        return self.can("create")

    @property
    def can_edit(self) -> bool:
        return self.can("edit")

    @property
    def can_delete(self) -> bool:
        return self.can("delete")

    @property
    def can_history(self) -> bool:
        return self.can("history") and self.request.user.has_perm("core.view_event")

    def require(self, action: str) -> None:
        """Raise PermissionDenied (403) without the permission."""
        if not self.allows(self.request.user, action):
            raise PermissionDenied

    # --- Rows ---

    def get_queryset(self) -> QuerySet:
        """The rows that the user may see."""
        return self.model._default_manager.visible_to(self.request.user)

    def get_object(self, pk: int) -> Any:
        """The row, or 404 when the user does not see it."""
        try:
            return self.detail_queryset().get(pk=pk)
        except (self.model.DoesNotExist, OverflowError) as error:
            raise Http404 from error

    def detail_queryset(self) -> QuerySet:
        """What detail and forms read; override it to add `select_related`."""
        return self.get_queryset()

    # --- Addresses and templates ---

    @classmethod
    def url(cls, route: str, *args: Any) -> str:
        """The address of a route."""
        return reverse(f"{cls.prefix}_{route}", args=args)

    @property
    def title(self) -> str:
        """The heading of the list."""
        return capfirst(str(self.model._meta.verbose_name_plural))

    def crumbs(self, *more: tuple[str, str]) -> list[tuple[str, str]]:
        """Breadcrumbs: (text, address) from the list down."""
        up = [(registry_label(name), reverse(name)) for name in self.parents]
        return [*up, (self.title, self.url("list")), *more]

    def render(self, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
        """Render with what every page of a model needs."""
        return render(
            self.request,
            template,
            {"page": self, "section": self.section, "options": self.model._meta, **context},
            status=status,
        )


def registry_label(url_name: str) -> str:
    """The plural name of the model behind `app:model_list`."""
    app_label, rest = url_name.split(":")
    model = apps.get_model(app_label, rest.removesuffix("_list"))
    return capfirst(str(model._meta.verbose_name_plural))
