"""Corrections: what the review changes of a score, proposed by one person, decided by another."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from core.errors import Problem
from core.models import Model
from core.workflow import StateField, StatefulModel
from performance.models.evaluations import Evaluation
from performance.models.fields import person
from performance.models.guards import frozen_with_parent


def _closed(correction: Correction) -> list[Problem]:
    if correction.evaluation.state == Evaluation.State.REVIEW:
        return []
    return [Problem("not_in_review", _("The evaluation is not in review."))]


def _decision_problems(correction: Correction, by: Any) -> list[Problem]:
    problems = _closed(correction)
    if by is None or by.pk == correction.proposed_by_id:
        message = _("Who proposed it cannot accept it; a second person does.")
        problems.append(Problem("second_person", message))
    return problems


def _rejection_problems(correction: Correction, by: Any) -> list[Problem]:
    return _closed(correction)


def _withdrawal_problems(correction: Correction, by: Any) -> list[Problem]:
    problems = _closed(correction)
    if by is None or by.pk != correction.proposed_by_id:
        message = _("Only who proposed it can withdraw it.")
        problems.append(Problem("not_yours", message))
    return problems


class Correction(StatefulModel, Model):
    """Other points for one item of one partner, or (without an item) another level.

    Accepted ones are laid over what is computed; the computed value is kept beside them in the
    score. `appeal` is the one that led to it.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Proposed")
        ACCEPTED = "accepted", _("Accepted")
        REJECTED = "rejected", _("Rejected")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    scope_path = "partner"

    evaluation = models.ForeignKey(
        Evaluation,
        verbose_name=_("evaluation"),
        on_delete=models.CASCADE,
        related_name="corrections",
    )
    partner = models.ForeignKey(
        "partners.Partner",
        verbose_name=_("partner"),
        on_delete=models.PROTECT,
        related_name="corrections",
    )
    item_code = models.CharField(
        _("item"), max_length=40, blank=True, help_text=_("Empty: the level.")
    )
    points = models.DecimalField(
        _("points"),
        max_digits=7,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text=_("The points of the item from now on."),
    )
    level = models.ForeignKey(
        "partners.Level",
        verbose_name=_("level"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("The level from now on; empty: none."),
    )
    reason = models.TextField(_("reason"))
    evidence = models.FileField(_("evidence"), upload_to="corrections/%Y/", blank=True)
    appeal = models.ForeignKey(
        "performance.Appeal",
        verbose_name=_("appeal"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="corrections",
        editable=False,
    )
    state = StateField(_("state"), max_length=10, choices=State.choices, default=State.PROPOSED)
    proposed_by = person(_("proposed by"))
    decided_by = person(_("decided by"), null=True)

    class Meta:
        verbose_name = _("change in review")
        verbose_name_plural = _("changes in review")
        ordering = ["-id"]
        permissions = [("decide_correction", "Can decide changes that others proposed")]
        constraints = [
            models.UniqueConstraint(
                fields=["evaluation", "partner", "item_code"],
                condition=Q(state__in=["proposed", "accepted"]),
                name="correction_once",
                violation_error_message=_("There is a change of that already."),
            ),
            models.CheckConstraint(
                condition=(~Q(item_code="") & Q(points__isnull=False, level=None))
                | Q(item_code="", points=None),
                name="correction_one_thing",
                violation_error_message=_("Give the points of an item, or else a level."),
            ),
            models.CheckConstraint(
                condition=Q(points=None) | Q(points__gte=0), name="correction_points"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="correction_reason"),
            models.CheckConstraint(
                condition=~Q(state="accepted")
                | (Q(decided_by__isnull=False) & ~Q(decided_by=F("proposed_by"))),
                name="correction_two_people",
                violation_error_message=_("Who proposed it cannot accept it."),
            ),
        ]
        triggers = frozen_with_parent(
            "performance_evaluation",
            "evaluation_id",
            ("published",),
            "corrections of a published evaluation cannot be changed",
        )

    def __str__(self) -> str:
        return f"{self.partner} · {self.item_code or self._meta.get_field('level').verbose_name}"

    def clean(self) -> None:
        """It is proposed in review, for a partner that is scored, within the cap of the item."""
        if self.evaluation_id is None or self.partner_id is None:
            return
        if self._state.adding and self.evaluation.state != Evaluation.State.REVIEW:
            message = _("The evaluation is not in review.")
            raise ValidationError({"evaluation": ValidationError(message, "not_in_review")})
        check_target(self.evaluation, self.partner_id, self.item_code, self.points)

    @transition(
        field=state,
        source=State.PROPOSED,
        target=State.ACCEPTED,
        custom={
            "label": _("Accept"),
            "permission": "performance.decide_correction",
            "blockers": _decision_problems,
            "icon": "check",
        },
    )
    def accept(self, *, by: Any, on: date) -> None:
        """It counts from the next computation on."""
        self.decided_by = by

    @transition(
        field=state,
        source=[State.PROPOSED, State.ACCEPTED],
        target=State.REJECTED,
        custom={
            "label": _("Reject"),
            "permission": "performance.decide_correction",
            "blockers": _rejection_problems,
            "needs_reason": True,
            "icon": "x",
        },
    )
    def reject(self, *, by: Any, on: date) -> None:
        """It does not count, or no more from the next computation on."""
        self.decided_by = by

    @transition(
        field=state,
        source=State.PROPOSED,
        target=State.WITHDRAWN,
        custom={
            "label": _("Withdraw"),
            "permission": "performance.add_correction",
            "blockers": _withdrawal_problems,
            "icon": "arrow-back-up",
        },
    )
    def withdraw(self, *, by: Any, on: date) -> None:
        """It was proposed in error."""


def check_target(
    evaluation: Evaluation, partner_id: int, item_code: str, points: Decimal | None
) -> None:
    """ValidationError where the partner has no score, the scheme no such item, or the item fewer
    points to give."""
    if not evaluation.scores.filter(partner=partner_id).exists():
        message = _("This partner has no score in the evaluation.")
        raise ValidationError({"partner": ValidationError(message, "no_score")})
    if not item_code:
        return
    item = evaluation.scheme_version.items.filter(code=item_code).first()
    if item is None:
        raise ValidationError(
            {"item_code": ValidationError(_("The scheme has no such item."), "unknown_item")}
        )
    if points is not None and points > item.cap:
        message = _("The item gives at most %(cap)s points.") % {"cap": item.cap.normalize()}
        raise ValidationError({"points": ValidationError(message, "above_cap")})
