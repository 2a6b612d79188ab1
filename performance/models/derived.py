"""Measures that users make of others."""

from __future__ import annotations

import keyword
from typing import Any

import pgtrigger
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy as _

from core.models import Model
from performance import expressions, measures
from performance.measures.derived import ZERO_CHOICES

MOST_PLACES = 6
# Words in the addresses of the library.
RESERVED = ("derived", "new", "preview")
CODE = RegexValidator(
    r"^[a-z][a-z0-9_]{0,39}\Z",
    _("Lower-case letters, digits and “_”, beginning with a letter."),
)

# Items that use a measure, directly or through other derived ones. Codes are words to a regular
# expression, and are checked to be nothing else.
_USED = """
    WITH RECURSIVE users(code) AS (
        SELECT OLD.code::text
        UNION
        SELECT d.code::text FROM performance_derivedmeasure d
        JOIN users u ON d.expression ~* ('\\m' || u.code || '\\M') AND d.code <> OLD.code)
    SELECT FROM users u
    JOIN performance_schemeitem i ON i.measure = u.code
    JOIN performance_schemeversion v ON v.id = i.version_id
"""
_FROZEN = f"""
    IF EXISTS ({_USED} WHERE v.state <> 'draft') THEN
        RAISE EXCEPTION 'a measure of a published scheme version cannot be changed'
            USING ERRCODE = 'restrict_violation';
    END IF;
"""
_NEEDED = f"""
    IF EXISTS ({_USED}) OR EXISTS (
        SELECT FROM performance_derivedmeasure d
        WHERE d.code <> OLD.code AND d.expression ~* ('\\m' || OLD.code || '\\M'))
    THEN
        RAISE EXCEPTION 'a measure that is used keeps its code'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
"""


class DerivedMeasure(Model):
    """A measure as an expression over others (performance.expressions), for schemes to use.

    `zero` says what a division by zero (or less) gives; `places` is how far its value is rounded.
    Once a published version uses it, directly or through another, the database keeps everything of
    it but its names and its English definition as it is. The expression is kept as
    `expressions.write` writes it.
    """

    class Unit(models.TextChoices):
        CURRENCY = expressions.CURRENCY, measures.UNIT_LABELS[expressions.CURRENCY]
        RATIO = expressions.RATIO, measures.UNIT_LABELS[expressions.RATIO]
        NUMBER = expressions.NUMBER, measures.UNIT_LABELS[expressions.NUMBER]
        COUNT = expressions.COUNT, measures.UNIT_LABELS[expressions.COUNT]
        MONTHS = expressions.MONTHS, measures.UNIT_LABELS[expressions.MONTHS]
        DAYS = expressions.DAYS, measures.UNIT_LABELS[expressions.DAYS]

    scope_path = None

    code = models.CharField(
        _("code"),
        max_length=40,
        unique=True,
        validators=[CODE],
        help_text=_("By this other expressions and schemes name it."),
    )
    name = models.CharField(_("name"), max_length=100)
    name_en = models.CharField(_("English name"), max_length=100, blank=True)
    definition = models.TextField(_("definition"), max_length=1000)
    definition_en = models.TextField(_("English definition"), max_length=1000, blank=True)
    expression = models.CharField(_("expression"), max_length=expressions.MAX_LENGTH)
    unit = models.CharField(_("unit"), max_length=10, choices=Unit, default=Unit.RATIO)
    higher = models.BooleanField(_("more is better"), default=True)
    places = models.PositiveSmallIntegerField(
        _("decimals"), default=MOST_PLACES, validators=[MaxValueValidator(MOST_PLACES)]
    )
    zero = models.CharField(
        _("when it would be divided by zero"),
        max_length=20,
        choices=ZERO_CHOICES,
        default=measures.NOT_APPLICABLE,
    )
    span = models.CharField(
        _("read over"),
        max_length=20,
        choices=list(measures.SPAN_LABELS.items()),
        default=measures.PERIOD,
    )

    class Meta:
        verbose_name = _("derived measure")
        verbose_name_plural = _("derived measures")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(code__regex=r"^[a-z][a-z0-9_]*$"), name="derived_measure_code"
            ),
            models.CheckConstraint(
                condition=Q(places__lte=MOST_PLACES), name="derived_measure_places"
            ),
            models.CheckConstraint(
                condition=Q(unit__in=expressions.UNITS), name="derived_measure_unit"
            ),
            models.CheckConstraint(
                condition=Q(zero__in=[measures.NOT_APPLICABLE, measures.ZERO_COUNTS]),
                name="derived_measure_zero",
            ),
            models.CheckConstraint(
                condition=Q(span__in=list(measures.SPAN_LABELS)), name="derived_measure_span"
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="frozen_update",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "((OLD.code, OLD.definition, OLD.expression, OLD.unit, OLD.higher, OLD.places, "
                    "OLD.zero, OLD.span) IS DISTINCT FROM (NEW.code, NEW.definition, "
                    "NEW.expression, NEW.unit, NEW.higher, NEW.places, NEW.zero, NEW.span))"
                ),
                func=f"{_FROZEN} RETURN NEW;",
            ),
            pgtrigger.Trigger(
                name="needed_rename",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("(OLD.code <> NEW.code)"),
                func=f"{_NEEDED} RETURN NEW;",
            ),
            pgtrigger.Trigger(
                name="needed_delete",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                func=f"{_FROZEN} {_NEEDED} RETURN OLD;",
            ),
        ]

    def __str__(self) -> str:
        return self.name_en if get_language() == "en" and self.name_en else self.name

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("performance:derivedmeasure_detail", args=[self.pk])

    def clean(self) -> None:
        """Refuse a code that means something else already, and an expression that is wrong."""
        super().clean()
        taken = {*measures.REGISTRY, *expressions.FUNCTIONS, *RESERVED, *keyword.kwlist}
        if self.code in taken:
            raise ValidationError({"code": _("This code means something else already.")})
        errors: dict[str, Any] = {}
        for problem in measures.problems_of(self):
            errors.setdefault(str(problem.field), []).append(problem.message)
        if errors:
            raise ValidationError(errors)
        self.expression = expressions.write(expressions.parse(self.expression))
