"""Django's admin is for support: it shows everything and changes nothing.

Changes go through the pages and the API, where they are checked, recorded and scoped.
"""

from typing import Any

from django.contrib import admin
from django.db.models import ForeignKey, Model
from django.http import HttpRequest

from core.models import (
    Event,
    Import,
    ImportProfile,
    Job,
    WebhookDelivery,
    WebhookEndpoint,
)


class ReadOnlyAdmin(admin.ModelAdmin):
    """Shows the rows of a model; related rows by key, so that no list loads a whole table."""

    show_full_result_count = False
    list_per_page = 50

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return ["__str__", *self.list_fields]

    list_fields: tuple[str, ...] = ()

    def get_list_select_related(self, request: HttpRequest) -> list[str]:
        names = [self.model._meta.get_field(name) for name in self.list_fields]
        return [field.name for field in names if isinstance(field, ForeignKey)]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def register(model: type[Model], *list_fields: str, search: tuple[str, ...] = ()) -> None:
    """Show `model` in the admin with these columns."""
    name = f"{model.__name__}Admin"
    attributes = {"list_fields": list_fields, "search_fields": search}
    admin.site.register(model, type(name, (ReadOnlyAdmin,), attributes))


register(Event, "verb", "actor", "source", "created_at", search=("object_repr", "request_id"))
register(Job, "kind", "state", "created_by", "created_at")
register(Import, "kind", "state", "rows", "rejected", "created_at")
register(WebhookEndpoint, "url", "state", "owner")
register(WebhookDelivery, "endpoint", "state", "attempts", "status", "created_at")
register(ImportProfile, "kind", "name", "created_by", "uses", "last_used_at")
