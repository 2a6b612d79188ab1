"""Forms of what follows from results."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError, add_to_form
from performance.models import Consequence, ConsequenceKind, ImprovementPlan, PlanAction


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class ConsequenceForm(forms.ModelForm):
    class Meta:
        model = Consequence
        fields = ["kind", "partner", "evaluation", "level", "effective_on", "reason"]
        widgets = {"effective_on": _day(), "reason": forms.Textarea(attrs={"rows": 3})}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("level") and data.get("kind") != ConsequenceKind.LEVEL:
            self.add_error("level", _("Only a level change has a new level."))
        return data


class LevelChangesForm(forms.Form):
    """From when the levels of an evaluation are to hold."""

    effective_on = forms.DateField(label=_("takes effect on"), widget=_day())
    reason = forms.CharField(
        label=_("reason"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Empty: the evaluation."),
    )

    def refuse(self, error: DomainError) -> None:
        """Put a refusal of the service on its field."""
        add_to_form(self, error)


class ImprovementPlanForm(forms.ModelForm):
    class Meta:
        model = ImprovementPlan
        fields = [
            *("partner", "evaluation", "goal", "owner", "starts_on", "due_on"),
            *("scheme", "retest_period", "goal_total"),
        ]
        widgets = {
            "starts_on": _day(),
            "due_on": _day(),
            "goal": forms.Textarea(attrs={"rows": 3}),
        }


class PlanActionForm(forms.ModelForm):
    class Meta:
        model = PlanAction
        fields = ["plan", "what", "owner", "due_on", "done_on", "note"]
        widgets = {
            "due_on": _day(),
            "done_on": _day(),
            "note": forms.Textarea(attrs={"rows": 2}),
        }
