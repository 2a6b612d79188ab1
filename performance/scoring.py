"""The scoring engine: pure functions of values. No database, no clock, no language.

The order of operations, every rounding and worked numbers are in docs/algorithms/scoring.md,
whose examples are tests. All numbers are `Decimal`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import cached_property
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
    """One line of a scheme, compiled: `read` is the curve, `higher` whether more is better.

    A `bonus` is not among the weights, it comes on top. Points below `minimum` (or not above it,
    where `above` says so) leave the partner without a level.
    """

    code: str
    weight: Decimal
    read: Curve
    compares: bool = False
    gate: Decimal | None = None
    higher: bool = True
    missing: str = RENORMALISE
    bonus: bool = False
    minimum: Decimal | None = None
    above: bool = False

    def falls_short(self, points: Decimal | None) -> bool:
        """Whether `points` do not reach the minimum; an item that does not apply asks nothing."""
        if self.minimum is None or points is None:
            return False
        return points <= self.minimum if self.above else points < self.minimum


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


# --- items, totals, ranks --------------------------------------------------------------------


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
    """Σ weight × points ÷ Σ weight over the weighted items that apply, 2 places; None when none
    does. What comes on top, and what goes off, is not in it: see `Card.judge`."""
    weights = weighted = ZERO
    for item, score in zip(items, scores, strict=True):
        if score.points is not None and not item.bonus:
            weights += item.weight
            weighted += item.weight * score.points
    if not weights:
        return None
    return _quantize(_divide(weighted, weights), TOTAL)


def bonus(items: Sequence[Item], scores: Sequence[ItemScore]) -> Decimal:
    """Σ weight × points ÷ 100 over the bonus items that apply, 2 places."""
    found = (
        item.weight * score.points
        for item, score in zip(items, scores, strict=True)
        if item.bonus and score.points is not None
    )
    return _quantize(_divide(sum(found, ZERO), HUNDRED), TOTAL)


def mean_of(total: Decimal, count: Decimal, unit: Decimal) -> Decimal:
    """total ÷ count, to the places of `unit`."""
    return _quantize(_divide(total, count), unit)


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


# --- a whole scheme: bonus, deductions, vetoes, minima, levels ---------------------------------

NOT_HELD, BY_MINIMUM, BY_VETO = "", "minimum", "veto"
KEPT, FORGIVEN, BY_STEPS = "keep", "grace", "steps"
NO_TOTAL = ZERO.quantize(TOTAL)


@dataclass(frozen=True, slots=True)
class Rung:
    """A level: the total that reaches it, and the one (no higher) that keeps it."""

    name: str
    reach: Decimal
    keep: Decimal


@dataclass(frozen=True, slots=True)
class Veto:
    """A value below (or above) `bound` takes the level; with `zero` the whole total."""

    code: str
    below: bool
    bound: Decimal
    zero: bool = False

    def bites(self, value: Decimal | None) -> bool:
        """Whether it applies to `value`; without a value it does not."""
        if value is None:
            return False
        return value < self.bound if self.below else value > self.bound


class Standing(NamedTuple):
    """Where a partner stands before: the number of its level (0: none; 1: the lowest of the card)
    and how many evaluations in a row, up to now, were forgiven."""

    place: int = 0
    forgiven: int = 0


UNKNOWN = Standing()


class Outcome(NamedTuple):
    """What becomes of a partner. total = base + bonus − deducted, at least 0; 0 by a veto that says
    so; None when no weighted item applies. `level` is a name; `held` tells why it is not simply the
    one that the total reaches: minimum, veto, keep, grace, steps, or "" when it is."""

    total: Decimal | None
    level: str | None
    base: Decimal | None
    bonus: Decimal
    deducted: Decimal
    vetoes: tuple[str, ...]
    held: str


@dataclass(frozen=True)
class Card:
    """A scheme version, compiled. `ladder` rises; `deduction_cap` is the most that goes off."""

    items: tuple[Item, ...]
    ladder: tuple[Rung, ...] = ()
    vetoes: tuple[Veto, ...] = ()
    deduction_cap: Decimal = ZERO
    grace: int = 0
    most_up: int | None = None
    most_down: int | None = None

    @cached_property
    def remembers(self) -> bool:
        """Whether a level depends on the one before."""
        keeps = any(rung.keep != rung.reach for rung in self.ladder)
        return bool(keeps or self.grace or self.most_up or self.most_down)

    @cached_property
    def plain(self) -> bool:
        """Whether total and level follow from weights and curves alone."""
        special = any(item.bonus or item.minimum is not None for item in self.items)
        return not (special or self.vetoes or self.deduction_cap or self.remembers)

    def judge(
        self,
        scores: Sequence[ItemScore],
        *,
        deductions: Decimal = ZERO,
        values: Sequence[Decimal | None] = (),
        standing: Standing = UNKNOWN,
    ) -> Outcome:
        """Total and level of one partner from the points of its items.

        `deductions` is the sum of the decided ones of the period, `values` what the vetoes look at,
        in their order. The order of operations: base, bonus, deductions, floor, vetoes, minima,
        then level by reach, keep, grace and steps (docs/algorithms/scoring.md).
        """
        base = total(self.items, scores)
        if self.plain:
            place = 0 if base is None else self.reached(base)
            level = self.ladder[place - 1].name if place else None
            return Outcome(base, level, base, NO_TOTAL, NO_TOTAL, (), NOT_HELD)
        extra = bonus(self.items, scores)
        taken = _quantize(min(deductions, self.deduction_cap), TOTAL)
        biting = [
            veto for veto, value in zip(self.vetoes, values, strict=True) if veto.bites(value)
        ]
        codes = tuple(veto.code for veto in biting)
        if base is None:
            return Outcome(None, None, None, extra, taken, codes, NOT_HELD)
        value = max(base + extra - taken, NO_TOTAL)
        if any(veto.zero for veto in biting):
            value = NO_TOTAL
        place, held = self._place(value, scores, biting, standing)
        level = self.ladder[place - 1].name if place else None
        return Outcome(value, level, base, extra, taken, codes, held)

    def _place(
        self, value: Decimal, scores: Sequence[ItemScore], biting: Sequence[Veto], before: Standing
    ) -> tuple[int, str]:
        """The number of the level, and what held it."""
        if biting:
            zeroed = all(veto.zero for veto in biting)
            return (self.reached(value) if zeroed else 0), BY_VETO
        if any(i.falls_short(s.points) for i, s in zip(self.items, scores, strict=True)):
            return 0, BY_MINIMUM
        return self.step(value, before)

    def reached(self, value: Decimal) -> int:
        """How many levels `value` reaches."""
        return sum(1 for rung in self.ladder if value >= rung.reach)

    def step(self, value: Decimal, before: Standing) -> tuple[int, str]:
        """The number of the level that follows `before` with a total of `value`, and what held it.

        Whoever has no level yet is placed freely.
        """
        reached, place = self.reached(value), before.place
        if not place or reached == place:
            return reached, NOT_HELD
        if reached > place:
            most = reached if self.most_up is None else place + self.most_up
            return (most, BY_STEPS) if reached > most else (reached, NOT_HELD)
        if value >= self.ladder[place - 1].keep:
            return place, KEPT
        if before.forgiven < self.grace:
            return place, FORGIVEN
        least = 0 if self.most_down is None else place - self.most_down
        return (least, BY_STEPS) if reached < least else (reached, NOT_HELD)
