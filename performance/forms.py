"""Forms of evaluations, their schedules and deductions."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from core import navigation
from core.errors import DomainError, add_to_form
from core.periods import Period
from performance.models import Deduction, EvaluationSchedule, Scheme, SchemeVersion


class DeductionForm(forms.ModelForm):
    class Meta:
        model = Deduction
        fields = ["partner", "decided_on", "points", "reason", "evidence"]
        widgets = {
            "decided_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "reason": forms.Textarea(attrs={"rows": 3}),
            "evidence": forms.FileInput,
        }


class ScheduleForm(forms.ModelForm):
    class Meta:
        model = EvaluationSchedule
        fields = ["scheme", "every", "days_after", "active"]


def _last_ended(day: date) -> Period:
    """The last quarter of which all days up to its end are there by `day`."""
    quarter = Period.containing("quarter", day, settings.FISCAL_YEAR_START)
    return quarter if quarter.end <= day + timedelta(days=1) else quarter.previous()


class RunForm(forms.Form):
    """Which scheme to evaluate over which period."""

    scheme = forms.ModelChoiceField(
        label=_("scheme"),
        queryset=Scheme.objects.filter(versions__state=SchemeVersion.State.PUBLISHED),
    )
    period = forms.CharField(
        label=_("period"), max_length=10, help_text=_("2013-09, 2013Q3 or 2013")
    )
    reason = forms.CharField(
        label=_("reason"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Only where the period is published already: why there is to be a revision."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        day = navigation.data_day()
        if day:
            self.fields["period"].initial = _last_ended(day).code

    def refuse(self, error: DomainError) -> None:
        """Show what the service refused."""
        add_to_form(self, error)
