"""Thin Celery tasks of the accounts."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from accounts import api_auth, api_calls


@shared_task
def forget_calls() -> None:
    """Delete the calls of the API that were kept for long enough, and the tokens that ended."""
    now = timezone.now()
    api_calls.forget(at=now)
    api_auth.forget_tokens(at=now)
