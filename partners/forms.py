"""Forms of partners, their people and places."""

from __future__ import annotations

from typing import Any

from django import forms

from core.text import clean_text, normalise_code
from partners.models import Contact, Membership, Partner, Site


class PartnerForm(forms.ModelForm):
    """Everything but the state, which changes through the workflow."""

    class Meta:
        model = Partner
        fields = [
            "name",
            "short_name",
            "code",
            "channel_type",
            "territory",
            "owner",
            "parent",
            "level",
            "legal_name",
            "credit_code",
            "started_on",
            "note",
        ]
        widgets = {"note": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner = self.fields["owner"]
        owner.queryset = owner.queryset.staff()

    def clean_code(self) -> str:
        return normalise_code(self.cleaned_data["code"])

    def clean_name(self) -> str:
        return clean_text(self.cleaned_data["name"])


class ContactForm(forms.ModelForm):
    class Meta:
        model = Contact
        fields = ["partner", "name", "role", "phone", "email", "wechat", "is_primary", "note"]


class SiteForm(forms.ModelForm):
    class Meta:
        model = Site
        fields = ["partner", "name", "kind", "territory", "address", "postcode"]


class MembershipForm(forms.ModelForm):
    class Meta:
        model = Membership
        fields = ["user", "partner", "include_sub_partners"]
