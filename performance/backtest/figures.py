"""What a backtest says of the weights and items of a scheme: pure functions of whole numbers.

Points are in ten-thousandths (-1: the item does not apply), weights and totals in hundredths, so
that sums are exact; docs/algorithms/backtest.md has the formulas, and its numbers are tests.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import combinations
from operator import mul

NONE = -1
POINT, HUNDREDTH = 10_000, 100
_context = Context(prec=40, rounding=ROUND_HALF_UP)
PLACES = Decimal("0.0001")


def quotient(numerator: int | Decimal, denominator: int | Decimal) -> Decimal | None:
    """numerator ÷ denominator with 4 places, half up; None where the denominator is 0."""
    if not denominator:
        return None
    found = _context.divide(Decimal(numerator), Decimal(denominator))
    return _context.quantize(found, PLACES) or PLACES - PLACES  # never −0


# --- weights -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One partner, as far as weights go: `points` of every weighted item, what comes on top of the
    base (bonus − deducted, hundredths), whether a veto makes the total 0."""

    points: Sequence[int]
    extra: int = 0
    zeroed: bool = False


@dataclass(frozen=True)
class Sums:
    """Σ weight × points and Σ weight over the items that apply to a partner."""

    weighted: int
    weights: int


def sums_of(weights: Sequence[int], case: Case) -> Sums:
    """The sums that the total of a partner is made of."""
    pairs = [(w, p) for w, p in zip(weights, case.points, strict=True) if p != NONE]
    return Sums(sum(w * p for w, p in pairs), sum(w for w, _p in pairs))


def total_of(numerator: int, denominator: int, case: Case) -> int | None:
    """The total in hundredths, rounded as the engine does; None when nothing applies."""
    if not denominator:
        return None
    base = (2 * numerator + HUNDREDTH * denominator) // (2 * HUNDREDTH * denominator)
    return 0 if case.zeroed else max(0, base + case.extra)


def moved(weights: Sequence[int], at: int, by: int) -> int:
    """By how much the weight of item `at` really moves: neither below 0 nor beyond the whole."""
    return max(-weights[at], min(by, sum(weights) - weights[at]))


def total_at(weights: Sequence[int], at: int, by: int, case: Case, sums: Sums) -> int | None:
    """The total when the weight of item `at` is moved by `by` hundredths and the others share the
    rest in proportion, so that the sum stays what it is."""
    whole, weight, points = sum(weights), weights[at], case.points[at]
    others = whole - weight
    if not others:
        return total_of(sums.weighted, sums.weights, case)
    rest = others - by
    if points == NONE:  # in proportion, unless the item takes everything
        return total_of(rest * sums.weighted, rest * sums.weights, case)
    own = (weight + by) * others
    return total_of(
        own * points + rest * (sums.weighted - weight * points),
        own + rest * (sums.weights - weight),
        case,
    )


def slope(weights: Sequence[int], at: int, case: Case, sums: Sums) -> Decimal:
    """d base ÷ d weight of item `at`, while the others share the rest in proportion: points of the
    total for a point of weight, 40 digits.

    T × (s − S ÷ W) ÷ ((T − w) × W): T the sum of all weights, W of those that apply, S ÷ W the
    base, s the points of the item. 0 where it does not apply, or is the only one.
    """
    whole, weight, points = sum(weights), weights[at], case.points[at]
    if points == NONE or whole == weight or not sums.weights:
        return Decimal(0)
    distance = points * sums.weights - sums.weighted  # × W
    scale = Decimal((whole - weight) * sums.weights * sums.weights * POINT) / HUNDREDTH
    return _context.divide(Decimal(whole * distance), scale)


@dataclass(frozen=True)
class Shift:
    """What becomes of all partners when one weight moves by `by` hundredths."""

    by: int
    ranks: int  # partners with another rank
    rank_change: Decimal | None  # mean of |change of rank| over all with a rank
    most: int  # the largest change of a rank
    levels: int  # partners with another level


@dataclass(frozen=True)
class Sensitivity:
    """How much the weight of one item matters."""

    mean: Decimal | None  # mean slope
    mean_size: Decimal | None  # mean of |slope|
    lowest: Decimal | None
    highest: Decimal | None
    share: Decimal | None  # of the variance of the bases
    shifts: list[Shift]


