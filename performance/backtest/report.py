"""The report of a backtest: what compared periods come to, as plain values for JSON.

Numbers are exact text. `Report.result` tells no partner apart; what became of each stands in
`Report.rows`, because who may see which partners differs.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import Any, NamedTuple

from core.periods import Period
from partners.models import Level
from performance import run, scoring
from performance.backtest import figures
from performance.backtest.runs import Quarter, Step, collector_paused, compare
from performance.definitions import Definition
from performance.models import Evaluation, SchemeVersion, Score
from performance.process.revisions import late_facts

# The moves of a weight that are tried, in hundredths.
STEPS = (500, -500)
FIXED = (scoring.BY_MINIMUM, scoring.BY_VETO)


class Standing(NamedTuple):
    """What one side gave a partner in one period."""

    total: Decimal | None
    rank: int | None
    level: str | None


NOWHERE = Standing(None, None, None)


def both(draft: Standing, against: Standing) -> bool:
    """Whether both sides scored a partner."""
    return draft is not NOWHERE and against is not NOWHERE


@dataclass
class Row:
    """What became of one partner: (period, by the draft, by the version in force) in order of
    time, the nearest threshold of the draft in the last period and the distance to it."""

    partner_id: int
    code: str
    trail: list[tuple[str, Standing, Standing]] = field(default_factory=list)
    near_level: str | None = None
    margin: Decimal | None = None
    level_before: str | None = None  # what the draft started from in the last period
    forgiven: int = 0

    @property
    def change(self) -> Decimal | None:
        """Total by the draft − total by the version in force, in the last period."""
        _period, draft, against = self.trail[-1]
        if draft.total is None or against.total is None:
            return None
        return draft.total - against.total


@dataclass(frozen=True)
class Report:
    """`digest` is over both definitions and the digests of all scores of both."""

    result: dict[str, Any]
    rows: list[Row]
    digest: str


def report(
    draft: SchemeVersion,
    against: SchemeVersion,
    definitions: tuple[Definition, Definition],
    periods: Sequence[Period],
    step: Step,
) -> Report:
    """Score both versions over the periods and say how they differ. Raises as `runs.compare`."""
    with collector_paused():
        return _report(draft, against, definitions, periods, step)


def _report(
    draft: SchemeVersion,
    against: SchemeVersion,
    definitions: tuple[Definition, Definition],
    periods: Sequence[Period],
    step: Step,
) -> Report:
    heights: dict[str | None, int] = dict(Level.objects.values_list("code", "rank"))
    rows: dict[int, Row] = {}
    told, points, newest = [], _Points(definitions[0]), None
    for quarter in compare(*definitions, periods, step):
        moves = _follow(quarter, rows)
        told.append(_period(quarter, moves, against, heights))
        points.add(quarter.draft)
        newest = quarter
    assert newest is not None
    _near(newest.draft, rows)
    step(len(periods) * 3, len(periods) * 3 + 1, "")
    result = {
        "draft": _version(draft),
        "against": _version(against),
        "periods": told,
        "levels": _levels(newest),
        "passages": _passages(newest),
        "weights": _weights(newest.draft),
        "items": points.items(),
        "correlations": points.correlations(),
        "thresholds": _thresholds(newest.draft),
    }
    ordered = [rows[pk] for pk in sorted(rows, key=lambda pk: rows[pk].code)]
    return Report(result, ordered, _digest(definitions, told))


def _version(version: SchemeVersion) -> dict[str, Any]:
    return {
        "scheme": version.scheme.code,
        "number": version.number,
        "state": version.state,
    }


def _digest(definitions: tuple[Definition, Definition], told: list[dict[str, Any]]) -> str:
    text = json.dumps(
        [*definitions, [[each["period"], each["digests"]] for each in told]],
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return hashlib.sha256(text.encode()).hexdigest()


# --- one period ----------------------------------------------------------------------------

Pair = tuple[Standing, Standing]


def _follow(quarter: Quarter, rows: dict[int, Row]) -> list[Pair]:
    """Put what both sides gave on the rows; returns it, of all partners of either."""
    partners = quarter.draft.partners
    if partners is quarter.against.partners:
        pairs = list(zip(*map(_standings, _sides(quarter)), strict=True))
    else:
        draft, against = map(_by_partner, _sides(quarter))
        partners = list(dict.fromkeys([*partners, *quarter.against.partners]))
        pairs = [(draft.get(key, NOWHERE), against.get(key, NOWHERE)) for key, _code in partners]
    period = quarter.period.code
    for (partner, code), pair in zip(partners, pairs, strict=True):
        row = rows.get(partner)
        if row is None:
            row = rows[partner] = Row(partner, code)
        row.trail.append((period, *pair))
    return pairs


def _standings(scored: run.Scored) -> list[Standing]:
    return [
        Standing(each.outcome.total, rank, each.outcome.level)
        for each, rank in zip(scored.judged, scored.ranks, strict=True)
    ]


def _by_partner(scored: run.Scored) -> dict[int, Standing]:
    keys = (key for key, _code in scored.partners)
    return dict(zip(keys, _standings(scored), strict=True))


def _period(
    quarter: Quarter,
    pairs: list[Pair],
    against: SchemeVersion,
    heights: dict[str | None, int],
) -> dict[str, Any]:
    draft_digest, against_digest = quarter.digests
    return {
        "period": quarter.period.code,
        "partners": len(pairs),
        "digests": {"draft": draft_digest, "against": against_digest},
        "published": _published(quarter, against),
        "moves": _moves(pairs, heights),
        "draft": _summary([draft.total for draft, _against in pairs]),
        "against": _summary([against.total for _draft, against in pairs]),
        "peers": {"draft": quarter.draft.peers, "against": quarter.against.peers},
        "marks_of": dict(zip(("draft", "against"), quarter.marks_of, strict=True)),
    }


def _published(quarter: Quarter, against: SchemeVersion) -> dict[str, Any] | None:
    """What was published of the period, and where the version in force gives other figures by now,
    why."""
    known = quarter.published
    if known is None:
        return None
    told: dict[str, Any] = {
        "evaluation": known.pk,
        "revision": known.revision,
        "same_version": known.version_id == against.pk,
        "same_digest": known.digest == quarter.digests[1],
    }
    if told["same_version"] and not told["same_digest"]:
        told["since"] = _since(quarter.against, known.pk)
    return told


def _since(scored: run.Scored, evaluation: int) -> dict[str, int]:
    """What is different from the published evaluation: partners that have left the scope or come
    into it, those that are in both with another total or level, and sales lines of the period that
    were recorded or changed after it was computed."""
    rows = Score.objects.filter(evaluation=evaluation).order_by()
    before = {
        partner: (total, level)
        for partner, total, level in rows.values_list("partner", "total", "level__code")
    }
    now = {
        partner: (each.outcome.total, each.outcome.level)
        for (partner, _code), each in zip(scored.partners, scored.judged, strict=True)
    }
    both = before.keys() & now.keys()
    return {
        "left": len(before.keys() - now.keys()),
        "joined": len(now.keys() - before.keys()),
        "changed": sum(1 for partner in both if before[partner] != now[partner]),
        "late_lines": late_facts(Evaluation.objects.get(pk=evaluation)).count(),
    }


def _moves(pairs: list[Pair], heights: dict[str | None, int]) -> dict[str, Any]:
    """How many moved which way; up is better by the draft than by the version in force. Whom only
    one side scores, because the other's scope leaves them out, has not moved: they are counted."""
    changes = [d.total - a.total for d, a in pairs if d.total is not None and a.total is not None]
    ranks = [a.rank - d.rank for d, a in pairs if d.rank is not None and a.rank is not None]
    levels = [heights.get(d.level, -1) - heights.get(a.level, -1) for d, a in pairs if both(d, a)]
    return {
        "total_up": sum(change > 0 for change in changes),
        "total_down": sum(change < 0 for change in changes),
        "rank_up": sum(change > 0 for change in ranks),
        "rank_down": sum(change < 0 for change in ranks),
        "level_up": sum(change > 0 for change in levels),
        "level_down": sum(change < 0 for change in levels),
        "only_draft": sum(a is NOWHERE for _d, a in pairs),
        "only_against": sum(d is NOWHERE for d, _a in pairs),
        "mean_change": _text(figures.quotient(sum(changes), len(changes))),
        "highest_gain": _text(max(changes, default=None)),
        "highest_loss": _text(min(changes, default=None)),
    }


