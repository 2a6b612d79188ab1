"""What is different from a published result: in its next revision, or if it were computed now."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import Model
from core.scoping import ScopedQuerySet
from performance.models.evaluations import Evaluation
from performance.models.guards import frozen_with_parent


class LateCheck(Model):
    """The last look at what was recorded for an evaluation after it was computed: the sales lines
    of its period and their net sum, and how many scores they would change."""

    scope_path = None

    evaluation = models.OneToOneField(
        Evaluation,
        verbose_name=_("evaluation"),
        on_delete=models.CASCADE,
        related_name="late_check",
    )
    checked_at = models.DateTimeField(_("checked at"))
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("checked by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    lines = models.PositiveIntegerField(_("late lines"))
    net = models.DecimalField(_("late net"), max_digits=20, decimal_places=4)
    changed = models.PositiveIntegerField(_("scores that would change"))

    class Meta:
        verbose_name = _("check for late facts")
        verbose_name_plural = _("checks for late facts")

    def __str__(self) -> str:
        return str(self.evaluation)


class ScoreChange(models.Model):
    """One partner whose result is another one. Without a `revision`: what would change if the
    evaluation were computed now (see LateCheck).

    `items` are those with other points: [{"code", "before", "after"}], points as text or null.
    """

    scope_path = "partner"

    evaluation = models.ForeignKey(
        Evaluation,
        verbose_name=_("evaluation"),
        on_delete=models.CASCADE,
        related_name="score_changes",
        db_index=False,  # leads the unique index
    )
    revision = models.ForeignKey(
        Evaluation,
        verbose_name=_("revision"),
        null=True,
        on_delete=models.CASCADE,
        related_name="changes",
    )
    partner = models.ForeignKey(
        "partners.Partner",
        verbose_name=_("partner"),
        on_delete=models.PROTECT,
        related_name="score_changes",
    )
    total_before = models.DecimalField(_("total before"), max_digits=6, decimal_places=2, null=True)
    total_after = models.DecimalField(_("total after"), max_digits=6, decimal_places=2, null=True)
    difference = models.GeneratedField(
        verbose_name=_("difference"),
        expression=models.functions.Coalesce("total_after", Decimal(0))
        - models.functions.Coalesce("total_before", Decimal(0)),
        output_field=models.DecimalField(max_digits=6, decimal_places=2),
        db_persist=True,
    )
    rank_before = models.PositiveIntegerField(_("rank before"), null=True)
    rank_after = models.PositiveIntegerField(_("rank after"), null=True)
    level_before = models.ForeignKey(
        "partners.Level",
        verbose_name=_("level before"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    level_after = models.ForeignKey(
        "partners.Level",
        verbose_name=_("level after"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    items = models.JSONField(_("items"), default=list)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("changed score")
        verbose_name_plural = _("changed scores")
        ordering = ["evaluation", "revision", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["evaluation", "revision", "partner"],
                nulls_distinct=False,
                name="score_change_once",
            ),
            models.CheckConstraint(
                condition=Q(revision=None) | ~Q(revision=models.F("evaluation")),
                name="score_change_between_two",
            ),
        ]
        triggers = frozen_with_parent(
            "performance_evaluation",
            "revision_id",
            ("published",),
            "what a published revision changed is kept",
        )

    def __str__(self) -> str:
        return f"{self.partner}: {self.total_before} → {self.total_after}"
