"""Thin Celery tasks: ids in, one service call."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from celery import shared_task
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from core import jobs
from core.errors import DomainError
from core.importing import services
from core.importing.models import Import
from core.models import Job

COUNTS = ("rows", "created", "updated", "unchanged", "rejected")


@shared_task
def check_import(job_id: int, import_id: int) -> None:
    """Check a file; delivered twice, it checks it again."""
    _run(job_id, import_id, services.check)


@shared_task
def apply_import(job_id: int, import_id: int) -> None:
    """Apply a file; delivered twice after a killed worker, the transaction began anew."""
    if Import.objects.filter(pk=import_id, state=Import.State.APPLIED).exists():
        return
    _run(job_id, import_id, services.apply)


def _run(job_id: int, import_id: int, verb: Callable[..., Any]) -> None:
    load = Import.objects.select_related("created_by").get(pk=import_id)
    by = Job.objects.select_related("created_by").get(pk=job_id).created_by
    with translation.override(by.language if by else None):
        failure = _("The work was stopped.")
        try:
            with jobs.running(job_id) as progress:
                try:
                    verb(load=load, by=by, progress=_Paced(progress))
                except DomainError as error:
                    failure = str(error.message)
                    raise
                counts = {name: getattr(load, name) for name in COUNTS}
                progress.finish(counts, reverse("core:import_detail", args=[load.pk]))
        except Exception:
            services.fail(load=load, message=_("An unexpected error; nothing was changed."))
            raise
    state = Job.objects.values_list("state", flat=True).get(pk=job_id)
    if state in (Job.State.FAILED, Job.State.CANCELLED):
        services.fail(load=load, message=failure)


class _Paced:
    """Progress at most twice a second: blocks of a file come by the hundred."""

    def __init__(self, progress: jobs.Progress) -> None:
        self._progress, self._next = progress, 0.0

    def __call__(self, done: int, total: int | None = None, message: str = "") -> None:
        self._at_times(self._progress.set, done, total, message)

    def show(self, done: int, total: int | None = None, message: str = "") -> None:
        self._at_times(self._progress.show, done, total, message)

    def _at_times(self, tell: Callable[..., None], *what: Any) -> None:
        if time.monotonic() >= self._next:
            tell(*what)
            self._next = time.monotonic() + 0.5
