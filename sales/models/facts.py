"""Sales facts and their daily rollup.

Facts are signed rows written by the load only. The rollup is kept by database triggers (migration
0002), so whoever writes facts, the sums are right in the same transaction. See
docs/adr/sales-facts.md.
"""

import pgtrigger
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.scoping import ScopedQuerySet

FIRST_DAY, LAST_DAY = "1990-01-01", "2100-12-31"
# numeric accepts NaN, which sorts above every number: an upper bound keeps it out.
TOO_MUCH = 10**14


# A fact that changes says so, and when.
REVISED = pgtrigger.Trigger(
    name="revised",
    when=pgtrigger.Before,
    operation=pgtrigger.Update,
    condition=pgtrigger.AnyChange(),
    func="NEW.recorded_at := statement_timestamp(); NEW.revised := true; RETURN NEW;",
)


class SalesKind(models.TextChoices):
    SELL_IN = "sell_in", _("Sell-in")
    SELL_THROUGH = "sell_through", _("Sell-through")
    SELL_OUT = "sell_out", _("Sell-out")


class SalesFact(models.Model):
    """One line of an invoice, delivery or till receipt; returns are negative.

    Not a core Model: no updated_at, and rows as narrow as can be, because there are millions.
    """

    scope_path = "partner"

    partner = models.ForeignKey(
        "partners.Partner",
        on_delete=models.PROTECT,
        related_name="sales_facts",
        db_index=False,  # the index (partner, occurred_on) serves
        verbose_name=_("Partner"),
    )
    product = models.ForeignKey(
        "catalog.Product",
        on_delete=models.PROTECT,
        related_name="sales_facts",
        db_index=False,  # asked for rarely and then with a period
        verbose_name=_("Product"),
    )
    load = models.ForeignKey(
        "core.Import",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,  # rows of one load lie together: BRIN below
        verbose_name=_("Import"),
    )
    reverses = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="reversals",
        db_index=False,  # partial index below: few rows have one
        verbose_name=_("Reverses"),
    )
    # When it was written or last changed, by the clock of the database. `revised` is true once it
    # was changed and null before, which takes no room.
    recorded_at = models.DateTimeField(_("Recorded at"), db_default=Now(), editable=False)
    revised = models.BooleanField(null=True, editable=False)
    occurred_on = models.DateField(_("Date"))
    row_no = models.PositiveIntegerField(_("Row"), null=True, blank=True)
    kind = models.CharField(
        _("Kind"), max_length=12, choices=SalesKind.choices, default=SalesKind.SELL_IN
    )
    source = models.CharField(_("Source"), max_length=40, db_collation="C")
    reference = models.CharField(_("Reference"), max_length=100, db_collation="C")
    quantity = models.DecimalField(_("Quantity"), max_digits=18, decimal_places=4)
    amount = models.DecimalField(_("Amount"), max_digits=18, decimal_places=4)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("Sales line")
        verbose_name_plural = _("Sales lines")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["source", "reference"], name="sales_fact_reference"),
            models.CheckConstraint(condition=Q(kind__in=SalesKind.values), name="sales_fact_kind"),
            models.CheckConstraint(
                condition=Q(quantity__lt=TOO_MUCH, amount__lt=TOO_MUCH), name="sales_fact_finite"
            ),
            models.CheckConstraint(
                condition=Q(occurred_on__range=(FIRST_DAY, LAST_DAY)), name="sales_fact_date"
            ),
            models.CheckConstraint(
                condition=~Q(reference="") & ~Q(source=""), name="sales_fact_reference_given"
            ),
            models.CheckConstraint(condition=~Q(reverses=F("id")), name="sales_fact_not_itself"),
        ]
        indexes = [
            models.Index(fields=["partner", "occurred_on"], name="sales_fact_partner_date"),
            BrinIndex(fields=["occurred_on"], name="sales_fact_date_brin"),
            BrinIndex(fields=["load"], name="sales_fact_load_brin"),
            models.Index(
                fields=["reverses"],
                condition=Q(reverses__isnull=False),
                name="sales_fact_reverses",
            ),
            # For who reads what has changed. New lines are found by id: an index of all of them
            # makes a load a tenth slower.
            models.Index(
                fields=["recorded_at", "id"], condition=Q(revised=True), name="sales_fact_revised"
            ),
        ]
        triggers = [REVISED]

    def __str__(self):
        return f"{self.source} {self.reference}"


class SalesDaily(models.Model):
    """Exactly `GROUP BY partner, product line, kind, day` over the facts, kept by triggers.

    No foreign key constraints: each row follows from facts, which have them.
    """

    scope_path = "partner"

    pk = models.CompositePrimaryKey("partner", "day", "kind", "product_line")
    partner = models.ForeignKey(
        "partners.Partner",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    product_line = models.ForeignKey(
        "catalog.ProductLine",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    day = models.DateField()
    lines = models.IntegerField()
    kind = models.CharField(max_length=12, choices=SalesKind.choices)
    net = models.DecimalField(max_digits=24, decimal_places=4)
    returns = models.DecimalField(max_digits=24, decimal_places=4)
    quantity = models.DecimalField(max_digits=24, decimal_places=4)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("Daily sales")
        verbose_name_plural = _("Daily sales")
        indexes = [
            # Rows are written in order of the day, so a BRIN finds a period of all partners.
            BrinIndex(fields=["day"], name="sales_daily_day_brin", pages_per_range=32)
        ]

    def __str__(self):
        return f"{self.partner_id} {self.day} {self.kind}"
