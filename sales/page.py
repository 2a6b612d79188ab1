"""The tab of sales on the page of a partner."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from core.periods import Period
from partners.models import Partner
from sales import selectors
from sales.models import SalesKind


def partner_sales(request: HttpRequest, partner: Partner) -> dict[str, Any]:
    """The twelve months up to the last line: by month, and sell-in by product line."""
    day = selectors.last_day(partner)
    if day is None:
        return {"months": []}
    end = Period.containing("month", day).end
    start = end.replace(year=end.year - 1)
    return {
        "months": selectors.by_month(partner, start, end),
        "lines": selectors.by_line(partner, start, end, SalesKind.SELL_IN),
        "start": start,
        "last_day": day,
    }
