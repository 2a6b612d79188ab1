"""Money: one rounding, one way to share an amount out."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from math import lcm

ZERO = Decimal(0)


def round_money(amount: Decimal, places: int = 2) -> Decimal:
    """`amount` rounded half up (away from zero at the half) to `places` decimals."""
    return amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def allocate(total: Decimal, weights: Sequence[Decimal], places: int = 2) -> list[Decimal]:
    """Share `total` out by `weights`; the parts sum to `total` exactly.

    Each part is rounded towards zero to `places` decimals; the units that are left go one each to
    the largest remainders (Hamilton's method), the earlier part first where they tie. Weights must
    not be negative and not all zero, and `total` must itself have at most `places` decimals:
    ValueError.
    """
    if any(weight < 0 for weight in weights) or not any(weights):
        raise ValueError("weights must be non-negative and not all zero")
    unit = Decimal(1).scaleb(-places)
    units = total / unit
    if units != units.to_integral_value():
        raise ValueError(f"{total} has more than {places} decimals")
    sign = -1 if units < 0 else 1
    whole = abs(int(units))
    # Integers all the way: shares of large totals must not lose digits to the decimal context.
    ratios = [weight.as_integer_ratio() for weight in weights]
    common = lcm(*{bottom for _top, bottom in ratios})
    shares = [top * (common // bottom) for top, bottom in ratios]
    scale = sum(shares)
    floors, remainders = [], []
    for share in shares:
        quotient, remainder = divmod(whole * share, scale)
        floors.append(quotient)
        remainders.append(remainder)
    left = whole - sum(floors)
    order = sorted(range(len(weights)), key=lambda index: (-remainders[index], index))
    for index in order[:left]:
        floors[index] += 1
    return [sign * share * unit for share in floors]