Places = Callable[[int, "int | None"], int]


def sensitivities(
    weights: Sequence[int], cases: Sequence[Case], steps: Sequence[int], place: Places
) -> list[Sensitivity]:
    """One for each weight. `place(n, total)` is the number of the level that partner `n` would have
    with that total."""
    sums = [sums_of(weights, case) for case in cases]
    totals = [total_of(s.weighted, s.weights, case) for case, s in zip(cases, sums, strict=True)]
    ranks = rank(totals)
    places = [place(n, total) for n, total in enumerate(totals)]
    shares = spread(weights, cases, sums)
    found = []
    for at in range(len(weights)):
        slopes = [
            slope(weights, at, case, s) for case, s in zip(cases, sums, strict=True) if s.weights
        ]
        shifts = []
        for step in steps:
            by = moved(weights, at, step)
            new = [total_at(weights, at, by, case, s) for case, s in zip(cases, sums, strict=True)]
            shifts.append(_shift(by, ranks, new, totals, places, place))
        found.append(
            Sensitivity(
                mean=quotient(sum(slopes), len(slopes)),
                mean_size=quotient(sum(map(abs, slopes)), len(slopes)),
                lowest=quotient(min(slopes), 1) if slopes else None,
                highest=quotient(max(slopes), 1) if slopes else None,
                share=shares[at],
                shifts=shifts,
            )
        )
    return found


def _shift(
    by: int,
    ranks: list[int | None],
    new: list[int | None],
    old: list[int | None],
    places: list[int],
    place: Places,
) -> Shift:
    changes = [
        abs(after - before)
        for before, after in zip(ranks, rank(new), strict=True)
        if before is not None and after is not None
    ]
    levels = sum(
        1
        for n, (before, after) in enumerate(zip(old, new, strict=True))
        if before != after and place(n, after) != places[n]
    )
    return Shift(
        by=by,
        ranks=sum(1 for change in changes if change),
        rank_change=quotient(sum(changes), len(changes)),
        most=max(changes, default=0),
        levels=levels,
    )


def rank(totals: Sequence[int | None]) -> list[int | None]:
    """Competition ranking, highest first: 1, 1, 3."""
    first: dict[int, int] = {}
    for position, value in enumerate(sorted((t for t in totals if t is not None), reverse=True), 1):
        first.setdefault(value, position)
    return [None if value is None else first[value] for value in totals]


