"""What would one partner get if it sold more, or were rated otherwise.

The engine of evaluations scores the partner on the facts of today, and once more on facts that are
changed inside a transaction which is rolled back. The medians of the peers and the totals of the
others stay as they were. What of an item cannot be supposed is told in words (`Item.stays`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _, gettext_lazy

from catalog.models import ProductLine
from core.errors import DomainError
from core.periods import Period
from core.phrases import listed
from performance import measures, measuring, records, run, scoring
from performance.bases import basis_of
from performance.definitions import Definition, definition
from performance.models import BacktestResult, Basis, Role, Score
from performance.reading import Positive, PositiveProducts
from sales.models import SalesDaily, SalesFact

LEAST, MOST = Decimal(-100), Decimal(1000)  # per cent
ALL, FOCUS = "", "*focus"


@dataclass(frozen=True)
class Change:
    """Sales in the period that are `percent` more (or less): of every product line, of the focus
    lines (FOCUS), or of a line (its code) and all below; of one kind, or of all."""

    percent: Decimal
    lines: str = ALL
    kind: str = ""


@dataclass(frozen=True)
class Scenario:
    """What is supposed: changes of sales, one after the other, and mean marks by item."""

    sales: tuple[Change, ...] = ()
    marks: dict[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class Base:
    """What a partner is scored by, and what stays as it is. `better` tells how many others have a
    higher total than a given one."""

    found: Definition
    period: Period
    partner: tuple[int, str]
    benchmarks: dict[str, Decimal | None]
    better: Callable[[Decimal], int]
    stored: Decimal | None
    evaluation_id: int | None = None
    before: records.Before | None = None


@dataclass(frozen=True)
class Item:
    """One item, now and as supposed."""

    definition: Definition
    now: scoring.ItemScore
    then: scoring.ItemScore
    value_now: Decimal | None
    value_then: Decimal | None
    weighted_now: Decimal | None
    weighted_then: Decimal | None

    @property
    def gain(self) -> Decimal:
        """What it adds to the total more than now; a part that does not apply adds nothing."""
        return (self.weighted_then or Decimal(0)) - (self.weighted_now or Decimal(0))

    @property
    def stays(self) -> str:
        """What it rests on that supposed sales leave as it is; "" where there is nothing."""
        return _stays(self.definition)


@dataclass(frozen=True)
class WhatIf:
    """Both outcomes of the partner, with its ranks and items."""

    now: scoring.Outcome
    then: scoring.Outcome
    rank_now: int | None
    rank_then: int | None
    items: list[Item]

    @property
    def change(self) -> Decimal | None:
        """Points of the total more than now."""
        if self.now.total is None or self.then.total is None:
            return None
        return self.then.total - self.now.total


def base_of_score(score: Score) -> Base:
    """The scheme, period and peers of an evaluation's score."""
    evaluation = score.evaluation
    others = Score.objects.filter(evaluation=evaluation).exclude(pk=score.pk)
    return Base(
        found=definition(evaluation.scheme_version),
        period=evaluation.period,
        partner=(score.partner_id, score.partner.code),
        benchmarks=_benchmarks(evaluation.peers),
        better=lambda total: others.filter(total__gt=total).count(),
        stored=score.total,
        evaluation_id=evaluation.pk,
    )


def base_of_result(result: BacktestResult) -> Base:
    """The draft, last period and peers of a backtest. DomainError `not_scored` when the partner is
    not in the scope of the draft."""
    report = result.report
    if result.rank_draft is None and result.total_draft is None:
        message = _("The partner is not scored by the draft.")
        raise DomainError("not_scored", message)
    last = report.result["periods"][-1]
    others = BacktestResult.objects.filter(report=report).exclude(pk=result.pk)
    marks = last.get("marks_of", {}).get("draft")
    return Base(
        found=report.definitions["draft"],
        period=report.period,
        partner=(result.partner_id, result.partner.code),
        benchmarks=_benchmarks(last["peers"]["draft"]),
        better=lambda total: others.filter(total_draft__gt=total).count(),
        stored=result.total_draft,
        evaluation_id=marks,
        before=records.Before(
            {result.partner_id: result.level_before or None}, {result.partner_id: result.forgiven}
        ),
    )


