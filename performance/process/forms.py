"""Forms of the review, of appeals and of revisions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from accounts.models import User
from partners.models import Level
from performance.definitions import item_definition
from performance.explain import item_label
from performance.models import Appeal, Correction, Evaluation, SchemeItem
from performance.process.appeals import open_to, own_partner


def item_choices(evaluations: Any, whole: Any) -> list[tuple[str, Any]]:
    """The items of evaluations by name, after what stands for none of them."""
    versions = {evaluation.scheme_version_id for evaluation in evaluations}
    items = SchemeItem.objects.filter(version__in=versions).order_by("position", "pk")
    rows = items.select_related("product_line", "source_scheme")
    return [("", whole), *{item.code: item_label(item_definition(item)) for item in rows}.items()]


class _AboutScore(forms.ModelForm):
    """What is said about one item of one partner’s result, by `user`: the items offered are those
    of the evaluation that the address or the form names, else of all that it can be about."""

    whole: Any = ""

    def offer(self, user: Any) -> None:
        """Offer the evaluations that it can be about, and their items."""
        offered = self.evaluations(user)
        self.fields["evaluation"].queryset = offered  # type: ignore[attr-defined]
        chosen = str(self.data.get("evaluation") or self.initial.get("evaluation") or "")
        if chosen.isdecimal():
            offered = offered.filter(pk=chosen)
        choices = item_choices(offered, self.whole)
        self.fields["item_code"] = forms.ChoiceField(
            label=_("item"), choices=choices, required=False
        )

    def evaluations(self, user: Any) -> Any:
        """The evaluations that it can be about."""
        raise NotImplementedError


class CorrectionForm(_AboutScore):
    whole = _("The level")

    class Meta:
        model = Correction
        fields = ["evaluation", "partner", "item_code", "points", "level", "reason", "evidence"]
        widgets = {"reason": forms.Textarea(attrs={"rows": 3}), "evidence": forms.FileInput}

    def evaluations(self, user: Any) -> Any:
        found = Evaluation.objects.offered_to(user).filter(state=Evaluation.State.REVIEW)
        return found.select_related("scheme")


class AppealForm(_AboutScore):
    whole = _("The whole result")

    class Meta:
        model = Appeal
        fields = ["evaluation", "partner", "item_code", "claim", "evidence"]
        widgets = {"claim": forms.Textarea(attrs={"rows": 4}), "evidence": forms.FileInput}

    def offer(self, user: Any) -> None:
        super().offer(user)
        if user.is_partner_user:
            self.instance.partner_id = own_partner(user)
            del self.fields["partner"]

    def evaluations(self, user: Any) -> Any:
        return open_to(user, timezone.localdate()).select_related("scheme")


class DecisionForm(forms.Form):
    """What becomes of an appeal. Accepted without points or level, it takes effect by computing
    again with what has been put right since."""

    ACCEPT, REJECT = "accept", "reject"

    outcome = forms.ChoiceField(
        label=_("outcome"), choices=[(ACCEPT, _("Accept")), (REJECT, _("Reject"))]
    )
    points = forms.DecimalField(
        label=_("points granted"),
        required=False,
        min_value=Decimal(0),
        max_digits=7,
        decimal_places=4,
        help_text=_("Empty: the item is computed again from what has been put right."),
    )
    level = forms.ModelChoiceField(
        label=_("level granted"),
        required=False,
        queryset=Level.objects.all(),
        help_text=_("Empty: the level follows from the total."),
    )
    reason = forms.CharField(
        label=pgettext_lazy("appeal", "answer"), widget=forms.Textarea(attrs={"rows": 4})
    )

    def __init__(self, *args: Any, appeal: Appeal, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Points belong to an item, a level to the whole.
        del self.fields["level" if appeal.item_code else "points"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        granted = cleaned.get("points") is not None or cleaned.get("level") is not None
        if cleaned.get("outcome") == self.REJECT and granted:
            raise forms.ValidationError(_("What is rejected grants nothing."))
        return cleaned


class RevisionForm(forms.Form):
    """Why a published result is opened again."""

    reason = forms.CharField(
        label=_("reason"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Everybody who sees the result reads it."),
    )


class _PeopleField(forms.ModelMultipleChoiceField):
    """People by name and role."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj} · {obj.get_role_display()}"


class RatersForm(forms.Form):
    """Who is asked to rate besides."""

    users = _PeopleField(
        label=_("people"),
        queryset=User.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Each of them gets a letter."),
    )
