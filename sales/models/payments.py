"""What partners paid, and when it was due."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.scoping import ScopedQuerySet
from sales.models.facts import FIRST_DAY, LAST_DAY, REVISED, TOO_MUCH


class Payment(models.Model):
    """An amount received from a partner on a day; what is paid back is negative.

    `due_on` is the day by which it had to be there; null when the source does not say. Like sales
    lines, payments come by import only and are known again by source and reference.
    """

    scope_path = "partner"

    partner = models.ForeignKey(
        "partners.Partner",
        on_delete=models.PROTECT,
        related_name="payments",
        db_index=False,  # the index (partner, paid_on) serves
        verbose_name=_("Partner"),
    )
    load = models.ForeignKey(
        "core.Import",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("Import"),
    )
    recorded_at = models.DateTimeField(_("Recorded at"), db_default=Now(), editable=False)
    revised = models.BooleanField(null=True, editable=False)  # as that of sales lines
    paid_on = models.DateField(_("Paid on"))
    due_on = models.DateField(_("Due on"), null=True, blank=True)
    row_no = models.PositiveIntegerField(_("Row"), null=True, blank=True)
    source = models.CharField(_("Source"), max_length=40, db_collation="C")
    reference = models.CharField(_("Reference"), max_length=100, db_collation="C")
    invoice = models.CharField(_("Invoice"), max_length=100, blank=True)
    amount = models.DecimalField(_("Amount"), max_digits=18, decimal_places=4)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("Payment")
        verbose_name_plural = _("Payments")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["source", "reference"], name="payment_reference"),
            models.CheckConstraint(condition=Q(amount__lt=TOO_MUCH), name="payment_finite"),
            models.CheckConstraint(
                condition=Q(paid_on__range=(FIRST_DAY, LAST_DAY))
                & (Q(due_on__isnull=True) | Q(due_on__range=(FIRST_DAY, LAST_DAY))),
                name="payment_dates",
            ),
            models.CheckConstraint(
                condition=~Q(reference="") & ~Q(source=""), name="payment_reference_given"
            ),
        ]
        indexes = [
            models.Index(fields=["partner", "paid_on"], name="payment_partner_date"),
            models.Index(
                fields=["recorded_at", "id"], condition=Q(revised=True), name="payment_revised"
            ),
        ]
        triggers = [REVISED]

    def __str__(self):
        return f"{self.source} {self.reference}"
