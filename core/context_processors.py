"""What the frame of every page needs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from core import navigation
from core.views.base import is_partial


def frame(request: HttpRequest) -> dict[str, Any]:
    """Settings for the frame; what costs something is a function that only the frame calls."""
    return {
        "currency": settings.CURRENCY,
        "partial": is_partial(request),
        "data_day": navigation.data_day,
        "languages": settings.LANGUAGES,
    }
