"""Forms of the library of measures."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError
from core.periods import Period
from partners.models import Partner
from performance import measures
from performance.library import pages as library
from performance.measures import Measure
from performance.models import DerivedMeasure


class LibraryForm(forms.Form):
    """What the list of measures is narrowed by."""

    q = forms.CharField(label=_("search"), required=False, max_length=100)
    unit = forms.ChoiceField(
        label=_("unit"),
        required=False,
        choices=[("", _("All units")), *measures.UNIT_LABELS.items()],
    )
    source = forms.ChoiceField(
        label=_("source"),
        required=False,
        choices=[("", _("All sources")), *measures.SOURCE_LABELS.items()],
    )
    availability = forms.ChoiceField(
        label=_("availability"),
        required=False,
        choices=[
            ("", _("Available or not")),
            (library.AVAILABLE, _("Available")),
            (library.MADE, _("Made here")),
            (library.ABSENT, _("Not available yet")),
        ],
    )
    span = forms.ChoiceField(
        label=_("read over"),
        required=False,
        choices=[
            ("", _("Period and to date")),
            (measures.PERIOD, _("The period")),
            (measures.QUARTER_TO_DATE, _("Quarter to date")),
            (measures.YEAR_TO_DATE, _("Year to date")),
        ],
    )


class ExampleForm(forms.Form):
    """For whom and when the example of a measure is read."""

    partner = forms.ModelChoiceField(label=_("partner"), queryset=Partner.objects.all())
    period = forms.CharField(label=_("period"), max_length=10)
    kind = forms.ChoiceField(label=_("Kind"), required=False)

    def __init__(self, *args: Any, measure: Measure | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = library.kind_choices(measure) if measure else []
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]
        if not choices:
            del self.fields["kind"]

    def clean_period(self) -> Period:
        """The period that the code names."""
        try:
            return library.parse_period(self.cleaned_data["period"])
        except DomainError as error:
            raise forms.ValidationError(error.message) from error

    @property
    def periods(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Periods to choose from, with the one that is chosen."""
        return library.periods(self.period_code)

    @property
    def period_code(self) -> str:
        """The code of the period that is chosen, if it is one."""
        found = self.cleaned_data.get("period") if self.is_bound and self.is_valid() else None
        return found.code if found else ""


class DerivedMeasureForm(forms.ModelForm):
    class Meta:
        model = DerivedMeasure
        fields = [
            "code",
            "name",
            "name_en",
            "unit",
            "definition",
            "definition_en",
            "expression",
            "span",
            "places",
            "zero",
            "higher",
        ]
        widgets = {
            "definition": forms.Textarea(attrs={"rows": 3}),
            "definition_en": forms.Textarea(attrs={"rows": 3}),
            "expression": forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        }
        help_texts = {
            "definition": _("In words, for those who are scored by it."),
            "expression": _(
                "Codes of measures, numbers, + − × ÷ and parentheses; min(a, b), max(a, b), "
                "abs(a), nullif(a, b): no value where both are the same; coalesce(a, b): the first "
                "that has a value."
            ),
            "span": _("Of measures in the expression that are read over the period."),
            "unit": _("As the expression gives it; an amount ÷ an amount is a share."),
        }
