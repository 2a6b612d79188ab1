"""`Idempotency-Key`: a request that is sent again is answered again, not done again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from core.errors import Conflict, DomainError
from core.models import KeptAnswer

HEADER, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"
# The headers that belong to an answer; the others are made for each.
KEPT_HEADERS = ("Location", "Preference-Applied")
KEEP = timedelta(days=7)
KEY = r"^[!-~]{1,200}$"


class KeyReused(DomainError):
    """The key came before with another request."""

    status = 422

    def __init__(self) -> None:
        super().__init__(
            "idempotency_key_reused",
            _("This idempotency key was used for another request. Take a new key for each."),
        )


def once(request: Any, body_sha256: str, answer: Callable[[], HttpResponse]) -> HttpResponse:
    """`answer()`; under a key that its caller sent before, what was answered then.

    The answer is kept in the transaction of what `answer` writes: both are there or neither. One
    that is raised is not kept, so that the request may be tried again. Raises Conflict
    `request_running` while the first is being answered, KeyReused when that was another request.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return answer()
    if not re.fullmatch(KEY, key):
        message = _("Send 1 to 200 visible ASCII characters.")
        raise ValidationError({HEADER: [message]}, "invalid")
    fingerprint = _fingerprint(request, body_sha256)
    with transaction.atomic():
        # The second look finds what was kept between the first one and the lock.
        kept = _kept(request.user, key)
        if kept is None:
            _lock(request.user, key)
            kept = _kept(request.user, key)
        if kept is not None:
            return _again(kept, fingerprint)
        response = answer()
        _keep(request.user, key, fingerprint, response)
    return response


def forget(*, at: datetime) -> int:
    """Delete the answers that were kept for long enough at the time `at`; how many there were."""
    return KeptAnswer.objects.filter(created_at__lte=at - KEEP).delete()[0]


def _fingerprint(request: Any, body_sha256: str) -> str:
    """The same for the same request, packed or not: gzip writes the time into what it packs."""
    parts = (request.method, request.get_full_path(), request.content_type, body_sha256)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _kept(caller: Any, key: str) -> KeptAnswer | None:
    fresh = timezone.now() - KEEP
    return KeptAnswer.objects.filter(caller=caller, key=key, created_at__gt=fresh).first()


def _lock(caller: Any, key: str) -> None:
    """Until the end of the transaction, also when the worker is killed."""
    name = f"idempotency:{caller.pk}:{key}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [name])
        if not cursor.fetchone()[0]:
            message = _("The first request with this key is still running. Ask again in a moment.")
            raise Conflict("request_running", message)


def _again(kept: KeptAnswer, fingerprint: str) -> HttpResponse:
    if kept.fingerprint != fingerprint:
        raise KeyReused
    return HttpResponse(
        bytes(kept.body),
        status=kept.status,
        content_type=kept.content_type,
        headers={**kept.headers, REPLAYED: "true"},
    )


def _keep(caller: Any, key: str, fingerprint: str, response: HttpResponse) -> None:
    """In place of an answer of that key that has expired, if there is one."""
    row = KeptAnswer(
        caller=caller,
        key=key,
        fingerprint=fingerprint,
        status=response.status_code,
        content_type=response.headers["Content-Type"],
        headers={name: response[name] for name in KEPT_HEADERS if name in response},
        body=response.content,
    )
    KeptAnswer.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["caller", "key"],
        update_fields=["fingerprint", "status", "content_type", "headers", "body", "created_at"],
    )
