"""A worker killed in the middle of a backtest, of closing ratings, of the late check: nothing is
half done, and the work is taken up once. With real processes on committed rows."""

from datetime import date
from decimal import Decimal

import pgtrigger
import pytest
from django.apps import apps
from django.db import connection, transaction

from accounts.models import User
from core import jobs, locks
from core.errors import Conflict
from core.models import Event, Job
from core.periods import Period
from performance import services, tasks
from performance.backtest.services import backtest
from performance.models import BacktestReport, Evaluation, LateCheck, ScoreChange
from performance.models.evaluations import run_key
from performance.services import draft_version
from sales.models import SalesFact
from tests.performance.network import TODAY
from tests.performance.staged import PERIOD, give, make_staged, run
from tests.performance.test_killed import (
    kill,
    other_session,
    remove,
    start_command,
    wait_until,
)

CLOSES = date(2013, 10, 11)
DO = "import django; django.setup(); from datetime import date; {code}"


@pytest.fixture
def there(django_db_setup, django_db_blocker):
    """The network with a scheme, in rows that other processes see; taken away afterwards."""
    with django_db_blocker.unblock():
        before = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        staged = make_staged()
        try:
            yield staged
        finally:
            with pgtrigger.ignore():
                for model in ("BacktestReport", "LateCheck", "ScoreChange", "Rating", "Rater"):
                    apps.get_model(f"performance.{model}").objects.all().delete()
                Job.objects.all().delete()
                for draft in staged.version.scheme.versions.filter(number=2):
                    draft.items.all().delete()
                    draft.delete()
            remove(staged.version, before)
            User.objects.filter(username__in=("d1", "d2", "m1", "m2")).delete()
            connection.close()


