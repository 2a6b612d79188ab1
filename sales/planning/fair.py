"""Proposing a fair target from a partner's own history and from its peers: pure functions.

docs/algorithms/planning.md says the same in words, with numbers that tests read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from core.money import round_money

ZERO, ONE = Decimal(0), Decimal(1)
# A trend beyond these is a partner that started, was merged or nearly stopped: it says little of
# what comes.
LOWEST, HIGHEST = Decimal("-0.5"), ONE
LEAST_PEERS, LEAST_ERRORS = 3, 5
LOW, HIGH = Decimal("0.1"), Decimal("0.9")


@dataclass(frozen=True)
class Years:
    """Net of the last three years, the oldest first; the last is the basis of the plan. `kin` are
    the groups whose members are peers, the nearest first."""

    nets: tuple[Decimal, Decimal, Decimal]
    kin: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Fair:
    """Proposals for the year, rounded to cents; None where there is nothing to go by."""

    own: Decimal | None
    low: Decimal | None
    high: Decimal | None
    peers: Decimal | None


def growth(before: Decimal, now: Decimal) -> Decimal | None:
    """(now − before) ÷ before; None when there was nothing to grow from."""
    return (now - before) / before if before > 0 else None


def trend(nets: Sequence[Decimal]) -> Decimal:
    """The median of the yearly growths, not below −50 % nor above +100 %; 0 without any."""
    steps = [growth(before, now) for before, now in zip(nets, nets[1:], strict=False)]
    known = [step for step in steps if step is not None]
    return min(max(median(known), LOWEST), HIGHEST) if known else ZERO


def forecast(nets: Sequence[Decimal]) -> Decimal | None:
    """The last year × (1 + trend); None when the last year is not positive."""
    return nets[-1] * (ONE + trend(nets)) if nets[-1] > 0 else None


def errors(rows: Sequence[Years]) -> list[Decimal]:
    """What really came ÷ what the method would have said a year earlier, over all rows where it
    would have said something, in order."""
    found = []
    for row in rows:
        said = forecast(row.nets[:2])
        if said:
            found.append(row.nets[2] / said)
    return sorted(found)


def quantile(ordered: Sequence[Decimal], part: Decimal) -> Decimal:
    """The value below which `part` of the ordered values lie, interpolated between neighbours."""
    place = part * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def propose(rows: Sequence[Years]) -> list[Fair]:
    """A proposal for each row, in their order.

    From the own history: the last year × (1 + trend), between the 10th and the 90th percentile of
    the errors that the method made a year earlier, if there are five. From peers: the last year ×
    (1 + the median growth of the nearest kin of which three grew from something); a row whose last
    year is not positive gets the median year of that kin.
    """
    ratios = errors(rows)
    steps: dict[tuple[str, ...], list[Decimal]] = {}
    years: dict[tuple[str, ...], list[Decimal]] = {}
    for row in rows:
        step = growth(row.nets[1], row.nets[2])
        for kin in row.kin:
            if step is not None:
                steps.setdefault(kin, []).append(step)
            if row.nets[2] > 0:
                years.setdefault(kin, []).append(row.nets[2])
    middle_step = {kin: median(found) for kin, found in steps.items() if len(found) >= LEAST_PEERS}
    middle_year = {kin: median(found) for kin, found in years.items() if len(found) >= LEAST_PEERS}
    band = (quantile(ratios, LOW), quantile(ratios, HIGH)) if len(ratios) >= LEAST_ERRORS else None
    return [_propose(row, middle_step, middle_year, band) for row in rows]


def _propose(
    row: Years,
    steps: dict[tuple[str, ...], Decimal],
    years: dict[tuple[str, ...], Decimal],
    band: tuple[Decimal, Decimal] | None,
) -> Fair:
    own, last = forecast(row.nets), row.nets[-1]
    if last > 0:
        step = next((steps[kin] for kin in row.kin if kin in steps), None)
        peers = None if step is None else last * (ONE + step)
    else:
        peers = next((years[kin] for kin in row.kin if kin in years), None)
    low, high = (own * band[0], own * band[1]) if own is not None and band else (None, None)
    return Fair(_money(own), _money(low), _money(high), _money(peers))


def _money(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else max(round_money(amount), ZERO)


def potential(
    population: tuple[int, int] | None, gdp: tuple[Decimal, Decimal] | None
) -> Decimal | None:
    """A territory's share of the potential of its whole: the mean of its shares of population and
    GDP, each given as (own, whole); one of them alone where the other is not known."""
    pairs = [pair for pair in (population, gdp) if pair and pair[1]]
    shares = [Decimal(own) / Decimal(whole) for own, whole in pairs]
    return sum(shares, ZERO) / len(shares) if shares else None
