"""Reading aggregates over sales, payments, reports and targets, for many partners at once.

`read` asks everything in one statement, so all measures see the same facts, whatever is imported
meanwhile, and it takes as many statements for three partners as for twenty thousand. Aggregates
over the same rows share one pass over them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings

from sales.attainment import COUNTS

# Up to so many partners are asked for by name: their rows are found by index.
FEW = 50
# A product is new for a year from its first day on sale.
NEW_DAYS = 365


@dataclass(frozen=True)
class Ask:
    """What is asked for: a kind of sales (or collection), the period, the same one a year ago and
    the one before (all half-open), product lines (None: all), partners (None: all; a range: at
    least those with keys in it)."""

    kind: str
    start: date
    end: date
    ago_start: date
    ago_end: date
    before_start: date
    lines: tuple[int, ...] | None = None
    focus_lines: tuple[int, ...] = ()
    partners: tuple[int, ...] | range | None = None

    @property
    def months(self) -> int:
        """The months of the period."""
        return (self.end.year - self.start.year) * 12 + self.end.month - self.start.month

    @property
    def weeks(self) -> int:
        """The weeks, from Monday, that have a day in the period."""
        last = self.end - timedelta(days=1)
        first = self.start - timedelta(days=self.start.weekday())
        return (last - first).days // 7 + 1


Window = tuple[date, date]  # half-open

# Each aggregate tells its SQL and the rows it goes over (FROM and WHERE). Nothing in the text comes
# from people: kinds are those of SalesKind and TargetKind, the rest are dates and keys.

PERIOD, YEAR_AGO, BEFORE = "period", "year_ago", "before"
# In the rows of a Sum: the days of all windows that are asked for.
_DAYS = "(days)"


@dataclass(frozen=True)
class Sum:
    """An aggregate over the partner's rows of the daily rollup: in the period, a year ago, or in
    the period before. All of these are read in one pass, so each aggregate of `sql` says `{then}`,
    on which days; `{focus}` stands for the keys of the focus lines.
    """

    sql: str
    over: str = PERIOD

    def expression(self, ask: Ask) -> str:
        then = _between("day", *self.window(ask))
        return self.sql.format(then=then, focus=_keys(ask.focus_lines))

    def window(self, ask: Ask) -> Window:
        return {
            PERIOD: (ask.start, ask.end),
            YEAR_AGO: (ask.ago_start, ask.ago_end),
            BEFORE: (ask.before_start, ask.start),
        }[self.over]

    def rows(self, ask: Ask) -> str:
        few = _few(ask.partners)
        return f"FROM sales_salesdaily WHERE kind = '{ask.kind}' AND {_DAYS}{few}{_of_lines(ask)}"


@dataclass(frozen=True)
class Positive:
    """How many groups of the partner's rows of the period have a positive net."""

    by: str

    def expression(self, ask: Ask) -> str:
        return "count(*) FILTER (WHERE net > 0)::numeric"

    def rows(self, ask: Ask) -> str:
        return (
            "FROM (SELECT partner_id, sum(net) AS net FROM sales_salesdaily "
            f"WHERE {_sales('day', ask)}{_of_lines(ask)} GROUP BY partner_id, {self.by}) AS grouped"
        )


@dataclass(frozen=True)
class MonthlySpread:
    """The mean of the monthly nets of the period, or their standard deviation (of all months, also
    those without sales), 6 places."""

    deviation: bool

    def expression(self, ask: Ask) -> str:
        if not self.deviation:
            return f"round(sum(net) / {ask.months}, 6)"
        # n·Σx² − (Σx)² is exact and not negative; so only the root and the division are rounded.
        return f"round(sqrt({ask.months} * sum(net * net) - sum(net) * sum(net)) / {ask.months}, 6)"

    def rows(self, ask: Ask) -> str:
        return Positive(by="date_trunc('month', day::timestamp)").rows(ask)