def _summary(totals: Sequence[Decimal | None]) -> dict[str, Any]:
    found = figures.summary([_hundredths(total) for total in totals])
    quartiles = found.quartiles or (None, None, None)
    return {
        "count": found.count,
        "mean": _text(found.mean),
        "lowest": _of_hundredths(found.lowest),
        "quartiles": [_of_hundredths(each) for each in quartiles],
        "highest": _of_hundredths(found.highest),
        "bins": found.bins,
    }


# --- the last period -----------------------------------------------------------------------


def _levels(quarter: Quarter) -> list[dict[str, Any]]:
    """How many partners each side gives each level, highest level first; at last those without."""
    counts = [Counter(e.outcome.level for e in side.judged) for side in _sides(quarter)]
    named = [*Level.objects.order_by("-rank").values_list("code", flat=True), None]
    return [
        {"level": code, "draft": counts[0][code], "against": counts[1][code]}
        for code in named
        if counts[0][code] or counts[1][code]
    ]


def _sides(quarter: Quarter) -> tuple[run.Scored, run.Scored]:
    return quarter.draft, quarter.against


def _passages(quarter: Quarter) -> list[dict[str, Any]]:
    """Partners by the level that the version in force gives and the one that the draft gives, where
    these differ; of partners that both score."""
    draft, against = map(_by_partner, _sides(quarter))
    counts = Counter(
        (against[partner].level, draft[partner].level) for partner in draft.keys() & against.keys()
    )
    return [
        {"from": before, "to": after, "count": count}
        for (before, after), count in sorted(
            counts.items(), key=lambda each: (-each[1], str(each[0]))
        )
        if before != after
    ]


