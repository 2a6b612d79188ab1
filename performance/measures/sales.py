"""Measures of what is sold: volume, growth, regularity, returns."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from performance.measures.declaring import (
    CURRENCY,
    LAST_YEAR,
    MONTHS,
    NOT_APPLICABLE,
    PREVIOUS,
    QUARTER,
    RATIO,
    SALES,
    Measure,
    amount,
    growth,
    whole,
    year_to_date,
)
from performance.reading import (
    NET,
    NET_BEFORE,
    NET_YEAR_AGO,
    Length,
    MonthlySpread,
    Positive,
    Sum,
)
from performance.scoring import ratio
from sales.models import SalesKind

_NET = _("Net sales: sales minus returns in the period.")
_ZERO = Decimal(0)


def _net(code: str, label: Any, kind: str) -> Measure:
    return Measure(
        code=code,
        label=label,
        definition=_NET,
        unit=CURRENCY,
        numerator=NET,
        value=amount,
        derivation=_("%(lines)s sales lines sum to %(value)s"),
        kind=kind,
    )


_SELL_IN = _net("sell_in_net", _("Net sell-in"), SalesKind.SELL_IN)
_SELL_THROUGH = _net("sell_through_net", _("Net sell-through"), SalesKind.SELL_THROUGH)
_SELL_OUT = _net("sell_out_net", _("Net sell-out"), SalesKind.SELL_OUT)

_GROWTH_YOY = Measure(
    code="growth_yoy",
    label=_("Growth year on year"),
    definition=_("(Net sales − net sales of the same period last year) ÷ the latter."),
    unit=RATIO,
    numerator=NET,
    denominator=NET_YEAR_AGO,
    value=growth,
    derivation=_(
        "(net sales %(numerator)s − last year’s %(denominator)s) ÷ %(denominator)s = %(value)s"
    ),
    zero_policy=NOT_APPLICABLE,
    needs=frozenset({SALES, LAST_YEAR}),
)

_GROWTH_QOQ = Measure(
    code="growth_qoq",
    label=_("Growth on the period before"),
    definition=_(
        "(Net sales − net sales of the period before) ÷ the latter: a quarter against the quarter "
        "before, a month against the month before, a year against the year before."
    ),
    unit=RATIO,
    numerator=NET,
    denominator=NET_BEFORE,
    value=growth,
    derivation=_(
        "(net sales %(numerator)s − those before %(denominator)s) ÷ %(denominator)s = %(value)s"
    ),
    zero_policy=NOT_APPLICABLE,
    needs=frozenset({SALES, PREVIOUS}),
)

_RETURN_RATE = Measure(
    code="return_rate",
    label=_("Return rate"),
    definition=_("Amount of the negative lines, as a positive number ÷ that of the others."),
    unit=RATIO,
    numerator=Sum("-sum(returns) FILTER (WHERE {then})"),
    denominator=Sum("sum(net - returns) FILTER (WHERE {then})"),
    value=ratio,
    derivation=_("returns %(numerator)s ÷ sales before returns %(denominator)s = %(value)s"),
    zero_policy=NOT_APPLICABLE,
    higher=False,
    lowest=_ZERO,
)

# --- regularity ----------------------------------------------------------------------------

_BY_MONTH = Positive(by="date_trunc('month', day::timestamp)")
_BY_WEEK = Positive(by="date_trunc('week', day::timestamp)")

_ACTIVE_MONTHS = Measure(
    code="active_months",
    label=_("Active months"),
    definition=_("Months of the period with positive net sales."),
    unit=MONTHS,
    numerator=_BY_MONTH,
    value=whole,
    derivation=_("%(value)s months with positive net sales"),
    lowest=_ZERO,
)

_ACTIVE_MONTH_SHARE = Measure(
    code="active_month_share",
    label=_("Share of active months"),
    definition=_("Months with positive net sales ÷ months of the period."),
    unit=RATIO,
    numerator=_BY_MONTH,
    denominator=Length("months"),
    value=ratio,
    derivation=_("%(numerator)s of %(denominator)s months = %(value)s"),
    lowest=_ZERO,
    grain=QUARTER,
)

_ACTIVE_WEEK_SHARE = Measure(
    code="active_week_share",
    label=_("Share of active weeks"),
    definition=_(
        "Weeks with positive net sales ÷ weeks of the period. A week begins on Monday; one that "
        "lies partly in the period counts with the days that do."
    ),
    unit=RATIO,
    numerator=_BY_WEEK,
    denominator=Length("weeks"),
    value=ratio,
    derivation=_("%(numerator)s of %(denominator)s weeks = %(value)s"),
    lowest=_ZERO,
)

_MONTHLY_VARIATION = Measure(
    code="monthly_variation",
    label=_("Variation of monthly sales"),
    definition=_(
        "Standard deviation of the monthly net sales ÷ their mean, over all months of the period, "
        "also those without sales: 0 when every month sells the same."
    ),
    unit=RATIO,
    numerator=MonthlySpread(deviation=True),
    denominator=MonthlySpread(deviation=False),
    value=ratio,
    derivation=_("standard deviation %(numerator)s ÷ mean month %(denominator)s = %(value)s"),
    zero_policy=NOT_APPLICABLE,
    higher=False,
    lowest=_ZERO,
    grain=QUARTER,
)

MEASURES = [
    _SELL_IN,
    _SELL_THROUGH,
    _SELL_OUT,
    _GROWTH_YOY,
    _GROWTH_QOQ,
    _ACTIVE_MONTHS,
    _ACTIVE_MONTH_SHARE,
    _ACTIVE_WEEK_SHARE,
    _MONTHLY_VARIATION,
    _RETURN_RATE,
    *(
        year_to_date(measure)
        for measure in (
            _SELL_IN,
            _SELL_THROUGH,
            _SELL_OUT,
            _GROWTH_YOY,
            _ACTIVE_MONTHS,
            _RETURN_RATE,
        )
    ),
]
