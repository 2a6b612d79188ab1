"""Ratings: who is asked to rate, and the mark that each gives a partner for an item."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from core.models import Model
from core.scoping import ScopedQuerySet
from performance.models.evaluations import Evaluation
from performance.models.guards import frozen_with_parent

LOWEST, HIGHEST = 1, 5


class Rater(Model):
    """Somebody who is asked to rate the partners of an evaluation that he or she sees."""

    scope_path = None

    evaluation = models.ForeignKey(
        Evaluation, verbose_name=_("evaluation"), on_delete=models.CASCADE, related_name="raters"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("rater"),
        on_delete=models.CASCADE,
        related_name="+",
    )
    reminded_at = models.DateTimeField(_("reminded at"), null=True, blank=True)

    class Meta:
        verbose_name = _("rater")
        verbose_name_plural = _("raters")
        ordering = ["evaluation", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["evaluation", "user"],
                name="rater_once",
                violation_error_message=_("This person has been asked already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.evaluation}"


class RatingQuerySet(ScopedQuerySet):
    """Marks are given independently: while ratings are open one sees one’s own, and those of others
    only who runs the evaluation."""

    def visible_to(self, user: Any) -> QuerySet:
        seen = super().visible_to(user)
        if not user.is_authenticated or user.has_perm("performance.change_evaluation"):
            return seen
        still_open = Q(
            evaluation__rating_before__isnull=False, evaluation__ratings_closed_at__isnull=True
        )
        return seen.filter(~still_open | Q(rater=user))


class Rating(Model):
    """A mark from 1 to 5 for the rating item `item_code` of the evaluation’s scheme version.

    The extremes need evidence. The value of the item is the mean of its marks.
    """

    scope_path = "partner"
    events_follow_rows = True  # a partner’s would tell open marks
    is_detail = True

    evaluation = models.ForeignKey(
        Evaluation, verbose_name=_("evaluation"), on_delete=models.CASCADE, related_name="ratings"
    )
    item_code = models.CharField(_("item"), max_length=40)
    partner = models.ForeignKey(
        "partners.Partner",
        verbose_name=_("partner"),
        on_delete=models.PROTECT,
        related_name="ratings",
    )
    rater = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("rater"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    mark = models.PositiveSmallIntegerField(
        _("mark"), validators=[MinValueValidator(LOWEST), MaxValueValidator(HIGHEST)]
    )
    evidence = models.TextField(_("evidence"), blank=True)
    file = models.FileField(_("file"), upload_to="ratings/%Y/", blank=True)

    objects = RatingQuerySet.as_manager()

    class Meta:
        verbose_name = _("rating")
        verbose_name_plural = _("ratings")
        ordering = ["evaluation", "item_code", "partner", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["evaluation", "item_code", "partner", "rater"],
                name="rating_once",
                violation_error_message=_("This person has rated that already."),
            ),
            models.CheckConstraint(
                condition=Q(mark__gte=LOWEST, mark__lte=HIGHEST), name="rating_mark"
            ),
            models.CheckConstraint(
                condition=Q(mark__gt=LOWEST, mark__lt=HIGHEST) | ~Q(evidence=""),
                name="rating_evidence",
                violation_error_message=_("The lowest and the highest mark need evidence."),
            ),
        ]
        triggers = frozen_with_parent(
            "performance_evaluation",
            "evaluation_id",
            ("published",),
            "ratings of a published evaluation cannot be changed",
        )

    def __str__(self) -> str:
        return f"{self.partner} · {self.item_code}: {self.mark}"
