"""Closed months, and what changes in them afterwards.

Lines of a closed month still come, change and go, with both of their dates. Triggers (migration
0005) list each difference as an adjustment, so that for a closed month
`net at closing + sum of adjustments = net now`, whoever writes.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pgtrigger
from django.conf import settings
from django.db import connection, models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from core.models import Model
from core.scoping import ScopedQuerySet
from core.workflow import StateField, StatefulModel
from sales.models.facts import SalesKind

# All who write sales lines take this lock, so what is summed under it is all there is.
LOCK = "SELECT pg_advisory_xact_lock(hashtext('sales.facts'))"


def lock_facts() -> None:
    """Let nobody else write sales lines until this transaction ends; wait for who does now."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK)


class ClosedPeriod(StatefulModel, Model):
    """One month of one kind of sales, closed. Closed again after a reopening, it is a new row."""

    class State(models.TextChoices):
        CLOSED = "closed", _("Closed")
        REOPENED = "reopened", _("Reopened")

    scope_path = None

    month = models.DateField(_("Month"), help_text=_("Its first day."))
    kind = models.CharField(_("Kind"), max_length=12, choices=SalesKind.choices)
    state = StateField(_("state"), max_length=10, choices=State.choices, default=State.CLOSED)
    closed_at = models.DateTimeField(_("closed at"))
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("closed by"),
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
    )
    net = models.DecimalField(_("net at closing"), max_digits=24, decimal_places=4)
    lines = models.PositiveIntegerField(_("lines at closing"))

    class Meta:
        verbose_name = _("closed month")
        verbose_name_plural = _("closed months")
        ordering = ["-month", "kind", "-pk"]
        permissions = [("reopen_closedperiod", "Can reopen a closed month")]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "month"],
                condition=Q(state="closed"),
                name="sales_closed_once",
                violation_error_message=_("This month is closed already."),
            ),
            models.CheckConstraint(condition=Q(month__day=1), name="sales_closed_month"),
            models.CheckConstraint(
                condition=Q(kind__in=SalesKind.values), name="sales_closed_kind"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["closed", "reopened"]), name="sales_closed_state"
            ),
        ]
        triggers = [pgtrigger.Protect(name="kept", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.get_kind_display()}"

    @transition(
        field=state,
        source=State.CLOSED,
        target=State.REOPENED,
        custom={
            "permission": "sales.reopen_closedperiod",
            "label": _("Reopen"),
            "icon": "lock-open",
            "needs_reason": True,
        },
    )
    def reopen(self, *, by: Any, on: date) -> None:
        """From here on its lines come and go without adjustments."""
        lock_facts()


class Adjustment(models.Model):
    """A difference in a closed month: what a line adds to (or takes from) the sum at closing.

    Append-only, and written by triggers only. `fact_id` is no foreign key: a line that was taken
    back is gone. Nor has `closing` a constraint: it would wait for whoever reopens the month, who
    waits for the writer of the line.
    """

    class Cause(models.TextChoices):
        LATE = "late", _("Late")
        RETURNED = "returned", _("Returned")
        CHANGED = "changed", _("Changed")
        UNDONE = "undone", _("Taken back")

    scope_path = "partner"

    closing = models.ForeignKey(
        ClosedPeriod,
        verbose_name=_("closed month"),
        on_delete=models.PROTECT,
        db_constraint=False,
        related_name="adjustments",
    )
    partner = models.ForeignKey(
        "partners.Partner",
        verbose_name=_("partner"),
        on_delete=models.PROTECT,
        related_name="adjustments",
    )
    product_line = models.ForeignKey(
        "catalog.ProductLine",
        verbose_name=_("product line"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    load = models.ForeignKey(
        "core.Import",
        verbose_name=_("Import"),
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
    )
    fact_id = models.BigIntegerField(_("Sales line"))
    recorded_at = models.DateTimeField(_("Recorded at"))
    occurred_on = models.DateField(_("Date"))
    month = models.DateField(_("Month"))
    kind = models.CharField(_("Kind"), max_length=12, choices=SalesKind.choices)
    cause = models.CharField(_("cause"), max_length=10, choices=Cause.choices)
    source = models.CharField(_("Source"), max_length=40, db_collation="C")
    reference = models.CharField(_("Reference"), max_length=100, db_collation="C")
    quantity = models.DecimalField(_("Quantity"), max_digits=20, decimal_places=4)
    amount = models.DecimalField(_("Amount"), max_digits=20, decimal_places=4)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("adjustment")
        verbose_name_plural = _("adjustments")
        ordering = ["-id"]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.source} {self.reference}"
