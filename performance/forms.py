"""Forms of schemes and evaluations."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from core import navigation
from core.errors import DomainError, add_to_form
from core.periods import Period
from performance.models import EvaluationSchedule, Scheme, SchemeItem, SchemeLevel, SchemeVersion


class SchemeForm(forms.ModelForm):
    class Meta:
        model = Scheme
        fields = ["code", "name", "name_en"]


class _OfDraftForm(forms.ModelForm):
    """A part of a version that can still be changed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        drafts = SchemeVersion.objects.filter(state=SchemeVersion.State.DRAFT)
        version = cast("forms.ModelChoiceField", self.fields["version"])
        version.queryset = drafts.select_related("scheme")


class SchemeItemForm(_OfDraftForm):
    class Meta:
        model = SchemeItem
        fields = [
            "version",
            "position",
            "code",
            "measure",
            "kind",
            "product_line",
            "weight",
            "cap",
            "target_source",
            "target",
            "gate",
            "missing",
            "curve",
        ]
        widgets = {"curve": forms.Textarea(attrs={"rows": 4, "class": "font-monospace"})}


class SchemeLevelForm(_OfDraftForm):
    class Meta:
        model = SchemeLevel
        fields = ["version", "level", "min_total"]


class ScheduleForm(forms.ModelForm):
    class Meta:
        model = EvaluationSchedule
        fields = ["scheme", "every", "days_after", "active"]


class RunForm(forms.Form):
    """Which scheme to evaluate over which period."""

    scheme = forms.ModelChoiceField(
        label=_("scheme"),
        queryset=Scheme.objects.filter(versions__state=SchemeVersion.State.PUBLISHED),
    )
    period = forms.CharField(
        label=_("period"), max_length=10, help_text=_("2013-09, 2013Q3 or 2013")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        day = navigation.data_day()
        if day:
            self.fields["period"].initial = Period.containing(
                "quarter", day, settings.FISCAL_YEAR_START
            ).code

    def refuse(self, error: DomainError) -> None:
        """Show what the service refused."""
        add_to_form(self, error)
