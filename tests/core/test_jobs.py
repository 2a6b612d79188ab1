from datetime import timedelta

import pytest
from celery import shared_task
from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import gettext

from core import jobs
from core.errors import Conflict, DomainError
from core.models import Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def job():
    return Job.objects.create(kind="test", title="Test")


def test_a_job_keeps_its_result(job):
    with jobs.running(job.pk) as progress:
        progress.set(1, 4, "quarter")
        assert jobs.progress_of(job) == {"done": 1, "total": 4, "message": "quarter", "percent": 25}
        progress.finish({"rows": 4}, "/somewhere/")
    job.refresh_from_db()
    assert (job.state, job.result, job.result_url) == ("done", {"rows": 4}, "/somewhere/")
    assert job.started_at <= job.finished_at


def test_cancel_stops_the_work_at_its_next_word(job):
    with jobs.running(job.pk) as progress:
        jobs.cancel(job, by=None)
        progress.set(1, 2)
        pytest.fail("the work went on")
    job.refresh_from_db()
    assert job.state == "cancelled"


def test_a_waiting_job_is_cancelled_at_once_and_never_begins(job):
    jobs.cancel(job, by=None)
    job.refresh_from_db()
    assert job.state == "cancelled"
    with pytest.raises(Conflict), jobs.running(job.pk):
        pytest.fail("it ran")


def test_a_refusal_is_told_and_a_fault_is_raised_again(job):
    with jobs.running(job.pk):
        raise DomainError("no", "Not like this.")
    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", "Not like this.")
    other = Job.objects.create(kind="test", title="Other")
    with pytest.raises(ZeroDivisionError), jobs.running(other.pk):
        _ = 1 / 0
    other.refresh_from_db()
    assert other.state == "failed"


def test_a_task_delivered_twice_does_its_work_once(job):
    with jobs.running(job.pk):
        pass
    with pytest.raises(Conflict), jobs.running(job.pk):
        pytest.fail("it ran twice")


def test_an_ended_job_cannot_be_cancelled(job):
    with jobs.running(job.pk):
        pass
    with pytest.raises(Conflict):
        jobs.cancel(job, by=None)


def test_a_job_whose_worker_died_can_be_ended(job):
    Job.objects.filter(pk=job.pk).update(state="running")
    jobs.cancel(job, by=None)
    job.refresh_from_db()
    assert (job.state, job.finished_at is not None) == ("cancelled", True)


def test_messages_of_a_job_are_in_the_language_of_who_started_it(job):
    from tests.factories import make_user

    for language, message in (
        ("zh-hans", "该后台作业已经结束。"),
        ("en", "This job has already ended."),
    ):
        mine = Job.objects.create(
            kind="test", title="Mine", created_by=make_user(language=language)
        )
        with jobs.running(mine.pk):
            raise DomainError("x", gettext("This job has already ended."))
        mine.refresh_from_db()
        assert mine.error == message


def test_progress_of_unknown_length_has_no_percent(job):
    cache.delete(f"job-progress:{job.pk}")
    assert jobs.progress_of(job)["percent"] is None


@shared_task
def note(job_id, word):
    with jobs.running(job_id) as progress:
        progress.finish({"word": word})


def orphan(**fields):
    return Job.objects.create(
        kind="test", title="Lost", state="running", task=note.name, arguments=["hello"], **fields
    )


def test_a_job_that_lost_its_worker_is_taken_up_by_another(django_capture_on_commit_callbacks):
    job = orphan()
    with django_capture_on_commit_callbacks() as sent:
        assert jobs.resume_orphans() == [job]
    job.refresh_from_db()
    assert (job.state, job.losses, len(sent)) == ("queued", 1, 1)
    note(job.pk, *job.arguments)
    job.refresh_from_db()
    assert (job.state, job.result) == ("done", {"word": "hello"})
    assert jobs.resume_orphans() == []


def test_a_job_that_goes_on_keeps_its_worker():
    job = orphan()
    with jobs.running(job.pk):
        assert jobs.is_worked_on(job.pk)
        assert jobs.resume_orphans() == []
    assert not jobs.is_worked_on(job.pk)


def test_a_job_that_kills_its_workers_fails_at_last():
    job = orphan(losses=2)
    jobs.resume_orphans()
    job.refresh_from_db()
    assert (job.state, job.finished_at is not None) == ("failed", True)
    assert job.error == "Its worker was lost 3 times. Nothing was changed."


def test_a_job_that_is_delivered_again_at_once_fails_at_last_too():
    job = orphan(losses=1)
    note(job.pk, *job.arguments)
    job.refresh_from_db()
    assert (job.state, job.losses) == ("done", 2)
    job = orphan(losses=2)
    with pytest.raises(Conflict):
        note(job.pk, *job.arguments)
    job.refresh_from_db()
    assert (job.state, job.error) == (
        "failed",
        "Its worker was lost 3 times. Nothing was changed.",
    )


class Away:
    """A task whose queue is away."""

    name = note.name

    def delay(self, *_args):
        raise ConnectionError("Connection refused")


@pytest.fixture
def sent(monkeypatch):
    """What is sent to the queue: (task, arguments)."""
    found = []
    monkeypatch.setattr(jobs.current_app, "send_task", lambda *what: found.append(what))
    return found


def test_a_job_that_the_queue_did_not_take_or_lost_is_sent_again(
    sent, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        job = jobs.enqueue(Away(), "hello", kind="test", title="Waiting", by=None)
    assert jobs.resume_orphans() == []  # it may still be on its way
    Job.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert [jobs.resume_orphans() for _minute in range(3)] == [[job], [], []]
    assert sent == [(note.name, [job.pk, "hello"])]
    job.refresh_from_db()
    assert (job.state, job.losses) == ("queued", 0)


def test_a_job_that_was_just_handed_on_is_not_sent_twice(sent, django_capture_on_commit_callbacks):
    job = orphan()
    Job.objects.update(created_at=timezone.now() - timedelta(hours=1))
    with django_capture_on_commit_callbacks(execute=True):
        jobs.resume_orphans()
    jobs.resume_orphans()
    assert sent == [(note.name, [job.pk, "hello"])]


def test_the_task_of_a_job_that_is_ended_without_its_worker_is_told(
    sent, django_capture_on_commit_callbacks
):
    job = orphan()
    with django_capture_on_commit_callbacks(execute=True):
        jobs.cancel(job, by=None)
    assert sent == [(note.name, [job.pk, "hello"])]
