"""The scoring engine: pure functions of values. No database, no clock, no language.

The order of operations, every rounding and worked numbers are in docs/algorithms/scoring.md,
whose examples are tests. All numbers are `Decimal`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, NamedTuple

_context = Context(prec=40, rounding=ROUND_HALF_UP)
_divide, _quantize = _context.divide, _context.quantize
RATIO = Decimal("0.000001")  # measures that are ratios, and value ÷ target
POINTS = Decimal("0.0001")  # points of an item
TOTAL = Decimal("0.01")  # total of a scheme
HUNDRED = Decimal(100)
ZERO = Decimal(0)
NO_POINTS, NO_RATIO = ZERO.quantize(POINTS), ZERO.quantize(RATIO)

LINEAR, BANDS, PROPORTIONAL, PASS = "linear", "bands", "proportional", "pass"
CURVE_KINDS = (LINEAR, BANDS, PROPORTIONAL, PASS)

SCORED, CAPPED, FLOORED, GATED, MISSING = "scored", "cap", "floor", "gate", "missing"
RENORMALISE, AS_ZERO = "renormalise", "zero"


class ItemScore(NamedTuple):
    """Points of one item (None when it does not apply) with what explains them.

    `x` is what the curve was read at: the value, or value ÷ target where the item has a target.
    `status` is one of scored, cap, floor, gate, missing; `step` numbers the segment or band.
    """

    points: Decimal | None
    x: Decimal | None
    status: str
    step: int


# What a curve says of one x: points before rounding, status, and the segment or band used. A plain
# tuple, because it is made once for every item of every partner.
Reading = tuple[Decimal, str, int]
Curve = Callable[[Decimal], Reading]


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a scheme, compiled: `read` is the curve, `higher` whether more is better."""

    code: str
    weight: Decimal
    read: Curve
    compares: bool = False
    gate: Decimal | None = None
    higher: bool = True
    missing: str = RENORMALISE


def quantize(value: Decimal, unit: Decimal) -> Decimal:
    """Round half up (away from zero for negatives) to the places of `unit`."""
    return _quantize(value, unit)


def ratio(numerator: Decimal, denominator: Decimal | None) -> Decimal | None:
    """numerator ÷ denominator with 6 places; None where the denominator is not positive."""
    if denominator is None or denominator <= ZERO:
        return None
    return _quantize(_divide(numerator, denominator), RATIO) or NO_RATIO  # never −0


def median(values: Iterable[Decimal]) -> Decimal | None:
    """The middle one; of an even number the mean of the two in the middle (4 places)."""
    ordered = sorted(values)
    if not ordered:
        return None
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return quantize((ordered[middle - 1] + ordered[middle]) / 2, POINTS)


# --- curves --------------------------------------------------------------------------------


def compile_curve(curve: dict[str, Any], cap: Decimal = HUNDRED) -> Curve:
    """A validated curve as a function of x. `cap` is the most points it can give, 0 the least."""
    return {LINEAR: _linear, BANDS: _bands, PROPORTIONAL: _proportional, PASS: _pass}[
        curve["kind"]
    ](curve, cap)


def _clip(points: Decimal, cap: Decimal, step: int) -> Reading:
    if points > cap:
        return (cap, CAPPED, step)
    if points < ZERO:
        return (ZERO, FLOORED, step)
    return (points, SCORED, step)


def _linear(curve: dict[str, Any], cap: Decimal) -> Curve:
    """Straight between points; the first and last line go on until the floor or the cap."""
    points = [(Decimal(x), Decimal(y)) for x, y in curve["points"]]
    segments = [
        (x0, y0, x1 - x0, y1 - y0) for (x0, y0), (x1, y1) in zip(points, points[1:], strict=False)
    ]
    starts = [x for x, _ in points[1:-1]]

    def read(x: Decimal) -> Reading:
        step = 0
        for start in starts:
            if x < start:
                break
            step += 1
        x0, y0, dx, dy = segments[step]
        return _clip(y0 + _divide((x - x0) * dy, dx), cap, step)

    return read


def _bands(curve: dict[str, Any], cap: Decimal) -> Curve:
    """Half-open bands: each holds from its lower bound up to, not including, the next."""
    bounds = [Decimal(bound) for bound, _ in curve["bands"][1:]]
    readings = [
        _clip(Decimal(points), cap, step) for step, (_, points) in enumerate(curve["bands"])
    ]

    def read(x: Decimal) -> Reading:
        step = 0
        for bound in bounds:
            if x < bound:
                break
            step += 1
        return readings[step]

    return read


def _proportional(curve: dict[str, Any], cap: Decimal) -> Curve:
    def read(x: Decimal) -> Reading:
        return _clip(x * HUNDRED, cap, 0)

    return read


def _pass(curve: dict[str, Any], cap: Decimal) -> Curve:
    passed, failed = (min(cap, HUNDRED), SCORED, 1), (ZERO, SCORED, 0)
    if "at_least" in curve:
        bound = Decimal(curve["at_least"])
        return lambda x: passed if x >= bound else failed
    bound = Decimal(curve["at_most"])
    return lambda x: passed if x <= bound else failed


# --- items, totals, ranks, levels ------------------------------------------------------------


def score_item(item: Item, value: Decimal | None, target: Decimal | None = None) -> ItemScore:
    """Points of one item, 4 places, between 0 and its cap; points None when it does not apply.

    An item with a target is read at value ÷ target; without a positive target, or without a
    value, it does not apply (or counts as 0 where the item says so).
    """
    x = ratio(value, target) if item.compares and value is not None else value
    if x is None or value is None:
        return ItemScore(NO_POINTS if item.missing == AS_ZERO else None, None, MISSING, -1)
    if item.gate is not None and (value < item.gate if item.higher else value > item.gate):
        return ItemScore(NO_POINTS, x, GATED, -1)
    points, status, step = item.read(x)
    return ItemScore(_quantize(points, POINTS), x, status, step)


def total(items: Sequence[Item], scores: Sequence[ItemScore]) -> Decimal | None:
    """Σ weight × points ÷ Σ weight over the items that apply, 2 places; None when none does."""
    weights = weighted = ZERO
    for item, score in zip(items, scores, strict=True):
        if score.points is not None:
            weights += item.weight
            weighted += item.weight * score.points
    if not weights:
        return None
    return _quantize(_divide(weighted, weights), TOTAL)


def weighted(weight: Any, points: Any, weights: Decimal) -> Decimal | None:
    """What one item adds to the total, 4 places; `weights` is the sum of those that apply."""
    if points is None:
        return None
    return _quantize(_divide(Decimal(weight) * Decimal(points), weights), POINTS)


def rank(totals: Sequence[Decimal | None]) -> list[int | None]:
    """Competition ranking, highest first: 1, 1, 3. A partner without a total has no rank."""
    first: dict[Decimal, int] = {}
    ordered = sorted((value for value in totals if value is not None), reverse=True)
    for position, value in enumerate(ordered, start=1):
        first.setdefault(value, position)
    return [None if value is None else first[value] for value in totals]


def level(levels: Sequence[tuple[Decimal, Any]], value: Decimal | None) -> Any | None:
    """The level whose minimum is the highest one reached; `levels` is [(minimum, level), …]."""
    if value is None:
        return None
    reached = [(minimum, name) for minimum, name in levels if value >= minimum]
    return max(reached, key=lambda pair: pair[0])[1] if reached else None