def is_waiting(table):
    """Whether a session of this database, not of those of other tests, waits for a table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database AS here ON here.oid = database "
            "WHERE NOT granted AND here.datname = current_database() AND relation = %s::regclass",
            [table],
        )
        return cursor.fetchone()[0] > 0


def kill_before_it_writes(table, code):
    """Run `code` in a process of its own up to where it writes to `table`, and kill it there."""
    blocker = other_session()
    blocker.cursor().execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
    process = start_command("-c", DO.format(code=code))
    try:
        wait_until(lambda: is_waiting(table))
    finally:
        kill(process)
        blocker.close()
    wait_until(lambda: not is_waiting(table) and not locks.is_held(run_key("staged", PERIOD)))


def take_up(task, pk):
    """The beat finds the job, a worker does it; the same message again does nothing."""
    [job] = Job.objects.filter(state="running")
    wait_until(lambda: not jobs.is_worked_on(job.pk))
    assert jobs.resume_orphans() == [job]
    job.refresh_from_db()
    assert (job.state, job.losses) == ("queued", 1)
    task(job.pk, pk)
    job.refresh_from_db()
    assert (job.state, job.error) == ("done", "")
    with pytest.raises(Conflict) as again:
        task(job.pk, pk)
    assert again.value.code == "job_ended"
    assert jobs.resume_orphans() == []
    return job


def told(verb):
    return Event.objects.filter(verb=f"performance.{verb}").count()


def test_a_backtest_is_killed(there):
    draft = draft_version(scheme=there.version.scheme, by=None)
    draft.items.filter(code="sales").update(weight=Decimal(70))
    draft.items.filter(code="service").update(weight=Decimal(30))
    kill_before_it_writes(
        "performance_backtestresult",
        "from performance.models import SchemeVersion as V; "
        "from performance.backtest.services import request_backtest; "
        f"request_backtest(draft=V.objects.get(pk={draft.pk}), "
        f"against=V.objects.get(pk={there.version.pk}), first='2013Q2', last='2013Q3', by=None, "
        "on=date(2014, 2, 1))",
    )
    row = BacktestReport.objects.get()
    assert (row.state, row.digest, row.results.count(), told("backtestreport.computed")) == (
        *("running", ""),
        *(0, 0),
    )
    take_up(tasks.run_backtest, row.pk)
    row.refresh_from_db()
    periods = [Period.parse("2013Q2"), Period.parse("2013Q3")]
    expected = backtest(draft=draft, against=there.version, periods=periods)
    assert (row.state, row.digest, row.results.count()) == ("done", expected.digest, 4)
    assert (BacktestReport.objects.count(), told("backtestreport.computed")) == (1, 1)


def rated(there):
    """An evaluation that both managers have rated partner A in."""
    evaluation = run()
    for manager, mark in ((there.manager, 4), (there.second, 5)):
        give(evaluation, there.partners["A"], manager, mark)
    return evaluation


def close():
    return (
        "from performance.services import close_due_ratings; "
        f"close_due_ratings(on=date({CLOSES.year}, {CLOSES.month}, {CLOSES.day}))"
    )


def points(evaluation):
    score = evaluation.scores.get(partner__code="A")
    return [(row["code"], row["points"]) for row in score.items]


def test_killed_while_ratings_are_being_closed(there):
    evaluation = rated(there)
    before = (evaluation.digest, points(evaluation))
    with transaction.atomic():
        Job.objects.all().delete()
    kill_before_it_writes("core_job", close())
    evaluation.refresh_from_db()
    assert (evaluation.state, evaluation.ratings_closed_at) == ("rating", None)
    assert (evaluation.digest, points(evaluation)) == before
    assert (Job.objects.count(), told("evaluation.close_ratings")) == (0, 0)
    assert services.close_due_ratings(on=CLOSES) == [evaluation]  # the next beat
    evaluation.refresh_from_db()
    assert (evaluation.state, points(evaluation)) == (
        "review",
        [("sales", "100.0000"), ("service", "87.5000")],
    )
    assert services.close_due_ratings(on=CLOSES) == []
    assert (Job.objects.count(), told("evaluation.close_ratings")) == (1, 1)


def test_killed_while_the_closed_ratings_are_computed(there):
    evaluation = rated(there)
    computed = told("evaluation.computed")
    before = (evaluation.digest, points(evaluation))
    kill_before_it_writes("performance_score", close())
    evaluation.refresh_from_db()
    assert (evaluation.state, evaluation.ratings_closed_at is None) == ("running", False)
    assert (evaluation.digest, points(evaluation)) == before
    with pytest.raises(Conflict):  # nobody rates into it meanwhile
        give(evaluation, there.partners["B"], there.manager, 3)
    take_up(tasks.run_evaluation, evaluation.pk)
    evaluation.refresh_from_db()
    assert (evaluation.state, points(evaluation)) == (
        "review",
        [("sales", "100.0000"), ("service", "87.5000")],
    )
    assert evaluation.scores.count() == 4
    assert told("evaluation.computed") == computed + 1
    assert told("evaluation.close_ratings") == 1
    assert services.close_due_ratings(on=CLOSES) == []


@pytest.mark.parametrize("table", ["performance_score", "performance_scorechange"])
def test_the_late_check_is_killed(there, table):
    evaluation = run(on=TODAY, publish=True)
    before = list(evaluation.scores.order_by("pk").values())
    fact = SalesFact.objects.filter(partner=there.partners["B"]).first()
    SalesFact.objects.filter(pk=fact.pk).update(amount=fact.amount + 5000)
    SalesFact.objects.filter(pk=fact.pk).update(recorded_at="2090-01-01T00:00Z")
    kill_before_it_writes(
        table,
        "from performance.models import Evaluation as E; "
        "from performance.services import request_late_check; "
        f"request_late_check(evaluation=E.objects.get(pk={evaluation.pk}), by=None)",
    )
    assert Evaluation.objects.get() == evaluation
    assert list(evaluation.scores.order_by("pk").values()) == before
    assert (LateCheck.objects.count(), ScoreChange.objects.count()) == (0, 0)
    assert told("evaluation.checked") == 0
    job = take_up(tasks.check_late, evaluation.pk)
    check = LateCheck.objects.get()
    assert (check.lines, check.changed) == (1, ScoreChange.objects.count())
    assert ScoreChange.objects.filter(partner=there.partners["B"], revision=None).count() == 1
    assert job.result == {"late lines": 1, "scores that would change": check.changed}
    assert told("evaluation.checked") == 1
    assert Evaluation.objects.get() == evaluation
    assert list(evaluation.scores.order_by("pk").values()) == before
