"""What follows from a result: level changes, awards, warnings, proposals to end a cooperation, and
plans to improve. Nothing of it happens by itself: one person proposes, another one decides."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pgtrigger
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _, pgettext_lazy
from django_fsm import RETURN_VALUE, transition

from core.errors import DomainError, Problem
from core.models import Event, Model
from core.periods import Period
from core.workflow import StateField, StatefulModel
from performance.models.evaluations import Evaluation, Score
from performance.models.fields import person
from performance.models.schemes import Scheme


class ConsequenceKind(models.TextChoices):
    LEVEL = "level", _("Level change")
    AWARD = "award", _("Award")
    WARNING = "warning", _("Warning")
    ELIMINATION = "elimination", _("Elimination")


def _decision_problems(row: Consequence, by: Any) -> list[Problem]:
    """Who proposed or wrote it does not decide it; an elimination is decided by two others."""
    if by is None or by.pk == row.proposed_by_id or _wrote(row, by):
        message = _("Who proposed or changed it cannot decide it; another person does.")
        return [Problem("second_person", message)]
    if row.agreed_by_id == by.pk:
        message = _("You have agreed already; another person decides.")
        return [Problem("third_person", message)]
    return []


def _final_problems(row: Consequence, by: Any) -> list[Problem]:
    if row.kind == ConsequenceKind.ELIMINATION and row.agreed_by_id is None:
        message = _("An elimination is decided by two persons: one agrees first.")
        return [Problem("agree_first", message)]
    return _decision_problems(row, by)


def _agreement_problems(row: Consequence, by: Any) -> list[Problem]:
    if row.kind != ConsequenceKind.ELIMINATION:
        return [Problem("one_decides", _("Only an elimination is decided by two persons."))]
    return _decision_problems(row, by)


def _wrote(row: Consequence, by: Any) -> bool:
    """Whether `by` changed what is to be decided."""
    verbs = [f"performance.consequence.{what}" for what in ("created", "updated")]
    return Event.objects.of(row).filter(actor=by, verb__in=verbs).exists()


_WHAT = (
    *("kind", "partner_id", "evaluation_id", "level_id", "reason", "effective_on"),
    *("proposed_by_id", "agreed_by_id"),
)


class Consequence(StatefulModel, Model):
    """Something that happens to a partner on `effective_on` because of a result.

    `level` is the one that a level change gives (empty: none any more) and `level_before` the one
    that it took the place of, written down when it is applied. An elimination in force changes
    nothing by itself: a person ends the cooperation on the page of the partner.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Proposed")
        AGREED = "agreed", _("Agreed, to be decided")
        DECIDED = "decided", _("Decided")
        IN_FORCE = "in_force", pgettext_lazy("consequence", "In force")
        REJECTED = "rejected", _("Rejected")

    scope_path = "partner"

    kind = models.CharField(_("Kind"), max_length=12, choices=ConsequenceKind.choices)
    partner = models.ForeignKey(
        "partners.Partner",
        verbose_name=_("partner"),
        on_delete=models.PROTECT,
        related_name="consequences",
    )
    evaluation = models.ForeignKey(
        Evaluation,
        verbose_name=_("evaluation"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="consequences",
        help_text=_("The result that it follows from."),
    )
    level = models.ForeignKey(
        "partners.Level",
        verbose_name=_("new level"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Of a level change. Empty: no level any more."),
    )
    level_before = models.ForeignKey(
        "partners.Level",
        verbose_name=_("level before"),
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
    )
    reason = models.TextField(_("reason"))
    effective_on = models.DateField(_("takes effect on"))
    state = StateField(_("state"), max_length=10, choices=State.choices, default=State.PROPOSED)
    proposed_by = person(_("proposed by"))
    agreed_by = person(_("agreed by"), null=True)
    decided_by = person(_("decided by"), null=True)

    class Meta:
        verbose_name = _("consequence")
        verbose_name_plural = _("consequences")
        ordering = ["-effective_on", "-id"]
        permissions = [("decide_consequence", "Can decide consequences that others proposed")]
        indexes = [
            models.Index(
                fields=["effective_on"], condition=Q(state="decided"), name="consequence_due"
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["evaluation", "partner"],
                condition=Q(kind="level") & ~Q(state="rejected"),
                name="consequence_one_level_change",
                violation_error_message=_("This result has a level change already."),
            ),
            models.CheckConstraint(
                condition=Q(kind="level") | Q(level=None, level_before=None),
                name="consequence_level",
                violation_error_message=_("Only a level change has a new level."),
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="consequence_reason"),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "agreed"], decided_by=None)
                | Q(state__in=["decided", "in_force", "rejected"], decided_by__isnull=False),
                name="consequence_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=(Q(decided_by=None) | ~Q(decided_by=F("proposed_by")))
                & (Q(agreed_by=None) | ~Q(agreed_by=F("proposed_by")))
                & (Q(agreed_by=None) | Q(decided_by=None) | ~Q(decided_by=F("agreed_by"))),
                name="consequence_different_people",
                violation_error_message=_("Different persons propose and decide it."),
            ),
            models.CheckConstraint(
                condition=~Q(kind="elimination", state__in=["decided", "in_force"])
                | Q(agreed_by__isnull=False),
                name="consequence_elimination_by_two",
                violation_error_message=_("An elimination is decided by two persons."),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="decided_update",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.state <> 'proposed' AND ("
                    + ", ".join(f"NEW.{name}" for name in _WHAT)
                    + ") IS DISTINCT FROM ("
                    + ", ".join(f"OLD.{name}" for name in _WHAT)
                    + ") OR OLD.state IN ('decided', 'in_force', 'rejected') "
                    "AND (NEW.decided_by_id IS DISTINCT FROM OLD.decided_by_id "
                    "OR OLD.state <> NEW.state "
                    "AND (OLD.state, NEW.state) <> ('decided', 'in_force'))"
                ),
                func="RAISE EXCEPTION 'an agreed or decided consequence cannot be changed' "
                "USING ERRCODE = 'restrict_violation';",
            ),
            pgtrigger.Trigger(
                name="decided_delete",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.state <> 'proposed'"),
                func="RAISE EXCEPTION 'an agreed or decided consequence cannot be deleted' "
                "USING ERRCODE = 'restrict_violation';",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.partner}"

    @property
    def level_now(self) -> Any:
        """The level that a level change took, or is to take, the place of."""
        return self.level_before if self.state == self.State.IN_FORCE else self.partner.level

    @transition(
        field=state,
        source=State.PROPOSED,
        target=State.AGREED,
        custom={
            "label": _("Agree"),
            "permission": "performance.decide_consequence",
            "blockers": _agreement_problems,
            "icon": "thumb-up",
        },
    )
    def agree(self, *, by: Any, on: date) -> None:
        """The first of the two who decide an elimination."""
        self.agreed_by = by

    @transition(
        field=state,
        source=[State.PROPOSED, State.AGREED],
        target=State.DECIDED,
        custom={
            "label": pgettext_lazy("consequence", "Decide"),
            "permission": "performance.decide_consequence",
            "blockers": _final_problems,
            "icon": "gavel",
        },
    )
    def decide(self, *, by: Any, on: date) -> None:
        """It takes effect on its day."""
        self.decided_by = by

    @transition(
        field=state,
        source=[State.PROPOSED, State.AGREED],
        target=State.REJECTED,
        custom={
            "label": pgettext_lazy("consequence", "Reject"),
            "permission": "performance.decide_consequence",
            "blockers": _decision_problems,
            "needs_reason": True,
            "icon": "x",
        },
    )
    def reject(self, *, by: Any, on: date) -> None:
        """It never takes effect."""
        self.decided_by = by


