"""Evaluations: a scheme version over a period for all partners of its scope; and the scores."""

from __future__ import annotations

from datetime import date
from typing import Any

import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from core.errors import Problem
from core.models import Job, Model
from core.periods import KIND_CHOICES, Period
from core.scoping import ScopedQuerySet
from core.workflow import StatefulModel
from performance.models.guards import frozen_with_parent
from performance.models.items import ItemsField
from performance.models.schemes import Scheme, SchemeVersion


class EvaluationSchedule(Model):
    """Evaluate a scheme every month, quarter or year, so many days after the period has ended."""

    scope_path = None

    scheme = models.ForeignKey(
        Scheme, verbose_name=_("scheme"), on_delete=models.CASCADE, related_name="schedules"
    )
    every = models.CharField(_("every"), max_length=10, choices=KIND_CHOICES, default="quarter")
    days_after = models.PositiveSmallIntegerField(
        _("days after the end"), default=5, validators=[MaxValueValidator(90)]
    )
    active = models.BooleanField(_("active"), default=True)
    last_period = models.CharField(_("last started"), max_length=10, blank=True, editable=False)

    class Meta:
        verbose_name = _("evaluation schedule")
        verbose_name_plural = _("evaluation schedules")
        ordering = ["scheme", "every"]
        constraints = [
            models.UniqueConstraint(
                fields=["scheme", "every"],
                name="schedule_once",
                violation_error_message=_("This scheme has such a schedule already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.scheme} ({self.get_every_display()})"


def _publish_problems(evaluation: Evaluation, by: Any) -> list[Problem]:
    if evaluation.as_of and evaluation.as_of < evaluation.ends_before:
        message = _("It was computed before the period was over. Compute it again.")
        return [Problem("period_not_over", message)]
    return []


class Evaluation(StatefulModel, Model):
    """A run. `starts_on` ≤ day < `ends_before`. Published, it and its scores are immutable.

    `watermark` says which facts it saw: per sales kind the lines of its partners and period and
    their net sum, and the last import. `peers` keeps per item the median that served as target and
    the median of the points.
    """

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        COMPUTED = "computed", _("Computed")
        PUBLISHED = "published", _("Published")
        FAILED = "failed", _("Failed")

    scope_path = None

    scheme = models.ForeignKey(
        Scheme, verbose_name=_("scheme"), on_delete=models.PROTECT, related_name="evaluations"
    )
    scheme_version = models.ForeignKey(
        SchemeVersion,
        verbose_name=_("version"),
        on_delete=models.PROTECT,
        related_name="evaluations",
    )
    period_code = models.CharField(_("period"), max_length=10)
    starts_on = models.DateField(_("from"))
    ends_before = models.DateField(_("to (exclusive)"))
    revision = models.PositiveSmallIntegerField(_("revision"), default=1)
    state = FSMField(
        _("state"), max_length=10, choices=State.choices, default=State.RUNNING, protected=True
    )
    job = models.ForeignKey(
        Job,
        verbose_name=_("job"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    dispatched_at = models.DateTimeField(_("started at"), default=timezone.now)
    as_of = models.DateField(_("as of"), null=True, blank=True)
    computed_at = models.DateTimeField(_("computed at"), null=True, blank=True)
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)
    partner_count = models.PositiveIntegerField(_("partners"), default=0)
    digest = models.CharField(_("digest"), max_length=64, blank=True)
    watermark = models.JSONField(default=dict, blank=True)
    peers = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("evaluation")
        verbose_name_plural = _("evaluations")
        ordering = ["-starts_on", "scheme", "-revision"]
        permissions = [
            ("publish_evaluation", "Can publish evaluations"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["scheme", "period_code", "revision"], name="evaluation_once"
            ),
            models.CheckConstraint(
                condition=Q(starts_on__lt=F("ends_before")), name="evaluation_period"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["computed", "published"]) | ~Q(digest=""),
                name="evaluation_has_digest",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="published",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__state="published"),
            )
        ]

    def __str__(self) -> str:
        revision = f" r{self.revision}" if self.revision > 1 else ""
        return f"{self.scheme} {self.period_code}{revision}"

    @property
    def period(self) -> Period:
        """The period as a value."""
        return Period.parse(self.period_code, settings.FISCAL_YEAR_START)

    @transition(
        field=state,
        source=State.COMPUTED,
        target=State.PUBLISHED,
        custom={
            "label": _("Publish"),
            "permission": "performance.publish_evaluation",
            "blockers": _publish_problems,
            "icon": "rosette",
        },
    )
    def publish(self, *, by: Any, on: date) -> None:
        """Make the scores known and immutable."""
        self.published_at = timezone.now()


class Score(models.Model):
    """What one partner got, with the frozen inputs of every item (see performance.run)."""

    scope_path = "partner"

    evaluation = models.ForeignKey(
        Evaluation,
        verbose_name=_("evaluation"),
        on_delete=models.CASCADE,
        related_name="scores",
        db_index=False,  # leads the unique index
    )
    partner = models.ForeignKey(
        "partners.Partner",
        verbose_name=_("partner"),
        on_delete=models.PROTECT,
        related_name="scores",
    )
    total = models.DecimalField(_("total"), max_digits=6, decimal_places=2, null=True)
    rank = models.PositiveIntegerField(_("rank"), null=True)
    level = models.ForeignKey(
        "partners.Level",
        verbose_name=_("level"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    items = ItemsField(_("items"))

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("score")
        verbose_name_plural = _("scores")
        ordering = ["evaluation", F("rank").asc(nulls_last=True), "id"]
        constraints = [
            models.UniqueConstraint(fields=["evaluation", "partner"], name="score_once"),
        ]
        triggers = frozen_with_parent(
            "performance_evaluation",
            "evaluation_id",
            ("published",),
            "scores of a published evaluation cannot be changed",
        )

    def __str__(self) -> str:
        return f"{self.partner} · {self.evaluation}"