def spread(
    weights: Sequence[int], cases: Sequence[Case], sums: Sequence[Sums]
) -> list[Decimal | None]:
    """What part of the differences between the bases each item makes: the covariance of what it
    adds with the base ÷ the variance of the base. The parts sum to 1; None without differences."""
    rows = [
        [0 if p == NONE else w * p // s.weights for w, p in zip(weights, case.points, strict=True)]
        for case, s in zip(cases, sums, strict=True)
        if s.weights
    ]
    bases = [sum(row) for row in rows]
    count, total = len(rows), sum(bases)
    variance = count * sum(map(mul, bases, bases)) - total * total
    return [
        quotient(count * sum(map(mul, column, bases)) - sum(column) * total, variance)
        for column in (list(each) for each in zip(*rows, strict=True))
    ] or [None] * len(weights)


# --- items ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Discrimination:
    """How well one item tells partners apart. Shares are of those to whom it applies; `most_alike`
    have the commonest points, `points`."""

    applies: int
    missing: int
    distinct: int
    points: int | None
    most_alike: Decimal | None
    deviation: Decimal | None
    never: bool  # in no period do two partners differ


def discrimination(periods: Sequence[Sequence[int]]) -> Discrimination:
    """`periods` holds the points of all partners, a period each."""
    applying = [[p for p in points if p != NONE] for points in periods]
    pooled = Counter(p for points in applying for p in points)
    count, total = sum(pooled.values()), sum(p * n for p, n in pooled.items())
    common = min(pooled.items(), key=lambda each: (-each[1], each[0])) if pooled else None
    squares = count * sum(p * p * n for p, n in pooled.items()) - total * total
    return Discrimination(
        applies=count,
        missing=sum(map(len, periods)) - count,
        distinct=len(pooled),
        points=common[0] if common else None,
        most_alike=quotient(common[1], count) if common else None,
        deviation=quotient(_context.sqrt(Decimal(squares)), count * POINT),
        never=all(len(set(points)) <= 1 for points in applying),
    )


@dataclass(frozen=True)
class Correlation:
    """Of the points of two items, over all to whom both apply; None where one does not vary."""

    first: int
    second: int
    count: int
    pearson: Decimal | None
    spearman: Decimal | None


def correlations(columns: Sequence[array]) -> list[Correlation]:
    """Of every pair of items; `columns` holds the points of each over all partners and periods."""
    ready: dict[tuple[int, bytes], tuple[Moments, Moments]] = {}
    masks = [bytes(p != NONE for p in column) for column in columns]

    def of(item: int, common: bytes) -> tuple[Moments, Moments]:
        """The points of an item over those that count, and their ranks."""
        key = (item, common)
        if key not in ready:
            points = [p for p, counts in zip(columns[item], common, strict=True) if counts]
            ready[key] = moments(points), moments(mean_ranks(points))
        return ready[key]

    found = []
    for first, second in combinations(range(len(columns)), 2):
        common = _both(masks[first], masks[second])
        (xs, x_ranks), (ys, y_ranks) = of(first, common), of(second, common)
        pair = pearson(xs, ys), pearson(x_ranks, y_ranks)
        found.append(Correlation(first, second, len(xs.values), *pair))
    return found


def _both(first: bytes, second: bytes) -> bytes:
    if first == second:
        return first
    size = len(first)
    return (int.from_bytes(first, "big") & int.from_bytes(second, "big")).to_bytes(size, "big")


def mean_ranks(values: Sequence[int]) -> list[int]:
    """Twice the rank of each, lowest first; equals share the mean of their ranks."""
    counts, below, ranks = Counter(values), 0, {}
    for value in sorted(counts):
        ranks[value] = 2 * below + counts[value] + 1
        below += counts[value]
    return [ranks[value] for value in values]


@dataclass(frozen=True)
class Moments:
    """A column with its sum, and n × Σ x² − (Σ x)²."""

    values: Sequence[int]
    total: int
    variance: int


def moments(values: Sequence[int]) -> Moments:
    """The moments of a column."""
    total = sum(values)
    return Moments(values, total, len(values) * sum(map(mul, values, values)) - total * total)


def pearson(x: Moments, y: Moments) -> Decimal | None:
    """The correlation of two columns, 4 places; None where one does not vary."""
    both = len(x.values) * sum(map(mul, x.values, y.values)) - x.total * y.total
    return quotient(both, _context.sqrt(Decimal(x.variance * y.variance)))


# --- totals --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Summary:
    """How totals lie: hundredths; quartiles are the values at ⌈n × q⌉ of the ordered totals."""

    count: int
    mean: Decimal | None
    lowest: int | None
    quartiles: tuple[int, int, int] | None
    highest: int | None
    bins: list[int]  # from 0 up to 10, from 10 up to 20 …


def summary(totals: Sequence[int | None]) -> Summary:
    """The distribution of the totals of those who have one."""
    ordered = sorted(t for t in totals if t is not None)
    count = len(ordered)
    counts = Counter(t // 1000 for t in ordered)
    return Summary(
        count=count,
        mean=quotient(sum(ordered), count * HUNDREDTH),
        lowest=ordered[0] if ordered else None,
        quartiles=(
            (
                ordered[-(-count // 4) - 1],
                ordered[-(-count // 2) - 1],
                ordered[-(-3 * count // 4) - 1],
            )
            if ordered
            else None
        ),
        highest=ordered[-1] if ordered else None,
        bins=[counts.get(n, 0) for n in range(max([9, *counts]) + 1)],
    )


NEAR = 200  # hundredths


def margin(total: int | None, thresholds: Sequence[int]) -> tuple[int, int] | None:
    """(number of the nearest threshold, total − threshold) where that is at most 2 points away; of
    two that are as near the one above. None where none is."""
    if total is None:
        return None
    near = [
        (abs(total - bound), -bound, n)
        for n, bound in enumerate(thresholds)
        if abs(total - bound) <= NEAR
    ]
    if not near:
        return None
    number = min(near)[2]
    return number, total - thresholds[number]
