"""Let the demo happen in the past: what is written is stamped with the moment it is played."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time

from django.utils import timezone

from core import context


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Django's clock stands at `moment` in the body, and so does that of the history. For one
    thread alone: a command."""
    real = timezone.now
    timezone.now = lambda: moment
    try:
        with context.use(source=context.current().source, at=moment):
            yield
    finally:
        timezone.now = real


def office_hours(day: date, rng: random.Random) -> datetime:
    """A moment of that day when people are at work, in the installation's time zone."""
    return timezone.make_aware(
        datetime.combine(day, time(rng.randrange(9, 18), rng.randrange(60), rng.randrange(60)))
    )


def early(day: date, hour: int = 2) -> datetime:
    """A moment of that day when machines are at work."""
    return timezone.make_aware(datetime.combine(day, time(hour)))
