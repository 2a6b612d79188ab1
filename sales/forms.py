"""Forms of sales."""

from __future__ import annotations

from datetime import date

from django import forms

from sales.models import ProductAlias, Target


class TargetForm(forms.ModelForm):
    """Any day of the month will do: the month is kept by its first day."""

    class Meta:
        model = Target
        fields = ("partner", "month", "kind", "product_line", "amount")

    def clean_month(self) -> date:
        month: date = self.cleaned_data["month"]
        return month.replace(day=1)


class ProductAliasForm(forms.ModelForm):
    class Meta:
        model = ProductAlias
        fields = ("partner", "code", "unit", "product", "factor")
