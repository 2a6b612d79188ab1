"""Forms of schemes and evaluations."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.models import Territory
from core import navigation
from core.errors import DomainError, add_to_form
from core.periods import Period
from partners.models import Level, Partner
from performance import curve_words, measures, scoring
from performance.models import EvaluationSchedule, Scheme, SchemeItem, SchemeLevel, SchemeVersion
from performance.validation import curve_problems

CURVE_KINDS = (
    (scoring.LINEAR, _("Linear: straight between points")),
    (scoring.BANDS, _("Bands: the points of the band it falls in")),
    (scoring.PROPORTIONAL, _("Proportional: 100 points at 100 %")),
    (scoring.PASS, _("Pass: 100 points or none")),
)


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
    """An item whose curve is written as people say it (performance.curve_words)."""

    curve_kind = forms.ChoiceField(label=_("curve"), choices=CURVE_KINDS)
    curve_text = forms.CharField(
        label=_("points of the curve"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_(
            "Linear: “60% → 0”, one point a line. Bands: “< 2 → 0”, then “2 → 60”, each from its "
            "lower bound up to the next. Pass: “≥ 60%” or “≤ 5%”. Per cent where there is a target "
            "or the measure is a share."
        ),
    )

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
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        item = self.instance
        if item.pk:
            self.initial["curve_kind"] = item.curve.get("kind")
            share = curve_words.is_share(item.measure, item.target_source)
            self.initial["curve_text"] = _written(item.curve, share)

    def clean(self) -> dict[str, Any]:
        """Read the curve, and say what is wrong with it."""
        data = super().clean() or {}
        kind, measure = data.get("curve_kind"), measures.REGISTRY.get(data.get("measure", ""))
        if not kind or measure is None or "target_source" not in data or "cap" not in data:
            return data
        share = curve_words.is_share(measure.code, data["target_source"])
        try:
            self.instance.curve = curve_words.read(kind, data.get("curve_text", ""), share=share)
        except forms.ValidationError as error:
            self.add_error("curve_text", error)
            return data
        item = {**data, "curve": self.instance.curve}
        for _code, message in curve_problems(item, measure):
            self.add_error("curve_text", capfirst(message))
        return data


def _written(curve: dict[str, Any], share: bool) -> str:
    try:
        return curve_words.write(curve, share=share)
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return ""  # came in another way and cannot be read; it is to be written anew


class ScopeForm(forms.ModelForm):
    """Which partners a draft covers. Nothing chosen restricts nothing; states must be chosen."""

    states = forms.MultipleChoiceField(
        label=_("states"), choices=Partner.State, widget=forms.CheckboxSelectMultiple
    )
    channel_types = forms.MultipleChoiceField(
        label=_("channel types"),
        choices=Partner.ChannelType,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: all."),
    )
    levels = forms.ModelMultipleChoiceField(
        label=_("levels"),
        queryset=Level.objects.order_by("-rank"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: all, also partners without a level."),
    )
    territories = forms.ModelMultipleChoiceField(
        label=_("territories"),
        queryset=Territory.objects.all(),
        required=False,
        help_text=_("With all below. None chosen: all."),
    )

    class Meta:
        model = SchemeVersion
        fields = ["note"]
        widgets = {"note": forms.Textarea(attrs={"rows": 2})}

    field_order = ("states", "channel_types", "levels", "territories", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scope = self.instance.scope
        for name in ("states", "channel_types"):
            self.initial[name] = scope.get(name, [])
        for name, model in (("levels", Level), ("territories", Territory)):
            rows = model.objects.filter(code__in=scope.get(name, []))
            self.initial[name] = list(rows.values_list("pk", flat=True))

    def clean(self) -> dict[str, Any]:
        """Put the choices together as the scope is stored: by code."""
        data = super().clean() or {}
        if self.instance.state != SchemeVersion.State.DRAFT:
            raise forms.ValidationError(_("A published version cannot be changed."))
        if not self.errors:
            self.instance.scope = {
                "states": data["states"],
                "channel_types": data["channel_types"],
                "levels": sorted(row.code for row in data["levels"]),
                "territories": sorted(row.code for row in data["territories"]),
            }
        return data


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
