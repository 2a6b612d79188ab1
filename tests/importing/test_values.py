"""Numbers and dates in the ways people, Excel and ERP systems write them."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from core.importing.values import (
    DAY_FIRST,
    MONTH_FIRST,
    ValueProblem,
    date_order,
    parse_date,
    parse_month,
    parse_number,
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("-1234.5", "-1234.5"),
        ("+5", "5"),
        (".5", "0.5"),
        ("1,234.50", "1234.5"),
        ("1,234,567.1234", "1234567.1234"),
        ("1 234", "1234"),
        ("1\u00a0234", "1234"),
        ("1'234.5", "1234.5"),
        ("１，２３４．５", "1234.5"),
        ("¥1,234", "1234"),
        ("￥1,234", "1234"),
        ("1,234元", "1234"),
        ("RMB 10", "10"),
        ("-¥5", "-5"),
        ("$-5", "-5"),
        ("(1,234)", "-1234"),
        ("（5.5）", "-5.5"),
        ("(¥5.5)", "-5.5"),
        ("1,234-", "-1234"),
        ("\u22125", "-5"),
        ("12.5万", "125000"),
        ("1.2亿", "120000000"),
        ("1.50000", "1.5"),
    ],
)
def test_a_number_as_people_write_it(text, number):
    assert parse_number(text) == Decimal(number)


@pytest.mark.parametrize(
    ("text", "code"),
    [(text, "bad_number") for text in (
        "", "-", "()", "two", "1,23", "12,34,567", "1.234,50", "--5", "(-5)", "-(5)", "1e5", "NaN",
        "Infinity", "0x1F", "1_000", "٣", "5%", "1,234 567",
    )]
    + [("1.23456", "too_many_decimals"), ("123456789012345", "number_too_large"),
       ("1.123456789万", "too_many_decimals"), ("999999999999999亿", "number_too_large")],
)  # fmt: skip
def test_what_is_no_number_is_refused_and_never_guessed(text, code):
    with pytest.raises(ValueProblem) as caught:
        parse_number(text)
    assert caught.value.code == code


def wide(text):
    """The same in full-width characters."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


WAYS = [
    lambda n: f"{n}",
    lambda n: f"{n:,}",
    lambda n: wide(f"{n:,}"),
    lambda n: f"({-n:,})" if n < 0 else f"￥{n:,}",
    lambda n: f"{-n:,}-" if n < 0 else f"{n:,}元",
    lambda n: f"{n:,}".replace(",", " "),
]


@given(st.decimals(-(10**13), 10**13, places=4), st.sampled_from(WAYS))
def test_every_way_of_writing_gives_the_number_back(number, way):
    number = Decimal(f"{number:f}")
    assert parse_number(way(number)) == number


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-01-05", date(2026, 1, 5)),
        ("2026/1/5", date(2026, 1, 5)),
        ("2026.1.5", date(2026, 1, 5)),
        ("2026年1月5日", date(2026, 1, 5)),
        ("20260105", date(2026, 1, 5)),
        ("２０２６－０１－０５", date(2026, 1, 5)),
        ("2026-01-05 10:22:33", date(2026, 1, 5)),
        ("46027", date(2026, 1, 5)),  # what Excel calls that day
        ("46027.75", date(2026, 1, 5)),
        ("5/5/2026", date(2026, 5, 5)),
    ],
)
def test_a_date_that_means_one_day(text, day):
    assert parse_date(text) == day


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("2/1/2026", DAY_FIRST, date(2026, 1, 2)),
        ("2/1/2026", MONTH_FIRST, date(2026, 2, 1)),
        ("02.01.2026", DAY_FIRST, date(2026, 1, 2)),
        ("2-1-2026 8:30", MONTH_FIRST, date(2026, 2, 1)),
    ],
)
def test_a_date_whose_order_is_known(text, order, day):
    assert parse_date(text, order) == day


@pytest.mark.parametrize(
    ("text", "order", "code"),
    [
        ("2/1/2026", "", "date_order"),
        ("13/13/2026", DAY_FIRST, "bad_date"),
        ("2026-02-30", "", "bad_date"),
        ("2026-13-01", "", "bad_date"),
        ("2/1/26", DAY_FIRST, "bad_date"),
        ("2/1-2026", DAY_FIRST, "bad_date"),
        ("0202-01-05", "", "bad_year"),
        ("9999-01-05", "", "bad_year"),
        ("30000", "", "bad_year"),
        ("99999", "", "bad_date"),
        ("soon", "", "bad_date"),
    ],
)
def test_what_is_no_day_or_could_be_two_is_refused(text, order, code):
    with pytest.raises(ValueProblem) as caught:
        parse_date(text, order)
    assert caught.value.code == code


def test_one_date_tells_the_order_of_all():
    assert date_order(["7/4/1996", "7/16/1996"]) == MONTH_FIRST
    assert date_order(["7/4/1996", "16.7.1996"]) == DAY_FIRST
    assert date_order(["7/4/1996", "1996-07-16"]) == ""
    assert date_order(["16/7/1996", "7/16/1996"]) == ""


def test_months():
    assert {parse_month(t) for t in ("2026-03", "2026/3", "2026年3月", "202603", "2026-03-31")} == {
        date(2026, 3, 1)
    }
    with pytest.raises(ValueProblem):
        parse_month("March")
