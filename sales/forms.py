"""Forms of sales."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Territory
from core.errors import DomainError
from core.periods import Period
from partners.models import Partner
from sales.closing import closed_months
from sales.control.services import days_of
from sales.models import (
    ControlTotal,
    ProductAlias,
    ReportingRule,
    SalesKind,
    Target,
    TargetKind,
    TargetPlan,
)
from sales.models.facts import FIRST_DAY, LAST_DAY

# A mistyped year must not make a century of reports.
BACK = timedelta(days=5 * 366)
FIRST, LAST = date.fromisoformat(FIRST_DAY), date.fromisoformat(LAST_DAY)


class TargetForm(forms.ModelForm):
    """Any day of the month will do: the month is kept by its first day."""

    class Meta:
        model = Target
        fields = ("partner", "month", "kind", "product_line", "amount")

    def clean_month(self) -> date:
        month: date = self.cleaned_data["month"]
        return month.replace(day=1)


class TargetPlanForm(forms.ModelForm):
    """Its product lines do not lie below each other: a sale would count twice."""

    class Meta:
        model = TargetPlan
        fields = (
            "name",
            "code",
            "year",
            "kind",
            "territory",
            "product_lines",
            "amount",
            "newcomers",
            "rounding",
            "due_on",
            "remind_before",
        )

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        lines = list(values.get("product_lines") or ())
        paths = [line.path for line in lines]
        if any(one != other and one.startswith(other) for one in paths for other in paths):
            text = _("A product line cannot be planned beside one that it belongs to.")
            self.add_error("product_lines", text)
        if lines and values.get("kind") == TargetKind.COLLECTION:
            self.add_error("product_lines", _("Payments have no product line."))
        return values


class AmendForm(forms.Form):
    """Why a signed plan is changed."""

    reason = forms.CharField(
        label=_("reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )


class GrowthForm(forms.Form):
    """In per cent, as people say it; empty takes the rate away."""

    territory = forms.ModelChoiceField(label=_("territory"), queryset=Territory.objects.all())
    rate = forms.DecimalField(
        label=_("growth"),
        required=False,
        min_value=-100,
        max_value=1000,
        max_digits=6,
        decimal_places=2,
        help_text=_("In per cent on last year. Empty: that of the territory above."),
    )


class ProductAliasForm(forms.ModelForm):
    class Meta:
        model = ProductAlias
        fields = ("partner", "code", "unit", "product", "factor")


class ReportingRuleForm(forms.ModelForm):
    channel_types = forms.MultipleChoiceField(
        label=_("channel types"),
        choices=Partner.ChannelType.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = ReportingRule
        fields = (
            "name",
            "kind",
            "frequency",
            "due_days",
            "starts_on",
            "ends_before",
            "remind_before",
            "remind_after",
            "channel_types",
            "levels",
            "territories",
            "partners",
        )
        widgets = {"levels": forms.CheckboxSelectMultiple}

    def clean_starts_on(self) -> date:
        day: date = self.cleaned_data["starts_on"]
        if day < timezone.localdate() - BACK and day != self.initial.get("starts_on"):
            raise forms.ValidationError(_("At most five years back."))
        return day


class ClosingForm(forms.Form):
    """Which month to close, for which kinds of sales."""

    month = forms.DateField(
        label=_("Month"),
        help_text=_("Any of its days."),
        validators=[MinValueValidator(FIRST), MaxValueValidator(LAST)],
    )
    kinds = forms.MultipleChoiceField(
        label=_("Kinds"), choices=SalesKind.choices, widget=forms.CheckboxSelectMultiple
    )

    @classmethod
    def proposed(cls, on: date) -> dict[str, Any]:
        """The last month that is over by the day `on`, and its kinds that are still open."""
        month = Period.containing("month", on).previous().start
        return {"month": month, "kinds": still_open(month)}


def still_open(month: date) -> list[str]:
    """The kinds of sales for which a month is not closed."""
    closed = closed_months()
    return [kind for kind in SalesKind.values if (kind, month) not in closed]


class ControlTotalForm(forms.ModelForm):
    """The period is typed as the API takes it."""

    period = forms.CharField(
        label=_("Period"), max_length=10, help_text=_("A month or a day: 2026-03 or 2026-03-05.")
    )

    class Meta:
        model = ControlTotal
        fields = ("source", "kind", "period", "partner", "rows", "amount")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["period"] = self.instance.period

    def clean_period(self) -> str:
        try:
            days = days_of(self.cleaned_data["period"])
        except DomainError as error:
            raise ValidationError(str(error.message), error.code) from error
        self.instance.starts_on, self.instance.ends_before = days
        return self.cleaned_data["period"]

    def _get_validation_exclusions(self) -> set[str]:
        """The model checks the two dates too, once the period has given them."""
        without = super()._get_validation_exclusions()
        known = {"starts_on", "ends_before"} if "period" in self.cleaned_data else set()
        return without - known
