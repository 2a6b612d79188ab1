"""Measures of what is paid, and when."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from performance.measures.declaring import (
    CURRENCY,
    DAYS,
    NOT_APPLICABLE,
    PAYMENTS,
    RATIO,
    Measure,
    amount,
    year_to_date,
)
from performance.reading import PAID, Payments
from performance.scoring import ratio
from sales.models import TargetKind

_ZERO = Decimal(0)
# What was received and had a day by which it was due; what is paid back is neither early nor late.
_WITH_DAY = "WHERE amount > 0 AND due_on IS NOT NULL"
_DUE = Payments(f"sum(amount) FILTER ({_WITH_DAY})")

_COLLECTION = Measure(
    code="collection",
    label=_("Collection"),
    definition=_("What was paid in the period, less what was paid back."),
    unit=CURRENCY,
    numerator=PAID,
    value=amount,
    derivation=_("%(lines)s payments sum to %(value)s"),
    kind=TargetKind.COLLECTION,
    needs=frozenset({PAYMENTS}),
    source=PAYMENTS,
    graded=False,
    by_line=False,
)

_TIMELINESS = Measure(
    code="payment_timeliness",
    label=_("Timeliness of payment"),
    definition=_(
        "Amount paid on the day it was due or before ÷ amount paid, of the payments of the period "
        "that had a day by which they were due."
    ),
    unit=RATIO,
    numerator=Payments(f"sum(amount) FILTER ({_WITH_DAY} AND paid_on <= due_on)"),
    denominator=_DUE,
    value=ratio,
    derivation=_("paid in time %(numerator)s ÷ paid %(denominator)s = %(value)s"),
    zero_policy=NOT_APPLICABLE,
    lowest=_ZERO,
    kind=TargetKind.COLLECTION,
    needs=frozenset({PAYMENTS}),
    source=PAYMENTS,
    graded=False,
    by_line=False,
)

_DAYS_LATE = Measure(
    code="payment_days_late",
    label=_("Days of late payment"),
    definition=_(
        "Days after the day it was due, weighted by amount: Σ amount × days late ÷ Σ amount, of "
        "the payments of the period that had a day by which they were due. In time is 0 days."
    ),
    unit=DAYS,
    numerator=Payments(f"sum(amount * greatest(paid_on - due_on, 0)) FILTER ({_WITH_DAY})"),
    denominator=_DUE,
    value=ratio,
    derivation=_("amount × days late %(numerator)s ÷ paid %(denominator)s = %(value)s days"),
    zero_policy=NOT_APPLICABLE,
    higher=False,
    lowest=_ZERO,
    kind=TargetKind.COLLECTION,
    needs=frozenset({PAYMENTS}),
    source=PAYMENTS,
    graded=False,
    by_line=False,
)

MEASURES = [
    _COLLECTION,
    _TIMELINESS,
    _DAYS_LATE,
    *(year_to_date(measure) for measure in (_COLLECTION, _TIMELINESS, _DAYS_LATE)),
]