def _benchmarks(peers: dict[str, Any]) -> dict[str, Decimal | None]:
    return {
        code: None if each["benchmark"] is None else Decimal(each["benchmark"])
        for code, each in peers.items()
    }


def what_if(*, base: Base, scenario: Scenario) -> WhatIf:
    """Score the partner as things are and as supposed; nothing stays written.

    DomainError bad_percent, unknown_line, bad_mark, unknown_item.
    """
    marks = _marks(base, scenario)
    now = _score(base, {})
    with transaction.atomic():
        if scenario.sales:
            _copy_lines(base)
        for change in scenario.sales:
            _sell(base, change)
        if scenario.sales:
            _sum_days(base)
        then = _score(base, marks)
        transaction.set_rollback(True)
    ranks = [_rank(base, each.judged[0].outcome.total) for each in (now, then)]
    return WhatIf(
        now=now.judged[0].outcome,
        then=then.judged[0].outcome,
        rank_now=ranks[0],
        rank_then=ranks[1],
        items=_items(now, then),
    )


def _score(base: Base, marks: dict[str, dict[int, records.Marks]]) -> run.Scored:
    with transaction.atomic():
        return run.score(
            base.found,
            base.period,
            _quiet,
            evaluation_id=base.evaluation_id,
            shared=run.share([base.found], base.period, [base.partner]),
            before=base.before,
            benchmarks=base.benchmarks,
            marks=marks,
        )


def _quiet(done: int, total: int, message: str) -> None:
    """One partner takes no time."""


def _rank(base: Base, total: Decimal | None) -> int | None:
    return None if total is None else base.better(total) + 1


def _marks(base: Base, scenario: Scenario) -> dict[str, dict[int, records.Marks]]:
    """As many marks as the item asks for, with that mean."""
    rated = {i["code"]: i for i in base.found["items"] if basis_of(i) == Basis.RATING}
    found = {}
    for code, mark in scenario.marks.items():
        if code not in rated:
            message = _("The scheme has no rated item “%(code)s”.") % {"code": code}
            raise DomainError("unknown_item", message, "marks")
        if not 1 <= mark <= 5:
            raise DomainError("bad_mark", _("A mark lies between 1 and 5."), "marks")
        raters = rated[code]["raters"]
        found[code] = {base.partner[0]: records.Marks(mark * raters, raters)}
    return found


# Beside the table of the facts, and read instead of it until the caller rolls back: to change the
# facts themselves would stop every load, and make late what was reported in time.
_LINES = "pg_temp.sales_salesfact"


def _copy_lines(base: Base) -> None:
    """Put the partner's lines where the engine reads them instead of the table of facts."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE sales_salesfact ON COMMIT DROP AS "
            f"SELECT * FROM {SalesFact._meta.db_table} WHERE partner_id = %s",
            [base.partner[0]],
        )


def _sum_days(base: Base) -> None:
    """Let the daily sums of the period follow the lines; the caller rolls it back."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE {SalesDaily._meta.db_table} AS d
                   SET net = c.net, returns = c.returns, quantity = c.quantity
                  FROM (SELECT occurred_on, kind, product_line_id, sum(amount) AS net,
                               coalesce(sum(amount) FILTER (WHERE amount < 0), 0) AS returns,
                               sum(quantity) AS quantity
                          FROM {_LINES} AS f JOIN catalog_product AS p ON p.id = f.product_id
                         WHERE occurred_on >= %s AND occurred_on < %s GROUP BY 1, 2, 3) AS c
                 WHERE (d.partner_id, d.day, d.kind, d.product_line_id)
                     = (%s, c.occurred_on, c.kind, c.product_line_id)""",
            [base.period.start, base.period.end, base.partner[0]],
        )


def _sell(base: Base, change: Change) -> None:
    """Multiply the partner's lines of the period."""
    if not LEAST <= change.percent <= MOST:
        message = _("Between %(least)s and %(most)s per cent.") % {"least": LEAST, "most": MOST}
        raise DomainError("bad_percent", message, "percent")
    where = "occurred_on >= %s AND occurred_on < %s"
    parameters: list[Any] = [base.period.start, base.period.end]
    if change.kind:
        where, parameters = f"{where} AND kind = %s", [*parameters, change.kind]
    if change.lines:
        lines = measuring.focus_lines() if change.lines == FOCUS else _below(change.lines)
        where = (
            f"{where} AND product_id IN "
            "(SELECT id FROM catalog_product WHERE product_line_id = ANY(%s::bigint[]))"
        )
        parameters = [*parameters, list(lines)]
    factor = 1 + change.percent / 100
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_LINES} SET amount = round(amount * %s, 4), "
            f"quantity = round(quantity * %s, 4) WHERE {where}",
            [factor, factor, *parameters],
        )


