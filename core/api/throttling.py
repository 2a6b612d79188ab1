"""How often one caller may ask: a counter a window in the cache."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpResponse
from rest_framework.throttling import BaseThrottle

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Spent:
    """Where a caller stands in its window: `used` of `limit` requests, `seconds` until the next."""

    limit: int
    used: int
    seconds: float

    @property
    def exceeded(self) -> bool:
        return self.used > self.limit

    def tell(self, response: HttpResponse) -> None:
        """Say it in the headers of the response."""
        response["RateLimit-Limit"] = str(self.limit)
        response["RateLimit-Remaining"] = str(max(0, self.limit - self.used))
        response["RateLimit-Reset"] = str(int(self.seconds) + 1)


def spend(caller: str, rate: str) -> Spent | None:
    """Count one request of `caller` against `rate` ("1200/min"); None: there is no limit ("")."""
    if not rate:
        return None
    limit, _slash, unit = rate.partition("/")
    seconds = _SECONDS[unit[0]]
    window, passed = divmod(time.time(), seconds)
    key = f"api-rate:{caller}:{int(window)}"
    try:
        used = cache.incr(key)
    except ValueError:  # the first of the window
        cache.add(key, 1, seconds + 1)
        used = 1
    return Spent(int(limit), used, seconds - passed)


class UserThrottle(BaseThrottle):
    """At most `settings.API_RATE` requests a window and user. What is left goes to
    `request.spent`."""

    spent: Spent | None = None

    def caller(self, request: Any) -> str:
        """Whose requests are counted together."""
        return f"user:{request.user.pk}"

    def rate(self, request: Any) -> str:
        """How many that may be."""
        return settings.API_RATE

    def allow_request(self, request: Any, view: Any) -> bool:
        if not request.user.is_authenticated:
            return True
        self.spent = spend(self.caller(request), self.rate(request))
        request._request.spent = self.spent
        return self.spent is None or not self.spent.exceeded

    def wait(self) -> float | None:
        return self.spent.seconds if self.spent else None
