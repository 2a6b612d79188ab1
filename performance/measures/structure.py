"""Measures of what the sales are made of: focus lines, breadth, new products."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from performance.measures.declaring import (
    COUNT,
    LINES,
    NOT_APPLICABLE,
    PRODUCTS,
    RATIO,
    SALES,
    TERRITORIES,
    Measure,
    whole,
    year_to_date,
)
from performance.measures.targets import FOCUS_NET
from performance.reading import NET, NewProducts, Positive, PositiveProducts, Potential
from performance.scoring import ratio

_ZERO = Decimal(0)

_FOCUS_SHARE = Measure(
    code="focus_line_share",
    label=_("Share of focus lines"),
    definition=_(
        "Net sales of product lines with the role focus (their own or that of the nearest line "
        "above that has one) ÷ net sales."
    ),
    unit=RATIO,
    numerator=FOCUS_NET,
    denominator=NET,
    value=ratio,
    derivation=_("focus lines %(numerator)s ÷ net sales %(denominator)s = %(value)s"),
    zero_policy=NOT_APPLICABLE,
)

_LINE_BREADTH = Measure(
    code="line_breadth",
    label=_("Breadth of product lines"),
    definition=_("Product lines with positive net sales in the period."),
    unit=COUNT,
    numerator=Positive(by="product_line_id"),
    value=whole,
    derivation=_("%(value)s product lines with positive net sales"),
    lowest=_ZERO,
)

_PRODUCT_BREADTH = Measure(
    code="product_breadth",
    label=_("Breadth of products"),
    definition=_("Products with positive net sales in the period."),
    unit=COUNT,
    numerator=PositiveProducts(),
    value=whole,
    derivation=_("%(value)s products with positive net sales"),
    lowest=_ZERO,
    needs=frozenset({LINES}),
    source=LINES,
)

_NEW_SHARE = Measure(
    code="new_product_share",
    label=_("Share of new products"),
    definition=_(
        "Net sales of products that had been on sale for less than 365 days on the day of the "
        "line ÷ net sales. A product without a first day on sale is not new."
    ),
    unit=RATIO,
    numerator=NewProducts(),
    denominator=NET,
    value=ratio,
    derivation=_("new products %(numerator)s ÷ net sales %(denominator)s = %(value)s"),
    zero_policy=NOT_APPLICABLE,
    needs=frozenset({LINES, PRODUCTS}),
    source=LINES,
)

_POTENTIAL_SHARE = Measure(
    code="territory_potential_share",
    label=_("Share of the territory’s potential"),
    definition=_(
        "Net sales ÷ the potential of the partner’s territory: what all partners of it and of the "
        "territories beside it bought or sold, times its share of their population and GDP (the "
        "mean of both, or the one that is known). Where neither is known, the nearest territory "
        "above counts."
    ),
    unit=RATIO,
    numerator=NET,
    denominator=Potential(),
    value=ratio,
    derivation=_("net sales %(numerator)s ÷ potential %(denominator)s = %(value)s"),
    zero_policy=NOT_APPLICABLE,
    needs=frozenset({SALES, TERRITORIES}),
)

MEASURES = [
    _FOCUS_SHARE,
    _LINE_BREADTH,
    _PRODUCT_BREADTH,
    _NEW_SHARE,
    _POTENTIAL_SHARE,
    *(
        year_to_date(measure)
        for measure in (_FOCUS_SHARE, _LINE_BREADTH, _PRODUCT_BREADTH, _NEW_SHARE)
    ),
]
