"""The log of calls: one row for each request of a known client, kept for a month."""

from __future__ import annotations

import logging
import re
from datetime import date, datetime, timedelta

from django.core.cache import cache
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.api_models import MOST_OF_A_PATH, ApiCall, ApiClient
from core import context
from core.addresses import client_address

KEEP = timedelta(days=30)
# The last use of a client is written at most this often, however many calls there are.
_USE_SECONDS = 60
_SECRET = re.compile(r"(?i)([?&][^=&]*(?:token|secret|password|key)[^=&]*=)[^&]*")
_REFUSED = (401, 403, 429)
_log = logging.getLogger("channel_crm.api")


def keep_call(
    client: ApiClient, request: HttpRequest, response: HttpResponse, milliseconds: int
) -> None:
    """Log a call that was answered. What goes wrong here goes to the log of the server and never
    reaches the caller."""
    try:
        with transaction.atomic():
            ApiCall.objects.create(
                client=client,
                method=(request.method or "")[:10],
                path=without_secrets(request.get_full_path())[:MOST_OF_A_PATH],
                status=response.status_code,
                milliseconds=milliseconds,
                rows=getattr(response, "rows_written", None),
                request_id=context.current().request_id,
                address=client_address(request) or None,
                code=getattr(response, "problem_code", "")[:60],
                sandbox=getattr(request, "sandbox", False),
            )
        if response.status_code not in _REFUSED:
            _note_use(client)
    except Exception:
        _log.exception("The call could not be logged.")


def without_secrets(path: str) -> str:
    """A path with its query; parameters whose name tells of a secret lose their value."""
    return _SECRET.sub(r"\1…", path)


def forget(*, at: datetime) -> int:
    """Delete the calls that were kept for long enough at the time `at`; how many there were."""
    return ApiCall.objects.filter(at__lte=at - KEEP).delete()[0]


def _note_use(client: ApiClient) -> None:
    if cache.add(f"api-client-used:{client.pk}", True, _USE_SECONDS):
        ApiClient.objects.filter(pk=client.pk).update(last_used_at=timezone.now())


def recent_calls(
    client: ApiClient, *, hundreds: int | None = None, day: date | None = None
) -> QuerySet:
    """The calls of a client, newest first: those with a status of 2xx, 4xx … and of a local day."""
    calls = client.calls.order_by("-at", "-id")
    if hundreds:
        calls = calls.filter(status__gte=hundreds * 100, status__lt=hundreds * 100 + 100)
    if day:
        start = timezone.make_aware(datetime.combine(day, datetime.min.time()))
        calls = calls.filter(at__gte=start, at__lt=start + timedelta(days=1))
    return calls
