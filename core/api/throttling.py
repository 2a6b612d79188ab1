"""How often one user may ask: a counter a window in the cache."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.throttling import BaseThrottle

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class UserThrottle(BaseThrottle):
    """At most `settings.API_RATE` ("1200/min"; empty: no limit) requests a window and user."""

    def allow_request(self, request: Any, view: Any) -> bool:
        if not settings.API_RATE or not request.user.is_authenticated:
            return True
        allowed, _slash, unit = settings.API_RATE.partition("/")
        seconds = _SECONDS[unit[0]]
        window, passed = divmod(time.time(), seconds)
        self.left = seconds - passed
        key = f"api-rate:{request.user.pk}:{int(window)}"
        try:
            return cache.incr(key) <= int(allowed)
        except ValueError:  # the first of the window
            cache.add(key, 1, seconds + 1)
            return True

    def wait(self) -> float:
        return self.left
