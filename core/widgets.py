"""Form fields that search instead of listing thousands of choices."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.models import ModelChoiceIterator
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import mark_safe

from core.views.base import registry

# A select with more rows than this is no longer a select.
_LOOKUP_MODELS = frozenset(
    {
        "partners.partner",
        "accounts.territory",
        "accounts.user",
        "catalog.product",
        "catalog.productline",
    }
)


class LookupMixin:
    """Renders only what is chosen; the rest is found by typing (`<model>_options`)."""

    url_name: str

    def __init__(self: Any, url_name: str, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)  # type: ignore[call-arg]
        self.url_name = url_name

    def optgroups(self: Any, name: str, value: Any, attrs: Any = None) -> list[Any]:
        keys = [str(item) for item in value if str(item).isdecimal()]
        queryset = self.choices.queryset if isinstance(self.choices, ModelChoiceIterator) else None
        rows = queryset.filter(pk__in=keys) if keys and queryset is not None else []
        options = [
            self.create_option(name, row.pk, str(row), True, index)
            for index, row in enumerate(rows)
        ]
        return [(None, options, 0)]

    def get_context(self: Any, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)  # type: ignore[misc]
        context["widget"]["url"] = reverse(self.url_name)
        return context

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> str:
        # Our own templates, which the form renderer of Django does not look through.
        return mark_safe(render_to_string("core/widgets/lookup.html", context))


class Lookup(LookupMixin, forms.Select):
    """One row."""


class LookupMultiple(LookupMixin, forms.SelectMultiple):
    """Several rows."""


def use_lookups(form: Any) -> None:
    """Replace the select of each field whose model has a searchable list of its own."""
    for field in form.fields.values():
        queryset = getattr(field, "queryset", None)
        if queryset is None or isinstance(field.widget, forms.HiddenInput | LookupMixin):
            continue
        label = queryset.model._meta.label_lower
        if label not in _LOOKUP_MODELS or label not in registry:
            continue
        many = isinstance(field, forms.ModelMultipleChoiceField)
        widget = (LookupMultiple if many else Lookup)(f"{registry[label].prefix}_options")
        widget.is_required = field.required
        field.widget = widget
        field.widget.choices = field.choices
