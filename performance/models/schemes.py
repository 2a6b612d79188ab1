"""Schemes: how partners are scored, in versions that freeze when they are published."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pgtrigger
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language, gettext_lazy as _
from django_fsm import FSMField, transition

from core.errors import Problem
from core.models import Model
from core.workflow import StatefulModel, fire
from performance import measures, scoring
from performance.models.guards import frozen_with_parent
from sales.models import SalesKind

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


def _publish_problems(version: SchemeVersion, by: Any) -> list[Problem]:
    from performance.validation import problems

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
    state = FSMField(
        _("state"), max_length=10, choices=State.choices, default=State.DRAFT, protected=True
    )
    scope = models.JSONField(
        _("scope"),
        default=default_scope,
        help_text=_("Which partners: states, channel types, levels, territories with all below."),
    )
    note = models.TextField(_("note"), blank=True)

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
        ]
        triggers = [
            pgtrigger.Trigger(
                name="frozen_update",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.state <> 'draft' AND (NEW.scheme_id, NEW.number, NEW.scope) IS DISTINCT "
                    "FROM (OLD.scheme_id, OLD.number, OLD.scope) OR OLD.state <> NEW.state "
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
            "icon": "rosette",
        },
    )
    def publish(self, *, by: Any, on: date) -> None:
        """Freeze this version and retire the one in force, in the same transaction."""
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


class SchemeItem(Model):
    """One line of a scheme version: a measure, its curve and its weight.

    The curve is JSON as docs/algorithms/scoring.md describes; it is read at the value, or at
    value ÷ target where there is a target source.
    """

    scope_path = None

    version = models.ForeignKey(
        SchemeVersion, verbose_name=_("version"), on_delete=models.CASCADE, related_name="items"
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    code = models.CharField(_("code"), max_length=40, validators=[CODE])
    measure = models.CharField(_("measure"), max_length=40, choices=measures.choices)
    kind = models.CharField(
        _("kind"),
        max_length=12,
        choices=SalesKind.choices,
        blank=True,
        help_text=_("Empty: the measure’s own, else sell-in."),
    )
    product_line = models.ForeignKey(
        "catalog.ProductLine",
        verbose_name=_("product line"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Only this line and all below it."),
    )
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

    class Meta:
        verbose_name = _("scheme item")
        verbose_name_plural = _("scheme items")
        ordering = ["version", "position", "id"]
        triggers = _frozen("items of a published scheme version cannot be changed")

    def __str__(self) -> str:
        return self.code


class SchemeLevel(Model):
    """The total from which on a partner has a level."""

    scope_path = None

    version = models.ForeignKey(
        SchemeVersion, verbose_name=_("version"), on_delete=models.CASCADE, related_name="levels"
    )
    level = models.ForeignKey(
        "partners.Level", verbose_name=_("level"), on_delete=models.PROTECT, related_name="+"
    )
    min_total = models.DecimalField(_("from a total of"), max_digits=6, decimal_places=2)

    class Meta:
        verbose_name = _("scheme level")
        verbose_name_plural = _("scheme levels")
        ordering = ["version", "-min_total"]
        triggers = _frozen("levels of a published scheme version cannot be changed")

    def __str__(self) -> str:
        return f"{self.level} ≥ {self.min_total}"
