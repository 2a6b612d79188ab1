"""Fields that several models of this room have alike."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from sales.models import SalesKind


def person(label: Any, **options: Any) -> models.ForeignKey:
    """Who did something; written by the verbs, never in a form."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=label,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        **options,
    )


def kind_of_sales() -> models.CharField:
    """Of which sales something is measured."""
    return models.CharField(
        _("kind"),
        max_length=12,
        choices=SalesKind.choices,
        blank=True,
        help_text=_("Empty: the measure’s own, else sell-in."),
    )


def line_and_below() -> models.ForeignKey:
    """The product line to which a measure is limited."""
    return models.ForeignKey(
        "catalog.ProductLine",
        verbose_name=_("product line"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Only this line and all below it."),
    )
