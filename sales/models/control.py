"""What a source says its rows of a day or a month sum up to, beside what our books say."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Func, Q, Value, When
from django.utils.translation import gettext_lazy as _

from core.models import Model
from core.scoping import ScopedQuerySet
from sales.models.facts import FIRST_DAY, LAST_DAY, TOO_MUCH, SalesKind


class ControlKind(models.TextChoices):
    """The facts that are counted: sales lines of a kind, or payments."""

    SELL_IN = SalesKind.SELL_IN.value, SalesKind.SELL_IN.label
    SELL_THROUGH = SalesKind.SELL_THROUGH.value, SalesKind.SELL_THROUGH.label
    SELL_OUT = SalesKind.SELL_OUT.value, SalesKind.SELL_OUT.label
    PAYMENT = "payment", _("Payments")


class Comparison(models.TextChoices):
    """How a total stands to our books."""

    MATCHES = "matches", _("Matches")
    DIFFERS = "differs", _("Differs")
    REQUESTED = "requested", _("Asked for again")
    NOT_COMPARED = "not_compared", _("Not compared")


class EndOf(Func):
    """The first day after the day or month (`span`) that begins on a date."""

    template = "(%(expressions)s + interval '1 %(span)s')::date"
    output_field = models.DateField()


MATCHES = Q(rows=F("books_rows"), amount=F("books_amount"))
# `ControlTotal.comparison` as SQL.
COMPARISON = Case(
    When(books_rows__isnull=True, then=Value(Comparison.NOT_COMPARED.value)),
    When(MATCHES, then=Value(Comparison.MATCHES.value)),
    When(requested_at__isnull=False, then=Value(Comparison.REQUESTED.value)),
    default=Value(Comparison.DIFFERS.value),
    output_field=models.CharField(),
)


class ControlTotal(Model):
    """Rows and amount of a source in [starts_on, ends_before), a day or a month; of one partner, or
    of the whole source (null), which only those see who see the whole network.

    `books_rows` and `books_amount` are what our books had at the last comparison, `checked_at`.
    `requested_at` is when the rows were asked for again; a comparison that matches ends that.
    """

    scope_path = "partner"

    source = models.CharField(
        _("Source"), max_length=40, db_collation="C", help_text=_("As the rows name it.")
    )
    kind = models.CharField(_("Kind"), max_length=12, choices=ControlKind.choices)
    starts_on = models.DateField(_("from"))
    ends_before = models.DateField(_("before"))
    partner = models.ForeignKey(
        "partners.Partner",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="control_totals",
        verbose_name=_("partner"),
        help_text=_("Empty: all partners together."),
    )
    rows = models.PositiveIntegerField(_("rows there"))
    amount = models.DecimalField(_("amount there"), max_digits=18, decimal_places=4)
    books_rows = models.PositiveIntegerField(_("rows here"), null=True, editable=False)
    books_amount = models.DecimalField(
        _("amount here"), max_digits=30, decimal_places=4, null=True, editable=False
    )
    checked_at = models.DateTimeField(_("compared at"), null=True, editable=False)
    requested_at = models.DateTimeField(_("asked for at"), null=True, editable=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,  # nobody asks
        verbose_name=_("asked for by"),
    )

    class Meta:
        verbose_name = _("control total")
        verbose_name_plural = _("control totals")
        ordering = ["-starts_on", "source", "kind"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "kind", "starts_on", "ends_before", "partner"],
                nulls_distinct=False,
                name="control_total_unique",
                violation_error_message=_(
                    "There is a total of this source, kind, period and partner already."
                ),
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ControlKind.values), name="control_total_kind"
            ),
            models.CheckConstraint(
                condition=Q(ends_before=EndOf("starts_on", span="day"))
                | Q(starts_on__day=1, ends_before=EndOf("starts_on", span="month")),
                name="control_total_period",
                violation_error_message=_("The period must be a day or a whole month."),
            ),
            models.CheckConstraint(
                condition=Q(starts_on__range=(FIRST_DAY, LAST_DAY)), name="control_total_date"
            ),
            models.CheckConstraint(
                condition=Q(amount__lt=TOO_MUCH),
                name="control_total_finite",
                violation_error_message=_("The amount is too large."),
            ),
            models.CheckConstraint(condition=~Q(source=""), name="control_total_source_given"),
            models.CheckConstraint(
                condition=Q(books_rows=None, books_amount=None, checked_at=None)
                | Q(books_rows__isnull=False, books_amount__isnull=False, checked_at__isnull=False),
                name="control_total_compared",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.get_kind_display()} {self.period}"

    @property
    def period(self) -> str:
        """2026-03 or 2026-03-05."""
        return period_code(self.starts_on, self.ends_before)

    @property
    def comparison(self) -> Comparison:
        if self.books_rows is None:
            return Comparison.NOT_COMPARED
        if (self.rows, self.amount) == (self.books_rows, self.books_amount):
            return Comparison.MATCHES
        return Comparison.REQUESTED if self.requested_at else Comparison.DIFFERS


def period_code(starts_on: Any, ends_before: Any) -> str:
    """The month or the day that two dates bound, as 2026-03 or 2026-03-05."""
    return f"{starts_on:%Y-%m-%d}" if (ends_before - starts_on).days == 1 else f"{starts_on:%Y-%m}"


class ControlReference(models.Model):
    """One row of the source behind a total, by its reference: the list that a source sends for a
    total that differs."""

    scope_path = "total__partner"

    total = models.ForeignKey(
        ControlTotal,
        on_delete=models.CASCADE,
        related_name="references",
        db_index=False,  # leads the unique index
    )
    reference = models.CharField(_("Reference"), max_length=100, db_collation="C")
    amount = models.DecimalField(_("Amount"), max_digits=18, decimal_places=4)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("reference of a control total")
        verbose_name_plural = _("references of control totals")
        constraints = [
            models.UniqueConstraint(fields=["total", "reference"], name="control_reference_once"),
            models.CheckConstraint(condition=~Q(reference=""), name="control_reference_given"),
            models.CheckConstraint(
                condition=Q(amount__lt=TOO_MUCH), name="control_reference_finite"
            ),
        ]

    def __str__(self) -> str:
        return self.reference
