"""The run of an evaluation: read each input once, score with the pure engine, write set-based.

Nothing here knows states, users or the clock; performance.services does. Everything happens in the
caller's transaction.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from itertools import islice, repeat
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import Territory
from core.errors import DomainError
from core.models import Import
from core.periods import Period
from partners.models import Level, Partner
from performance import bases, measures, records, scoring
from performance.bases import basis_of
from performance.definitions import Definition, compile_card
from performance.measuring import Inputs, Wanted, line_keys, read_inputs
from performance.models import Basis
from performance.process.overlay import Overlay
from performance.results.peers import quarters

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
class Column:
    """One item scored for all partners, in the order of the partners."""

    definition: Definition
    item: scoring.Item
    inputs: Inputs
    values: list[Decimal | None]
    targets: Sequence[Decimal | None]
    scores: list[scoring.ItemScore]
    benchmark: Decimal | None
    twin: Column | None = None  # the same points in another definition, whose work does for both

    @cached_property
    def points(self) -> list[int | None]:
        """Those of each partner in ten-thousandths."""
        if self.twin:
            return self.twin.points
        return [None if each.points is None else int(each.points.scaleb(4)) for each in self.scores]

    @cached_property
    def texts(self) -> list[str]:
        """What is stored of each partner, after code and weight."""
        return list(_bodies(self))


@dataclass
class Shared:
    """What scorings of the same partners over one period have in common, read once for all."""

    partners: list[tuple[int, str]]
    measured: dict[str, Inputs]
    watermark: dict[str, Any]
    several: bool = False  # definitions
    columns: dict[str, Column] = field(default_factory=dict)


@dataclass(frozen=True)
class Scored:
    """Every partner of a scope scored over a period, in binary order of their codes; nothing is
    written yet."""

    found: Definition
    period: Period
    card: scoring.Card
    partners: list[tuple[int, str]]
    columns: list[Column]
    judged: list[Judged]
    watermark: dict[str, Any]
    overlay: Overlay

    @property
    def plain(self) -> bool:
        """Whether no score has anything but weighted points."""
        return self.card.plain and not self.overlay

    @cached_property
    def ranks(self) -> list[int | None]:
        """The rank of each partner."""
        return scoring.rank([each.outcome.total for each in self.judged])

    @property
    def points(self) -> dict[str, list[int]]:
        """Per item the points (ten-thousandths) of those to whom it applies, in no order."""
        return {
            column.item.code: [points for points in column.points if points is not None]
            for column in self.columns
        }

    @property
    def peers(self) -> dict[str, Any]:
        """Per item its benchmark and the median of its points."""
        return peers_of({each.item.code: each.benchmark for each in self.columns}, self.points)


@measures.at_once()
def compute(evaluation_id: int, found: Definition, period: Period, step: Step) -> Outcome:
    """Score every partner of the scope and write the scores of `evaluation_id`.

    `step(done, total, message)` is told how far it is. DomainError `no_partners` when the scope
    holds nobody.
    """
    scored = score(found, period, step, evaluation_id=evaluation_id)
    digest = write(
        evaluation_id,
        heading(found, period),
        scored.partners,
        scored.ranks,
        cells_of(scored),
        plain=scored.plain,
    )
    stages = stages_of(found)
    step(stages, stages, "")
    return Outcome(len(scored.partners), digest, scored.watermark, scored.peers)


def stages_of(found: Definition) -> int:
    """How many steps scoring by a definition tells."""
    return len(found["items"]) + 3


def share(
    founds: Sequence[Definition],
    period: Period,
    partners: list[tuple[int, str]] | None = None,
    *,
    among: range | None = None,
) -> Shared:
    """Read once what several definitions of one scope ask for; `partners` instead of that scope,
    whose keys lie `among` those, where they are some of many.

    DomainError `no_partners` when it holds nobody.
    """
    if partners is None:
        partners = scope_partners(founds[0]["scope"])
    if not partners:
        raise DomainError("no_partners", _("The scope of the scheme contains no partner."))
    asked = {_asked_key(each): each for found in founds for each in _measured(found)}
    with connection.cursor() as cursor:
        inputs, watermark = _read(
            cursor, list(asked.values()), period, [key for key, _code in partners], among
        )
    measured = dict(zip(asked, inputs, strict=True))
    return Shared(partners, measured, watermark, several=len(founds) > 1)


def score(
    found: Definition,
    period: Period,
    step: Step,
    *,
    evaluation_id: int | None = None,
    shared: Shared | None = None,
    before: records.Before | None = None,
    benchmarks: dict[str, Decimal | None] | None = None,
    marks: dict[str, dict[int, records.Marks]] | None = None,
) -> Scored:
    """Score every partner of the scope, and write nothing.

    `evaluation_id` says whose ratings, corrections and earlier revisions count. Given, `before`
    stands for what the levels start from, `benchmarks` (by item) for the medians of the peers, and
    `marks` (by item and partner) for those that people gave.
    """
    stages, card = stages_of(found), compile_card(found)
    step(0, stages, _("Reading sales"))
    shared = shared or share([found], period)
    keys = [key for key, _code in shared.partners]
    other, overlay = _Other(evaluation_id, found, period, keys), Overlay(evaluation_id)
    other.ratings = {**other.ratings, **(marks or {})}
    columns = []
    for done, (item, compiled) in enumerate(zip(found["items"], card.items, strict=True), 1):
        step(done, stages, _("Scoring “%(item)s”") % {"item": item["code"]})
        if basis_of(item) == Basis.MEASURE:
            column = _shared_column(shared, item, compiled, benchmarks)
        else:
            column = _column(item, compiled, other(item), benchmarks)
        decided = overlay.points(item["code"], keys, column.scores)
        if decided is not column.scores:
            column = replace(column, scores=decided, twin=None)
        columns.append(column)
    step(stages - 2, stages, _("Ranking"))
    vetoes = [_values(veto, shared.measured[_asked_key(veto)]) for veto in found.get("vetoes", [])]
    judged = _judge(card, columns, vetoes, other, before)
    if overlay:
        judged = [
            replace(each, outcome=overlay.level(key, each.outcome))
            for key, each in zip(keys, judged, strict=True)
        ]
    watermark = shared.watermark | other.watermark
    if overlay:
        watermark["corrections"] = overlay.keys
    return Scored(found, period, card, shared.partners, columns, judged, watermark, overlay)


def digest_of(scored: Scored) -> str:
    """The digest that writing the scores would give."""
    digest = hashlib.sha256(heading(scored.found, scored.period))
    for (_key, code), rank, cells in zip(
        scored.partners, scored.ranks, cells_of(scored), strict=True
    ):
        digest.update(_line(code, rank, cells))
    return digest.hexdigest()


def benchmarks_of(
    found: Definition, period: Period, partners: list[tuple[int, str]], evaluation_id: int
) -> dict[str, Decimal | None]:
    """Of each item the one target of all partners, if it has one. Reads no more than it needs."""
    compared = [item for item in found["items"] if item["target_source"] == "peer_median"]
    values: dict[str, list[Decimal | None]] = {}
    if compared:
        chosen = {**found, "items": compared, "vetoes": []}
        shared = share([chosen], period, partners)
        other = _Other(evaluation_id, chosen, period, [key for key, _code in partners])
        for item in compared:
            measured = basis_of(item) == Basis.MEASURE
            read = shared.measured[_asked_key(item)] if measured else other(item)
            values[item["code"]] = _values(item, read)
    return {item["code"]: _benchmark(item, values.get(item["code"], [])) for item in found["items"]}


def _measured(found: Definition) -> list[Definition]:
    """The items and vetoes that name a measure."""
    items = [item for item in found["items"] if basis_of(item) == Basis.MEASURE]
    return [*items, *found.get("vetoes", [])]


def _asked_key(each: Definition) -> str:
    """What two items must agree in to be read as one."""
    return json.dumps([each["measure"], each["kind"], each["product_line"]])


def scope_partners(scope: dict[str, list[str]]) -> list[tuple[int, str]]:
    """(key, code) of the partners in a scope, in binary order of their codes."""
    return sorted(in_scope(scope).values_list("pk", "code"), key=lambda row: row[1])


def in_scope(scope: dict[str, list[str]]) -> QuerySet:
    """The partners in a scope."""
    chosen = Partner.objects.filter(state__in=scope["states"])
    if scope.get("channel_types"):
        chosen = chosen.filter(channel_type__in=scope["channel_types"])
    if scope.get("levels"):
        chosen = chosen.filter(level__code__in=scope["levels"])
    if scope.get("territories"):
        roots = Territory.objects.filter(code__in=scope["territories"])
        within = Territory.objects.subtree_of(roots)
        chosen = chosen.filter(territory__in=within.values("pk"))
    return chosen.order_by()


# --- reading -------------------------------------------------------------------------------


def _read(
    cursor: Any, asked: list[Definition], period: Period, partners: list[int], among: range | None
) -> tuple[list[Inputs], dict[str, Any]]:
    """The inputs of each of `asked` (items and vetoes that name a measure), and the watermark:
    which facts they rest on."""
    last = Import.objects.order_by("-pk").values_list("pk", flat=True).first()
    if not asked:
        return [], {"kinds": {}, "last_import": last}
    wanted = [
        Wanted(measures.get(each["measure"]), each["kind"], line_keys(each["product_line"]))
        for each in asked
    ]
    inputs, seen = read_inputs(cursor, partners, period, wanted, among=among)
    kinds = {kind: sums for kind, sums in seen.items() if sums["lines"]}
    return inputs, {"kinds": kinds, "last_import": last}


class _Other:
    """The inputs that are not measured, and how many rows they are."""

    def __init__(
        self, evaluation_id: int | None, found: Definition, period: Period, partners: list[int]
    ) -> None:
        self.evaluation_id, self.scheme = evaluation_id, found["scheme"]
        self.period, self.partners = period, partners
        self.watermark: dict[str, Any] = {}
        rated = any(basis_of(item) == Basis.RATING for item in found["items"])
        self.ratings = records.ratings(evaluation_id) if rated else {}
        if rated:
            marks = (each.count for code in self.ratings.values() for each in code.values())
            self.watermark["ratings"] = sum(marks)

    def __call__(self, item: Definition) -> Inputs:
        """The sum and the number of the marks, or results, of each partner."""
        if basis_of(item) == Basis.RATING:
            found = self.ratings.get(item["code"], {})
        else:
            source = item["source_scheme"]
            evaluations = records.published_within(source, self.period)
            self.watermark.setdefault("schemes", {})[source] = evaluations
            found = records.results(evaluations, item.get("source_items", []))
        marks = [found.get(partner, records.NONE) for partner in self.partners]
        counts = [Decimal(each.count) for each in marks]
        return Inputs([each.total for each in marks], counts, [0] * len(marks))

    def deducted(self, card: scoring.Card) -> list[Decimal]:
        """Points of the decided deductions of each partner."""
        found = records.deductions(self.period) if card.deduction_cap else {}
        points = [found.get(partner, _NOTHING) for partner in self.partners]
        if card.deduction_cap:
            self.watermark["deductions"] = str(sum(points, _NOTHING))
        return points

    def standings(
        self, card: scoring.Card, before: records.Before | None
    ) -> list[tuple[str | None, scoring.Standing]]:
        """The level of each partner before, and where that is on the ladder of the scheme."""
        if not card.remembers:
            return [(None, scoring.UNKNOWN)] * len(self.partners)
        before = before or records.before(self.scheme, self.period, self.evaluation_id)
        places = records.places(card.ladder)
        levels = [before.levels.get(partner) for partner in self.partners]
        return [
            (level, scoring.Standing(places[level], before.forgiven.get(partner, 0)))
            for partner, level in zip(self.partners, levels, strict=True)
        ]


# --- scoring -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    """What became of one partner, and the level (by code) that its own started from; and where it
    stood before."""

    outcome: scoring.Outcome
    level_before: str | None
    standing: scoring.Standing


def _judge(
    card: scoring.Card,
    columns: list[Column],
    vetoes: list[list[Decimal | None]],
    other: _Other,
    before: records.Before | None,
) -> list[Judged]:
    """The outcome of every partner, in their order. `vetoes` holds the values of each veto."""
    rows = zip(
        zip(*(column.scores for column in columns), strict=True),
        zip(*vetoes, strict=True) if vetoes else [()] * len(other.partners),
        other.deducted(card),
        other.standings(card, before),
        strict=True,
    )
    return [
        Judged(
            card.judge(scores, deductions=points, values=values, standing=standing),
            level_before,
            standing,
        )
        for scores, values, points, (level_before, standing) in rows
    ]


def _values(definition: Definition, read: Inputs) -> list[Decimal | None]:
    """The value of each partner by the measure, the marks or the results of an item or a veto."""
    basis = basis_of(definition)
    if basis == Basis.MEASURE:
        return read.values(measures.get(definition["measure"]))
    least = definition["raters"] if basis == Basis.RATING else 1
    unit = scoring.RATIO if basis == Basis.RATING else scoring.POINTS
    return [
        scoring.mean_of(total, count, unit) if count and count >= least else None
        for total, count in zip(read.numerators, read.denominators, strict=True)
    ]


# What of an item leaves its points as they are.
_BESIDE_POINTS = frozenset({"code", "name", "name_en", "weight", "role", "minimum", "minimum_rule"})


def _shared_column(
    shared: Shared,
    definition: Definition,
    item: scoring.Item,
    benchmarks: dict[str, Decimal | None] | None,
) -> Column:
    """The column of a measured item; of two that differ in weight only, the points are those of
    the first."""
    told = {name: said for name, said in definition.items() if name not in _BESIDE_POINTS}
    key = json.dumps(told, sort_keys=True)
    known = shared.columns.get(key)
    if known is None:
        inputs = shared.measured[_asked_key(definition)]
        known = shared.columns[key] = _column(definition, item, inputs, benchmarks)
    twin = known if shared.several else None
    return replace(known, definition=definition, item=item, twin=twin)


def _column(
    definition: Definition,
    item: scoring.Item,
    read: Inputs,
    benchmarks: dict[str, Decimal | None] | None = None,
) -> Column:
    values = _values(definition, read)
    if benchmarks and item.code in benchmarks:
        benchmark = benchmarks[item.code]
    else:
        benchmark = _benchmark(definition, values)
    scores = [scoring.score_item(item, value, benchmark) for value in values]
    targets: Sequence[Decimal | None] = [benchmark] * len(values)
    if not item.compares and measures.TARGETS in bases.of(definition).needs:
        targets = read.denominators
    return Column(definition, item, read, values, targets, scores, benchmark)


def _benchmark(definition: Definition, values: list[Decimal | None]) -> Decimal | None:
    """The one target of an item for all partners, if it has one."""
    if definition["target_source"] == "fixed":
        return Decimal(definition["target"])
    if definition["target_source"] == "peer_median":
        return scoring.median([value for value in values if value is not None and value > 0])
    return None


def peers_of(benchmarks: dict[str, Decimal | None], points: dict[str, list[int]]) -> dict[str, Any]:
    """Per item its benchmark, and the median and quarters of its points (ten-thousandths)."""
    return {code: _peers(benchmark, sorted(points[code])) for code, benchmark in benchmarks.items()}


def _peers(benchmark: Decimal | None, points: list[int]) -> dict[str, Any]:
    # The median needs the two in the middle only.
    middle = points[(len(points) - 1) // 2 : len(points) // 2 + 1] if points else []
    median = scoring.median([_from_points(each) for each in middle])
    return {
        "benchmark": None if benchmark is None else str(benchmark),
        "median_points": None if median is None else str(median),
        "count": len(points),
        "quarters": [str(_from_points(bound)) for bound in quarters(points)],
    }


def _from_points(number: int) -> Decimal:
    return Decimal(number).scaleb(-4)


# --- writing -------------------------------------------------------------------------------


# What is written of a partner but for its rank, as COPY reads it: total, level, base and items; of
# a version with rules beyond weights also bonus, deducted, vetoes, held, level before, corrected.
Cells = list[str]
NULL = "\\N"


def cells_of(scored: Scored) -> Iterator[Cells]:
    """The cells of each partner. It asks the database nothing, which is busy with COPY."""
    plain = scored.plain
    for (key, _code), each, text in zip(
        scored.partners, scored.judged, _item_texts(scored.columns), strict=True
    ):
        total, level, base, bonus, deducted, vetoes, held = each.outcome
        cells: list[Any] = [total, level, base, text]
        if not plain:
            cells += [bonus, deducted, json.dumps(vetoes), held, each.level_before]
            cells.append(scored.overlay.kept(key))
        yield [NULL if cell is None else str(cell) for cell in cells]


def write(
    evaluation_id: int,
    head: bytes,
    partners: list[tuple[int, str]],
    ranks: list[int | None],
    cells: Iterable[Cells],
    *,
    plain: bool,
) -> str:
    """Write the scores by one COPY; return the digest over all of them."""
    digest = hashlib.sha256(head)
    keys = {code: str(key) for code, key in Level.objects.values_list("code", "pk")}

    def lines() -> Iterator[str]:
        for (key, code), rank, row in zip(partners, ranks, cells, strict=True):
            digest.update(_line(code, rank, row))
            total, level, base, text, *beyond = row
            if beyond:
                beyond[4] = keys.get(beyond[4], NULL)
            start = f"{evaluation_id}\t{key}\t{total}\t{NULL if rank is None else rank}"
            yield "\t".join([start, keys.get(level, NULL), text, base, *beyond]) + "\n"

    with connection.cursor() as cursor:
        _copy(cursor, Pieces(lines()), _COLUMNS if plain else _COLUMNS + _BEYOND)
    return digest.hexdigest()


def _line(code: str, rank: int | None, cells: Cells) -> bytes:
    """The line of a partner in the digest.

    The digest is over text without keys, times or order of work: the definition and the period,
    then one line a partner in order of the codes. What a plain scheme has not is not in it.
    """
    total, level, base, text, *beyond = cells
    told = [code, _told(total), str(rank), _told(level), text]
    if beyond:
        bonus, deducted, vetoes, held, level_before, _corrected = beyond
        told += [_told(base), bonus, deducted, vetoes, held, _told(level_before)]
    return ("\t".join(told) + "\n").encode()


def _told(cell: str) -> str:
    return "None" if cell == NULL else cell


def heading(found: Definition, period: Period) -> bytes:
    """What the digest begins with."""
    head = {"definition": found, "period": period.code, "start": str(period.start)}
    text = json.dumps(head, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return f"{text}\n".encode()


class Pieces:
    """A file to read of lines that are made while it is read: the server stores what has arrived
    while the next lines are made."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines = lines

    def read(self, size: int = -1) -> str:
        return "".join(islice(self.lines, LINES_AT_ONCE))


