"""Every address of the product, read from the URL map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from core.views.base import ModelPages

# Rooms of libraries with contracts (and tests) of their own.
FOREIGN = ("admin/", "account/")


@dataclass(frozen=True)
class Route:
    """`pages` and `action` are set for the routes of a CRUDView."""

    name: str
    pattern: str
    callback: Any
    pages: type[ModelPages] | None
    action: str

    @property
    def needs_row(self) -> bool:
        return "<int:pk>" in self.pattern

    def url(self, pk: int = 0, **kwargs: Any) -> str:
        """Its address, for a row where it needs one."""
        if self.needs_row:
            kwargs["pk"] = pk
        return reverse(self.name, kwargs=kwargs)


def _walk(patterns: list[Any], prefix: str, namespace: str) -> Iterator[Route]:
    for entry in patterns:
        text = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            if not text.startswith(FOREIGN):
                inner = f"{entry.namespace}:" if entry.namespace else namespace
                yield from _walk(entry.url_patterns, text, inner)
        elif isinstance(entry, URLPattern):
            pages, action = getattr(entry.callback, "crud", (None, ""))
            yield Route(f"{namespace}{entry.name}", text, entry.callback, pages, action)


ROUTES = list(_walk(get_resolver().url_patterns, "", ""))
PAGES = {route.pages.model._meta.label_lower: route.pages for route in ROUTES if route.pages}


def of(pages: type[ModelPages], action: str) -> Route | None:
    """The route of a model for an action, if it has one."""
    for route in ROUTES:
        if route.pages is pages and route.action == action:
            return route
    return None


def with_action(action: str) -> list[Any]:
    """The view classes that have a route for `action`, for parametrize."""
    return [route.pages for route in ROUTES if route.pages and route.action == action]


def label(value: Any) -> str | None:
    """The id of a parameter: the model's label."""
    return value.model._meta.label_lower if hasattr(value, "model") else None
