"""When to try again: the schedule of the Standard Webhooks convention, a little more than three
days in all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
# What waits together does not come back together: up to a tenth is added.
JITTER = 0.1
LONGEST_WISH = timedelta(hours=24)
# An endpoint that only failed for so long is disabled.
GIVE_UP_AFTER = timedelta(days=5)


def delay(attempts: int, *, jitter: float, wish: timedelta = timedelta()) -> timedelta | None:
    """How long to wait after that many failed attempts; None when that was the last.

    `jitter` is from 0 to 1; `wish` is what the endpoint asked for, granted up to a day.
    """
    if attempts > len(DELAYS):
        return None
    usual = DELAYS[attempts - 1] * (1 + JITTER * jitter)
    return max(usual, min(wish, LONGEST_WISH))


def wish(retry_after: str, *, at: datetime) -> timedelta:
    """The header Retry-After (seconds or a date) as a duration from `at`; zero if it says none."""
    text = retry_after.strip()
    if text.isdecimal() and text.isascii() and len(text) < 9:
        return timedelta(seconds=int(text))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return timedelta()
    if moment.tzinfo is None:  # "-0000": the date says no zone, HTTP says GMT
        moment = moment.replace(tzinfo=UTC)
    return max(moment - at, timedelta())