# What every score has; and what only a version with rules beyond weights writes.
_COLUMNS = ("evaluation_id", "partner_id", "total", "rank", "level_id", "items", "base")
_BEYOND = ("bonus", "deducted", "vetoes", "held", "level_before_id", "corrected")


def _copy(cursor: Any, file: Pieces, columns: tuple[str, ...]) -> None:
    cursor.copy_expert(f"COPY performance_score ({', '.join(columns)}) FROM STDIN", file)


def _item_texts(columns: list[Column]) -> Iterator[str]:
    """The items of each partner as performance.models.items stores them: made by hand, because
    json.dumps takes four times as long. Codes are checked to need no escaping."""
    texts = [_column_texts(column) for column in columns]
    for parts in zip(*texts, strict=True):
        yield f"[{','.join(parts)}]"


def _column_texts(column: Column) -> Iterator[str]:
    head = f'["{column.item.code}","{column.definition["weight"]}",'
    bodies = column.twin.texts if column.twin else _bodies(column)
    return (head + body for body in bodies)


def _bodies(column: Column) -> Iterator[str]:
    read = column.inputs
    rows = zip(
        *(read.numerators, read.denominators, read.lines, _part_texts(read)),
        *(column.values, column.targets, column.scores),
        strict=True,
    )
    for numerator, denominator, lines, parts, value, target, (points, x, status, step) in rows:
        yield (
            f'{_text(value)},{_text(target)},{_text(points)},{_text(x)},"{status}",{step},'
            f'"{numerator!s}",{_text(denominator)},{lines}{parts}]'
        )


def _part_texts(read: Inputs) -> Iterator[str]:
    """Of a derived measure the values of its parts, as one more entry; of others nothing."""
    if read.parts is None:
        return repeat("", len(read.lines))
    return (
        ",[" + ",".join(f'["{code}",{_text(value)}]' for code, value in row) + "]"
        for row in read.parts
    )


def _text(value: Decimal | None) -> str:
    return "null" if value is None else f'"{value!s}"'
