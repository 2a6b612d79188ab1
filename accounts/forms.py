"""Forms of the administrator."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy as _

from accounts import api_clients
from accounts.models import ApiClient, Territory, User
from core.errors import DomainError
from core.scoping import scope_root


class UserForm(forms.ModelForm):
    """A colleague or a partner's person. An empty password keeps the one there is."""

    password = forms.CharField(
        label=_("password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_(
            "Empty: unchanged. A new user without one sets it through “forgotten password”."
        ),
    )

    class Meta:
        model = User
        fields = [
            "username",
            "last_name",
            "first_name",
            "email",
            "role",
            "territories",
            "language",
            "amount_unit",
            "is_active",
        ]

    def clean_password(self) -> str:
        password = self.cleaned_data["password"]
        if password:
            password_validation.validate_password(password, self.instance)
        return password

    def save(self, commit: bool = True) -> Any:
        password = self.cleaned_data["password"]
        if password:
            self.instance.set_password(password)
        elif self.instance.pk is None:
            self.instance.set_unusable_password()
        return super().save(commit)


class NetworksField(forms.CharField):
    """Addresses and networks in CIDR notation, one a line."""

    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        try:
            return api_clients.networks(super().to_python(value).replace(",", " ").split())
        except DomainError as error:
            raise ValidationError(str(error.message), code=error.code) from error


class ApiClientForm(forms.ModelForm):
    """What a client is called, what it may touch, and from where and until when it may call."""

    WHOLE, NAMED = "", "named"

    name = forms.CharField(
        label=_("name"),
        max_length=150,
        help_text=_("The system that calls, such as “ERP of the north”."),
    )
    reach = forms.ChoiceField(
        label=_("may touch"),
        choices=[(WHOLE, _("The whole network")), (NAMED, _("Only what is named here"))],
        required=False,
    )
    territories = forms.ModelMultipleChoiceField(
        Territory.objects.all(),
        label=_("territories"),
        required=False,
        help_text=_("With everything below them. Products and territories stay visible."),
    )
    partners = forms.ModelMultipleChoiceField(None, label=_("partners"), required=False)
    addresses = NetworksField(
        label=_("allowed addresses"),
        required=False,
        help_text=_("One a line, such as 203.0.113.7 or 2001:db8::/48. Empty: from everywhere."),
    )

    field_order = ("name", "access", "reach", "territories", "partners", "addresses")

    class Meta:
        model = ApiClient
        fields = [*api_clients.TERMS]
        labels = {"sandbox": _("sandbox: check and answer, but keep nothing")}
        widgets = {"note": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["partners"].queryset = scope_root()._default_manager.all()
        if self.instance.pk:
            application = self.instance.application
            rows = api_clients.rows_of(application.user)
            self.initial |= {"name": application.name, "reach": self.NAMED if rows else self.WHOLE}
            for name in ("territories", "partners") if rows else ():
                self.initial[name] = sorted(row.pk for row in getattr(rows, name))

    def clean_expires_on(self) -> Any:
        day = self.cleaned_data["expires_on"]
        if day and "expires_on" in self.changed_data and day <= timezone.localdate():
            raise ValidationError(gettext("Choose a day after today."))
        return day

    def clean(self) -> Any:
        named = [self.cleaned_data.get(name) for name in ("territories", "partners")]
        if self.cleaned_data.get("reach") == self.WHOLE and any(named):
            message = gettext("To limit it to what is named, choose “Only what is named here”.")
            self.add_error("reach", message)
        return super().clean()

    @property
    def rows(self) -> api_clients.Rows | None:
        """What the valid form says it may touch."""
        if self.cleaned_data["reach"] == self.WHOLE:
            return None
        found = (frozenset(self.cleaned_data[name]) for name in ("territories", "partners"))
        return api_clients.Rows(*found)

    @property
    def terms(self) -> dict[str, Any]:
        """The fields of the client in the valid form."""
        return {name: self.cleaned_data[name] for name in api_clients.TERMS}