def _weights(scored: run.Scored) -> list[dict[str, Any]]:
    """How much each weight of the draft matters."""
    weighted = [n for n, item in enumerate(scored.card.items) if not item.bonus]
    weights = [int(scored.card.items[n].weight * figures.HUNDREDTH) for n in weighted]
    columns = [points_of(scored.columns[n]) for n in weighted]
    cases = [
        figures.Case(points, _extra(each.outcome), _zeroed(scored.card, each.outcome))
        for points, each in zip(zip(*columns, strict=True), scored.judged, strict=True)
    ]
    found = figures.sensitivities(weights, cases, STEPS, _placer(scored))
    return [
        {
            "item": scored.card.items[n].code,
            "weight": str(scored.card.items[n].weight),
            "mean": _text(each.mean),
            "mean_size": _text(each.mean_size),
            "lowest": _text(each.lowest),
            "highest": _text(each.highest),
            "share": _text(each.share),
            "shifts": [
                {
                    "by": _of_hundredths(shift.by),
                    "ranks": shift.ranks,
                    "rank_change": _text(shift.rank_change),
                    "most": shift.most,
                    "levels": shift.levels,
                }
                for shift in each.shifts
            ],
        }
        for n, each in zip(weighted, found, strict=True)
    ]


def points_of(column: run.Column) -> array:
    """The points of an item in ten-thousandths."""
    return array("i", [figures.NONE if each is None else each for each in column.points])


def _extra(outcome: scoring.Outcome) -> int:
    return int((outcome.bonus - outcome.deducted) * figures.HUNDREDTH)


def _zeroed(card: scoring.Card, outcome: scoring.Outcome) -> bool:
    return any(veto.zero for veto in card.vetoes if veto.code in outcome.vetoes)


