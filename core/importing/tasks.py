"""Thin Celery tasks: ids in, one service call."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from celery import shared_task
from django.db import InterfaceError, OperationalError
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from core import jobs
from core.errors import Conflict
from core.importing import engine, services
from core.importing.models import Import
from core.models import Job

# A database that is away comes back: tried again after 2, 4, 8 … seconds, for half an hour.
PATIENT: dict[str, Any] = {
    "autoretry_for": (InterfaceError, OperationalError),
    "retry_backoff": 2,
    "retry_backoff_max": 120,
    "max_retries": 20,
}


@shared_task(**PATIENT)
def check_import(job_id: int, import_id: int) -> None:
    """Check a file; delivered twice, it checks it again."""
    _run(job_id, import_id, services.check)


@shared_task(**PATIENT)
def apply_import(job_id: int, import_id: int) -> None:
    """Apply a file; delivered twice after a killed worker, it is applied once."""
    _run(job_id, import_id, services.apply, done=Import.State.APPLIED)


@shared_task(**PATIENT)
def undo_import(job_id: int, import_id: int) -> None:
    """Take an import back; delivered twice, once."""
    _run(job_id, import_id, services.undo, done=Import.State.UNDONE)


def _run(job_id: int, import_id: int, verb: Callable[..., Any], done: str = "") -> None:
    if jobs.is_worked_on(job_id):
        return
    load = Import.objects.select_related("created_by").get(pk=import_id)
    job = Job.objects.select_related("created_by").get(pk=job_id)
    with translation.override(job.created_by.language if job.created_by else None):
        if job.is_open:
            try:
                _work(load, job, verb, done)
            except Conflict:
                pass  # since we looked, another worker has begun it or ended it
            except Exception:
                services.fail(load=load, message=_("An unexpected error; nothing was changed."))
                raise
            job.refresh_from_db()
        _follow(load, job)


def _work(load: Import, job: Job, verb: Callable[..., Any], done: str) -> None:
    with jobs.running(job.pk) as progress:
        if load.state != done:  # else by a worker that was killed right after that
            verb(load=load, by=job.created_by, progress=_Paced(progress))
        counts = {name: getattr(load, name) for name in engine.COUNTS}
        progress.finish(counts, reverse("core:import_detail", args=[load.pk]))


def _follow(load: Import, job: Job) -> None:
    """The import fails with its job; also if the job ended where nobody could tell the import."""
    load.refresh_from_db()
    mine = load.job_id == job.pk and load.is_running
    if mine and job.state in (Job.State.FAILED, Job.State.CANCELLED):
        services.fail(load=load, message=job.error or _("The work was stopped."))


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
