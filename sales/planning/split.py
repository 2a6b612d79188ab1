"""Splitting an amount over partners, product lines and months: pure functions.

docs/algorithms/planning.md says the same in words, with numbers that tests read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from django.utils.translation import gettext as _

from core.errors import DomainError
from core.money import allocate, round_money

ZERO, ONE, HALF = Decimal(0), Decimal(1), Decimal("0.5")
MONTHS = 12
# Weights are rounded, so that sums of them do not depend on the order of the rows.
_WEIGHT = Decimal("0.000001")
Key = tuple[int, int]  # partner, product line (0: all lines together)
HISTORY, PEERS, NOTHING = "history", "peers", "nothing"
MEDIAN = "median"


@dataclass(frozen=True)
class Past:
    """What a partner (and product line) sold in the twelve months of the basis, in the order of the
    plan's months, net of returns. `group` is the channel type; `growth` a fraction, -1 or more."""

    key: Key
    group: str
    months: tuple[Decimal, ...]
    growth: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """Net of the year."""
        return sum(self.months, ZERO)


@dataclass(frozen=True)
class Weight:
    """What each month weighs before the amount is shared out, and where the weight comes from."""

    months: tuple[Decimal, ...]
    basis: str


def seasons(rows: Iterable[Past]) -> dict[int, list[Decimal]]:
    """{product line: each month's share of the year}, over all partners together. Months whose sum
    is negative count nothing; a line without any positive month is spread evenly."""
    sums: dict[int, list[Decimal]] = {}
    for row in rows:
        line = sums.setdefault(row.key[1], [ZERO] * MONTHS)
        for month, amount in enumerate(row.months):
            line[month] += amount
    return {line: _shares(months) for line, months in sums.items()}


def _shares(months: Sequence[Decimal]) -> list[Decimal]:
    kept = [max(amount, ZERO) for amount in months]
    total = sum(kept, ZERO)
    return [amount / total for amount in kept] if total else [ONE / MONTHS] * MONTHS


def weigh(rows: Sequence[Past], newcomers: str = MEDIAN) -> dict[Key, Weight]:
    """What each row weighs: its year × (1 + growth), spread over the months by its smoothed season,
    half its own and half that of all partners. A row whose year is not positive has no history: it
    gets the median year of its channel type (same product line, positive years only) when
    `newcomers` is "median", else nothing, and the season of all."""
    by_line = seasons(rows)
    years: dict[tuple[str, int], list[Decimal]] = {}
    for row in rows:
        if row.total > 0:
            years.setdefault((row.group, row.key[1]), []).append(row.total)
    found = {}
    for row in rows:
        season, year, basis = by_line[row.key[1]], row.total, HISTORY
        if year > 0:
            own = _shares(row.months)
            season = [HALF * mine + HALF * all_ for mine, all_ in zip(own, season, strict=True)]
        else:
            peers = years.get((row.group, row.key[1])) if newcomers == MEDIAN else None
            year, basis = (median(peers), PEERS) if peers else (ZERO, NOTHING)
        level = year * (ONE + row.growth)
        months = tuple((level * share).quantize(_WEIGHT) for share in season)
        found[row.key] = Weight(months, basis)
    return found


def split(
    total: Decimal | None,
    weights: Mapping[Key, Weight],
    *,
    places: int = 2,
    fixed: Mapping[tuple[Key, int], Decimal] | None = None,
) -> dict[Key, list[Decimal]]:
    """Share `total` out over the cells (a row and one of its months) by their weights; the cells
    sum to it exactly. `None` stands for the sum of the weights, rounded.

    Each cell is a multiple of 10^-places, by core.money.allocate; what cannot be divided so goes to
    the heaviest cell. Cells in `fixed` keep their amount, and the others share what is left; where
    nothing has a weight, they share evenly. The order of the rows does not matter. Raises
    DomainError `locked_exceed` when the fixed cells exceed the total, `all_locked` when they leave
    a rest and nobody to take it.
    """
    fixed = {
        cell: amount
        for cell, amount in (fixed or {}).items()
        if cell[0] in weights and 0 <= cell[1] < MONTHS
    }
    keys = sorted(weights)
    cells = [(key, month) for key in keys for month in range(MONTHS)]
    free = [cell for cell in cells if cell not in fixed]
    shares = [weights[key].months[month] for key, month in free]
    held = sum(fixed.values(), ZERO)
    if total is None:
        total = round_money(sum(shares, ZERO), places) + held
    rest = total - held
    if rest < 0:
        text = _("The locked cells already exceed the amount of the plan.")
        raise DomainError("locked_exceed", text, "amount")
    if rest and not free:
        text = _("All cells are locked, and they do not sum to the amount of the plan.")
        raise DomainError("all_locked", text, "amount")
    found = dict(fixed)
    if free:
        found |= dict(zip(free, _parts(rest, shares, places), strict=True))
    return {key: [found[key, month] for month in range(MONTHS)] for key in keys}


def _parts(rest: Decimal, shares: Sequence[Decimal], places: int) -> list[Decimal]:
    if not any(shares):
        shares = [ONE] * len(shares)
    unit = ONE.scaleb(-places)
    odd = rest % unit
    cents = Decimal("0.01")
    parts = [part.quantize(cents) for part in allocate(rest - odd, shares, places)]
    heaviest = max(range(len(shares)), key=lambda place: (shares[place], -place))
    parts[heaviest] += odd
    return parts