def _placer(scored: run.Scored) -> figures.Places:
    """The number of the level that a partner would have with another total (hundredths)."""
    card = replace(
        scored.card,
        ladder=tuple(
            replace(rung, reach=rung.reach * 100, keep=rung.keep * 100)
            for rung in scored.card.ladder
        ),
    )
    judged = scored.judged

    def place(number: int, total: int | None) -> int:
        each = judged[number]
        if total is None or each.outcome.held in FIXED:
            return 0
        return card.step(Decimal(total), each.standing)[0]

    return place


def _thresholds(scored: run.Scored) -> list[dict[str, Any]]:
    """Of each level of the draft, lowest first: how many are at most 2 points short of it, and how
    many reach it by at most 2 points."""
    totals = [_hundredths(each.outcome.total) for each in scored.judged]
    return [
        {
            "level": rung.name,
            "total": str(rung.reach),
            "below": _count(totals, int(rung.reach * 100) - figures.NEAR, int(rung.reach * 100)),
            "above": _count(
                totals, int(rung.reach * 100), int(rung.reach * 100) + figures.NEAR + 1
            ),
        }
        for rung in scored.card.ladder
    ]


def _count(totals: list[int | None], start: int, end: int) -> int:
    return sum(1 for total in totals if total is not None and start <= total < end)


def _near(scored: run.Scored, rows: dict[int, Row]) -> None:
    """Say on the rows which threshold of the draft is within 2 points, and where it started."""
    ladder = scored.card.ladder
    bounds = [int(rung.reach * 100) for rung in ladder]
    for (partner, _code), each in zip(scored.partners, scored.judged, strict=True):
        row = rows[partner]
        row.level_before, row.forgiven = each.level_before, each.standing.forgiven
        found = figures.margin(_hundredths(each.outcome.total), bounds)
        if found:
            row.near_level = ladder[found[0]].name
            row.margin = Decimal(found[1]).scaleb(-2)


# --- over all periods ----------------------------------------------------------------------


class _Points:
    """The points that the draft gave, of all partners and periods: a column an item."""

    def __init__(self, draft: Definition) -> None:
        self.codes = [item["code"] for item in draft["items"]]
        self.periods: list[list[array]] = []
        self.statuses: list[Counter[str]] = [Counter() for _code in self.codes]

    def add(self, scored: run.Scored) -> None:
        """Remember a period."""
        self.periods.append([points_of(column) for column in scored.columns])
        for counter, column in zip(self.statuses, scored.columns, strict=True):
            counter.update(each.status for each in column.scores)

    def items(self) -> list[dict[str, Any]]:
        """How well each item tells partners apart."""
        told = []
        for n, code in enumerate(self.codes):
            found = figures.discrimination([period[n] for period in self.periods])
            told.append(
                asdict(found)
                | {
                    "item": code,
                    "points": None if found.points is None else str(_points(found.points)),
                    "most_alike": _text(found.most_alike),
                    "deviation": _text(found.deviation),
                    "capped": self.statuses[n][scoring.CAPPED],
                    "floored": self.statuses[n][scoring.FLOORED],
                    "gated": self.statuses[n][scoring.GATED],
                }
            )
        return told

    def correlations(self) -> list[dict[str, Any]]:
        """The correlation of the points of every pair of items."""
        columns = [
            array("i", [p for period in self.periods for p in period[n]])
            for n in range(len(self.codes))
        ]
        return [
            {
                "items": [self.codes[each.first], self.codes[each.second]],
                "count": each.count,
                "pearson": _text(each.pearson),
                "spearman": _text(each.spearman),
            }
            for each in figures.correlations(columns)
        ]


def _points(value: int) -> Decimal:
    return Decimal(value).scaleb(-4)


def _hundredths(total: Decimal | None) -> int | None:
    return None if total is None else int(total.scaleb(2))


def _of_hundredths(value: int | None) -> str | None:
    return None if value is None else str(Decimal(value).scaleb(-2))


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
