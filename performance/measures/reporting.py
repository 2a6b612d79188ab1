"""Measures of how partners report (docs/algorithms/completeness.md says what is owed)."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from performance.measures.declaring import (
    CORRECTIONS,
    LINES,
    MONTH,
    NOT_APPLICABLE,
    RATIO,
    REPORTS,
    Measure,
    year_to_date,
)
from performance.reading import IN_TIME, LINES_REPORTED, LINES_RIGHT, OWED, RECEIVED
from performance.scoring import ratio
from sales.models import SalesKind

_ZERO = Decimal(0)

_TIMELINESS = Measure(
    code="reporting_timeliness",
    label=_("Timeliness of reports"),
    definition=_(
        "Reports that came in time ÷ reports that were due in the period. Nothing to report, once "
        "confirmed, is in time."
    ),
    unit=RATIO,
    numerator=IN_TIME,
    denominator=OWED,
    value=ratio,
    derivation=_("%(numerator)s reports in time ÷ %(denominator)s due = %(value)s"),
    zero_policy=NOT_APPLICABLE,
    lowest=_ZERO,
    every_kind=True,
    needs=frozenset({REPORTS}),
    source=REPORTS,
    grain=MONTH,
    graded=False,
    by_line=False,
)

_COMPLETENESS = Measure(
    code="reporting_completeness",
    label=_("Completeness of reports"),
    definition=_(
        "Reports that came, in time or late, ÷ reports that were due in the period. Nothing to "
        "report, once confirmed, has come."
    ),
    unit=RATIO,
    numerator=RECEIVED,
    denominator=OWED,
    value=ratio,
    derivation=_("%(numerator)s reports in ÷ %(denominator)s due = %(value)s"),
    zero_policy=NOT_APPLICABLE,
    lowest=_ZERO,
    every_kind=True,
    needs=frozenset({REPORTS}),
    source=REPORTS,
    grain=MONTH,
    graded=False,
    by_line=False,
)

_CORRECTNESS = Measure(
    code="reporting_correctness",
    label=_("Correctness of reports"),
    definition=_(
        "Lines that no later file changed or took back ÷ lines reported, of the days of the "
        "period. Lines taken back count as reported; rows that were never accepted do not."
    ),
    unit=RATIO,
    numerator=LINES_RIGHT,
    denominator=LINES_REPORTED,
    value=ratio,
    derivation=_("%(numerator)s lines right ÷ %(denominator)s reported = %(value)s"),
    zero_policy=NOT_APPLICABLE,
    lowest=_ZERO,
    usual=SalesKind.SELL_THROUGH,
    needs=frozenset({LINES, CORRECTIONS}),
    source=LINES,
    by_line=False,
)

MEASURES = [
    _TIMELINESS,
    _COMPLETENESS,
    _CORRECTNESS,
    *(year_to_date(measure) for measure in (_TIMELINESS, _COMPLETENESS, _CORRECTNESS)),
]
