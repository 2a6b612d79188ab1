"""The way of an evaluation from computing to being final, with its windows."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import jobs, workflow
from core.errors import Blocked, Conflict
from core.models import Event, Job
from performance.models import Evaluation, Rater
from performance.models.evaluations import stage_of
from performance.process import pages
from performance.services import (
    close_due_ratings,
    evaluate,
    publish_evaluation,
    resume_orphans,
)
from performance.tasks import tick
from tests import factories as make
from tests.performance.network import make_network, make_scheme
from tests.performance.staged import PERIOD, SOON, give, make_staged, run

pytestmark = pytest.mark.django_db
fire = workflow.fire


def test_from_computing_to_final(django_capture_on_commit_callbacks):
    staged = make_staged()
    evaluation = run()
    assert (evaluation.state, evaluation.rating_before) == ("rating", date(2013, 10, 11))
    for partner in staged.partners.values():
        give(evaluation, partner, staged.manager, 3)
        give(evaluation, partner, staged.second, 4)
    with django_capture_on_commit_callbacks(execute=True):
        fire(evaluation, "close_ratings", by=staged.director, on=SOON)
    evaluation.refresh_from_db()
    # The worker computes on the day of today, on which the window would be over long ago.
    expected = timezone.localdate() + timedelta(days=20)
    assert (evaluation.state, evaluation.review_before) == ("review", expected)
    score = evaluation.scores.get(partner=staged.partners["D"])
    service = next(item for item in score.items if item["code"] == "service")
    assert (service["value"], service["points"]) == ("3.500000", "62.5000")
    published = fire(evaluation, "publish", by=staged.director, on=date(2013, 10, 15))
    assert (published.published_by, published.appeal_before) == (
        staged.director,
        date(2013, 10, 25),
    )
    stages = [published.stage(date(2013, 10, day)) for day in (15, 24, 25)]
    assert stages == ["appeal", "appeal", "final"]


@pytest.mark.parametrize(
    ("days", "on", "ends"),
    [
        (10, date(2013, 10, 6), date(2013, 10, 11)),  # ten days: the first to the tenth
        (10, date(2013, 10, 10), date(2013, 10, 11)),
        (10, date(2013, 10, 11), date(2013, 10, 21)),  # too late for it: the whole window
        (20, date(2014, 2, 1), date(2014, 2, 21)),
    ],
)
def test_when_a_window_ends(days, on, ends):
    evaluation = Evaluation(ends_before=date(2013, 10, 1))
    assert evaluation.window_ends(days, on) == ends


@pytest.mark.parametrize(
    ("windows", "state"),
    [
        ({}, "rating"),
        ({"rating_days": 0}, "review"),
        ({"rating_days": 0, "review_days": 0}, "computed"),
    ],
)
def test_only_the_stages_of_the_version(windows, state):
    make_staged(**windows)
    assert run().state == state


def test_without_windows_it_is_computed_then_published():
    make_network()
    make_scheme()
    evaluation = evaluate(scheme_code="seven", period=PERIOD, by=None, on=SOON)
    assert evaluation.state == "computed"
    published = publish_evaluation(evaluation=evaluation, by=None, on=SOON)
    assert (published.stage(SOON), published.appeal_before) == ("published", None)


def test_before_the_end_of_the_period_nothing_is_opened():
    make_staged()
    assert run(on=date(2013, 9, 30)).state == "computed"
    assert run().state == "rating"


def test_the_beat_closes_ratings_once(django_capture_on_commit_callbacks):
    make_staged()
    evaluation = run()
    assert close_due_ratings(on=date(2013, 10, 10)) == []
    with django_capture_on_commit_callbacks(execute=True):
        [closed] = close_due_ratings(on=date(2013, 10, 11))
        assert close_due_ratings(on=date(2013, 10, 11)) == []
    assert closed == evaluation
    evaluation.refresh_from_db()
    assert evaluation.state == "review"
    assert Event.objects.filter(verb="performance.evaluation.close_ratings").count() == 1
    assert Job.objects.filter(kind="evaluation").count() == 1


def test_the_tick_does_all_of_it(django_capture_on_commit_callbacks):
    make_staged()
    run()
    with django_capture_on_commit_callbacks(execute=True):
        tick()
    assert Evaluation.objects.get().state == "review"


def test_ratings_can_be_opened_again():
    staged = make_staged()
    evaluation = run()
    fire(evaluation, "close_ratings", by=staged.director, on=SOON)
    Evaluation.objects.update(state="review", review_before=date(2013, 10, 20))
    with pytest.raises(Blocked) as blocked:
        fire(evaluation, "open_ratings", by=staged.director, on=SOON)
    assert [problem.code for problem in blocked.value.problems] == ["reason_required"]
    opened = fire(
        evaluation, "open_ratings", by=staged.director, on=date(2013, 10, 12), reason="Too few"
    )
    assert (opened.state, opened.rating_before) == ("rating", date(2013, 10, 22))
    give(opened, staged.partners["A"], staged.manager, 3)
    assert opened.ratings.count() == 1


def test_who_may_not_move_it():
    staged = make_staged()
    evaluation = run()
    for name in ("close_ratings", "compute_again"):
        with pytest.raises(PermissionDenied):
            fire(evaluation, name, by=staged.manager, on=SOON)
    with pytest.raises(Conflict):
        publish_evaluation(evaluation=evaluation, by=staged.director, on=SOON)


def test_computing_again_stays_in_the_stage(django_capture_on_commit_callbacks):
    staged = make_staged(rating_days=0)
    evaluation = run()
    with django_capture_on_commit_callbacks(execute=True):
        fire(evaluation, "compute_again", by=staged.director, on=SOON)
    evaluation.refresh_from_db()
    assert (evaluation.state, evaluation.review_before) == ("review", date(2013, 10, 21))


def test_a_job_that_was_stopped_is_not_taken_up_again():
    staged = make_staged(rating_days=0)
    evaluation = fire(run(), "compute_again", by=staged.director, on=SOON)
    jobs.cancel(evaluation.job, by=staged.director)
    later = timezone.now() + timedelta(minutes=3)
    assert resume_orphans(now=later) == []
    evaluation.refresh_from_db()
    assert (evaluation.state, Job.objects.filter(kind="evaluation").count()) == ("failed", 1)
    assert resume_orphans(now=later) == []


def test_the_bar_of_stages():
    staged = make_staged()
    evaluation = run()
    found = pages.steps(evaluation, evaluation.stage(SOON))
    assert [(step.state) for step in found] == ["done", "now", "next", "next", "next", "next"]
    assert "2013-10-10" in found[1].note
    assert "2013-10-20" in found[2].note
    assert staged.version.appeal_days == 10


def test_raters_are_asked_when_ratings_open():
    staged = make_staged()
    make.make_user("sales_manager", username="stranger")
    evaluation = run()
    run()
    raters = Rater.objects.filter(evaluation=evaluation).values_list("user__username", flat=True)
    assert list(raters) == [staged.manager.username, staged.second.username]


def test_the_list_tells_the_stage_with_one_query(client, cast):
    """Of each: its state, and of what is published whether it is over, by the same rule as the
    page."""
    client.force_login(cast.director, backend="accounts.backends.RoleBackend")

    def queries():
        with CaptureQueriesContext(connection) as captured:
            client.get("/performance/evaluations/")
        return len(captured)

    open_one = make.make_published(cast.north_partner)
    queries()
    one = queries()
    none = make.make_evaluation(state="published")
    over = make.make_evaluation(state="published", appeal_before=date(2026, 5, 1))
    waits = make.make_evaluation(state="published", appeal_before=date(2026, 5, 1))
    old = make.make_evaluation(state="published", appeal_before=date(2130, 1, 1))
    make.make_appeal(cast.north_partner, evaluation=waits)
    make.make_evaluation(state="published", version=old.scheme_version, revision=2)
    review = make.make_evaluation(state="review", review_before=date(2030, 1, 1))
    on = date(2026, 6, 1)
    found = dict(Evaluation.objects.values_list("pk", stage_of(on)))
    expected = {
        open_one: "appeal",
        none: "published",
        over: "final",
        waits: "appeal",
        old: "superseded",
        review: "review",
    }
    assert {row: found[row.pk] for row in expected} == expected
    assert {row: Evaluation.objects.get(pk=row.pk).stage(on) for row in expected} == expected
    assert queries() == one
    export = client.get("/performance/evaluations/export/")
    lines = b"".join(export.streaming_content).decode("utf-8-sig").splitlines()
    assert len(lines) == 1 + Evaluation.objects.count()
    assert sum("Superseded" in line or "已被取代" in line for line in lines) == 1
