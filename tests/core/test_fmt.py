from decimal import Decimal

import pytest
from django.utils import translation

from core.templatetags import fmt


@pytest.mark.parametrize(
    ("value", "shown"),
    [("1234.5", "1,234.50"), (None, "—"), ("-3", "−3.00"), ("0.005", "0.01")],
)
def test_money(value, shown):
    assert fmt.money(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [("2024.9940", "2,024.994"), ("100", "100"), ("0.0001", "0.0001")]
)
def test_exact_drops_no_digit_that_counts(value, shown):
    assert fmt.exact(Decimal(value)) == shown


def test_amounts_in_wan_and_yi():
    with translation.override("zh-hans"):
        assert fmt.in_unit(Decimal("4281234"), "wan") == "428.1 万"
        assert fmt.in_unit(Decimal("128460000000"), "wan") == "1,284.60 亿"
        assert fmt.in_unit(Decimal("9999"), "wan") == "9,999"
        assert fmt.in_unit(Decimal("4281234.5"), "") == "4,281,235"


def test_ratios_are_fractions():
    assert fmt.percent(Decimal("0.1824")) == "18.2\u00a0%"
    assert fmt.signed_percent(Decimal("0.1824")) == "+18.2\u00a0%"
    assert fmt.signed_percent(Decimal("-0.1")) == "−10.0\u00a0%"


def test_quantities_keep_at_most_four_decimals():
    assert fmt.qty(Decimal("1200.5000")) == "1,200.5"
    assert fmt.qty(Decimal("3.00000")) == "3"
