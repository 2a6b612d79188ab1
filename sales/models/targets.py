"""What partners are expected to reach."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from core.models import Model
from core.scoping import ScopedQuerySet
from sales.attainment import COUNTS
from sales.models.planning_guards import TARGET_PLANNED, TARGETS_OF_PLANS

# What a target says.
_SAID = ("partner_id", "product_line_id", "month", "kind", "amount", "plan_id")


class TargetKind(models.TextChoices):
    SELL_IN = "sell_in", _("Sell-in")
    SELL_THROUGH = "sell_through", _("Sell-through")
    COLLECTION = "collection", _("Collection")


class TargetQuerySet(ScopedQuerySet):
    """Targets, and which of them count."""

    def that_count(self) -> QuerySet:
        """The rows whose amounts sum to what is to be reached over all product lines."""
        return self.filter(RawSQL(COUNTS, (), output_field=BooleanField()))


class Target(Model):
    """What a partner is expected to reach in a month, for one product line or for all (null).

    A row with a `plan` was written when that plan was signed and says what it says, until an
    amendment of the plan is signed: triggers hold it, whoever writes.
    """

    scope_path = "partner"

    partner = models.ForeignKey(
        "partners.Partner",
        on_delete=models.CASCADE,
        related_name="targets",
        db_index=False,  # leads the unique index
        verbose_name=_("Partner"),
    )
    product_line = models.ForeignKey(
        "catalog.ProductLine",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="targets",
        verbose_name=_("Product line"),
        help_text=_("Empty: all product lines together."),
    )
    month = models.DateField(_("Month"), help_text=_("Its first day."), db_index=True)
    kind = models.CharField(
        _("Kind"), max_length=12, choices=TargetKind.choices, default=TargetKind.SELL_IN
    )
    amount = models.DecimalField(
        _("Amount"), max_digits=18, decimal_places=2, validators=[MinValueValidator(0)]
    )
    plan = models.ForeignKey(
        "sales.TargetPlan",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="targets",
        verbose_name=_("target plan"),
    )

    objects = TargetQuerySet.as_manager()

    class Meta:
        verbose_name = _("Target")
        verbose_name_plural = _("Targets")
        ordering = ["-month", "partner", "product_line"]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "month", "kind", "product_line"],
                nulls_distinct=False,
                name="sales_target_unique",
                violation_error_message=_(
                    "This partner has a target for this month, kind and product line already."
                ),
            ),
            models.CheckConstraint(
                condition=Q(month__day=1),
                name="sales_target_month",
                violation_error_message=_("A month is given by its first day."),
            ),
            models.CheckConstraint(
                condition=Q(kind__in=TargetKind.values), name="sales_target_kind"
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=0, amount__lt=10**16), name="sales_target_amount"
            ),
        ]
        indexes = [models.Index(fields=["updated_at", "id"], name="sales_target_changed")]
        triggers = [*TARGETS_OF_PLANS]

    def __str__(self):
        return f"{self.partner} {self.month:%Y-%m} {TargetKind(self.kind).label}"

    @classmethod
    def from_db(cls, db: Any, field_names: Any, values: Any) -> Target:
        row = super().from_db(db, field_names, values)
        row._stored = row._said()
        return row

    def _said(self) -> list[Any]:
        return [self.__dict__.get(name) for name in _SAID]

    def clean(self) -> None:
        super().clean()
        if self.plan_id and getattr(self, "_stored", None) != self._said():
            raise ValidationError(_(TARGET_PLANNED), "planned")
