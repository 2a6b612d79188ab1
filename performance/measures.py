"""What can be measured of a partner.

A measure declares two aggregates over sales and targets, numerator and denominator, and the pure
function that makes its value of them. performance.reading reads the aggregates of all measures at
once. A partner without rows has numerator 0 and no denominator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from performance.reading import NET, Aggregate, Positive, Sum, TargetSum
from performance.scoring import POINTS, quantize, ratio
from sales.models import SalesKind, TargetKind

CURRENCY, RATIO, COUNT, MONTHS = "currency", "ratio", "count", "months"
SALES, LAST_YEAR, TARGETS = "sales", "last_year", "targets"

ValueOf = Callable[[Decimal, "Decimal | None"], "Decimal | None"]


@dataclass(frozen=True)
class Measure:
    """Declared in code. `higher`: more is better. `lowest`: no value lies below it (None: any).

    `kind` fixes the kind of sales; without it a scheme item chooses. `zero` says in words what
    happens when the denominator is not positive. `needs` lists what is read.
    """

    code: str
    label: Any
    definition: Any
    unit: str
    numerator: Aggregate
    value: ValueOf
    derivation: Any  # a sentence with %(numerator)s, %(denominator)s, %(value)s, %(lines)s
    denominator: Aggregate | None = None
    zero: Any = ""
    higher: bool = True
    lowest: Decimal | None = None
    kind: str | None = None
    needs: frozenset[str] = frozenset({SALES})

    def kind_for(self, chosen: str) -> str:
        """The kind of sales it reads when a scheme item chose `chosen` (may be empty)."""
        return self.kind or chosen or SalesKind.SELL_IN


# --- values --------------------------------------------------------------------------------


def _amount(numerator: Decimal, denominator: Decimal | None) -> Decimal:
    return quantize(numerator, POINTS)


def _whole(numerator: Decimal, denominator: Decimal | None) -> Decimal:
    return numerator


def _growth(numerator: Decimal, denominator: Decimal | None) -> Decimal | None:
    return None if denominator is None else ratio(numerator - denominator, denominator)


# --- the registry --------------------------------------------------------------------------

_NOT_APPLICABLE = _("The item does not apply.")
_NET = _("Net sales: sales minus returns in the period.")
_ZERO = Decimal(0)


def _net(code: str, label: Any, kind: str) -> Measure:
    return Measure(
        code=code,
        label=label,
        definition=_NET,
        unit=CURRENCY,
        numerator=NET,
        value=_amount,
        derivation=_("%(lines)s sales lines sum to %(value)s"),
        kind=kind,
    )


_ALL = [
    _net("sell_in_net", _("Net sell-in"), SalesKind.SELL_IN),
    _net("sell_through_net", _("Net sell-through"), SalesKind.SELL_THROUGH),
    _net("sell_out_net", _("Net sell-out"), SalesKind.SELL_OUT),
    Measure(
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
        zero=_NOT_APPLICABLE,
        needs=frozenset({SALES, TARGETS}),
    ),
    Measure(
        code="growth_yoy",
        label=_("Growth year on year"),
        definition=_("(Net sales − net sales of the same period last year) ÷ the latter."),
        unit=RATIO,
        numerator=NET,
        denominator=Sum("sum(net)", last_year=True),
        value=_growth,
        derivation=_(
            "(net sales %(numerator)s − last year’s %(denominator)s) ÷ %(denominator)s = %(value)s"
        ),
        zero=_NOT_APPLICABLE,
        needs=frozenset({SALES, LAST_YEAR}),
    ),
    Measure(
        code="focus_line_share",
        label=_("Share of focus lines"),
        definition=_(
            "Net sales of product lines with the role focus (their own or that of the nearest line "
            "above that has one) ÷ net sales."
        ),
        unit=RATIO,
        numerator=Sum("sum(net) FILTER (WHERE product_line_id = ANY({focus}))"),
        denominator=NET,
        value=ratio,
        derivation=_("focus lines %(numerator)s ÷ net sales %(denominator)s = %(value)s"),
        zero=_NOT_APPLICABLE,
    ),
    Measure(
        code="active_months",
        label=_("Active months"),
        definition=_("Months of the period with positive net sales."),
        unit=MONTHS,
        numerator=Positive(by="date_trunc('month', day::timestamp)"),
        value=_whole,
        derivation=_("%(value)s months with positive net sales"),
        lowest=_ZERO,
    ),
    Measure(
        code="line_breadth",
        label=_("Breadth of product lines"),
        definition=_("Product lines with positive net sales in the period."),
        unit=COUNT,
        numerator=Positive(by="product_line_id"),
        value=_whole,
        derivation=_("%(value)s product lines with positive net sales"),
        lowest=_ZERO,
    ),
    Measure(
        code="return_rate",
        label=_("Return rate"),
        definition=_("Amount of the negative lines, as a positive number ÷ that of the others."),
        unit=RATIO,
        numerator=Sum("-sum(returns)"),
        denominator=Sum("sum(net) - sum(returns)"),
        value=ratio,
        derivation=_("returns %(numerator)s ÷ sales before returns %(denominator)s = %(value)s"),
        zero=_NOT_APPLICABLE,
        higher=False,
        lowest=_ZERO,
    ),
]
REGISTRY: dict[str, Measure] = {measure.code: measure for measure in _ALL}


def get(code: str) -> Measure:
    """The measure of that code. KeyError when there is none."""
    return REGISTRY[code]


def choices() -> list[tuple[str, Any]]:
    """(code, label) of all measures, for forms."""
    return [(measure.code, measure.label) for measure in _ALL]


def has_targets(kind: str) -> bool:
    """Whether targets exist for this kind of sales."""
    return kind in TargetKind.values
