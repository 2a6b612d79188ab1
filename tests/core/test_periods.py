from datetime import date, timedelta

import pytest
from hypothesis import given, strategies as st

from core.errors import DomainError
from core.periods import KINDS, Period


@pytest.mark.parametrize(
    ("code", "fiscal_start", "start", "end"),
    [
        ("2013Q3", 1, "2013-07-01", "2013-10-01"),
        ("2013-09", 1, "2013-09-01", "2013-10-01"),
        ("2013", 1, "2013-01-01", "2014-01-01"),
        ("2013-12", 1, "2013-12-01", "2014-01-01"),
        ("2013", 4, "2013-04-01", "2014-04-01"),
        ("2013Q1", 4, "2013-04-01", "2013-07-01"),
        ("2013Q4", 4, "2014-01-01", "2014-04-01"),
        ("2024-02", 1, "2024-02-01", "2024-03-01"),
    ],
)
def test_periods_are_half_open(code, fiscal_start, start, end):
    period = Period.parse(code, fiscal_start)
    assert (str(period.start), str(period.end), period.code) == (start, end, code)


@pytest.mark.parametrize(
    "code", ["", "2013Q5", "2013-13", "2013-00", "13", "2013Q", "0202", "next", "２０13"]
)
def test_a_wrong_code_is_refused(code):
    with pytest.raises(DomainError) as caught:
        Period.parse(code)
    assert caught.value.code == "bad_period"


def test_neighbours():
    quarter = Period.parse("2013Q1")
    assert quarter.previous().code == "2012Q4"
    assert quarter.next().code == "2013Q2"
    assert quarter.year_ago().code == "2012Q1"
    assert [month.code for month in quarter.months()] == ["2013-01", "2013-02", "2013-03"]


@given(
    day=st.dates(date(1950, 1, 1), date(2150, 1, 1)),
    kind=st.sampled_from(KINDS),
    fiscal_start=st.integers(1, 12),
)
def test_each_day_lies_in_exactly_one_period_of_a_kind(day, kind, fiscal_start):
    period = Period.containing(kind, day, fiscal_start)
    assert day in period
    assert period.end - timedelta(days=1) in period
    assert period.end not in period
    assert Period.parse(period.code, fiscal_start) == period
    assert period.next().previous() == period
