"""Forms of schemes."""

from __future__ import annotations

import re
from itertools import chain, count
from typing import Any, cast

from django import forms
from django.db.models import Max
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.models import Territory
from partners.models import Level, Partner
from performance import bases, measures, scoring
from performance.models import (
    Basis,
    MinimumRule,
    Scheme,
    SchemeItem,
    SchemeLevel,
    SchemeVersion,
    SchemeVeto,
)
from performance.models.schemes import CODE
from performance.schemes import curve_words, examples
from performance.schemes.validation import curve_problems

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


MARKS = ("1", "2", "3", "4", "5")


def _offered() -> list[Any]:
    return [("", "---------"), *measures.offered()]


class SchemeItemForm(_OfDraftForm):
    """An item whose curve is written as people say it (performance.schemes.curve_words).

    What does not belong to the chosen basis is hidden by the page and dropped here.
    """

    measure = forms.ChoiceField(label=_("measure"), choices=_offered, required=False)
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
    source_codes = forms.CharField(
        label=_("its items"),
        required=False,
        max_length=400,
        help_text=_("Codes of items, with commas. Empty: its total."),
    )
    anchor_1 = forms.CharField(label=_("mark 1 means"), required=False, max_length=300)
    anchor_2 = forms.CharField(label=_("mark 2 means"), required=False, max_length=300)
    anchor_3 = forms.CharField(label=_("mark 3 means"), required=False, max_length=300)
    anchor_4 = forms.CharField(label=_("mark 4 means"), required=False, max_length=300)
    anchor_5 = forms.CharField(label=_("mark 5 means"), required=False, max_length=300)

    class Meta:
        model = SchemeItem
        fields = [
            "version",
            "position",
            "code",
            "name",
            "name_en",
            "basis",
            "role",
            "weight",
            "measure",
            "kind",
            "product_line",
            "source_scheme",
            "raters",
            "target_source",
            "target",
            "cap",
            "gate",
            "missing",
            "minimum_rule",
            "minimum",
        ]

    # (title, bases it is for, fields): how the page groups them.
    GROUPS = (
        (_("What it is"), "", ("version", "position", "code", "name", "name_en", "role", "weight")),
        (_("Where its value comes from"), "", ("basis",)),
        ("", Basis.MEASURE, ("measure", "kind", "product_line")),
        ("", Basis.RATING, ("raters", *(f"anchor_{mark}" for mark in MARKS))),
        ("", Basis.SCORES, ("source_scheme", "source_codes")),
        (
            _("How it becomes points"),
            "",
            ("target_source", "target", "curve_kind", "curve_text", "cap", "gate", "missing"),
        ),
        (_("Minimum"), "", ("minimum_rule", "minimum")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("raters", "minimum_rule"):
            self.fields[name].required = False
        item = self.instance
        version = str(self.initial.get("version", ""))
        if item.pk is None and version.isdecimal():
            last = SchemeItem.objects.filter(version=version).aggregate(Max("position"))
            self.initial["position"] = (last["position__max"] or 0) + 1
        self.initial["source_codes"] = ", ".join(item.source_items)
        for mark in MARKS:
            self.initial[f"anchor_{mark}"] = item.anchors.get(mark, "")
        if item.pk:
            self.initial["curve_kind"] = item.curve.get("kind")
            read = bases.find({"basis": item.basis, "measure": item.measure})
            share = read is not None and curve_words.is_share(read, item.target_source)
            self.initial["curve_text"] = _written(item.curve, share)

    def groups(self) -> list[tuple[Any, str, list[Any]]]:
        """(title, basis it is for, fields) as the page shows them."""
        return [
            (title, basis, [self[name] for name in names]) for title, basis, names in self.GROUPS
        ]

    def clean(self) -> dict[str, Any]:
        """Drop what the basis does not use, read the curve, and say what is wrong with it."""
        data = super().clean() or {}
        self._keep_of_basis(data)
        kind, read = data.get("curve_kind"), self._reads(data)
        if not kind or read is None or "target_source" not in data or "cap" not in data:
            return data
        share = curve_words.is_share(read, data["target_source"])
        try:
            self.instance.curve = curve_words.read(kind, data.get("curve_text", ""), share=share)
        except forms.ValidationError as error:
            self.add_error("curve_text", error)
            return data
        item = {**data, "curve": self.instance.curve}
        for _code, message in curve_problems(item, read):
            self.add_error("curve_text", capfirst(message))
        return data

    def _keep_of_basis(self, data: dict[str, Any]) -> None:
        basis, item = data.get("basis"), self.instance
        rated = basis == Basis.RATING
        item.anchors = {
            mark: data[f"anchor_{mark}"] for mark in MARKS if rated and data.get(f"anchor_{mark}")
        }
        data["raters"] = (rated and data.get("raters")) or item._meta.get_field("raters").default
        data["minimum_rule"] = data.get("minimum_rule") or MinimumRule.AT_LEAST
        codes = re.split(r"[\s,，、;；]+", data.get("source_codes", ""))
        item.source_items = [code for code in codes if code and basis == Basis.SCORES]
        if basis != Basis.MEASURE:
            data |= {"measure": "", "kind": "", "product_line": None}
        elif not data.get("measure"):
            self.add_error("measure", _("Choose the measure."))
        if basis != Basis.SCORES:
            data["source_scheme"] = None
        elif not data.get("source_scheme") and "source_scheme" not in self.errors:
            self.add_error("source_scheme", _("Choose the other scheme whose results count."))
        if rated and not data.get("name"):
            self.add_error("name", _("What people rate needs a name."))

    def _reads(self, data: dict[str, Any]) -> bases.Reads | None:
        if not data.get("basis"):
            return None
        return bases.find({"basis": data["basis"], "measure": data.get("measure", "")})


def _written(curve: dict[str, Any], share: bool) -> str:
    try:
        return curve_words.write(curve, share=share)
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return ""  # came in another way and cannot be read; it is to be written anew


class VersionForm(forms.ModelForm):
    """What a draft says beside its items: scope (nothing chosen restricts nothing; states must be
    chosen), deductions, how levels change, and the windows."""

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
        fields = [
            "deduction_cap",
            "grace",
            "most_steps_up",
            "most_steps_down",
            "rating_days",
            "review_days",
            "appeal_days",
            "answer_days",
            "note",
        ]
        widgets = {"note": forms.Textarea(attrs={"rows": 2})}

    # (title, fields): how the page groups them.
    GROUPS = (
        (_("Scope"), ("states", "channel_types", "levels", "territories")),
        (
            _("Deductions and levels"),
            ("deduction_cap", "grace", "most_steps_up", "most_steps_down"),
        ),
        (_("Stages"), ("rating_days", "review_days", "appeal_days", "answer_days")),
        (_("Note"), ("note",)),
    )
    # What is left empty is as in a new version.
    AT_FIRST = (
        *("deduction_cap", "grace", "rating_days", "review_days", "appeal_days"),
        "answer_days",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.AT_FIRST:
            self.fields[name].required = False
        scope = self.instance.scope
        for name in ("states", "channel_types"):
            self.initial[name] = scope.get(name, [])
        for name, model in (("levels", Level), ("territories", Territory)):
            rows = model.objects.filter(code__in=scope.get(name, []))
            self.initial[name] = list(rows.values_list("pk", flat=True))

    def groups(self) -> list[tuple[Any, list[Any]]]:
        """(title, fields) as the page shows them; a field that the user may not touch is left
        out."""
        return [
            (title, [self[name] for name in names if name in self.fields])
            for title, names in self.GROUPS
        ]

    def clean(self) -> dict[str, Any]:
        """Put the choices together as the scope is stored: by code."""
        data = super().clean() or {}
        if self.instance.state != SchemeVersion.State.DRAFT:
            raise forms.ValidationError(_("A published version cannot be changed."))
        for name in self.AT_FIRST:
            if name not in self.errors and data.get(name) is None:
                data[name] = SchemeVersion._meta.get_field(name).get_default()
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
        fields = ["version", "level", "min_total", "keep_total"]


class SchemeVetoForm(_OfDraftForm):
    measure = forms.ChoiceField(label=_("measure"), choices=_offered)

    class Meta:
        model = SchemeVeto
        fields = [
            "version",
            "code",
            "name",
            "name_en",
            "measure",
            "kind",
            "product_line",
            "side",
            "bound",
            "effect",
        ]
        help_texts = {"bound": _("A share as a fraction: 0.2 is 20 %.")}


class SchemeFileForm(forms.Form):
    """A scheme as a file (docs/schemes.md)."""

    file = forms.FileField(label=_("scheme file"), help_text=_("JSON, as it was downloaded."))


def _free_code(code: str) -> str:
    """This code, with a number after it where it is taken."""
    taken = set(Scheme.objects.filter(code__startswith=code).values_list("code", flat=True))
    numbered = (f"{code}-{number}" for number in count(2))
    return next(each for each in chain([code], numbered) if each not in taken)


class ExampleForm(forms.Form):
    """What a copy of an example is called, and whose results it uses."""

    code = forms.CharField(label=_("code"), max_length=40, validators=[CODE])
    name = forms.CharField(label=_("name"), max_length=100)
    name_en = forms.CharField(label=_("English name"), max_length=100, required=False)
    source = forms.ModelChoiceField(
        label=_("other scheme"),
        queryset=Scheme.objects.all(),
        help_text=_("The scheme whose results it uses, a copy of the quarterly card for instance."),
    )

    def __init__(self, *args: Any, example: examples.Example, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.example = example
        for name in ("name", "name_en"):
            self.fields[name].initial = example.document[name]
        self.fields["code"].initial = _free_code(example.document["code"])
        if example.sources:
            source = Scheme.objects.filter(code__in=example.sources).first()
            self.fields["source"].initial = source
        else:
            del self.fields["source"]

    def clean_code(self) -> str:
        """A code that no scheme has yet."""
        code = self.cleaned_data["code"]
        if Scheme.objects.filter(code=code).exists():
            raise forms.ValidationError(_("There is a scheme with this code already."))
        return str(code)

    def document(self) -> dict[str, Any]:
        """The example under its new name."""
        names = {name: self.cleaned_data[name] for name in ("code", "name", "name_en")}
        source = self.cleaned_data.get("source")
        return self.example.copy(names, source.code if source else None)