@dataclass(frozen=True)
class Length:
    """How many months, or weeks, the period has: the same for all partners."""

    unit: str

    def constant(self, ask: Ask) -> Decimal:
        return Decimal(ask.months if self.unit == "months" else ask.weeks)

    def expression(self, ask: Ask) -> str:
        return ""

    def rows(self, ask: Ask) -> str:
        return ""


@dataclass(frozen=True)
class PositiveProducts:
    """How many products have a positive net in the period. By the lines themselves: the rollup
    knows no products."""

    def expression(self, ask: Ask) -> str:
        return "count(*) FILTER (WHERE net > 0)::numeric"

    def rows(self, ask: Ask) -> str:
        return (
            "FROM (SELECT f.partner_id, sum(f.amount) AS net FROM sales_salesfact AS f "
            f"{_PRODUCT} WHERE {_sales('occurred_on', ask)}{_of_lines(ask)} "
            "GROUP BY f.partner_id, f.product_id) AS grouped"
        )


@dataclass(frozen=True)
class NewProducts:
    """The net of lines of products that had been on sale for less than NEW_DAYS on their day."""

    def expression(self, ask: Ask) -> str:
        return (
            "coalesce(sum(amount) FILTER (WHERE p.active_from <= occurred_on "
            f"AND p.active_from > occurred_on - {NEW_DAYS}), 0)"
        )

    def rows(self, ask: Ask) -> str:
        return (
            f"FROM sales_salesfact AS f {_PRODUCT} "
            f"WHERE {_sales('occurred_on', ask)}{_of_lines(ask)}"
        )


_PRODUCT = "JOIN catalog_product AS p ON p.id = f.product_id"


@dataclass(frozen=True)
class TargetSum:
    """The sum of the partner's monthly targets that count (sales.attainment); asked for some
    product lines, the sum of the rows of these. `focus`: of the focus lines among them."""

    focus: bool = False

    def expression(self, ask: Ask) -> str:
        return "sum(amount)"

    def rows(self, ask: Ask) -> str:
        counts = COUNTS
        if ask.lines is not None:
            counts = f"product_line_id = ANY({_keys(ask.lines)})"
        if self.focus:
            chosen = ask.focus_lines
            if ask.lines is not None:
                chosen = tuple(key for key in chosen if key in set(ask.lines))
            counts = f"product_line_id = ANY({_keys(chosen)})"
        return (
            f"FROM sales_target WHERE kind = '{ask.kind}' AND {_within('month', ask)} AND {counts}"
        )


@dataclass(frozen=True)
class Payments:
    """An aggregate over what the partner paid in the period."""

    sql: str

    def expression(self, ask: Ask) -> str:
        return self.sql

    def rows(self, ask: Ask) -> str:
        return f"FROM sales_payment WHERE {_within('paid_on', ask)}"


@dataclass(frozen=True)
class Reports:
    """An aggregate over the reports that were due in the period; of all kinds of sales where none
    is asked for.

    By the day on which they are due, each report belongs to one period, and when that is over it
    is decided what became of it.
    """

    sql: str

    def expression(self, ask: Ask) -> str:
        return self.sql

    def rows(self, ask: Ask) -> str:
        of_kind = f" AND kind = '{ask.kind}'" if ask.kind else ""
        return f"FROM sales_report WHERE {_within('due_on', ask)}{of_kind}"


@dataclass(frozen=True)
class Reported:
    """An aggregate over `lines`, those of the period in the books and those that a later file took
    back, and `corrected`, those among them that a later file changed or took back.

    What a file changed is kept as it was before, until the file is undone.
    """

    sql: str

    def expression(self, ask: Ask) -> str:
        return self.sql

    def rows(self, ask: Ask) -> str:
        return (
            "FROM (SELECT partner_id, lines::bigint AS lines, 0::bigint AS corrected "
            f"FROM sales_salesdaily WHERE {_sales('day', ask)} UNION ALL "
            "SELECT partner_id, count(DISTINCT fact_id) FILTER (WHERE removed), "
            "count(DISTINCT fact_id) FROM sales_factbefore WHERE kind = 'sales' "
            f"AND row ->> 'kind' = '{ask.kind}' AND {_within(_BEFORE_ON, ask)} "
            "GROUP BY partner_id) AS told"
        )


