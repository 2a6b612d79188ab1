"""Measures against the partner's own targets."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from performance.measures.declaring import (
    MONTH,
    NOT_APPLICABLE,
    PAYMENTS,
    RATIO,
    SALES,
    TARGETS,
    Measure,
    year_to_date,
)
from performance.reading import NET, PAID, Sum, TargetSum
from performance.scoring import ratio
from sales.models import TargetKind

FOCUS_NET = Sum("sum(net) FILTER (WHERE {then} AND product_line_id = ANY({focus}))")

_ATTAINMENT = Measure(
    code="target_attainment",
    label=_("Target attainment"),
    definition=_(
        "Net sales ÷ the sum of the monthly targets of the period. A month’s target is the one "
        "for all product lines where there is one, otherwise the sum of those by product line."
    ),
    unit=RATIO,
    numerator=NET,
    denominator=TargetSum(),
    value=ratio,
    derivation=_("net sales %(numerator)s ÷ target %(denominator)s = %(value)s"),
    zero_policy=NOT_APPLICABLE,
    needs=frozenset({SALES, TARGETS}),
    grain=MONTH,
)

_COLLECTION = Measure(
    code="collection_attainment",
    label=_("Attainment of collection"),
    definition=_(
        "What was paid in the period ÷ the sum of the monthly targets of collection, which are "
        "summed as those of sales are. What is paid back counts against it."
    ),
    unit=RATIO,
    numerator=PAID,
    denominator=TargetSum(),
    value=ratio,
    derivation=_("paid %(numerator)s ÷ target %(denominator)s = %(value)s"),
    zero_policy=NOT_APPLICABLE,
    kind=TargetKind.COLLECTION,
    needs=frozenset({PAYMENTS, TARGETS}),
    source=PAYMENTS,
    grain=MONTH,
    graded=False,
    by_line=False,
)

_FOCUS = Measure(
    code="focus_line_attainment",
    label=_("Target attainment of focus lines"),
    definition=_(
        "Net sales of the focus lines ÷ the sum of the targets that are set for these lines. "
        "A target for all product lines together is none of them."
    ),
    unit=RATIO,
    numerator=FOCUS_NET,
    denominator=TargetSum(focus=True),
    value=ratio,
    derivation=_("focus lines %(numerator)s ÷ their target %(denominator)s = %(value)s"),
    zero_policy=NOT_APPLICABLE,
    needs=frozenset({SALES, TARGETS}),
    grain=MONTH,
)

MEASURES = [
    _ATTAINMENT,
    _COLLECTION,
    _FOCUS,
    *(year_to_date(measure) for measure in (_ATTAINMENT, _COLLECTION, _FOCUS)),
]
