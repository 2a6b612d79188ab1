"""Long work that a person can watch and stop.

The row says what it is and how it ended. While it runs, progress is written to the cache, because
the work itself may be one long transaction whose writes nobody sees before its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from core import context
from core.errors import Conflict, DomainError
from core.models import Job

if TYPE_CHECKING:
    from celery import Task

_KEEP = 24 * 3600
# A worker that has said nothing for so many seconds is taken for dead when somebody cancels.
_SILENCE = 300


class JobCancelled(Exception):
    """Somebody asked the job to stop; the work rolls back."""


class Progress:
    """Handed to the work: tell how far it is, learn whether to stop."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def set(self, done: int, total: int | None = None, message: str = "") -> None:
        """`done` of `total` (None: unknown) units; raises JobCancelled when that was asked."""
        self.show(done, total, message)
        if Job.objects.filter(pk=self.job.pk, cancel_requested=True).exists():
            raise JobCancelled

    def show(self, done: int, total: int | None = None, message: str = "") -> None:
        """The same without asking the database, for when its connection is busy (COPY)."""
        _show_alive(self.job.pk)
        cache.set(_key(self.job.pk), {"done": done, "total": total, "message": message}, _KEEP)

    def finish(self, result: dict[str, Any], url: str = "") -> None:
        """What the job page shows at the end: `result` as JSON and a page to go to."""
        self.job.result, self.job.result_url = result, url


def enqueue(task: Task, *args: Any, kind: str, title: str, by: Any) -> Job:
    """Make the job row and hand `task(job_id, *args)` to a worker once the transaction commits."""
    job = Job.objects.create(kind=kind, title=title[:200], created_by=by)
    transaction.on_commit(lambda: task.delay(job.pk, *args))
    return job


@contextmanager
def running(job_id: int) -> Iterator[Progress]:
    """Run the body as this job: state, times, result or error are kept whatever happens.

    A job that was cancelled before it began raises JobCancelled; one that has ended is refused with
    Conflict, so that a task delivered twice does its work once. A DomainError or an unexpected
    exception marks the job failed; only the latter is raised again.
    """
    job = _start(job_id)
    progress = Progress(job)
    try:
        with context.use(source="task"), translation.override(_language_of(job)):
            _show_alive(job.pk)
            yield progress
    except JobCancelled:
        _end(job, Job.State.CANCELLED)
    except DomainError as error:
        _end(job, Job.State.FAILED, str(error.message))
    except Exception:
        _end(job, Job.State.FAILED, _("An unexpected error; nothing was changed."))
        raise
    else:
        _end(job, Job.State.DONE)


def progress_of(job: Job) -> dict[str, Any]:
    """{done, total, message, percent} of a running job; percent is None without a total."""
    found = cache.get(_key(job.pk)) or {"done": 0, "total": None, "message": ""}
    total = found["total"]
    return {**found, "percent": min(100, found["done"] * 100 // total) if total else None}


def cancel(job: Job, *, by: Any) -> None:
    """Ask a job to stop. One that waits, or whose worker has not been heard of for a while, ends
    at once; should the worker be alive after all, what it reports at its end counts. Conflict when
    the job has already ended."""
    with transaction.atomic():
        row = Job.objects.select_for_update().get(pk=job.pk)
        if not row.is_open:
            raise Conflict("job_ended", _("This job has already ended."))
        row.cancel_requested = True
        if row.state == Job.State.QUEUED or not cache.get(_alive_key(row.pk)):
            row.state, row.finished_at = Job.State.CANCELLED, timezone.now()
        row.save()


@transaction.atomic
def _start(job_id: int) -> Job:
    job = Job.objects.select_for_update().get(pk=job_id)
    if not job.is_open:
        raise Conflict("job_ended", _("This job has already ended."))
    job.state, job.started_at = Job.State.RUNNING, timezone.now()
    job.save()
    return job


def _end(job: Job, state: Job.State, error: str = "") -> None:
    job.state, job.error, job.finished_at = state, error, timezone.now()
    job.save(update_fields=["state", "error", "finished_at", "result", "result_url"])


def _language_of(job: Job) -> str:
    """Messages are for who started the job."""
    return getattr(job.created_by, "language", settings.LANGUAGE_CODE)


def _show_alive(job_id: int) -> None:
    cache.set(_alive_key(job_id), True, _SILENCE)


def _alive_key(job_id: int) -> str:
    return f"job-alive:{job_id}"


def _key(job_id: int) -> str:
    return f"job-progress:{job_id}"