@dataclass(frozen=True)
class Cases:
    """An aggregate over the partner's decided deductions that count on a day of the period."""

    sql: str

    def expression(self, ask: Ask) -> str:
        return self.sql

    def rows(self, ask: Ask) -> str:
        return (
            f"FROM performance_deduction WHERE state = 'decided' AND {_within('decided_on', ask)}"
        )


@dataclass(frozen=True)
class Potential:
    """What the partner’s territory could bear, 4 places: the net of all partners in the territories
    beside it and above, times its share of their potential.

    That share is the mean of its shares of population and GDP, or the one that is known. The
    territory is the partner’s own, or the nearest above with a share.
    """

    def expression(self, ask: Ask) -> str:
        return "round(sum(potential), 4)"

    def rows(self, ask: Ask) -> str:
        everybody = replace(ask, partners=None)
        few = "" if ask.partners is None else f"WHERE {_one_of('p.id', ask.partners)}"
        return f"""FROM (
            WITH known AS (
                SELECT id, coalesce(parent_id, 0) AS beside,
                       population / nullif(sum(population) OVER around, 0) AS people,
                       gdp / nullif(sum(gdp) OVER around, 0) AS produced
                FROM accounts_territory WINDOW around AS (PARTITION BY parent_id)
            ), above AS (
                SELECT t.id, up.id AS over, up.place FROM accounts_territory AS t,
                       unnest(string_to_array('0' || rtrim(t.path, '/'), '/')::bigint[])
                       WITH ORDINALITY AS up (id, place)
            ), place AS (
                SELECT DISTINCT ON (above.id) above.id, beside,
                       coalesce((people + produced) / 2, people, produced) AS share
                FROM above JOIN known ON known.id = over
                WHERE people IS NOT NULL OR produced IS NOT NULL ORDER BY above.id, place DESC
            ), sold AS (
                SELECT q.territory_id AS id, sum(net) AS net
                FROM sales_salesdaily JOIN partners_partner AS q ON q.id = partner_id
                WHERE {_sales("day", everybody)}{_of_lines(ask)} GROUP BY q.territory_id
            ), whole AS (
                SELECT over, sum(net) AS net FROM sold JOIN above USING (id) GROUP BY over
            )
            SELECT p.id AS partner_id, share * net AS potential
            FROM partners_partner AS p JOIN place ON place.id = p.territory_id
            JOIN whole ON whole.over = place.beside {few}) AS told"""


_BEFORE_ON = "(row ->> 'occurred_on')::date"

Aggregate = (
    Sum
    | Positive
    | MonthlySpread
    | Length
    | PositiveProducts
    | NewProducts
    | TargetSum
    | Payments
    | Reports
    | Reported
    | Cases
    | Potential
)
NET = Sum("sum(net) FILTER (WHERE {then})")
NET_YEAR_AGO, NET_BEFORE = replace(NET, over=YEAR_AGO), replace(NET, over=BEFORE)
COUNTED = Sum("sum(lines) FILTER (WHERE {then})")
PAID, PAYMENTS = Payments("sum(amount)"), Payments("count(*)")
OWED = Reports("count(*)")
# As Report.State: what came up to the due day, and the word that there is nothing, are in time.
_CAME_ON = f"(received_at AT TIME ZONE '{settings.TIME_ZONE}')::date"
IN_TIME = Reports(
    f"count(*) FILTER (WHERE {_CAME_ON} <= due_on "
    "OR received_at IS NULL AND nothing_at IS NOT NULL)::numeric"
)
RECEIVED = Reports(
    "count(*) FILTER (WHERE received_at IS NOT NULL OR nothing_at IS NOT NULL)::numeric"
)
CASES, CASE_POINTS = Cases("count(*)::numeric"), Cases("sum(points)")
LINES_REPORTED = Reported("sum(lines)")
LINES_RIGHT = Reported("greatest(sum(lines) - sum(corrected), 0)")
# Of each source: how many rows, and what they sum to.
SOURCE_ROWS: dict[str, tuple[Aggregate, Aggregate | None]] = {
    "sales": (COUNTED, NET),
    "lines": (COUNTED, NET),
    "payments": (PAYMENTS, PAID),
    "reports": (OWED, None),
    "deductions": (CASES, CASE_POINTS),
}


