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
from core.models import Event, Job
from performance.models import Evaluation, Scheme, Score
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
            _remove(version, before)


def _remove(version, before):
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
    lines = apps.get_model("catalog.ProductLine").objects
    lines.filter(parent__isnull=False).delete()
    lines.all().delete()
    apps.get_model("accounts.Territory").objects.all().delete()
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


def start_run():
    settings = connection.settings_dict
    password = f":{settings['PASSWORD']}" if settings["PASSWORD"] else ""
    url = f"postgres://{settings['USER']}{password}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"
    return subprocess.Popen(
        [sys.executable, "manage.py", "evaluate", "seven", "2013Q3", "--language", "en"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        stdout=subprocess.PIPE,
        text=True,
    )


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