def _retest_problems(plan: ImprovementPlan, by: Any) -> list[Problem]:
    if plan.retest_score() is None:
        message = _("The period of the re-test has no published result of this partner yet.")
        return [Problem("no_result", message)]
    return []


class ImprovementPlan(StatefulModel, Model):
    """What a partner is to do better until the re-test: the total that the scheme has to give it
    for `retest_period`. Its actions have owners and dates of their own."""

    class State(models.TextChoices):
        OPEN = "open", _("Under way")
        PASSED = "passed", _("Passed")
        FAILED = "failed", _("Not passed")
        CANCELLED = "cancelled", _("Cancelled")

    scope_path = "partner"

    partner = models.ForeignKey(
        "partners.Partner",
        verbose_name=_("partner"),
        on_delete=models.PROTECT,
        related_name="improvement_plans",
    )
    evaluation = models.ForeignKey(
        Evaluation,
        verbose_name=_("evaluation"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="improvement_plans",
        help_text=_("The result that it follows from."),
    )
    goal = models.TextField(_("what has to get better"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    starts_on = models.DateField(_("begins on"))
    due_on = models.DateField(_("due on"))
    scheme = models.ForeignKey(
        Scheme, verbose_name=_("scheme of the re-test"), on_delete=models.PROTECT, related_name="+"
    )
    retest_period = models.CharField(
        _("period of the re-test"), max_length=10, help_text=_("As 2013-09, 2013Q3 or 2013.")
    )
    goal_total = models.DecimalField(
        _("total to reach"),
        max_digits=6,
        decimal_places=2,
        validators=[MinValueValidator(Decimal(0))],
    )
    state = StateField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    result = models.ForeignKey(
        Score,
        verbose_name=_("result of the re-test"),
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
    )

    class Meta:
        verbose_name = _("improvement plan")
        verbose_name_plural = _("improvement plans")
        ordering = ["due_on", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_on__lte=F("due_on")),
                name="plan_dates",
                violation_error_message=_("It cannot be due before it begins."),
            ),
            models.CheckConstraint(condition=~Q(goal=""), name="plan_goal"),
            models.CheckConstraint(condition=Q(goal_total__gte=0), name="plan_goal_total"),
            models.CheckConstraint(
                condition=Q(state__in=["passed", "failed"], result__isnull=False)
                | Q(state__in=["open", "cancelled"], result=None),
                name="plan_result",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.partner} · {self.retest_period}"

    def clean(self) -> None:
        if self.retest_period:
            try:
                found = Period.parse(self.retest_period, settings.FISCAL_YEAR_START)
            except DomainError as error:
                raise ValidationError({"retest_period": str(error.message)}) from error
            self.retest_period = found.code

    @property
    def overdue(self) -> bool:
        """Whether it is open after its day."""
        return self.state == self.State.OPEN and self.due_on < timezone.localdate()

    def retest_score(self) -> Score | None:
        """What the partner got in the newest published evaluation of the re-test, with a total."""
        found = Score.objects.filter(
            partner=self.partner_id,
            evaluation__scheme=self.scheme_id,
            evaluation__period_code=self.retest_period,
            evaluation__state__in=Evaluation.PUBLIC,
        )
        newest = found.select_related("evaluation__scheme").order_by("-evaluation__revision")
        score = newest.first()
        return score if score is not None and score.total is not None else None

    @transition(
        field=state,
        source=State.OPEN,
        target=RETURN_VALUE(State.PASSED, State.FAILED),
        custom={
            "label": _("Re-test"),
            "permission": "performance.change_improvementplan",
            "blockers": _retest_problems,
            "icon": "checkup-list",
        },
    )
    def retest(self, *, by: Any, on: date) -> str:
        """Close it by the published result: passed when the total reaches the goal."""
        self.result = self.retest_score()
        assert self.result is not None and self.result.total is not None  # a blocker says so
        return self.State.PASSED if self.result.total >= self.goal_total else self.State.FAILED

    @transition(
        field=state,
        source=State.OPEN,
        target=State.CANCELLED,
        custom={
            "label": _("Cancel"),
            "permission": "performance.change_improvementplan",
            "needs_reason": True,
            "icon": "x",
        },
    )
    def cancel(self, *, by: Any, on: date) -> None:
        """It is not pursued any more."""


class PlanAction(Model):
    """One thing to do of an improvement plan: by whom, until when, and when it was done."""

    scope_path = "plan__partner"

    plan = models.ForeignKey(
        ImprovementPlan,
        verbose_name=_("improvement plan"),
        on_delete=models.CASCADE,
        related_name="actions",
    )
    what = models.CharField(_("what to do"), max_length=200)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    due_on = models.DateField(_("due on"))
    done_on = models.DateField(_("done on"), null=True, blank=True)
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("action")
        verbose_name_plural = _("actions")
        ordering = ["due_on", "id"]
        indexes = [
            models.Index(fields=["owner", "due_on"], condition=Q(done_on=None), name="action_open")
        ]

    def __str__(self) -> str:
        return self.what
