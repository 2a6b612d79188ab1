"""What can be measured of a partner: each measure is one set-based query over all partners.

A query reads `run_cells`, the temporary table of performance.run: net sales, returns and number of
source lines per partner × product line × kind × month, `ago` telling the same period of last year
from the period itself. It yields partner, numerator, denominator, source lines; the value follows
from numerator and denominator by pure code (`Measure.value`). A partner that no row is given for
has numerator 0 and no denominator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from performance.scoring import POINTS, quantize, ratio
from sales.models import SalesKind, TargetKind

CURRENCY, RATIO, COUNT, MONTHS = "currency", "ratio", "count", "months"
SALES, LAST_YEAR, TARGETS = "sales", "last_year", "targets"


@dataclass(frozen=True)
class Ask:
    """What a measure is asked for: a kind of sales, the period, product lines (None: all)."""

    kind: str
    start: date
    end: date
    lines: list[int] | None = None
    focus_lines: list[int] = field(default_factory=list)


Query = tuple[str, dict[str, Any]]
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
    query: Callable[[Ask], Query]
    value: ValueOf
    derivation: Any  # a sentence with %(numerator)s, %(denominator)s, %(value)s, %(lines)s
    zero: Any = ""
    higher: bool = True
    lowest: Decimal | None = None
    kind: str | None = None
    needs: frozenset[str] = frozenset({SALES})

    def kind_for(self, chosen: str) -> str:
        """The kind of sales it reads when a scheme item chose `chosen` (may be empty)."""
        return self.kind or chosen or SalesKind.SELL_IN


# --- queries -------------------------------------------------------------------------------


def _where(ask: Ask, ago: bool | None = False) -> str:
    conditions = ["kind = %(kind)s"]
    if ago is not None:
        conditions.append("ago" if ago else "NOT ago")
    if ask.lines is not None:
        conditions.append("product_line_id = ANY(%(lines)s)")
    return " AND ".join(conditions)


def _sums(numerator: str, denominator: str = "NULL::numeric", ago: bool | None = False) -> Any:
    """One pass over the cells; `numerator` and `denominator` are SQL sums."""

    def query(ask: Ask) -> Query:
        sql = f"""
            SELECT partner_id, {numerator}, {denominator},
                   coalesce(sum(lines) FILTER (WHERE NOT ago), 0)
            FROM run_cells WHERE {_where(ask, ago)} GROUP BY partner_id"""
        return sql, vars(ask)

    return query


def _count_positive(column: str) -> Any:
    """How many different `column` of the partner have a positive net."""

    def query(ask: Ask) -> Query:
        sql = f"""
            SELECT partner_id, count(*) FILTER (WHERE net > 0)::numeric, NULL::numeric, sum(lines)
            FROM (SELECT partner_id, {column}, sum(net) AS net, sum(lines) AS lines
                  FROM run_cells WHERE {_where(ask)} GROUP BY partner_id, {column}) AS grouped
            GROUP BY partner_id"""
        return sql, vars(ask)

    return query


def _against_target(ask: Ask) -> Query:
    """Net and the sum of the monthly targets.

    A month's target is the row for all product lines where there is one, else the sum of its rows
    by product line; asked for some product lines, it is the sum of the rows of these.
    """
    chosen = "" if ask.lines is None else "AND product_line_id = ANY(%(lines)s)"
    sql = f"""
        SELECT partner_id, coalesce(net, 0), target, coalesce(lines, 0)
        FROM (SELECT partner_id, sum(net) AS net, sum(lines) AS lines
              FROM run_cells WHERE {_where(ask)} GROUP BY partner_id) AS reached
        FULL JOIN (
            SELECT partner_id, sum(amount) AS target
            FROM (SELECT partner_id, coalesce(sum(amount) FILTER (WHERE product_line_id IS NULL),
                                              sum(amount)) AS amount
                  FROM sales_target
                  WHERE kind = %(kind)s AND month >= %(start)s AND month < %(end)s {chosen}
                  GROUP BY partner_id, month) AS monthly
            GROUP BY partner_id) AS expected USING (partner_id)"""
    return sql, vars(ask)


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
        query=_sums("sum(net)"),
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
        query=_against_target,
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
        query=_sums(
            "coalesce(sum(net) FILTER (WHERE NOT ago), 0)",
            "coalesce(sum(net) FILTER (WHERE ago), 0)",
            ago=None,
        ),
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
        query=_sums(
            "coalesce(sum(net) FILTER (WHERE product_line_id = ANY(%(focus_lines)s)), 0)",
            "sum(net)",
        ),
        value=ratio,
        derivation=_("focus lines %(numerator)s ÷ net sales %(denominator)s = %(value)s"),
        zero=_NOT_APPLICABLE,
    ),
    Measure(
        code="active_months",
        label=_("Active months"),
        definition=_("Months of the period with positive net sales."),
        unit=MONTHS,
        query=_count_positive("month"),
        value=_whole,
        derivation=_("%(value)s months with positive net sales"),
        lowest=_ZERO,
    ),
    Measure(
        code="line_breadth",
        label=_("Breadth of product lines"),
        definition=_("Product lines with positive net sales in the period."),
        unit=COUNT,
        query=_count_positive("product_line_id"),
        value=_whole,
        derivation=_("%(value)s product lines with positive net sales"),
        lowest=_ZERO,
    ),
    Measure(
        code="return_rate",
        label=_("Return rate"),
        definition=_("Amount of the negative lines, as a positive number ÷ that of the others."),
        unit=RATIO,
        query=_sums("-sum(returns)", "sum(net - returns)"),
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
