from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from core.money import allocate, round_money

D = Decimal


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [
        ("0.005", "0.01"),
        ("-0.005", "-0.01"),
        ("1.004999", "1.00"),
        ("2.675", "2.68"),
        ("0", "0.00"),
    ],
)
def test_round_money_is_half_up(amount, rounded):
    assert round_money(D(amount)) == D(rounded)


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        ("100", ["1", "1", "1"], ["33.34", "33.33", "33.33"]),
        ("-100", ["1", "1", "1"], ["-33.34", "-33.33", "-33.33"]),
        ("0.01", ["1", "3"], ["0.00", "0.01"]),
        ("10", ["0", "1"], ["0", "10"]),
        ("0", ["2", "5"], ["0", "0"]),
    ],
)
def test_allocate_by_largest_remainder(total, weights, parts):
    assert allocate(D(total), [D(w) for w in weights]) == [D(p) for p in parts]


@given(
    total=st.decimals(min_value=-(10**15), max_value=10**15, places=2),
    weights=st.lists(
        st.decimals(min_value=0, max_value=10**9, places=3), min_size=1, max_size=40
    ).filter(any),
)
def test_the_parts_sum_to_the_total_and_differ_from_their_share_by_less_than_a_cent(total, weights):
    parts = allocate(total, weights)
    assert sum(parts) == total
    scale = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * scale - total * weight) < D("0.01") * scale * (1 + D("1e-9"))


@pytest.mark.parametrize("weights", [[], [D(0)], [D(-1), D(2)]])
def test_allocate_refuses_weights_that_share_nothing(weights):
    with pytest.raises(ValueError):
        allocate(D(1), weights)
