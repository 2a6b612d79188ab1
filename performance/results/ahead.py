"""What a partner misses for the next level, worked out with the engine that scored it.

Nothing here is a formula of its own: a total, points or a value that is “needed” is the smallest
one (to the places in which it is stored) for which the engine gives what is asked for. That is
found by halving, as total, points and levels never fall when what they rest on gets better.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from partners.models import Level
from performance import bases, measures, records, scoring
from performance.definitions import Definition, compile_card, definition
from performance.explain import item_label, minimum_text, named, veto_text
from performance.models import Held, Score, TargetSource
from performance.scoring import Card, ItemScore, Standing

DOUBLINGS = 64
UNITS = {
    measures.RATIO: scoring.RATIO,
    bases.MARK: scoring.RATIO,
    measures.COUNT: Decimal(1),
    measures.MONTHS: Decimal(1),
}


@dataclass(frozen=True)
class Way:
    """One item alone: with `value` it gives `points`, and these are enough for the total.

    `unit` is that of the values; `more` is the amount that is missing where the value is a ratio to
    something that stands already, as a target does.
    """

    code: str
    label: str
    unit: str
    points_now: Decimal
    points: Decimal
    value_now: Decimal
    value: Decimal
    more: Decimal | None


@dataclass(frozen=True)
class Ahead:
    """The next level: the total it needs and how many points are missing, what stands in the way
    whatever the total, and the items any one of which would be enough."""

    level: Level
    needed: Decimal
    points: Decimal
    obstacles: list[str]
    ways: list[Way]

    @property
    def percent(self) -> Decimal:
        """How much of what it needs is there, 0 to 100."""
        return (self.needed - self.points) / self.needed * 100 if self.needed else Decimal(100)


def ahead(score: Score) -> Ahead | None:
    """What is missing for the next level; None at the top, or without a total."""
    if score.total is None:
        return None
    found = definition(score.evaluation.scheme_version)
    card = compile_card(found)
    if not card.ladder:
        return None
    obstacles = _obstacles(found, card, score)
    standing = _standing(card, score)
    summed = _summed(score)
    place = _place(card, score)
    if obstacles:
        place = max(card.step(summed, standing)[0] - 1, 0)  # the level that it would have
    if place >= len(card.ladder):
        return None
    needed = _least_total(card, standing, place + 1)
    if needed is None:  # no total gets there at once
        needed = _least_total(card, Standing(place, card.grace), place + 1)
        obstacles.append(_("Not so many levels at once: the next evaluation starts from here."))
    if needed is None:
        return None
    level = Level.objects.get(code=card.ladder[place].name)
    missing = max(needed - summed, Decimal(0))
    ways = _ways(found, card, score, needed) if missing else []
    return Ahead(level, needed, missing, obstacles, ways)


def _summed(score: Score) -> Decimal:
    """The total as it is without what vetoes take."""
    if score.base is None:
        return score.total or scoring.NO_TOTAL
    return max(score.base + score.bonus - score.deducted, scoring.NO_TOTAL)


def _place(card: Card, score: Score) -> int:
    names = [rung.name for rung in card.ladder]
    return names.index(score.level.code) + 1 if score.level else 0


def _standing(card: Card, score: Score) -> Standing:
    """Where the rules of levels started from.

    How often a partner was forgiven is not stored, and need not be: who was not forgiven now and
    fell had been forgiven often enough, and for all others it changes nothing.
    """
    if not card.remembers or score.level_before is None:
        return scoring.UNKNOWN
    before = records.places(card.ladder)[score.level_before.code]
    return Standing(before, 0 if score.held == Held.GRACE else card.grace)


def _obstacles(found: Definition, card: Card, score: Score) -> list[str]:
    """Vetoes that bite and minima that are not reached."""
    said = [
        _("Veto “%(name)s” — %(veto)s.") % {"name": named(veto), "veto": veto_text(veto)}
        for veto in found.get("vetoes", [])
        if veto["code"] in score.vetoes
    ]
    points = {row["code"]: row["points"] for row in score.items}
    for item, compiled in zip(found["items"], card.items, strict=True):
        has = points.get(item["code"])
        if has is not None and compiled.falls_short(Decimal(has)):
            values = {"item": item_label(item), "minimum": minimum_text(item)}
            said.append(_("“%(item)s” needs %(minimum)s.") % values)
    return said


def _least_total(card: Card, standing: Standing, place: int) -> Decimal | None:
    """The smallest total with which one gets to `place` from where one stands."""
    top = max(rung.reach for rung in card.ladder)
    found = least(
        lambda steps: card.step(steps * scoring.TOTAL, standing)[0] >= place,
        int(top / scoring.TOTAL),
    )
    return None if found is None else found * scoring.TOTAL


def least(enough: Callable[[int], bool], most: int) -> int | None:
    """The smallest number from 0 to `most` that is enough, if any: beyond it all are."""
    if not enough(most):
        return None
    low, high = -1, most
    while high - low > 1:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle
    return high


# --- by one item alone -------------------------------------------------------------------------


def _ways(found: Definition, card: Card, score: Score, needed: Decimal) -> list[Way]:
    """The items any one of which would lift the total to `needed`, the least more points first."""
    rows = {row["code"]: row for row in score.items}
    if any(item["code"] not in rows for item in found["items"]):
        return []
    stored = [rows[item["code"]] for item in found["items"]]
    scores = [_item_score(row) for row in stored]
    if _total(card, score, scores) != _summed(score):
        return []  # somebody changed the outcome: what the engine says of it would not be true
    ways = []
    for at, (item, row) in enumerate(zip(found["items"], stored, strict=True)):
        if row["points"] is None or row["value"] is None:
            continue
        points = _least_points(card, score, scores, at, Decimal(item["cap"]), needed)
        way = None if points is None else _way(item, card.items[at], row, points)
        if way:
            ways.append(way)
    return sorted(ways, key=lambda way: way.points - way.points_now)


def _item_score(row: dict[str, Any]) -> ItemScore:
    points = None if row["points"] is None else Decimal(row["points"])
    return ItemScore(points, None, row["status"], row["step"])


def _total(card: Card, score: Score, scores: list[ItemScore]) -> Decimal | None:
    """The total of some points, without vetoes, with the deductions of the score."""
    nothing: list[Decimal | None] = [None] * len(card.vetoes)
    return card.judge(scores, deductions=score.deducted, values=nothing).total


def _least_points(
    card: Card, score: Score, scores: list[ItemScore], at: int, cap: Decimal, needed: Decimal
) -> Decimal | None:
    """The least points of the item `at` with which the total is `needed`."""
    unit = scoring.POINTS

    def enough(steps: int) -> bool:
        tried = [*scores]
        tried[at] = scores[at]._replace(points=steps * unit)
        total = _total(card, score, tried)
        return total is not None and total >= needed

    found = least(enough, int(cap / unit))
    return None if found is None else found * unit


def _way(
    item: Definition, compiled: scoring.Item, row: dict[str, Any], points: Decimal
) -> Way | None:
    """The nearest value with which the item gives `points`."""
    reads = bases.of(item)
    now, target = Decimal(row["value"]), row["target"]
    against = Decimal(target) if target is not None and _compares(item) else None

    def gives(value: Decimal) -> bool:
        got = scoring.score_item(compiled, value, against).points
        return got is not None and got >= points

    value = _nearest(gives, now, UNITS.get(reads.unit, scoring.POINTS), reads)
    if value is None:
        return None
    return Way(
        code=item["code"],
        label=item_label(item),
        unit=reads.unit,
        points_now=Decimal(row["points"]),
        points=points,
        value_now=now,
        value=value,
        more=_more(reads, row, value),
    )


def _compares(item: Definition) -> bool:
    return item["target_source"] != TargetSource.NONE


def _nearest(
    gives: Callable[[Decimal], bool], now: Decimal, unit: Decimal, reads: bases.Reads
) -> Decimal | None:
    """The value nearest to `now`, in the better direction, that is enough."""
    sign = 1 if reads.higher else -1
    most = 1
    for _doubling in range(DOUBLINGS):
        if gives(now + sign * most * unit):
            break
        most *= 2
    found = least(lambda steps: gives(now + sign * steps * unit), most)
    if found is None:
        return None
    value = now + sign * found * unit
    highest = getattr(reads, "highest", None)
    beyond = (reads.lowest is not None and value < reads.lowest) or (
        highest is not None and value > highest
    )
    return None if beyond else value


def _more(reads: bases.Reads, row: dict[str, Any], value: Decimal) -> Decimal | None:
    """How much more the numerator has to be where the denominator stands: targets, last year."""
    fixed = {measures.TARGETS, measures.LAST_YEAR} & reads.needs
    if not fixed or row["denominator"] is None or isinstance(reads, bases.Source):
        return None
    measure, has, against = reads, Decimal(row["numerator"]), Decimal(row["denominator"])

    def enough(steps: int) -> bool:
        got = measure.value(has + steps * scoring.TOTAL, against)
        return got is not None and got >= value

    most = 1
    while not enough(most) and most < 2**DOUBLINGS:
        most *= 2
    found = least(enough, most)
    return None if found is None else found * scoring.TOTAL
