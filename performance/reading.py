"""Reading the inputs of an evaluation: aggregates over sales and targets, for all its partners.

`read` asks everything in one statement, so all measures see the same facts, whatever is imported
meanwhile. Aggregates over the same rows share one pass over them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Ask:
    """What is asked for: a kind of sales, the period and the same one a year ago (half-open),
    product lines (None: all)."""

    kind: str
    start: date
    end: date
    ago_start: date
    ago_end: date
    lines: list[int] | None = None
    focus_lines: list[int] = field(default_factory=list)


# Each aggregate tells its SQL and the rows it goes over (FROM and WHERE). Nothing in the text comes
# from people: kinds are those of SalesKind, the rest are dates and keys.


@dataclass(frozen=True)
class Sum:
    """An aggregate over the partner's rows of the daily rollup, in the period or a year before.

    `{focus}` in `sql` stands for the keys of the focus lines.
    """

    sql: str
    last_year: bool = False

    def expression(self, ask: Ask) -> str:
        return self.sql.format(focus=_keys(ask.focus_lines))

    def rows(self, ask: Ask) -> str:
        return f"FROM sales_salesdaily WHERE {_days(ask, self.last_year)}"


@dataclass(frozen=True)
class Positive:
    """How many groups of the partner's rows of the period have a positive net."""

    by: str

    def expression(self, ask: Ask) -> str:
        return "count(*) FILTER (WHERE net > 0)::numeric"

    def rows(self, ask: Ask) -> str:
        return (
            "FROM (SELECT partner_id, sum(net) AS net FROM sales_salesdaily "
            f"WHERE {_days(ask)} GROUP BY partner_id, {self.by}) AS grouped"
        )


@dataclass(frozen=True)
class TargetSum:
    """The sum of the partner's monthly targets.

    A month's target is the row for all product lines where there is one, else the sum of its rows
    by product line; asked for some product lines, it is the sum of the rows of these.
    """

    def expression(self, ask: Ask) -> str:
        return "sum(amount)"

    def rows(self, ask: Ask) -> str:
        counts = (
            "(product_line_id IS NULL OR NOT EXISTS (SELECT FROM sales_target AS whole "
            "WHERE whole.partner_id = t.partner_id AND whole.month = t.month "
            "AND whole.kind = t.kind AND whole.product_line_id IS NULL))"
        )
        if ask.lines is not None:
            counts = f"product_line_id = ANY({_keys(ask.lines)})"
        return (
            f"FROM sales_target AS t WHERE kind = '{ask.kind}' "
            f"AND month >= '{ask.start}' AND month < '{ask.end}' AND {counts}"
        )


Aggregate = Sum | Positive | TargetSum
NET, LINES = Sum("sum(net)"), Sum("sum(lines)")


def _days(ask: Ask, last_year: bool = False) -> str:
    start, end = (ask.ago_start, ask.ago_end) if last_year else (ask.start, ask.end)
    where = f"kind = '{ask.kind}' AND day >= '{start}' AND day < '{end}'"
    return where if ask.lines is None else f"{where} AND product_line_id = ANY({_keys(ask.lines)})"


def _keys(keys: list[int]) -> str:
    return f"'{{{','.join(map(str, keys))}}}'::bigint[]"


def read(
    cursor: Any, partners: list[int], wanted: list[tuple[Aggregate, Ask]]
) -> list[tuple[Any, ...]]:
    """One column for each of `wanted`, in the order of `partners`; None where there are no rows.

    Call it in a transaction: it sets how the server plans for the rest of it.
    """
    passes: dict[str, list[str]] = {}
    for aggregate, ask in wanted:
        expressions = passes.setdefault(aggregate.rows(ask), [])
        if aggregate.expression(ask) not in expressions:
            expressions.append(aggregate.expression(ask))
    # Hash joins and hash aggregates are right for all partners at once; a planner whose statistics
    # are from before a large import would join in loops. Compiling takes longer than it saves.
    cursor.execute(
        "SET LOCAL work_mem = '64MB'; SET LOCAL enable_nestloop = off; SET LOCAL jit = off"
    )
    cursor.execute(_statement(passes), [partners])
    columns = list(zip(*cursor.fetchall(), strict=True))
    names = [(rows, each) for rows, expressions in passes.items() for each in expressions]
    by_name = dict(zip(names, columns, strict=True))
    return [by_name[aggregate.rows(ask), aggregate.expression(ask)] for aggregate, ask in wanted]


def _statement(passes: dict[str, list[str]]) -> str:
    names, joins = [], []
    for number, (rows, expressions) in enumerate(passes.items()):
        listed = ", ".join(f"{each} AS c{n}" for n, each in enumerate(expressions))
        joins.append(
            f"LEFT JOIN (SELECT partner_id, {listed} {rows} GROUP BY partner_id) AS p{number} "
            "USING (partner_id)"
        )
        names += [f"p{number}.c{n}" for n in range(len(expressions))]
    return (
        f"SELECT {', '.join(names)} "
        "FROM unnest(%s::bigint[]) WITH ORDINALITY AS scope (partner_id, place) "
        f"{' '.join(joins)} ORDER BY place"
    )
