"""Filters: one FilterSet a model, for the page, the export, the bulk action and the API."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django_filters.widgets import BooleanWidget

from core.scoping import narrow_choices

YES_OR_NO = ("true", "false")


class AnyOf(django_filters.MultipleChoiceFilter):
    """One or several of some choices, without a SELECT DISTINCT that no plain column needs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.CheckboxSelectMultiple)
        super().__init__(*args, distinct=False, **kwargs)


class AnyRowOf(django_filters.ModelMultipleChoiceFilter):
    """One or several rows behind a foreign key, without SELECT DISTINCT."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.CheckboxSelectMultiple)
        super().__init__(*args, distinct=False, **kwargs)


class FilterSet(django_filters.FilterSet):
    """A FilterSet that builds only the filters that the address asks for.

    A list with twelve possible filters and two in use pays for two. `whole=True` builds all of
    them, for the drawer that shows the form and for the schema of the API. Choices of related
    rows are narrowed to what the user may see.
    """

    base_filters: ClassVar[dict[str, Any]]

    def __init__(
        self,
        data: Any = None,
        queryset: QuerySet | None = None,
        *,
        request: HttpRequest | None = None,
        prefix: str | None = None,
        whole: bool = False,
    ) -> None:
        data = QueryDict() if data is None else data
        if not whole:
            asked = {n: f for n, f in self.base_filters.items() if _asked_for(n, data)}
            self.__dict__["base_filters"] = asked  # what the base class copies for this request
        super().__init__(data, queryset, request=request, prefix=prefix)
        for one in self.filters.values():
            # Whoever looked at the field of a declared filter left it there, with the choices of
            # nobody in particular; each request makes its own.
            one.__dict__.pop("_field", None)

    @cached_property
    def form(self) -> Any:
        """The form behind the filters, its choices narrowed to the user of the request."""
        form = self.get_form_class()(self.data, prefix=self.form_prefix)
        if self.request is not None:
            narrow_choices(form.fields, self.request.user, to_look=True)
        for field in form.fields.values():
            if isinstance(field.widget, BooleanWidget):
                field.widget.choices = [("", _("Any")), ("true", _("Yes")), ("false", _("No"))]
        return form

    @classmethod
    def accepts(cls, name: str) -> bool:
        """Whether one of the filters reads this parameter of the address."""
        return any(name in _parameters(base, one) for base, one in cls.base_filters.items())

    @classmethod
    def understands(cls, name: str, value: str) -> bool:
        """Whether a parameter that is accepted says something: what is neither yes nor no would
        pass for any."""
        yes_or_no = isinstance(cls.base_filters.get(name), django_filters.BooleanFilter)
        return not yes_or_no or value[:1].lower() + value[1:] in YES_OR_NO

    def active(self) -> list[tuple[str, str, str]]:
        """(parameter prefix, label, value in words) of each filter in use."""
        out = []
        for name, value in self.form.cleaned_data.items() if self.form.is_valid() else ():
            if value in (None, "", []) or (hasattr(value, "exists") and not value):
                continue
            label = self.filters[name].label or name
            out.append((name, str(label), _in_words(self.form.fields[name], value)))
        return out


def _parameters(name: str, one: Any) -> list[str]:
    """What a filter is called in the address: its name, or those of the two ends of a range."""
    ends = getattr(one.field_class.widget, "suffixes", None)
    return [f"{name}_{end}" for end in ends] if ends else [name]


def _asked_for(name: str, data: Any) -> bool:
    return any(
        (key == name or key.startswith(f"{name}_")) and data[key] not in ("", None) for key in data
    )


def _in_words(field: Any, value: Any) -> str:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, slice):
        ends = [_plain(end) for end in (value.start, value.stop)]
        return " – ".join(end or "…" for end in ends)
    choices = getattr(field, "choices", None)
    if hasattr(value, "_meta"):
        return str(value)
    if choices is not None and not hasattr(field, "queryset"):
        labels = {str(key): str(label) for key, label in _flat(choices)}
        values = value if isinstance(value, list | tuple | set) else [value]
        return ", ".join(labels.get(str(item), str(item)) for item in values)
    if hasattr(value, "__iter__") and not isinstance(value, str):
        return ", ".join(str(item) for item in value)
    return _plain(value)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if hasattr(value, "strftime"):
        return date_format(value, "Y-m-d")
    return str(value)


def _flat(choices: Any) -> Any:
    for key, label in choices:
        if isinstance(label, list | tuple):
            yield from label
        else:
            yield key, label


def search(queryset: QuerySet, fields: tuple[str, ...], text: str) -> QuerySet:
    """Rows where every word of `text` stands in one of `fields`; trigram indexes serve it."""
    for word in text.split()[:6]:
        clause = Q()
        for name in fields:
            clause |= Q(**{f"{name}__icontains": word})
        queryset = queryset.filter(clause)
    return queryset
