"""Long work that a person can watch and stop.

The row says what it is and how it ended. While it runs, progress is written to the cache, because
the work itself may be one long transaction whose writes nobody sees before its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from core import context, locks
from core.errors import Conflict, DomainError
from core.models import Job

if TYPE_CHECKING:
    from celery import Task

_KEEP = 24 * 3600
# After so many seconds a waiting job is sent to the queue again.
_SENT_FOR = 600
# A job that has lost so many workers probably kills them.
MOST_LOSSES = 3


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
        cache.set(_key(self.job.pk), {"done": done, "total": total, "message": message}, _KEEP)

    def finish(self, result: dict[str, Any], url: str = "") -> None:
        """What the job page shows at the end: `result` as JSON and a page to go to."""
        self.job.result, self.job.result_url = result, url


def enqueue(task: Task, *args: Any, kind: str, title: str, by: Any) -> Job:
    """Make the job row and hand `task(job_id, *args)` to a worker once the transaction commits.
    Where the queue does not take it, `resume_orphans` does so later."""
    job = Job.objects.create(
        kind=kind, title=title[:200], created_by=by, task=task.name, arguments=list(args)
    )
    transaction.on_commit(lambda: task.delay(job.pk, *args), robust=True)
    return job


def is_worked_on(job_id: int) -> bool:
    """Whether a worker is at it. What is delivered a second time meanwhile has nothing to do."""
    return locks.is_held(_lock_name(job_id))


def resume_orphans() -> list[Job]:
    """Hand running jobs whose worker was killed to another worker, as their tasks do their work
    once however often they are delivered. A job that has lost its third worker fails; its task is
    told by the state of the job. Those that have waited for long are sent to the queue again, which
    may have lost them. Returns the jobs."""
    long_ago = timezone.now() - timedelta(seconds=_SENT_FOR)
    waiting = Job.objects.filter(state=Job.State.QUEUED, created_at__lt=long_ago).exclude(task="")
    resent = [job for job in waiting if _send_again(job)]
    running = Job.objects.filter(state=Job.State.RUNNING).exclude(task="")
    return resent + [job for job in running if _resume(job.pk)]


def _send_again(job: Job) -> bool:
    if cache.get(_sent_key(job.pk)):
        return False
    _send(job)
    return True


def _send(job: Job) -> None:
    current_app.send_task(job.task, [job.pk, *job.arguments])
    cache.set(_sent_key(job.pk), True, _SENT_FOR)


@transaction.atomic
def _resume(job_id: int) -> bool:
    job = Job.objects.select_for_update().get(pk=job_id)
    if job.state != Job.State.RUNNING or is_worked_on(job_id):
        return False
    if _lose_worker(job):
        job.state = Job.State.QUEUED
    job.save()
    transaction.on_commit(lambda: _send(job))
    return True


def _lose_worker(job: Job) -> bool:
    """Count a lost worker; whether there may be another one. Else the job has failed."""
    job.losses += 1
    if job.losses < MOST_LOSSES:
        return True
    job.state, job.finished_at = Job.State.FAILED, timezone.now()
    with translation.override(_language_of(job)):
        job.error = _("Its worker was lost %d times. Nothing was changed.") % job.losses
    return False


@contextmanager
def running(job_id: int) -> Iterator[Progress]:
    """Run the body as this job: state, times, result or error are kept whatever happens.

    One that has ended, or that another worker is at, is refused with Conflict, so that a task
    delivered twice does its work once. A DomainError or an unexpected exception marks the job
    failed; only the latter is raised again.
    """
    with locks.hold(_lock_name(job_id)):
        yield from _running(job_id)


def _running(job_id: int) -> Iterator[Progress]:
    job = _start(job_id)
    progress = Progress(job)
    try:
        with context.use(source="task"), translation.override(_language_of(job)):
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
    """Ask a job to stop. One that waits, or whose worker was killed, ends at once. Conflict when
    the job has already ended."""
    with transaction.atomic():
        row = Job.objects.select_for_update().get(pk=job.pk)
        if not row.is_open:
            raise Conflict("job_ended", _("This job has already ended."))
        row.cancel_requested = True
        if row.state == Job.State.QUEUED or not is_worked_on(row.pk):
            if row.state == Job.State.RUNNING and row.task:
                # Its message may come back in hours, and what waits for its end is told by it.
                transaction.on_commit(lambda: _send(row))
            row.state, row.finished_at = Job.State.CANCELLED, timezone.now()
        row.save()


def _start(job_id: int) -> Job:
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job_id)
        if job.is_open:
            # Of one that runs the worker is dead, as we have its lock: the queue was quicker to
            # deliver it again than the beat.
            if job.state == Job.State.QUEUED or _lose_worker(job):
                job.state, job.started_at = Job.State.RUNNING, timezone.now()
            job.save()
    if not job.is_open:
        raise Conflict("job_ended", _("This job has already ended."))
    return job


def _end(job: Job, state: Job.State, error: str = "") -> None:
    job.state, job.error, job.finished_at = state, error, timezone.now()
    job.save(update_fields=["state", "error", "finished_at", "result", "result_url"])


def _language_of(job: Job) -> str:
    """Messages are for who started the job."""
    return getattr(job.created_by, "language", settings.LANGUAGE_CODE)


def _lock_name(job_id: int) -> str:
    return f"core:job:{job_id}"


def _sent_key(job_id: int) -> str:
    return f"job-sent:{job_id}"


def _key(job_id: int) -> str:
    return f"job-progress:{job_id}"
