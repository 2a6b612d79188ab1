"""Deductions: points that a decided case costs a partner, entered by one and decided by another."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from core.errors import Problem
from core.models import Event, Model
from core.workflow import StateField, StatefulModel
from performance.models.fields import person

LEAST, MOST = Decimal("0.5"), Decimal(10)


def _decision_problems(deduction: Deduction, by: Any) -> list[Problem]:
    if by is None or by.pk == deduction.entered_by_id or _wrote(deduction, by):
        message = _("Who entered or changed it cannot decide it; a second person does.")
        return [Problem("second_person", message)]
    if deduction.decided_on > timezone.localdate():
        message = _("The day on which it counts has not come yet.")
        return [Problem("day_not_come", message)]
    return []


def _wrote(deduction: Deduction, by: Any) -> bool:
    """Whether `by` changed what is to be decided."""
    verbs = [f"performance.deduction.{what}" for what in ("created", "updated")]
    return Event.objects.of(deduction).filter(actor=by, verb__in=verbs).exists()


class Deduction(StatefulModel, Model):
    """Points off, for a reason. Counts in the evaluations whose period contains `decided_on`, once
    a second person has decided it; then it cannot be changed any more."""

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Proposed")
        DECIDED = "decided", _("Decided")
        REJECTED = "rejected", _("Rejected")

    scope_path = "partner"

    partner = models.ForeignKey(
        "partners.Partner",
        verbose_name=_("partner"),
        on_delete=models.PROTECT,
        related_name="deductions",
    )
    decided_on = models.DateField(
        _("counts on"), help_text=_("The day of the case; it costs points in the period around it.")
    )
    points = models.DecimalField(
        _("points"),
        max_digits=4,
        decimal_places=2,
        validators=[MinValueValidator(LEAST), MaxValueValidator(MOST)],
        help_text=_("From 0.5 to 10."),
    )
    reason = models.TextField(_("reason"))
    evidence = models.FileField(_("evidence"), upload_to="deductions/%Y/", blank=True)
    state = StateField(_("state"), max_length=10, choices=State.choices, default=State.PROPOSED)
    entered_by = person(_("entered by"))
    decided_by = person(_("decided by"), null=True)

    class Meta:
        verbose_name = _("deduction")
        verbose_name_plural = _("deductions")
        ordering = ["-decided_on", "-id"]
        permissions = [("decide_deduction", "Can decide deductions that others entered")]
        indexes = [
            models.Index(
                fields=["decided_on", "partner"],
                condition=Q(state="decided"),
                name="deduction_counting",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(points__gte=LEAST, points__lte=MOST), name="deduction_points"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="deduction_reason"),
            models.CheckConstraint(
                condition=Q(state="proposed", decided_by=None)
                | (~Q(state="proposed") & Q(decided_by__isnull=False)),
                name="deduction_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("entered_by")),
                name="deduction_two_people",
                violation_error_message=_("Who entered it cannot decide it."),
            ),
        ]
        # A merge of partners may still move it to the one that is kept.
        triggers = [
            pgtrigger.Trigger(
                name="decided_update",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.state <> 'proposed' AND (NEW.decided_on, NEW.points, NEW.reason, "
                    "NEW.evidence, NEW.state, NEW.entered_by_id, NEW.decided_by_id) IS DISTINCT "
                    "FROM (OLD.decided_on, OLD.points, OLD.reason, OLD.evidence, OLD.state, "
                    "OLD.entered_by_id, OLD.decided_by_id)"
                ),
                func="RAISE EXCEPTION 'a decided deduction cannot be changed' "
                "USING ERRCODE = 'restrict_violation';",
            ),
            pgtrigger.Trigger(
                name="decided_delete",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.state <> 'proposed'"),
                func="RAISE EXCEPTION 'a decided deduction cannot be deleted' "
                "USING ERRCODE = 'restrict_violation';",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.partner} −{self.points.normalize():f} ({self.decided_on})"

    @transition(
        field=state,
        source=State.PROPOSED,
        target=State.DECIDED,
        custom={
            "label": _("Decide"),
            "permission": "performance.decide_deduction",
            "blockers": _decision_problems,
            "icon": "gavel",
        },
    )
    def decide(self, *, by: Any, on: date) -> None:
        """It counts from now on."""
        self.decided_by = by

    @transition(
        field=state,
        source=State.PROPOSED,
        target=State.REJECTED,
        custom={
            "label": _("Reject"),
            "permission": "performance.decide_deduction",
            "blockers": _decision_problems,
            "needs_reason": True,
            "icon": "x",
        },
    )
    def reject(self, *, by: Any, on: date) -> None:
        """It never counts."""
        self.decided_by = by
