"""The run of an evaluation: read each input once, score with the pure engine, write set-based.

Nothing here knows states, users or the clock; performance.services does. Everything happens in the
caller's transaction.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from accounts.models import Territory
from catalog.models import ProductLine
from core.errors import DomainError
from core.models import Import
from core.periods import Period
from partners.models import Level, Partner
from performance import measures, scoring
from performance.definitions import Definition, compile_item, compile_levels
from performance.reading import LINES, NET, Aggregate, Ask, read

Step = Callable[[int, int, str], None]
LINES_AT_ONCE = 50
_NOTHING = Decimal(0)


@dataclass(frozen=True)
class Outcome:
    """What the evaluation row keeps of its run."""

    partner_count: int
    digest: str
    watermark: dict[str, Any]
    peers: dict[str, Any]


@dataclass(frozen=True)
class Inputs:
    """What was read for one item, in the order of the partners."""

    numerators: list[Decimal]
    denominators: Sequence[Decimal | None]
    lines: list[int]


@dataclass(frozen=True)
class Column:
    """One item scored for all partners, in the order of the partners."""

    definition: Definition
    item: scoring.Item
    inputs: Inputs
    values: list[Decimal | None]
    targets: Sequence[Decimal | None]
    scores: list[scoring.ItemScore]
    benchmark: Decimal | None


def compute(evaluation_id: int, found: Definition, period: Period, step: Step) -> Outcome:
    """Score every partner of the scope and write the scores of `evaluation_id`.

    `step(done, total, message)` is told how far it is. DomainError `no_partners` when the scope
    holds nobody.
    """
    stages = len(found["items"]) + 3
    partners = scope_partners(found["scope"])
    if not partners:
        raise DomainError("no_partners", _("The scope of the scheme contains no partner."))
    step(0, stages, _("Reading sales"))
    with connection.cursor() as cursor:
        inputs, watermark = _read(cursor, found, period, [key for key, _code in partners])
        columns = []
        for done, item in enumerate(found["items"], start=1):
            step(done, stages, _("Scoring “%(item)s”") % {"item": item["code"]})
            columns.append(_column(item, inputs[done - 1]))
        step(stages - 2, stages, _("Ranking"))
        digest = _write(cursor, evaluation_id, found, period, partners, columns)
    step(stages, stages, "")
    return Outcome(len(partners), digest, watermark, {c.item.code: _peers(c) for c in columns})


def scope_partners(scope: dict[str, list[str]]) -> list[tuple[int, str]]:
    """(key, code) of the partners in a scope, in binary order of their codes."""
    chosen = Partner.objects.filter(state__in=scope["states"])
    if scope.get("channel_types"):
        chosen = chosen.filter(channel_type__in=scope["channel_types"])
    if scope.get("levels"):
        chosen = chosen.filter(level__code__in=scope["levels"])
    if scope.get("territories"):
        roots = Territory.objects.filter(code__in=scope["territories"])
        within = Territory.objects.subtree_of(roots)
        chosen = chosen.filter(territory__in=within.values("pk"))
    return sorted(chosen.order_by().values_list("pk", "code"), key=lambda row: row[1])


# --- reading -------------------------------------------------------------------------------


def _read(
    cursor: Any, found: Definition, period: Period, partners: list[int]
) -> tuple[list[Inputs], dict[str, Any]]:
    """The inputs of each item, and the watermark: which facts they rest on."""
    focus = focus_lines()
    asks = [_ask(item, period, focus) for item in found["items"]]
    whole = {ask.kind: replace(ask, lines=None) for ask in asks}
    wanted: list[tuple[Aggregate, Ask]] = []
    for item, ask in zip(found["items"], asks, strict=True):
        measure = measures.get(item["measure"])
        wanted += [(measure.numerator, ask), (LINES, ask)]
        wanted += [(measure.denominator, ask)] if measure.denominator else []
    wanted += [(each, whole[kind]) for kind in sorted(whole) for each in (LINES, NET)]
    columns = iter(read(cursor, partners, wanted))
    inputs = [_inputs(measures.get(item["measure"]), columns) for item in found["items"]]
    kinds = {kind: _seen(next(columns), next(columns)) for kind in sorted(whole)}
    last = Import.objects.order_by("-pk").values_list("pk", flat=True).first()
    seen = {kind: sums for kind, sums in kinds.items() if sums["lines"]}
    return inputs, {"kinds": seen, "last_import": last}


def _inputs(measure: measures.Measure, columns: Iterator[tuple[Any, ...]]) -> Inputs:
    """What `_read` asked for an item, taken off `columns` in the same order."""
    numerators = [_NOTHING if value is None else value for value in next(columns)]
    lines = [value or 0 for value in next(columns)]
    return Inputs(numerators, next(columns) if measure.denominator else [None] * len(lines), lines)


def _seen(lines: tuple[int | None, ...], net: tuple[Decimal | None, ...]) -> dict[str, Any]:
    return {
        "lines": sum(each for each in lines if each),
        "net": str(sum((each for each in net if each is not None), _NOTHING)),
    }


def _ask(item: Definition, period: Period, focus: list[int]) -> Ask:
    """What an item is asked: kind, periods, product lines."""
    lines = None
    if item["product_line"]:
        root = ProductLine.objects.get(code=item["product_line"])
        lines = list(root.subtree().values_list("pk", flat=True))
    ago = period.year_ago()
    return Ask(
        kind=measures.get(item["measure"]).kind_for(item["kind"]),
        start=period.start,
        end=period.end,
        ago_start=ago.start,
        ago_end=ago.end,
        lines=lines,
        focus_lines=focus,
    )


def focus_lines() -> list[int]:
    """Product lines whose role, or that of the nearest line above that has one, is focus."""
    roles: dict[int, str] = {}
    for pk, parent, role in ProductLine.objects.order_by("sort_path").values_list(
        "pk", "parent_id", "role"
    ):
        roles[pk] = role or roles.get(parent, "")
    return [pk for pk, role in roles.items() if role == ProductLine.Role.FOCUS]


# --- scoring -------------------------------------------------------------------------------


def _column(definition: Definition, inputs: Inputs) -> Column:
    measure, item = measures.get(definition["measure"]), compile_item(definition)
    values = list(map(measure.value, inputs.numerators, inputs.denominators))
    benchmark = _benchmark(definition, values)
    scores = [scoring.score_item(item, value, benchmark) for value in values]
    targets: Sequence[Decimal | None] = [benchmark] * len(values)
    if not item.compares and measures.TARGETS in measure.needs:
        targets = inputs.denominators
    return Column(definition, item, inputs, values, targets, scores, benchmark)


def _benchmark(definition: Definition, values: list[Decimal | None]) -> Decimal | None:
    """The one target of an item for all partners, if it has one."""
    if definition["target_source"] == "fixed":
        return Decimal(definition["target"])
    if definition["target_source"] == "peer_median":
        return scoring.median([value for value in values if value is not None and value > 0])
    return None


def _peers(column: Column) -> dict[str, str | None]:
    points = scoring.median([s.points for s in column.scores if s.points is not None])
    return {
        "benchmark": None if column.benchmark is None else str(column.benchmark),
        "median_points": None if points is None else str(points),
    }


# --- writing -------------------------------------------------------------------------------


def _write(
    cursor: Any,
    evaluation_id: int,
    found: Definition,
    period: Period,
    partners: list[tuple[int, str]],
    columns: list[Column],
) -> str:
    """Write the scores by one COPY; return the digest over all of them.

    The digest is over text without keys, times or order of work: the definition and the period,
    then one line a partner in order of the codes.
    """
    items = [column.item for column in columns]
    totals = [
        scoring.total(items, scores) for scores in zip(*(c.scores for c in columns), strict=True)
    ]
    keys = dict(Level.objects.values_list("code", "pk"))
    levels = compile_levels(found)
    digest = hashlib.sha256(_canonical_head(found, period).encode())

    def lines() -> Iterator[str]:
        rows = zip(partners, totals, scoring.rank(totals), _item_texts(columns), strict=True)
        for (partner_id, code), total, rank, text in rows:
            level = scoring.level(levels, total)
            digest.update(f"{code}\t{total}\t{rank}\t{level}\t{text}\n".encode())
            cells = (
                evaluation_id,
                partner_id,
                total,
                rank,
                keys.get(level) if level else None,
                text,
            )
            yield "\t".join(["\\N" if cell is None else str(cell) for cell in cells]) + "\n"

    _copy(cursor, Pieces(lines()))
    return digest.hexdigest()


def _canonical_head(found: Definition, period: Period) -> str:
    head = {"definition": found, "period": period.code, "start": str(period.start)}
    return json.dumps(head, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n"


class Pieces:
    """A file to read of lines that are made while it is read: the server stores what has arrived
    while the next lines are made."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines = lines

    def read(self, size: int = -1) -> str:
        return "".join(islice(self.lines, LINES_AT_ONCE))


def _copy(cursor: Any, file: Pieces) -> None:
    cursor.copy_expert(
        "COPY performance_score (evaluation_id, partner_id, total, rank, level_id, items) "
        "FROM STDIN",
        file,
    )


def _item_texts(columns: list[Column]) -> Iterator[str]:
    """The items of each partner as performance.models.items stores them: made by hand, because
    json.dumps takes four times as long. Codes are checked to need no escaping."""
    texts = [_column_texts(column) for column in columns]
    for parts in zip(*texts, strict=True):
        yield f"[{','.join(parts)}]"


def _column_texts(column: Column) -> Iterator[str]:
    head = f'["{column.item.code}","{column.definition["weight"]}"'
    read = column.inputs
    rows = zip(
        *(read.numerators, read.denominators, read.lines),
        *(column.values, column.targets, column.scores),
        strict=True,
    )
    for numerator, denominator, lines, value, target, (points, x, status, step) in rows:
        yield (
            f'{head},{_text(value)},{_text(target)},{_text(points)},{_text(x)},"{status}",{step},'
            f'"{numerator!s}",{_text(denominator)},{lines}]'
        )


def _text(value: Decimal | None) -> str:
    return "null" if value is None else f'"{value!s}"'
