"""Backtests: what a draft would have given over past periods, beside the version in force."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import Job, Model
from core.periods import Period
from core.scoping import ScopedQuerySet
from core.workflow import StateField, StatefulModel
from performance.models.guards import frozen_with_parent
from performance.models.schemes import SchemeVersion


class BacktestReport(StatefulModel, Model):
    """A draft tried on the periods from `first_period` to `last_period`, beside a version in force.

    `result` tells no partner apart (performance.backtest.report); what became of each is in its
    results. `wording` is the digest of what the draft said. Attached to the publishing of a version
    that says the same, neither can be changed any more.
    """

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        ATTACHED = "attached", _("Attached")

    KNOWN = (State.DONE, State.ATTACHED)

    scope_path = None

    version = models.ForeignKey(
        SchemeVersion,
        verbose_name=_("draft"),
        on_delete=models.CASCADE,
        related_name="backtests",
    )
    against = models.ForeignKey(
        SchemeVersion, verbose_name=_("beside"), on_delete=models.PROTECT, related_name="+"
    )
    first_period = models.CharField(_("first period"), max_length=10)
    last_period = models.CharField(_("last period"), max_length=10)
    state = StateField(_("state"), max_length=10, choices=State.choices, default=State.RUNNING)
    job = models.ForeignKey(
        Job,
        verbose_name=_("job"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("by"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    computed_at = models.DateTimeField(_("computed at"), null=True, blank=True)
    attached_at = models.DateTimeField(_("attached at"), null=True, blank=True)
    partner_count = models.PositiveIntegerField(_("partners"), default=0)
    digest = models.CharField(_("digest"), max_length=64, blank=True)
    wording = models.CharField(_("digest of the draft"), max_length=64, blank=True)
    definitions = models.JSONField(default=dict, blank=True)
    result = models.JSONField(_("result"), default=dict, blank=True)

    class Meta:
        verbose_name = _("backtest")
        verbose_name_plural = _("backtests")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(version=F("against")), name="backtest_of_two_versions"
            ),
            models.CheckConstraint(
                condition=Q(state="running", digest="", computed_at=None)
                | (~Q(state="running") & ~Q(digest="") & Q(computed_at__isnull=False)),
                name="backtest_known_has_digest",
            ),
            models.CheckConstraint(
                condition=Q(state="attached", attached_at__isnull=False)
                | (~Q(state="attached") & Q(attached_at=None)),
                name="backtest_attached_has_time",
            ),
            models.UniqueConstraint(
                fields=["version"],
                condition=Q(state="attached"),
                name="backtest_attached_once",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="attached",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__state="attached"),
            )
        ]

    def __str__(self) -> str:
        return f"{self.version} · {self.span}"

    @property
    def span(self) -> str:
        """The periods: “2012Q1–2013Q3”."""
        if self.first_period == self.last_period:
            return self.first_period
        return f"{self.first_period}–{self.last_period}"

    @property
    def period(self) -> Period:
        """The last period as a value."""
        return Period.parse(self.last_period, settings.FISCAL_YEAR_START)

    @property
    def last_moves(self) -> dict[str, Any]:
        """How many moved which way in the last period; empty while it is not known."""
        return self.result["periods"][-1]["moves"] if self.result else {}


class BacktestResult(models.Model):
    """What became of one partner in a backtest.

    Totals, ranks and levels are those of the last period; `trail` has all periods, an array each:
    period, total, rank and level by the draft, total, rank and level by the version in force.
    `level_before` (a code) and `forgiven` are what the draft's level started from there.
    `margin` is the draft's total − the least total of `near_level`, where that is at most 2 points
    away.
    """

    scope_path = "partner"

    report = models.ForeignKey(
        BacktestReport,
        verbose_name=_("backtest"),
        on_delete=models.CASCADE,
        related_name="results",
        db_index=False,  # leads the unique index
    )
    partner = models.ForeignKey(
        "partners.Partner",
        verbose_name=_("partner"),
        on_delete=models.PROTECT,
        related_name="backtest_results",
    )
    total_draft = models.DecimalField(
        _("total by the draft"), max_digits=6, decimal_places=2, null=True
    )
    total_against = models.DecimalField(
        _("total in force"), max_digits=6, decimal_places=2, null=True
    )
    change = models.DecimalField(_("change"), max_digits=6, decimal_places=2, null=True)
    rank_draft = models.PositiveIntegerField(_("rank by the draft"), null=True)
    rank_against = models.PositiveIntegerField(_("rank in force"), null=True)
    level_draft = models.ForeignKey(
        "partners.Level",
        verbose_name=_("level by the draft"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    level_against = models.ForeignKey(
        "partners.Level",
        verbose_name=_("level in force"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    steps = models.SmallIntegerField(
        _("levels"), help_text=_("1: the draft gives a higher level, −1: a lower one.")
    )
    near_level = models.ForeignKey(
        "partners.Level",
        verbose_name=_("near level"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    margin = models.DecimalField(_("distance"), max_digits=4, decimal_places=2, null=True)
    level_before = models.CharField(_("level before"), max_length=40, blank=True)
    forgiven = models.PositiveSmallIntegerField(_("forgiven"), default=0)
    trail = models.JSONField(_("all periods"))

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("partner in a backtest")
        verbose_name_plural = _("partners in backtests")
        ordering = ["report", "id"]
        constraints = [
            models.UniqueConstraint(fields=["report", "partner"], name="backtest_result_once"),
            models.CheckConstraint(
                condition=Q(steps__gte=-1, steps__lte=1), name="backtest_result_steps"
            ),
            models.CheckConstraint(
                condition=Q(near_level=None, margin=None)
                | Q(near_level__isnull=False, margin__gte=-2, margin__lte=2),
                name="backtest_result_margin",
            ),
        ]
        triggers = frozen_with_parent(
            "performance_backtestreport",
            "report_id",
            ("attached",),
            "results of an attached backtest cannot be changed",
        )

    def __str__(self) -> str:
        return f"{self.partner} · {self.report}"

    @property
    def periods(self) -> list[dict[str, Any]]:
        """`trail` by name, oldest first."""
        names = ("period", "total", "rank", "level", "total_against", "rank_against")
        return [dict(zip((*names, "level_against"), each, strict=True)) for each in self.trail]
