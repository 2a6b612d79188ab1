"""Forms of backtests and of what-if."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext, gettext_lazy as _

from catalog.models import ProductLine
from core import navigation
from core.periods import Period
from performance.backtest.whatif import ALL, FOCUS, LEAST, MOST, Change, Scenario
from performance.bases import basis_of
from performance.definitions import Definition
from performance.explain import item_label
from performance.models import Basis, SchemeVersion
from sales.models import SalesKind

QUARTERS = 8


class BacktestForm(forms.Form):
    """Which version to try on which periods, beside which other one."""

    draft = forms.ModelChoiceField(
        label=_("draft"),
        queryset=SchemeVersion.objects.select_related("scheme").order_by("scheme__code", "-number"),
        help_text=_("The version that is tried: an open draft, or any other one."),
    )
    against = forms.ModelChoiceField(
        label=_("beside"),
        queryset=SchemeVersion.objects.select_related("scheme")
        .filter(state__in=SchemeVersion.FROZEN)
        .order_by("scheme__code", "-number"),
        help_text=_("The version in force that it is compared with."),
    )
    first = forms.CharField(
        label=_("first period"), max_length=10, help_text=_("2013-09, 2013Q3 or 2013")
    )
    last = forms.CharField(
        label=_("last period"), max_length=10, help_text=_("At most 24 periods, all of them over.")
    )

    def __init__(self, *args: Any, draft: SchemeVersion | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if draft is not None:
            self.fields["draft"].initial = draft.pk
            current = draft.scheme.current()
            if current is not None and current.pk != draft.pk:
                self.fields["against"].initial = current.pk
        day = navigation.data_day()
        if day:
            last = Period.containing("quarter", day, settings.FISCAL_YEAR_START).previous()
            first = last
            for _number in range(QUARTERS - 1):
                first = first.previous()
            self.fields["first"].initial, self.fields["last"].initial = first.code, last.code


def _percent(label: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, required=False, min_value=LEAST, max_value=MOST, max_digits=7, decimal_places=2
    )


class WhatIfForm(forms.Form):
    """What is supposed of one partner; what is left empty stays as it is."""

    kind = forms.ChoiceField(
        label=_("kind of sales"), required=False, choices=[("", _("All kinds")), *SalesKind.choices]
    )
    all = _percent(_("all product lines, per cent more"))
    focus = _percent(_("focus lines, per cent more"))
    line = forms.ModelChoiceField(
        label=_("product line"), required=False, queryset=ProductLine.objects.order_by("sort_path")
    )
    line_percent = _percent(_("this line, per cent more"))

    def __init__(self, *args: Any, found: Definition, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rated = [i["code"] for i in found["items"] if basis_of(i) == Basis.RATING]
        for item in found["items"]:
            if item["code"] in self.rated:
                self.fields[f"mark_{item['code']}"] = forms.DecimalField(
                    label=gettext("Mark: %(item)s") % {"item": item_label(item)},
                    required=False,
                    min_value=1,
                    max_value=5,
                    max_digits=3,
                    decimal_places=2,
                )
        for each in self.fields.values():
            each.widget.attrs["autocomplete"] = "off"

    def scenario(self) -> Scenario:
        """What the form supposes."""
        told = self.cleaned_data
        line = told.get("line")
        changes = [
            (ALL, told.get("all")),
            (FOCUS, told.get("focus")),
            (line.code if line else None, told.get("line_percent")),
        ]
        return Scenario(
            sales=tuple(
                Change(percent, lines, told.get("kind") or "")
                for lines, percent in changes
                if percent and lines is not None
            ),
            marks={code: told[f"mark_{code}"] for code in self.rated if told.get(f"mark_{code}")},
        )
