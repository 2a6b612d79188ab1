"""API clients of the demo network, with the calls of the days before `today`.

Nobody knows their secrets: who wants to call makes a client of their own.
"""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta

from django.utils import timezone

from accounts.api_clients import Rows, create_client
from accounts.models import ApiCall, ApiClient, Territory, User
from channel_crm.demo import regions

DAYS, CALLS_A_DAY = 14, 6
_ROOT = "/api/v1"
# (method, path, status, code, rows, weight)
_CALLS = (
    ("GET", f"{_ROOT}/partners/?page=1&page_size=200", 200, "", None, 30),
    ("GET", f"{_ROOT}/products/", 200, "", None, 10),
    ("POST", f"{_ROOT}/sales-facts/bulk/?results=rejected", 200, "", 480, 30),
    ("POST", "/api/token/", 200, "", None, 20),
    ("POST", f"{_ROOT}/partners/", 400, "invalid", None, 4),
    ("GET", f"{_ROOT}/partners/99/", 404, "not_found", None, 4),
    ("GET", f"{_ROOT}/sales-facts/?after=0", 429, "throttled", None, 2),
)


def make_clients(users: dict[str, User], today: date) -> None:
    """The company's ERP, a warehouse that knows one region, and reports that end soon."""
    by = users["admin"]
    erp = create_client(name="ERP", access="read write", by=by, username="erp", note="演示用")
    provinces = Territory.objects.filter(code__in=regions.SOUTH.provinces)
    create_client(
        name="华南仓库",
        access="read write",
        by=by,
        rows=Rows(territories=frozenset(provinces)),
        addresses=["203.0.113.0/24", "2001:db8:7::/48"],
        requests_per_minute=120,
        sandbox=True,
        note="试运行：先在沙箱中验证。",
    )
    day = today + timedelta(days=20)
    create_client(name="BI 报表", access="read", by=by, expires_on=day)
    _call(erp.client, today)


def _call(client: ApiClient, today: date) -> None:
    chance = random.Random("calls")
    days = [today - timedelta(days=age + 1) for age in range(DAYS) for _call in range(CALLS_A_DAY)]
    calls = [_one(client, day, chance) for day in days]
    ApiCall.objects.bulk_create(calls)
    last = max(call.at for call in calls)
    ApiClient.objects.filter(pk=client.pk).update(last_used_at=last)


def _one(client: ApiClient, day: date, chance: random.Random) -> ApiCall:
    kind = chance.choices(_CALLS, [call[-1] for call in _CALLS])[0]
    method, path, status, code, rows, _weight = kind
    moment = datetime.combine(day, time(chance.randrange(1, 23), chance.randrange(60)))
    return ApiCall(
        client=client,
        at=timezone.make_aware(moment) + timedelta(seconds=chance.randrange(60)),
        method=method,
        path=path,
        status=status,
        code=code,
        rows=rows and chance.randrange(rows // 2, rows),
        milliseconds=chance.randrange(300, 900) if rows else chance.randrange(6, 40),
        request_id=f"{chance.getrandbits(128):032x}",
        address="203.0.113.20",
    )
