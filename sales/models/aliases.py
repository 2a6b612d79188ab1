"""What partners call our products, and how they count them."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from core.models import Model


class ProductAlias(Model):
    """In files of `partner` (null: any), `code` counted in `unit` (empty: whatever unit) means
    `product`, and one of theirs is `factor` of ours: a case of twelve has factor 12.

    Those for any partner are seen, and changed, by who sees the whole network.
    """

    scope_path = "partner"

    partner = models.ForeignKey(
        "partners.Partner",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="product_aliases",
        db_index=False,  # leads the unique index
        verbose_name=_("partner"),
        help_text=_("Empty: all partners."),
    )
    code = models.CharField(_("their code"), max_length=60)
    unit = models.CharField(
        _("their unit"), max_length=20, blank=True, help_text=_("Empty: whatever the unit.")
    )
    product = models.ForeignKey(
        "catalog.Product",
        on_delete=models.CASCADE,
        related_name="aliases",
        verbose_name=_("product"),
    )
    factor = models.DecimalField(
        _("factor"),
        max_digits=12,
        decimal_places=4,
        default=Decimal(1),
        validators=[MinValueValidator(Decimal("0.0001"))],
        help_text=_("How many of our units one of theirs is."),
    )

    class Meta:
        verbose_name = _("product alias")
        verbose_name_plural = _("product aliases")
        ordering = ["code", "unit", "partner"]
        constraints = [
            models.UniqueConstraint(
                "partner",
                Upper("code"),
                Upper("unit"),
                nulls_distinct=False,
                name="product_alias_unique",
                violation_error_message=_("There is an alias for this code and unit already."),
            ),
            models.CheckConstraint(
                condition=Q(factor__gt=0),
                name="product_alias_factor",
                violation_error_message=_("The factor must be above zero."),
            ),
        ]
        indexes = [
            models.Index(Upper("code"), name="product_alias_code"),
            models.Index(fields=["updated_at", "id"], name="product_alias_changed"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.unit}".strip()
