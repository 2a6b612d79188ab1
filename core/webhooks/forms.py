"""The form of an endpoint."""

from __future__ import annotations

from typing import Any

from django import forms
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils.text import capfirst
from django.utils.translation import gettext as _, gettext_lazy

from core import events
from core.views.base import registry
from core.webhooks.dispatch import EVERYTHING
from core.webhooks.models import WebhookEndpoint

_WRITES = {"create", "edit", "delete", "transition"}


def object_types() -> dict[str, str]:
    """{"partners.partner": "Partners"} for all that has events, in the order of their names."""
    labels = {label for label, pages in registry.items() if _WRITES & set(pages.routes())}
    labels |= {verb.rpartition(".")[0] for verb in events.registered()}
    names = {label: str(apps.get_model(label)._meta.verbose_name_plural) for label in labels}
    return dict(sorted(names.items(), key=lambda item: item[1].lower()))


class EndpointForm(forms.ModelForm):
    """Types are chosen by object; who wants only some of its verbs writes those out."""

    objects = forms.MultipleChoiceField(
        label=gettext_lazy("tell of everything about"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    verbs = forms.CharField(
        label=gettext_lazy("and of these single events"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy(
            "One a line, such as partners.partner.suspend; * alone stands for all events."
        ),
    )

    class Meta:
        model = WebhookEndpoint
        fields = ["name", "url", "owner"]
        help_texts = {
            "url": gettext_lazy("Begins with https://. Redirects are not followed."),
            "owner": gettext_lazy(
                "A machine's user, or you: the webhook never tells of what this user may not see."
            ),
        }

    def __init__(self, *args: Any, by: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept = self.instance.owner_id
        users: Any = get_user_model()._default_manager
        self.fields["owner"].queryset = users.filter(  # type: ignore[attr-defined]
            Q(pk__in=users.machines().values("pk")) | Q(pk__in=[by.pk, kept or by.pk])
        )
        if kept is None:
            self.initial["owner"] = by.pk
        self._types = object_types()
        self.fields["objects"].choices = [  # type: ignore[attr-defined]
            (label, capfirst(name)) for label, name in self._types.items()
        ]
        chosen = self.instance.event_types or []
        whole = [name.removesuffix(f".{EVERYTHING}") for name in chosen]
        self.fields["objects"].initial = [label for label in whole if label in self._types]
        self.fields["verbs"].initial = "\n".join(
            name for name, label in zip(chosen, whole, strict=True) if label not in self._types
        )

    def clean_verbs(self) -> list[str]:
        """The verbs written out; unknown ones are named."""
        found = self.cleaned_data["verbs"].split()
        unknown = [name for name in found if not self._is_known(name)]
        if unknown:
            raise forms.ValidationError(
                _("There is no such event: %(names)s") % {"names": ", ".join(unknown)}
            )
        return found

    def _is_known(self, name: str) -> bool:
        of_known_object = name.rpartition(".")[0] in self._types
        return name == EVERYTHING or (of_known_object and events.is_known(name))

    def clean(self) -> dict[str, Any]:
        """Put both together; at least one is needed."""
        cleaned = super().clean() or {}
        if "verbs" in cleaned and "objects" in cleaned:
            chosen = {f"{label}.{EVERYTHING}" for label in cleaned["objects"]} | {*cleaned["verbs"]}
            if not chosen:
                self.add_error("objects", _("Choose what to tell of."))
            self.instance.event_types = sorted(chosen)
        return cleaned
