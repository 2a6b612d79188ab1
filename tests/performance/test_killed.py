"""Two runs at once, and a worker killed in the middle: with real processes on committed rows."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pgtrigger
import psycopg2
import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from core import locks
from core.errors import Conflict
from core.jobs import JobCancelled
from core.models import Event, Job
from performance import sharding
from performance.models import Evaluation, EvaluationShard, Scheme, Score
from performance.services import evaluate, resume_orphans, run_key
from tests.performance.network import TODAY, make_network, make_scheme

ROOT = Path(__file__).parents[2]
KEY = run_key("seven", "2013Q3")


@pytest.fixture
def committed(django_db_setup, django_db_blocker):
    """Rows that other processes see; taken away afterwards, the frozen ones too."""
    with django_db_blocker.unblock():
        before = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        make_network()
        version = make_scheme()
        try:
            yield version
        finally:
            remove(version, before)


def remove(version, before):
    with pgtrigger.ignore():
        Evaluation.objects.filter(scheme=version.scheme).delete()
        version.items.all().delete()
        version.delete()
        Scheme.objects.filter(pk=version.scheme_id).delete()
        Event.objects.filter(pk__gt=before).delete()
    Job.objects.filter(kind="evaluation").delete()
    for label in (
        "sales.Target",
        "sales.SalesFact",
        "partners.Partner",
        "catalog.Product",
    ):
        apps.get_model(label).objects.all().delete()
    for label in ("catalog.ProductLine", "accounts.Territory"):
        tree = apps.get_model(label).objects
        tree.filter(parent__isnull=False).delete()
        tree.all().delete()
    connection.close()


def other_session():
    settings = connection.settings_dict
    return psycopg2.connect(
        dbname=settings["NAME"],
        user=settings["USER"],
        password=settings["PASSWORD"] or None,
        host=settings["HOST"],
        port=settings["PORT"] or None,
    )


def start_command(*arguments, **environment):
    settings = connection.settings_dict
    password = f":{settings['PASSWORD']}" if settings["PASSWORD"] else ""
    url = f"postgres://{settings['USER']}{password}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            **environment,
        },
        stdout=subprocess.PIPE,
        text=True,
    )


def start_run(**environment):
    command = ("manage.py", "evaluate", "seven", "2013Q3", "--language", "en")
    return start_command(*command, **environment)


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


@pytest.fixture
def stuck(committed):
    """A run in another process that has begun and waits for a table before it can write."""
    blocker = other_session()
    blocker.cursor().execute("LOCK TABLE performance_score IN EXCLUSIVE MODE")
    process = start_run()
    try:
        wait_until(lambda: locks.is_held(KEY) and Evaluation.objects.exists())
        yield process, blocker
    finally:
        blocker.close()
        process.kill()
        process.wait()
        wait_until(lambda: not locks.is_held(KEY))


def test_started_twice_at_once(stuck):
    process, blocker = stuck
    with pytest.raises(Conflict) as caught:
        evaluate(scheme_code="seven", period="2013Q3", by=None, on=TODAY)
    assert caught.value.code == "already_running"
    blocker.rollback()
    output, _ = process.communicate(timeout=60)
    evaluation = Evaluation.objects.get()
    assert process.returncode == 0
    assert f'"evaluation": {evaluation.pk}, "partners": 4' in output
    assert (evaluation.state, evaluation.scores.count()) == ("computed", 4)


def test_killed_in_the_middle(stuck, django_capture_on_commit_callbacks):
    process, blocker = stuck
    process.send_signal(signal.SIGKILL)
    process.wait()
    blocker.rollback()
    wait_until(lambda: not locks.is_held(KEY))
    evaluation = Evaluation.objects.get()
    assert (evaluation.state, Score.objects.count()) == ("running", 0)
    resume_orphans(now=timezone.now() + timedelta(minutes=3))
    evaluation.refresh_from_db()
    assert (evaluation.state, evaluation.scores.count()) == ("computed", 4)
    assert (
        evaluate(scheme_code="seven", period="2013Q3", by=None, on=TODAY).digest
        == evaluation.digest
    )


# --- in shards -----------------------------------------------------------------------------

# As tests/performance/test_engine_split.py has it for the same network and scheme.
DIGEST = "f76309c6844bba77021f3e2586cc47f0c5d3c2ed2118e32b52d2d783e72cb9d2"
HELP = "import django; django.setup(); from performance import sharding; print({call})"
ONE_EACH = {"EVALUATION_SHARD": "1", "EVALUATION_HELPERS": "0"}


def start_helper():
    """Another worker, asked to help with the evaluation there is."""
    call = f"sharding.help_with({Evaluation.objects.get().pk})"
    return start_command("-c", HELP.format(call=call))


def is_taken(number):
    key = EvaluationShard.objects.filter(number=number).values_list("pk", flat=True).first()
    return key is not None and locks.is_held(f"performance:shard:{key}")


@pytest.fixture
def shards(committed):
    """A coordinator and two helpers in processes of their own. Each has taken a shard of one
    partner, the coordinator the first, and waits for a table that it must read."""
    blocker = other_session()
    blocker.cursor().execute("LOCK TABLE sales_target IN ACCESS EXCLUSIVE MODE")
    processes = [start_run(**ONE_EACH)]
    try:
        for number in range(3):
            wait_until(lambda number=number: is_taken(number))
            if number < 2:
                processes.append(start_helper())
        yield processes, blocker
    finally:
        blocker.close()
        for process in processes:
            process.kill()
            process.wait()
        wait_until(lambda: not locks.is_held(KEY))


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def finish(process):
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return output


def the_result():
    evaluation = Evaluation.objects.get()
    assert not EvaluationShard.objects.exists()
    return evaluation.state, evaluation.scores.count(), evaluation.digest


def test_three_workers_give_what_one_gives(shards):
    (run, *helpers), blocker = shards
    blocker.rollback()
    assert DIGEST in finish(run)
    helped = [int(finish(helper)) for helper in helpers]
    assert (all(helped), sum(helped) <= 3) == (True, True)
    assert the_result() == ("computed", 4, DIGEST)


def test_a_helper_is_killed(shards):
    (run, first, second), blocker = shards
    kill(first)
    blocker.rollback()
    assert DIGEST in finish(run)
    assert int(finish(second)) >= 1
    assert the_result() == ("computed", 4, DIGEST)


@pytest.mark.parametrize("size", [1, 10_000])
def test_the_coordinator_is_killed(size, shards, settings):
    settings.EVALUATION_SHARD = size  # of whoever takes it up again
    (run, first, second), blocker = shards
    kill(run)
    blocker.rollback()
    # What they had taken they finish; for another shard there is no snapshot any more.
    assert [int(finish(first)), int(finish(second))] == [1, 1]
    wait_until(lambda: not locks.is_held(KEY))
    assert (Evaluation.objects.get().state, Score.objects.count()) == ("running", 0)
    assert EvaluationShard.objects.filter(result=None).count() == 2
    resume_orphans(now=timezone.now() + timedelta(minutes=3))
    assert the_result() == ("computed", 4, DIGEST)


def test_facts_that_come_while_it_runs_are_seen_by_no_shard(shards):
    (run, *helpers), blocker = shards
    blocker.cursor().execute("UPDATE sales_target SET amount = amount * 2")
    blocker.commit()
    assert DIGEST in finish(run)
    for helper in helpers:
        finish(helper)
    assert the_result() == ("computed", 4, DIGEST)


def test_cancelled_between_shards(committed, settings):
    settings.EVALUATION_SHARD, settings.EVALUATION_HELPERS = 1, 0

    def stop(done, total, message):
        if done == 2:
            raise JobCancelled

    with pytest.raises(JobCancelled):
        evaluate(scheme_code="seven", period="2013Q3", by=None, on=TODAY, progress=stop)
    assert the_result() == ("failed", 0, "")


def test_helpers_are_asked_through_the_queue(committed, settings):
    settings.EVALUATION_SHARD, told = 1, []
    evaluation = evaluate(
        scheme_code="seven",
        period="2013Q3",
        by=None,
        on=TODAY,
        progress=lambda done, total, message: told.append((done, total)),
    )
    assert (evaluation.digest, told[-1]) == (DIGEST, (4, 5))
    assert the_result() == ("computed", 4, DIGEST)
    assert sharding.help_with(evaluation.pk) == 0