def _within(column: str, ask: Ask) -> str:
    return _between(column, ask.start, ask.end) + _few(ask.partners)


def _between(column: str, start: date, end: date) -> str:
    return f"{column} >= '{start}' AND {column} < '{end}'"


def _few(partners: tuple[int, ...] | range | None) -> str:
    return "" if partners is None else f" AND {_one_of('partner_id', partners)}"


def _one_of(column: str, partners: tuple[int, ...] | range) -> str:
    if isinstance(partners, range):
        return f"{column} >= {partners.start} AND {column} < {partners.stop}"
    return f"{column} = ANY({_keys(partners)})"


def _sales(day: str, ask: Ask) -> str:
    return f"kind = '{ask.kind}' AND {_within(day, ask)}"


def _of_lines(ask: Ask) -> str:
    return "" if ask.lines is None else f" AND product_line_id = ANY({_keys(ask.lines)})"


def _keys(keys: tuple[int, ...]) -> str:
    return f"'{{{','.join(map(str, keys))}}}'::bigint[]"


Answers = dict[tuple[Aggregate, Ask], list[Any]]


def read(cursor: Any, partners: list[int], wanted: list[tuple[Aggregate, Ask]]) -> Answers:
    """A column for each of `wanted`, in the order of `partners`; None where there are no rows.

    Call it in a transaction: for many partners it sets how the server plans for the rest of it.
    """
    found: Answers = {
        (aggregate, ask): [aggregate.constant(ask)] * len(partners)
        for aggregate, ask in wanted
        if isinstance(aggregate, Length)
    }
    asked = [pair for pair in dict.fromkeys(wanted) if pair not in found]
    passes: dict[str, list[str]] = {}
    windows: dict[str, set[Window]] = {}
    for aggregate, ask in asked:
        expressions = passes.setdefault(aggregate.rows(ask), [])
        if isinstance(aggregate, Sum):
            windows.setdefault(aggregate.rows(ask), set()).add(aggregate.window(ask))
        if aggregate.expression(ask) not in expressions:
            expressions.append(aggregate.expression(ask))
    if len(partners) > FEW:
        # Hash joins and hash aggregates are right for all partners at once; a planner whose
        # statistics are from before a large import would join in loops. Compiling takes longer
        # than it saves.
        cursor.execute(
            "SET LOCAL work_mem = '64MB'; SET LOCAL enable_nestloop = off; SET LOCAL jit = off"
        )
    cursor.execute(_statement(passes, windows), [partners])
    columns = list(zip(*cursor.fetchall(), strict=True))
    names = [(rows, each) for rows, expressions in passes.items() for each in expressions]
    by_name = dict(zip(names, columns, strict=True)) if columns else {}
    for aggregate, ask in asked:
        column = by_name.get((aggregate.rows(ask), aggregate.expression(ask)), ())
        found[aggregate, ask] = list(column)
    return found


def _statement(passes: dict[str, list[str]], windows: dict[str, set[Window]]) -> str:
    names, joins = [], []
    for number, (rows, expressions) in enumerate(passes.items()):
        days = " OR ".join(_between("day", *each) for each in _joined(windows.get(rows, ())))
        rows = rows.replace(_DAYS, f"({days})")
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


def _joined(windows: Iterable[Window]) -> list[Window]:
    """The days of all of them, without a day twice."""
    found: list[Window] = []
    for start, end in sorted(windows):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
