"""Schedules start what is due, once; runs that lost their worker are taken up again."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from core import locks
from core.models import Job
from performance.models import Evaluation, EvaluationSchedule
from performance.services import (
    evaluate,
    request_evaluation,
    resume_orphans,
    run_key,
    start_due,
)
from performance.tasks import run_evaluation
from tests.performance.network import TODAY, make_network, make_scheme

pytestmark = pytest.mark.django_db


@pytest.fixture
def schedule():
    make_network()
    version = make_scheme()
    return EvaluationSchedule.objects.create(scheme=version.scheme, every="quarter", days_after=5)


@pytest.mark.parametrize(
    ("on", "period"),
    [
        (date(2013, 10, 5), "2013Q2"),  # the fifth day after the end has not come yet
        (date(2013, 10, 6), "2013Q3"),
        (date(2014, 1, 5), "2013Q3"),
        (date(2014, 1, 6), "2013Q4"),
    ],
)
def test_what_is_due(schedule, on, period):
    [evaluation] = start_due(on=on)
    assert evaluation.period_code == period
    assert start_due(on=on) == []


def test_started_computed_and_watched(schedule, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        [evaluation] = start_due(on=date(2013, 10, 6))
    evaluation.refresh_from_db()
    assert (evaluation.state, evaluation.partner_count) == ("computed", 4)
    assert (evaluation.job.state, evaluation.job.result["digest"]) == ("done", evaluation.digest)


def test_not_again_when_somebody_was_first(schedule):
    evaluate(scheme_code="seven", period="2013Q3", by=None, on=TODAY)
    assert start_due(on=date(2013, 10, 6)) == []
    schedule.refresh_from_db()
    assert schedule.last_period == "2013Q3"


def test_inactive_schedules_rest(schedule):
    EvaluationSchedule.objects.update(active=False)
    assert start_due(on=TODAY) == []


def test_a_task_delivered_twice_works_once(schedule, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        job = request_evaluation(scheme=schedule.scheme, period="2013Q3", by=None, on=TODAY)
    evaluation = Evaluation.objects.get()
    Job.objects.filter(pk=job.pk).update(state="running")
    run_evaluation(job.pk, evaluation.pk)
    again = Evaluation.objects.get()
    assert (again.computed_at, again.digest) == (evaluation.computed_at, evaluation.digest)


def test_lost_runs_are_taken_up_again(schedule, django_capture_on_commit_callbacks):
    request_evaluation(scheme=schedule.scheme, period="2013Q3", by=None, on=TODAY)
    assert resume_orphans(now=timezone.now()) == []  # handed out a moment ago
    later = timezone.now() + timedelta(minutes=3)
    with django_capture_on_commit_callbacks(execute=True):
        [evaluation] = resume_orphans(now=later)
    evaluation.refresh_from_db()
    assert (evaluation.state, evaluation.job.state) == ("computed", "done")
    assert resume_orphans(now=later + timedelta(hours=1)) == []


def test_lock_is_seen_while_held():
    key = run_key("seven", "2013Q3")
    with locks.hold(key):
        assert locks.is_held(key)
        assert not locks.is_held(run_key("seven", "2013Q4"))
    assert not locks.is_held(key)
