"""What would one partner get if it sold more, or were rated otherwise.

The engine of evaluations scores the partner on the facts of today, and once more on facts that are
changed inside a transaction which is rolled back. The medians of the peers and the totals of the
others stay as they were.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from catalog.models import ProductLine
from core.errors import DomainError
from core.periods import Period
from performance import measuring, records, run, scoring
from performance.bases import basis_of
from performance.definitions import Definition, definition
from performance.models import BacktestResult, Basis, Role, Score
from sales.models import SalesDaily

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
        for change in scenario.sales:
            _sell(base, change)
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


def _sell(base: Base, change: Change) -> None:
    """Multiply the partner's daily sales of the period; the caller rolls it back."""
    if not LEAST <= change.percent <= MOST:
        message = _("Between %(least)s and %(most)s per cent.") % {"least": LEAST, "most": MOST}
        raise DomainError("bad_percent", message, "percent")
    where = "partner_id = %s AND day >= %s AND day < %s"
    parameters: list[Any] = [base.partner[0], base.period.start, base.period.end]
    if change.kind:
        where, parameters = f"{where} AND kind = %s", [*parameters, change.kind]
    if change.lines:
        lines = measuring.focus_lines() if change.lines == FOCUS else _below(change.lines)
        where = f"{where} AND product_line_id = ANY(%s::bigint[])"
        parameters = [*parameters, list(lines)]
    columns = ("net", "returns", "quantity")
    changes = ", ".join(f"{name} = round({name} * %s, 4)" for name in columns)
    factor = 1 + change.percent / 100
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {SalesDaily._meta.db_table} SET {changes} WHERE {where}",
            [*[factor] * len(columns), *parameters],
        )


def _below(code: str) -> list[int]:
    root = ProductLine.objects.filter(code=code).first()
    if root is None:
        message = _("There is no product line “%(code)s”.") % {"code": code}
        raise DomainError("unknown_line", message, "line")
    return list(root.subtree().values_list("pk", flat=True))


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