def _below(code: str) -> list[int]:
    root = ProductLine.objects.filter(code=code).first()
    if root is None:
        message = _("There is no product line “%(code)s”.") % {"code": code}
        raise DomainError("unknown_line", message, "line")
    return list(root.subtree().values_list("pk", flat=True))


# What supposed sales leave as it is, by what a measure needs.
_LEFT = {
    measures.TARGETS: gettext_lazy("targets"),
    measures.LAST_YEAR: gettext_lazy("sales of last year"),
    measures.PREVIOUS: gettext_lazy("sales of the period before"),
    measures.PAYMENTS: gettext_lazy("payments"),
    measures.REPORTS: gettext_lazy("reports"),
    measures.CORRECTIONS: gettext_lazy("reported and corrected lines"),
    measures.DEDUCTIONS: gettext_lazy("decided cases"),
    measures.TERRITORIES: gettext_lazy("what others sell"),
}
_COUNTED = gettext_lazy("the days, lines and products with sales")
_COUNTING = (Positive, PositiveProducts)
_EARLIER = gettext_lazy("the days before the period")


def _stays(item: Definition) -> str:
    """In words, what an item rests on that supposed sales leave as it is."""
    if basis_of(item) == Basis.RATING:
        return ""
    if basis_of(item) == Basis.SCORES:
        return _("Does not move with sales: results of another scheme.")
    leaves = list(measures.get(item["measure"]).leaves())
    left = {str(_LEFT[need]): None for leaf in leaves for need in leaf.needs if need in _LEFT}
    if any(isinstance(leaf.numerator, _COUNTING) for leaf in leaves):
        left[str(_COUNTED)] = None
    if any(leaf.span != measures.PERIOD for leaf in leaves):
        left[str(_EARLIER)] = None
    if not left:
        return ""
    moves = any(map(_reads_amounts, leaves))
    text = _("Stays as it is: %(what)s.") if moves else _("Does not move with sales: %(what)s.")
    return text % {"what": listed(sorted(left))}


def _reads_amounts(leaf: measures.Measure) -> bool:
    """Whether more sales on the same days, of the same products, change its value."""
    counts = isinstance(leaf.numerator, _COUNTING) or measures.CORRECTIONS in leaf.needs
    return bool(leaf.needs & {measures.SALES, measures.LINES}) and not counts


def _items(now: run.Scored, then: run.Scored) -> list[Item]:
    rows = zip(now.columns, then.columns, _weighted(now), _weighted(then), strict=True)
    return [
        Item(
            definition=before.definition,
            now=before.scores[0],
            then=after.scores[0],
            value_now=before.values[0],
            value_then=after.values[0],
            weighted_now=weighted_now,
            weighted_then=weighted_then,
        )
        for before, after, weighted_now, weighted_then in rows
    ]


def _weighted(scored: run.Scored) -> list[Decimal | None]:
    """What each item adds to the total."""
    applying = [
        column.item.weight
        for column in scored.columns
        if column.scores[0].points is not None and not column.item.bonus
    ]
    weights = sum(applying, Decimal(0))
    return [
        scoring.weighted(
            column.item.weight,
            column.scores[0].points,
            scoring.HUNDRED if column.definition.get("role") == Role.BONUS else weights,
        )
        for column in scored.columns
    ]
