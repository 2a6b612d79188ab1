"""Create, edit, delete: forms whose choices are narrowed, written through `core.crud`."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.forms import modelform_factory
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from core import crud
from core.errors import DomainError, add_to_form
from core.scoping import narrow_choices
from core.widgets import use_lookups


class WritingMixin:
    """The routes that write one row."""

    def get_form(self: Any, obj: Any, data: Any = None, files: Any = None) -> forms.ModelForm:
        """The form of the model for the user: choices narrowed, long ones as a lookup."""
        form_class = self.form_class or modelform_factory(self.model, fields="__all__")
        form = form_class(data, files, instance=obj, initial=self.initial(obj))
        narrow_choices(form.fields, self.request.user)
        self.leave_unseen_alone(form, obj)
        self.lookups(form)
        return form

    def leave_unseen_alone(self, form: forms.ModelForm, obj: Any) -> None:
        """Drop a field that refers to a row the user does not see: it keeps what it has, and the
        form does not tell."""
        for name, field in list(form.fields.items()):
            if isinstance(field, forms.ModelChoiceField) and obj.pk:
                key = getattr(obj, f"{name}_id", None)
                seen: Any = field.queryset
                if key is not None and not seen.filter(pk=key).exists():
                    del form.fields[name]

    def lookups(self, form: Any) -> None:
        """Replace long selects by a field that searches."""
        use_lookups(form)

    def initial(self: Any, obj: Any) -> dict[str, Any]:
        """First values of a new row, taken from the address."""
        return {} if obj.pk else self.request.GET.dict()

    def create(self: Any) -> HttpResponse:
        """A form for a new row; saves it on POST."""
        return self.write(
            self.model(), _("New: %(what)s") % {"what": self.model._meta.verbose_name}
        )

    def edit(self: Any, obj: Any) -> HttpResponse:
        """A form for a row; saves it on POST."""
        return self.write(obj, _("Edit: %(what)s") % {"what": obj})

    def write(self: Any, obj: Any, title: str) -> HttpResponse:
        """Show the form, or save it and go to the row."""
        posted = self.request.method == "POST"
        back = self.back_url(obj)
        form = self.get_form(obj, *((self.request.POST, self.request.FILES) if posted else ()))
        if posted and form.is_valid():
            try:
                saved = self.save(form)
            except DomainError as error:
                add_to_form(form, error)
            else:
                messages.success(self.request, _("Saved: %(what)s") % {"what": saved})
                return redirect(self.after_save(saved))
        context = {
            "form": form,
            "object": obj,
            "title": title,
            "back": back,
            "next": self.safe_next() or "",
        }
        context["crumbs"] = self.crumbs((title, ""))
        return self.render(self.form_template, context, status=422 if posted else 200)

    def save(self: Any, form: forms.ModelForm) -> Any:
        """Write the valid form; a model with a service of its own overrides this."""
        return crud.save_form(form, by=self.request.user)

    def after_save(self: Any, obj: Any) -> str:
        """Where to go after saving: where the user came from, else the page of the row."""
        route = ("list",) if "detail" in self.exclude else ("detail", obj.pk)
        return self.safe_next() or self.url(*route)

    def back_url(self: Any, obj: Any) -> str:
        """Where “Cancel” leads."""
        if obj.pk and "detail" not in self.exclude:
            return self.safe_next() or self.url("detail", obj.pk)
        return self.safe_next() or self.url("list")

    def safe_next(self: Any) -> str | None:
        """The address in `next`, when it is one of ours."""
        target = self.request.POST.get("next") or self.request.GET.get("next")
        hosts = {self.request.get_host()}
        return target if url_has_allowed_host_and_scheme(target, allowed_hosts=hosts) else None

    def delete(self: Any, obj: Any) -> HttpResponse:
        """Say what deleting would take along or what forbids it; delete on POST."""
        plan = crud.delete_plan(obj)
        if self.request.method == "POST":
            name = str(obj)
            try:
                crud.delete(obj, by=self.request.user)
            except DomainError as error:
                messages.error(self.request, str(error.message))
                return redirect(self.url("detail", obj.pk))
            messages.success(self.request, _("Deleted: %(what)s") % {"what": name})
            return redirect(self.safe_next() or self.url("list"))
        context = {
            "object": obj,
            "plan": plan,
            "back": self.back_url(obj),
            "next": self.safe_next() or "",
        }
        context["crumbs"] = self.crumbs((str(obj), self.back_url(obj)), (_("Delete"), ""))
        return self.render("core/delete.html", context)
