"""What a measure declares, and the units, sources and rules that declarations name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from core.periods import Kind, Period
from performance.expressions import COUNT, CURRENCY, DAYS, MONTHS, NUMBER, RATIO
from performance.reading import SOURCE_ROWS, Aggregate
from performance.scoring import POINTS, quantize, ratio
from sales.models import SalesKind, TargetKind

UNIT_LABELS = {
    CURRENCY: _("Amount"),
    RATIO: _("Share, per cent"),
    NUMBER: _("Number"),
    COUNT: _("Count"),
    MONTHS: _("Months"),
    DAYS: _("Days"),
}
# What is read. The first six can be a source.
SALES, LINES, PAYMENTS, REPORTS, OWN = "sales", "lines", "payments", "reports", "own"
DEDUCTIONS = "deductions"
LAST_YEAR, PREVIOUS, TARGETS, PRODUCTS = "last_year", "previous", "targets", "products"
CORRECTIONS, TERRITORIES = "corrections", "territories"
NEEDS_LABELS = {
    SALES: _("Sales, summed by day"),
    LINES: _("Sales, line by line"),
    PAYMENTS: _("Payments"),
    REPORTS: _("Reports"),
    DEDUCTIONS: _("Decided deductions"),
    OWN: _("Other measures"),
    LAST_YEAR: _("The same period last year"),
    PREVIOUS: _("The period before"),
    TARGETS: _("Targets"),
    PRODUCTS: _("Products with their first day on sale"),
    TERRITORIES: _("Population and GDP of territories"),
    CORRECTIONS: _("Lines that later files changed or took back"),
}
# Apps that bring a source, and are not there yet.
INVENTORY, ORDERS, DEALS, TRAINING = "inventory", "orders", "deals", "training"
RELATIONS, OUTLETS = "relations", "outlets"
SOURCE_LABELS = {
    SALES: _("Sales"),
    LINES: _("Sales lines"),
    PAYMENTS: _("Payments"),
    REPORTS: _("Reports"),
    DEDUCTIONS: _("Deductions"),
    OWN: _("Other measures"),
    INVENTORY: _("Inventory"),
    ORDERS: _("Orders"),
    DEALS: _("Deal registration"),
    TRAINING: _("Training"),
    RELATIONS: _("Relationship"),
    OUTLETS: _("Outlets"),
}
# The shortest period over which a measure says something.
ANY, MONTH, QUARTER = "any", "month", "quarter"
GRAIN_LABELS = {
    ANY: _("Any days"),
    MONTH: _("Whole months"),
    QUARTER: _("A quarter or a year"),
}
# The days over which a measure is read: those of the period, or from an earlier first day.
PERIOD, QUARTER_TO_DATE, YEAR_TO_DATE = "period", "quarter_to_date", "year_to_date"
SPAN_LABELS = {
    PERIOD: _("The period"),
    QUARTER_TO_DATE: _("From the first day of the quarter to the end of the period"),
    YEAR_TO_DATE: _("From the first day of the fiscal year to the end of the period"),
}
SPAN_SUFFIXES = {QUARTER_TO_DATE: _("quarter to date"), YEAR_TO_DATE: _("year to date")}
_SINCE: dict[str, Kind] = {QUARTER_TO_DATE: "quarter", YEAR_TO_DATE: "year"}
# What a denominator that is not positive makes of the value.
NOT_APPLICABLE, ZERO_COUNTS = "not_applicable", "zero"
ZERO_LABELS = {
    "": _("Nothing is divided."),
    NOT_APPLICABLE: _("The item does not apply."),
    ZERO_COUNTS: _("The value is 0."),
}

ValueOf = Callable[[Decimal, "Decimal | None"], "Decimal | None"]


def amount(numerator: Decimal, denominator: Decimal | None) -> Decimal:
    """The numerator, 4 places."""
    return quantize(numerator, POINTS)


def whole(numerator: Decimal, denominator: Decimal | None) -> Decimal:
    """The numerator as it is: a count."""
    return numerator


def growth(numerator: Decimal, denominator: Decimal | None) -> Decimal | None:
    """(numerator − denominator) ÷ denominator, 6 places; None where that is not positive."""
    return None if denominator is None else ratio(numerator - denominator, denominator)


@dataclass(frozen=True)
class Measure:
    """Declared in code. `higher`: more is better. `lowest`: no value lies below it (None: any).

    `kind` fixes the kind of sales; without it a scheme item chooses, and where it does not, that is
    the `usual` one, or every kind (`every_kind`). `zero` says what becomes of a denominator that is
    not positive. `needs` lists what is read, `source` the most of it. `grain` is the shortest
    period, `span` over which days it is read. `graded`: how far it can be trusted is told by the
    reports of the kinds of sales that it reads. `by_line`: it can be limited to a product line.
    `absent` says what is missing for it: it can be read about, but not used.
    """

    code: str
    label: Any
    definition: Any
    unit: str
    numerator: Aggregate | None
    value: ValueOf
    derivation: Any  # a sentence with %(numerator)s, %(denominator)s, %(value)s, %(lines)s
    denominator: Aggregate | None = None
    zero_policy: str = ""
    higher: bool = True
    lowest: Decimal | None = None
    kind: str | None = None
    usual: str = SalesKind.SELL_IN
    every_kind: bool = False
    needs: frozenset[str] = frozenset({SALES})
    source: str = SALES
    grain: str = ANY
    graded: bool = True
    by_line: bool = True
    span: str = PERIOD
    absent: Any = ""

    @property
    def zero(self) -> Any:
        """What happens when the denominator is not positive, in words."""
        return ZERO_LABELS[self.zero_policy] if self.zero_policy else ""

    def kind_for(self, chosen: str) -> str:
        """The kind of sales it reads when a scheme item chose `chosen` (may be empty)."""
        return self.kind or chosen or ("" if self.every_kind else self.usual)

    def leaves(self) -> Iterator[Measure]:
        """The measures declared in code on which it rests: itself."""
        yield self

    def starts_on(self, period: Period) -> date:
        """The first day of which it reads in a period."""
        since = _SINCE.get(self.span)
        if since is None:
            return period.start
        return Period.containing(since, period.start, period.fiscal_start).start

    def counted(self) -> Aggregate:
        """How many rows it rests on."""
        return SOURCE_ROWS[self.source][0]

    def graded_by(self, chosen: str) -> list[str]:
        """The kinds of sales whose reports tell how far its value can be trusted."""
        kinds = {leaf.kind_for(chosen) for leaf in self.leaves() if leaf.graded}
        return sorted(kinds & set(SalesKind.values))

    def graded_from(self, period: Period) -> date:
        """The first day whose reports tell how far its value can be trusted."""
        starts = [leaf.starts_on(period) for leaf in self.leaves() if leaf.graded]
        return min(starts, default=period.start)


def to_date(measure: Measure, span: str) -> Measure:
    """The same from the first day of the quarter or of the fiscal year to the end of the period;
    as it is where it has a span of its own, or `span` is the period."""
    if span == PERIOD or measure.span != PERIOD:
        return measure
    label = format_lazy("{} · {}", measure.label, SPAN_SUFFIXES[span])
    return replace(measure, label=label, span=span)


def year_to_date(measure: Measure) -> Measure:
    """The same from the first day of the fiscal year, under a code of its own."""
    return replace(to_date(measure, YEAR_TO_DATE), code=f"{measure.code}_ytd")


def has_targets(kind: str) -> bool:
    """Whether targets exist for this kind of sales (or collection)."""
    return kind in TargetKind.values
