"""Forms of the administrator."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.utils.translation import gettext_lazy as _

from accounts.models import User


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
