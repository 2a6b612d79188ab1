"""Who owes which report of sales by when, and whether it came.

A report is received when sales lines of its kind and period are in the books. Triggers keep that
(migration 0005), so it is right after a load, an undo and a load again, in the same transaction.
See docs/algorithms/completeness.md.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import TruncDate
from django.utils.translation import gettext_lazy as _

from core.models import Model
from core.scoping import ScopedQuerySet
from partners.models import Partner
from sales import frequencies
from sales.models.facts import FIRST_DAY, LAST_DAY, SalesKind

LONGEST = 366  # days


class ReportingRuleQuerySet(ScopedQuerySet):
    """Rules are shared; of most only their reports are to be seen."""

    def asking_for(self, user: Any) -> QuerySet:
        """The rules by which somebody whom `user` sees reports."""
        return self.filter(Exists(Report.objects.visible_to(user).filter(rule=OuterRef("pk"))))


class ReportingRule(Model):
    """Partners in the scope report one kind of sales for each period. Every limit that is given
    counts; an empty one limits nothing."""

    scope_path = None

    name = models.CharField(_("name"), max_length=100, unique=True)
    kind = models.CharField(
        _("Kind"), max_length=12, choices=SalesKind.choices, default=SalesKind.SELL_THROUGH
    )
    frequency = models.CharField(
        _("frequency"), max_length=10, choices=frequencies.CHOICES, default=frequencies.MONTH
    )
    due_days = models.PositiveSmallIntegerField(
        _("due after days"),
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST)],
        help_text=_("Days after the end of the period on which the report may still come."),
    )
    starts_on = models.DateField(
        _("from"), help_text=_("Periods that begin on this day or later are reported.")
    )
    ends_before = models.DateField(
        _("until (exclusive)"),
        null=True,
        blank=True,
        help_text=_("Periods that begin before this day are reported; empty: without end."),
    )
    channel_types = ArrayField(
        models.CharField(max_length=20, choices=Partner.ChannelType.choices),
        verbose_name=_("channel types"),
        default=list,
        blank=True,
    )
    levels = models.ManyToManyField(
        "partners.Level", verbose_name=_("levels"), blank=True, related_name="+"
    )
    territories = models.ManyToManyField(
        "accounts.Territory",
        verbose_name=_("territories"),
        blank=True,
        related_name="+",
        help_text=_("With all below."),
    )
    partners = models.ManyToManyField(
        "partners.Partner", verbose_name=_("partners"), blank=True, related_name="+"
    )
    remind_before = models.PositiveSmallIntegerField(
        _("remind days before due"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(LONGEST)],
        help_text=_("Empty: no reminder."),
    )
    remind_after = models.PositiveSmallIntegerField(
        _("remind days after due"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(LONGEST)],
        help_text=_("Empty: no reminder."),
    )

    objects = ReportingRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("reporting rule")
        verbose_name_plural = _("reporting rules")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=SalesKind.values), name="sales_rule_kind"),
            models.CheckConstraint(
                condition=Q(frequency__in=frequencies.ALL), name="sales_rule_frequency"
            ),
            models.CheckConstraint(
                condition=Q(starts_on__range=(FIRST_DAY, LAST_DAY)), name="sales_rule_start"
            ),
            models.CheckConstraint(
                condition=Q(ends_before__isnull=True) | Q(ends_before__gt=F("starts_on")),
                name="sales_rule_dates",
                violation_error_message=_("The end must lie after the beginning."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if self.pk and self.reports.exists():
            before = type(self).objects.get(pk=self.pk)
            for name in ("kind", "frequency"):
                if getattr(before, name) != getattr(self, name):
                    raise ValidationError(
                        {name: _("There are reports by this rule. End it and make a new one.")}
                    )


class ReportQuerySet(ScopedQuerySet):
    """Reports with the state they have on a day."""

    def with_state(self, on: date) -> QuerySet:
        """Annotate `state` (Report.State): what has become of each report up to the day `on`."""
        return self.annotate(state=state_on(on))


def state_on(on: date) -> Case:
    """The expression of Report.State on a day. Lines count more than the word that there are none:
    somebody confirmed it and was wrong."""
    state = Report.State
    came_on = TruncDate("received_at")
    return Case(
        When(received_at__isnull=False, then=Case(
            When(due_on__lt=came_on, then=Value(state.LATE)), default=Value(state.RECEIVED)
        )),
        When(nothing_at__isnull=False, then=Value(state.NOTHING)),
        When(due_on__lt=on, then=Value(state.MISSING)),
        default=Value(state.EXPECTED),
        output_field=models.CharField(choices=state.choices),
    )  # fmt: skip


class Report(Model):
    """One partner owes one report for one period. Made by services.reporting, once the period is
    over.

    `received_at` is when the first of the lines that are in the books was recorded, `load` the
    import that brought it. Both are written by triggers only.
    """

    class State(models.TextChoices):
        EXPECTED = "expected", _("Expected")
        RECEIVED = "received", _("Received")
        LATE = "late", _("Received late")
        MISSING = "missing", _("Missing")
        NOTHING = "nothing", _("Nothing to report")

    IN = (State.RECEIVED, State.LATE, State.NOTHING)
    OPEN = (State.EXPECTED, State.MISSING)

    scope_path = "partner"

    rule = models.ForeignKey(
        ReportingRule, verbose_name=_("rule"), on_delete=models.CASCADE, related_name="reports"
    )
    partner = models.ForeignKey(
        "partners.Partner",
        verbose_name=_("partner"),
        on_delete=models.CASCADE,
        related_name="reports",
        db_index=False,  # leads the index below
    )
    kind = models.CharField(_("Kind"), max_length=12, choices=SalesKind.choices)
    starts_on = models.DateField(_("from"))
    ends_before = models.DateField(_("until (exclusive)"))
    due_on = models.DateField(_("due on"))
    received_at = models.DateTimeField(_("received at"), null=True, editable=False)
    load = models.ForeignKey(
        "core.Import",
        verbose_name=_("Import"),
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
    )
    nothing_at = models.DateTimeField(_("confirmed at"), null=True, editable=False)
    nothing_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("confirmed by"),
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
    )
    reminders = models.PositiveSmallIntegerField(_("reminders"), default=0, editable=False)
    reminded_at = models.DateTimeField(_("last reminded"), null=True, editable=False)

    objects = ReportQuerySet.as_manager()

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        ordering = ["-starts_on", "partner"]
        permissions = [
            ("remind_report", "Can remind a partner of a report"),
            ("confirm_report", "Can confirm that there is nothing to report"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "starts_on", "partner"], name="sales_report_once"
            ),
            models.CheckConstraint(
                condition=Q(ends_before__gt=F("starts_on"), due_on__gte=F("ends_before")),
                name="sales_report_dates",
            ),
            models.CheckConstraint(
                condition=Q(nothing_at__isnull=True, nothing_by__isnull=True)
                | Q(nothing_at__isnull=False, nothing_by__isnull=False),
                name="sales_report_confirmed_by_somebody",
            ),
        ]
        indexes = [
            models.Index(fields=["partner", "kind", "starts_on"], name="sales_report_of_partner"),
            models.Index(fields=["kind", "starts_on"], name="sales_report_of_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.partner} · {self.get_kind_display()} {self.period_name}"

    @property
    def period_name(self) -> str:
        """Its period in words."""
        return frequencies.label(self.starts_on, self.ends_before)

    def has_come(self) -> bool:
        """Whether lines are in the books or it is confirmed that there are none."""
        return self.received_at is not None or self.nothing_at is not None
