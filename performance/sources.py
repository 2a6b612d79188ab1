"""The rows behind a value: which they are, how many, and where to see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import ngettext

from catalog.models import ProductLine
from core.periods import Period, add_months
from performance import measures
from performance.measures import Measure
from performance.models import Deduction
from sales.models import Payment, Report, SalesFact, Target

SALES, PAYMENTS, REPORTS, TARGETS = "sales", "payments", "reports", "targets"
DEDUCTIONS = measures.DEDUCTIONS


@dataclass(frozen=True)
class Source:
    """Rows of a table: `starts_on` ≤ day < `ends_before`. `counted`: they are the rows that the
    value was read from; others are what it was compared with. `lines` and `net` are of now."""

    table: str
    kind: str
    starts_on: date
    ends_before: date
    product_line: str | None
    counted: bool = True
    lines: int = 0
    net: Decimal | None = None

    @property
    def label(self) -> str:
        """“See 12 sales lines from 2013-07-01”."""
        return _said(self.table, self.lines) % {"lines": self.lines, "from": self.starts_on}


@dataclass(frozen=True)
class _Table:
    model: Any
    day: str
    line: str | None  # the path to the product line, where there is one
    amount: str | None
    by_kind: bool = True  # its rows have a kind
    state: str = ""  # the only one of its rows that counts

    def address(self, namespace: str, suffix: str) -> str:
        """The name of its list: of the pages of its app, or in the API."""
        meta = self.model._meta
        return f"{namespace or meta.app_label}:{meta.model_name}{suffix}"

    def only(self, source: Source) -> dict[str, str]:
        """What its rows are limited to beside partner, days and product lines."""
        kind = {"kind": source.kind} if source.kind and self.by_kind else {}
        return kind | ({"state": self.state} if self.state else {})


_TABLES = {
    SALES: _Table(SalesFact, "occurred_on", "product__product_line", "amount"),
    PAYMENTS: _Table(Payment, "paid_on", None, "amount", by_kind=False),
    REPORTS: _Table(Report, "due_on", None, None),
    DEDUCTIONS: _Table(
        *(Deduction, "decided_on", None, "points"), by_kind=False, state=Deduction.State.DECIDED
    ),
    # Not all of them count, so their sum says nothing.
    TARGETS: _Table(Target, "month", "product_line", None),
}


def _said(table: str, count: int) -> str:
    return {
        SALES: ngettext(
            "See %(lines)s sales line from %(from)s",
            "See %(lines)s sales lines from %(from)s",
            count,
        ),
        PAYMENTS: ngettext(
            "See %(lines)s payment from %(from)s", "See %(lines)s payments from %(from)s", count
        ),
        REPORTS: ngettext(
            "See %(lines)s report due from %(from)s",
            "See %(lines)s reports due from %(from)s",
            count,
        ),
        DEDUCTIONS: ngettext(
            "See %(lines)s decided case from %(from)s",
            "See %(lines)s decided cases from %(from)s",
            count,
        ),
        TARGETS: ngettext(
            "See %(lines)s target from %(from)s", "See %(lines)s targets from %(from)s", count
        ),
    }[table]


# --- which ---------------------------------------------------------------------------------


def planned(measure: Measure, kind: str, product_line: str | None, period: Period) -> list[Source]:
    """The rows on which a measure rests, each once, not counted yet."""
    found = [
        source
        for leaf in measure.leaves()
        if not leaf.absent
        for source in _of_leaf(leaf, kind, product_line, period)
    ]
    return sorted(dict.fromkeys(found), key=lambda source: not source.counted)


def _of_leaf(
    leaf: Measure, kind: str, product_line: str | None, period: Period
) -> Iterator[Source]:
    start = leaf.starts_on(period)
    table = leaf.source if leaf.source in (PAYMENTS, REPORTS, DEDUCTIONS) else SALES
    line = product_line if leaf.by_line else None
    own = Source(table, str(leaf.kind_for(kind)), start, period.end, line or None)
    yield own
    if measures.LAST_YEAR in leaf.needs:
        yield replace(
            own,
            starts_on=add_months(start, -12),
            ends_before=add_months(period.end, -12),
            counted=False,
        )
    if measures.PREVIOUS in leaf.needs:
        yield replace(own, starts_on=period.previous().start, ends_before=start, counted=False)
    if measures.TARGETS in leaf.needs:
        yield replace(own, table=TARGETS, counted=False)


def counted(partner_id: int, source: Source) -> Source:
    """The source with how many rows it has now, and their sum."""
    table = _TABLES[source.table]
    asked: dict[str, Any] = {"found": Count("pk")}
    if table.amount:
        asked["net"] = Coalesce(Sum(table.amount), Decimal(0))
    sums = rows(partner_id, source).aggregate(**asked)
    return replace(source, lines=sums["found"], net=sums.get("net"))


def rows(partner_id: int, source: Source) -> QuerySet:
    """The rows themselves."""
    table = _TABLES[source.table]
    span = {f"{table.day}__gte": source.starts_on, f"{table.day}__lt": source.ends_before}
    found = table.model.objects.filter(partner_id=partner_id, **span, **table.only(source))
    if source.product_line and table.line:
        root = ProductLine.objects.get(code=source.product_line)
        found = found.filter(**{f"{table.line}__in": root.subtree().values("pk")})
    return found


# --- where ---------------------------------------------------------------------------------


def permission(source: Source) -> str:
    """The right to see them."""
    meta = _TABLES[source.table].model._meta
    return f"{meta.app_label}.view_{meta.model_name}"


def page_url(partner_id: int, source: Source) -> str:
    """The page that lists them."""
    return _url(_TABLES[source.table].address("", "_list"), partner_id, source)


def api_url(partner_id: int, source: Source) -> str:
    """Where the API lists them."""
    return _url(_TABLES[source.table].address("api", "-list"), partner_id, source)


def _url(name: str, partner_id: int, source: Source) -> str:
    table = _TABLES[source.table]
    query: dict[str, Any] = {"partner": partner_id, **table.only(source)}
    query[f"{table.day}_after"] = source.starts_on
    query[f"{table.day}_before"] = source.ends_before - timedelta(days=1)
    if source.product_line and table.line:
        query["product_line"] = ProductLine.objects.get(code=source.product_line).pk
    return f"{reverse(name)}?{urlencode(query)}"


def sql(partner_id: int, source: Source) -> str:
    """A statement that reads them, to be run by hand."""
    table = _TABLES[source.table]
    alias = {SALES: "product_id", TARGETS: "product_line_id"}.get(source.table, "")
    only = "".join(f" AND {name} = '{value}'" for name, value in table.only(source).items())
    below = ""
    if source.product_line and alias:
        code = source.product_line.replace("'", "''")
        lines = (
            "SELECT l.id FROM catalog_productline l JOIN catalog_productline root"
            f" ON starts_with(l.path, root.path) WHERE root.code = '{code}'"
        )
        if source.table == SALES:
            lines = f"SELECT p.id FROM catalog_product p WHERE p.product_line_id IN ({lines})"
        below = f" AND {alias} IN ({lines})"
    return (
        f"SELECT * FROM {table.model._meta.db_table} WHERE partner_id = {partner_id}{only}"
        f" AND {table.day} >= '{source.starts_on}' AND {table.day} < '{source.ends_before}'{below}"
        f" ORDER BY {table.day}, id"
    )
