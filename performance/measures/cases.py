"""Measures of what was decided against a partner."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from performance.measures.declaring import COUNT, DEDUCTIONS, Measure, whole, year_to_date
from performance.reading import CASES

_DECIDED = Measure(
    code="decided_cases",
    label=_("Decided cases"),
    definition=_(
        "Cases against the partner that count on a day of the period and that a second person has "
        "decided, whatever points they cost; those proposed or rejected do not count."
    ),
    unit=COUNT,
    numerator=CASES,
    value=whole,
    derivation=_("cases decided: %(value)s"),
    higher=False,
    lowest=Decimal(0),
    kind=DEDUCTIONS,
    needs=frozenset({DEDUCTIONS}),
    source=DEDUCTIONS,
    graded=False,
    by_line=False,
)

MEASURES = [_DECIDED, year_to_date(_DECIDED)]
