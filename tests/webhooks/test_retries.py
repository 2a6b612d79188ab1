"""When it is tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from core.webhooks import retries

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_ten_attempts_in_a_little_more_than_three_days():
    delays = [retries.delay(attempts, jitter=0) for attempts in range(1, 11)]
    assert [delay and delay / timedelta(minutes=1) for delay in delays] == [
        pytest.approx(5 / 60), 5, 30, 120, 300, 600, 840, 1200, 1440, None,
    ]  # fmt: skip
    total = sum(filter(None, delays), timedelta())
    assert timedelta(days=3) < total < timedelta(days=3, hours=4)


def test_jitter_adds_up_to_a_tenth():
    assert retries.delay(2, jitter=1) == timedelta(minutes=5, seconds=30)


def test_a_wish_counts_when_it_is_later_and_at_most_a_day():
    told = [
        retries.delay(2, jitter=0, wish=timedelta(seconds=seconds))
        for seconds in (1, 3600, 999_999)
    ]
    assert told == [timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("Sun, 01 Mar 2026 12:02:00 GMT", 120),
        ("Sun, 01 Mar 2026 12:02:00 -0000", 120),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("", 0),
        ("-5", 0),
        ("soon", 0),
        ("9" * 50, 0),
        ("Sun, 01 Mar 2026 12:02:00 +99999999999999999999", 0),
        ("１２", 0),
    ],
)
def test_retry_after_is_read(header, seconds):
    assert retries.wish(header, at=NOW) == timedelta(seconds=seconds)
