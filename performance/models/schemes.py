"""Schemes: how partners are scored, in versions that freeze when they are published."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language, gettext_lazy as _
from django_fsm import transition

from core.errors import Problem
from core.models import Model
from core.workflow import StateField, StatefulModel, fire
from performance import scoring
from performance.models.fields import kind_of_sales, line_and_below
from performance.models.guards import frozen_with_parent

CODE = RegexValidator(
    r"^[a-z][a-z0-9_-]{0,39}\Z",
    _("Lower-case letters, digits, “-” and “_”, beginning with a letter."),
)


class Scheme(Model):
    """A way of scoring partners; what it says is in its versions."""

    scope_path = None

    code = models.CharField(_("code"), max_length=40, unique=True, validators=[CODE])
    name = models.CharField(_("name"), max_length=100)
    name_en = models.CharField(_("English name"), max_length=100, blank=True)

    class Meta:
        verbose_name = _("scheme")
        verbose_name_plural = _("schemes")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name_en if get_language() == "en" and self.name_en else self.name

    def current(self) -> SchemeVersion | None:
        """The published version, if there is one."""
        return self.versions.filter(state=SchemeVersion.State.PUBLISHED).first()


def default_scope() -> dict[str, list[str]]:
    """Every partner that trades with us; an empty list of the others restricts nothing."""
    return {"states": ["active", "suspended"], "channel_types": [], "levels": [], "territories": []}


# Days after filing within which an appeal has its answer, where a version says nothing else.
ANSWER_DAYS = 10

# Columns of a version that nobody changes once it is published; the note may still be written.
_FROZEN_COLUMNS = (
    *("scheme_id", "number", "scope", "deduction_cap", "grace", "most_steps_up"),
    *("most_steps_down", "rating_days", "review_days", "appeal_days", "answer_days"),
)


def _columns(row: str) -> str:
    return ", ".join(f"{row}.{name}" for name in _FROZEN_COLUMNS)


def _publish_problems(version: SchemeVersion, by: Any) -> list[Problem]:
    from performance.schemes.validation import problems

    return problems(version)


class SchemeVersion(StatefulModel, Model):
    """One wording of a scheme: draft, then published and frozen, then retired by the next."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        RETIRED = "retired", _("Retired")

    FROZEN = (State.PUBLISHED, State.RETIRED)

    scope_path = None

    scheme = models.ForeignKey(
        Scheme, verbose_name=_("scheme"), on_delete=models.PROTECT, related_name="versions"
    )
    number = models.PositiveIntegerField(_("number"))
    state = StateField(_("state"), max_length=10, choices=State.choices, default=State.DRAFT)
    scope = models.JSONField(
        _("scope"),
        default=default_scope,
        help_text=_("Which partners: states, channel types, levels, territories with all below."),
    )
    note = models.TextField(_("note"), blank=True)
    deduction_cap = models.DecimalField(
        _("most that deductions take away"),
        max_digits=5,
        decimal_places=2,
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(0))],
        help_text=_("Points that decided deductions of the period may cost. 0: none count."),
    )
    grace = models.PositiveSmallIntegerField(
        _("grace"),
        default=0,
        validators=[MaxValueValidator(12)],
        help_text=_("How many evaluations in a row too low for the level are forgiven."),
    )
    most_steps_up = models.PositiveSmallIntegerField(
        _("most levels up at once"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Empty: any number."),
    )
    most_steps_down = models.PositiveSmallIntegerField(
        _("most levels down at once"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Empty: any number."),
    )
    rating_days = models.PositiveSmallIntegerField(
        _("days for ratings"),
        default=0,
        validators=[MaxValueValidator(180)],
        help_text=_("After the end of the period. 0: no ratings are collected."),
    )
    review_days = models.PositiveSmallIntegerField(
        _("days for the review"),
        default=0,
        validators=[MaxValueValidator(180)],
        help_text=_("After the end of the period. 0: published without review."),
    )
    appeal_days = models.PositiveSmallIntegerField(
        _("days for appeals"),
        default=0,
        validators=[MaxValueValidator(180)],
        help_text=_("After publishing. 0: no appeals."),
    )
    answer_days = models.PositiveSmallIntegerField(
        _("days for the answer to an appeal"),
        default=ANSWER_DAYS,
        validators=[MinValueValidator(1), MaxValueValidator(180)],
        help_text=_("After an appeal was filed."),
    )

    class Meta:
        verbose_name = _("scheme version")
        verbose_name_plural = _("scheme versions")
        ordering = ["scheme", "-number"]
        permissions = [("publish_schemeversion", "Can publish and retire scheme versions")]
        constraints = [
            models.UniqueConstraint(fields=["scheme", "number"], name="scheme_version_number"),
            models.UniqueConstraint(
                fields=["scheme"],
                condition=Q(state="published"),
                name="scheme_one_published",
                violation_error_message=_("Another version of this scheme is published."),
            ),
            models.CheckConstraint(
                condition=Q(deduction_cap__gte=0), name="scheme_version_deduction_cap"
            ),
            models.CheckConstraint(
                condition=(Q(most_steps_up=None) | Q(most_steps_up__gte=1))
                & (Q(most_steps_down=None) | Q(most_steps_down__gte=1)),
                name="scheme_version_steps",
                violation_error_message=_("At least one level at once, or any number."),
            ),
            models.CheckConstraint(
                condition=Q(answer_days__gte=1), name="scheme_version_answer_days"
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="frozen_update",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    f"OLD.state <> 'draft' AND ({_columns('NEW')}) IS DISTINCT "
                    f"FROM ({_columns('OLD')}) OR OLD.state <> NEW.state "
                    "AND (OLD.state, NEW.state) "
                    "NOT IN (('draft', 'published'), ('published', 'retired'))"
                ),
                func="RAISE EXCEPTION 'a published scheme version cannot be changed' "
                "USING ERRCODE = 'restrict_violation';",
            ),
            pgtrigger.Trigger(
                name="frozen_delete",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.state <> 'draft'"),
                func="RAISE EXCEPTION 'a published scheme version cannot be deleted' "
                "USING ERRCODE = 'restrict_violation';",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scheme} v{self.number}"

    @transition(
        field=state,
        source=State.DRAFT,
        target=State.PUBLISHED,
        custom={
            "label": _("Publish"),
            "permission": "performance.publish_schemeversion",
            "blockers": _publish_problems,
            "confirm": _(
                "From now on evaluations follow this version, and nothing in it can be changed any "
                "more. The version in force before it is retired."
            ),
            "icon": "rosette",
        },
    )
    def publish(self, *, by: Any, on: date) -> None:
        """Freeze this version and retire the one in force, in the same transaction. A backtest of
        exactly what it says stays attached to it."""
        from performance.backtest.services import attach_report

        attach_report(version=self, by=by)
        current = self.scheme.current()
        if current:
            fire(current, "retire", by=by, on=on)

    @transition(
        field=state,
        source=State.PUBLISHED,
        target=State.RETIRED,
        custom={
            "label": _("Retire"),
            "permission": "performance.publish_schemeversion",
            "confirm": _("No new evaluation follows it. It cannot be published again."),
            "icon": "archive",
        },
    )
    def retire(self, *, by: Any, on: date) -> None:
        """Not used for new evaluations any more."""


class TargetSource(models.TextChoices):
    NONE = "none", _("No target")
    FIXED = "fixed", _("Fixed amount")
    PEER_MEDIAN = "peer_median", _("Median of the peers")


class MissingPolicy(models.TextChoices):
    RENORMALISE = scoring.RENORMALISE, _("Share its weight among the others")
    ZERO = scoring.AS_ZERO, _("Count as 0 points")


def _frozen(message: str) -> list[pgtrigger.Trigger]:
    return frozen_with_parent(
        "performance_schemeversion", "version_id", ("published", "retired"), message
    )


class Basis(models.TextChoices):
    """What the value of an item comes from."""

    MEASURE = "measure", _("Measure")
    RATING = "rating", _("Rating by people")
    SCORES = "scores", _("Results of another scheme")


class Role(models.TextChoices):
    """Whether an item is part of the 100, or on top."""

    WEIGHTED = "weighted", _("Part of the 100")
    BONUS = "bonus", _("Bonus on top")


class MinimumRule(models.TextChoices):
    AT_LEAST = "at_least", _("at least")
    ABOVE = "above", _("more than")


class SchemeItem(Model):
    """One line of a scheme version: what it measures, its curve and its weight.

    The curve is JSON as docs/algorithms/scoring.md describes; it is read at the value, or at
    value ÷ target where there is a target source. `anchors` are texts for marks, {"1": …, "5": …};
    `source_items` are codes of items of the source scheme, empty for its total; a `minimum` in
    points that is not reached leaves the partner without a level.
    """

    scope_path = None

    version = models.ForeignKey(
        SchemeVersion, verbose_name=_("version"), on_delete=models.CASCADE, related_name="items"
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    code = models.CharField(_("code"), max_length=40, validators=[CODE])
    name = models.CharField(_("name"), max_length=100, blank=True)
    name_en = models.CharField(_("English name"), max_length=100, blank=True)
    basis = models.CharField(
        _("based on"), max_length=8, choices=Basis.choices, default=Basis.MEASURE
    )
    role = models.CharField(_("role"), max_length=8, choices=Role.choices, default=Role.WEIGHTED)
    # Its choices are those of the form: derived measures are rows (measures.offered).
    measure = models.CharField(_("measure"), max_length=40, blank=True)
    kind = kind_of_sales()
    product_line = line_and_below()
    weight = models.DecimalField(
        _("weight"), max_digits=5, decimal_places=2, validators=[MinValueValidator(Decimal(0))]
    )
    target_source = models.CharField(
        _("target"), max_length=12, choices=TargetSource.choices, default=TargetSource.NONE
    )
    target = models.DecimalField(
        _("fixed amount"), max_digits=18, decimal_places=4, null=True, blank=True
    )
    curve = models.JSONField(_("curve"))
    cap = models.DecimalField(_("cap"), max_digits=5, decimal_places=2, default=Decimal(100))
    gate = models.DecimalField(
        _("gate"),
        max_digits=18,
        decimal_places=6,
        null=True,
        blank=True,
        help_text=_("A value on the wrong side of it scores 0."),
    )
    missing = models.CharField(
        _("when it does not apply"),
        max_length=12,
        choices=MissingPolicy.choices,
        default=MissingPolicy.RENORMALISE,
    )
    anchors = models.JSONField(_("anchors"), default=dict, blank=True)
    raters = models.PositiveSmallIntegerField(
        _("least number of raters"),
        default=2,
        validators=[MinValueValidator(1), MaxValueValidator(20)],
    )
    source_scheme = models.ForeignKey(
        Scheme,
        verbose_name=_("other scheme"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    source_items = models.JSONField(_("its items"), default=list, blank=True)
    minimum = models.DecimalField(
        _("minimum"),
        max_digits=7,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text=_("Points without which there is no level, whatever the total."),
    )
    minimum_rule = models.CharField(
        _("rule of the minimum"),
        max_length=8,
        choices=MinimumRule.choices,
        default=MinimumRule.AT_LEAST,
    )

    class Meta:
        verbose_name = _("scheme item")
        verbose_name_plural = _("scheme items")
        ordering = ["version", "position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=(Q(basis=Basis.MEASURE) & ~Q(measure=""))
                | (~Q(basis=Basis.MEASURE) & Q(measure="", kind="", product_line=None)),
                name="scheme_item_measure",
                violation_error_message=_("Choose a measure where the item is based on one."),
            ),
            models.CheckConstraint(
                condition=Q(basis=Basis.SCORES, source_scheme__isnull=False)
                | (~Q(basis=Basis.SCORES) & Q(source_scheme=None)),
                name="scheme_item_source",
                violation_error_message=_("Choose the other scheme whose results count."),
            ),
            models.CheckConstraint(
                condition=~Q(basis=Basis.RATING) | ~Q(name=""),
                name="scheme_item_name",
                violation_error_message=_("What people rate needs a name."),
            ),
            models.CheckConstraint(condition=Q(raters__gte=1), name="scheme_item_raters"),
            models.CheckConstraint(
                condition=Q(minimum=None) | Q(minimum__gte=0), name="scheme_item_minimum"
            ),
        ]
        triggers = _frozen("items of a published scheme version cannot be changed")

    def __str__(self) -> str:
        return self.code


class VetoSide(models.TextChoices):
    BELOW = "below", _("below")
    ABOVE = "above", _("above")


class VetoEffect(models.TextChoices):
    NO_LEVEL = "no_level", _("No level")
    ZERO = "zero", _("Total 0")


class SchemeVeto(Model):
    """A measure whose value beyond a bound takes the level, or the whole total.

    A partner without a value of the measure is not touched.
    """

    scope_path = None

    version = models.ForeignKey(
        SchemeVersion, verbose_name=_("version"), on_delete=models.CASCADE, related_name="vetoes"
    )
    code = models.CharField(_("code"), max_length=40, validators=[CODE])
    name = models.CharField(_("name"), max_length=100)
    name_en = models.CharField(_("English name"), max_length=100, blank=True)
    measure = models.CharField(_("measure"), max_length=40)
    kind = kind_of_sales()
    product_line = line_and_below()
    side = models.CharField(_("when the value is"), max_length=5, choices=VetoSide.choices)
    bound = models.DecimalField(_("bound"), max_digits=18, decimal_places=6)
    effect = models.CharField(
        _("effect"), max_length=8, choices=VetoEffect.choices, default=VetoEffect.NO_LEVEL
    )

    class Meta:
        verbose_name = _("veto")
        verbose_name_plural = _("vetoes")
        ordering = ["version", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "code"],
                name="scheme_veto_code",
                violation_error_message=_("This version has a veto with that code already."),
            ),
        ]
        triggers = _frozen("vetoes of a published scheme version cannot be changed")

    def __str__(self) -> str:
        return self.name_en if get_language() == "en" and self.name_en else self.name


class SchemeLevel(Model):
    """The total from which on a partner has a level, and the one that keeps it.

    Empty `keep_total`: the same one.
    """

    scope_path = None

    version = models.ForeignKey(
        SchemeVersion, verbose_name=_("version"), on_delete=models.CASCADE, related_name="levels"
    )
    level = models.ForeignKey(
        "partners.Level", verbose_name=_("level"), on_delete=models.PROTECT, related_name="+"
    )
    min_total = models.DecimalField(_("from a total of"), max_digits=6, decimal_places=2)
    keep_total = models.DecimalField(
        _("kept from"),
        max_digits=6,
        decimal_places=2,
        null=True,
        blank=True,
        help_text=_("Who has the level keeps it from this total on. Empty: as to reach it."),
    )

    class Meta:
        verbose_name = _("scheme level")
        verbose_name_plural = _("scheme levels")
        ordering = ["version", "-min_total"]
        constraints = [
            models.CheckConstraint(
                condition=Q(keep_total=None) | Q(keep_total__lte=F("min_total")),
                name="scheme_level_keep",
                violation_error_message=_("A level is kept by what reaches it, or by less."),
            ),
        ]
        triggers = _frozen("levels of a published scheme version cannot be changed")

    def __str__(self) -> str:
        return f"{self.level} ≥ {self.min_total}"
