"""What is sold: product lines in a tree, and products."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from core.models import Model
from core.scoping import ScopedQuerySet
from core.trees import TreeModel


class ProductLine(TreeModel, Model):
    """A family of products with the role it plays in the portfolio."""

    class Role(models.TextChoices):
        ATTACK = "attack", _("Attack")
        DEFENSIVE = "defensive", _("Defensive")
        STANDARD = "standard", _("Standard and project")
        FOCUS = "focus", _("Focus")

    scope_path = None

    code = models.CharField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=120)
    role = models.CharField(
        _("portfolio role"),
        max_length=10,
        choices=Role,
        blank=True,
        help_text=_("Empty: the role of the line above."),
    )

    class Meta(TreeModel.Meta):
        verbose_name = _("product line")
        verbose_name_plural = _("product lines")
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(
                Upper("code"),
                name="productline_code_unique",
                violation_error_message=_("There is a product line with this code already."),
            )
        ]
        indexes = [
            *TreeModel.Meta.indexes,
            models.Index(fields=["updated_at", "id"], name="productline_changed"),
        ]

    def __str__(self) -> str:
        return self.name


class ProductQuerySet(ScopedQuerySet):
    """Adds what was on sale on a day."""

    def active_on(self, day: object) -> QuerySet:
        """Products on sale on `day` (active dates are half-open; open ends are null)."""
        return self.filter(
            Q(active_from__isnull=True) | Q(active_from__lte=day),
            Q(active_to__isnull=True) | Q(active_to__gt=day),
        )


class Product(Model):
    """An article with a unit and a list price."""

    scope_path = None

    code = models.CharField(_("code"), max_length=60)
    name = models.CharField(_("name"), max_length=200)
    product_line = models.ForeignKey(
        ProductLine,
        verbose_name=_("product line"),
        on_delete=models.PROTECT,
        related_name="products",
    )
    unit = models.CharField(_("unit"), max_length=20, blank=True)
    category = models.CharField(_("category"), max_length=80, blank=True)
    list_price = models.DecimalField(
        _("list price"),
        max_digits=14,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
    )
    active_from = models.DateField(_("on sale from"), null=True, blank=True)
    active_to = models.DateField(
        _("on sale until"),
        null=True,
        blank=True,
        help_text=_("The first day it is no longer sold."),
    )

    objects = ProductQuerySet.as_manager()

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(
                Upper("code"),
                name="product_code_unique",
                violation_error_message=_("There is a product with this code already."),
            ),
            models.CheckConstraint(
                name="product_price_not_negative",
                condition=Q(list_price__isnull=True) | Q(list_price__gte=0),
            ),
            models.CheckConstraint(
                name="product_active_dates",
                condition=Q(active_to__isnull=True)
                | Q(active_from__isnull=True)
                | Q(active_to__gt=F("active_from")),
                violation_error_message=_("It must be on sale for at least a day."),
            ),
        ]
        indexes = [
            GinIndex(fields=["name"], opclasses=["gin_trgm_ops"], name="product_name_trgm"),
            models.Index(fields=["updated_at", "id"], name="product_changed"),
        ]

    def __str__(self) -> str:
        return self.name
