"""The database stops, or the worker is killed, in the middle of a load; then it is loaded again.

A server of its own is stopped as a power cut would. Where the load stands at that moment is no
matter of luck: somebody else holds a lock that it needs there.
"""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest

from embedded.postgres import Postgres
from embedded.servers import is_alive
from tests.importing.test_load_sales import HEAD

pytestmark = [pytest.mark.services, pytest.mark.xdist_group("interrupted")]
ROOT = Path(__file__).resolve().parents[2]
LINES = 20_000
SETUP = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from tests import factories as make
make.make_partner(code="P-1"); make.make_product(code="A-1"); make.make_user(username="boss")
"""
# The page's way up to the queue, and the task as a worker gets it.
UPLOAD = """
import sys, django; django.setup()
from django.core.files.uploadedfile import SimpleUploadedFile
from accounts.models import User
from core.importing import services
from core.models import Job
from core.importing.models import Import
boss = User.objects.get(username="boss")
load = services.upload(
    file=SimpleUploadedFile("f.csv", open(sys.argv[1], "rb").read()), kind="sales", by=boss
)
job = Job.objects.create(kind="import", title="f.csv", created_by=boss)
load.job, load.state = job, Import.State.APPLYING
load.save()
print(job.pk, load.pk)
"""
WORK = """
import sys, django; django.setup()
from core.importing.tasks import apply_import
apply_import(int(sys.argv[1]), int(sys.argv[2]))
"""
# (the lock held by somebody else, what the load has done when it needs it)
CHECKED = "SELECT pg_advisory_lock(hashtext('sales.facts'))"
WRITTEN = "LOCK sales_salesdaily IN SHARE MODE"  # the rollup follows the lines


class Site:
    """A database server, a folder and the commands that use them."""

    def __init__(self, folder: Path):
        self.server, self.folder = Postgres(folder), folder
        self.server.folder.mkdir()
        self.file = folder / "sales.csv"
        rows = (f"R{i},P-1,A-1,2026-01-{1 + i % 28:02},1,{i}.25\n" for i in range(LINES))
        self.file.write_text(HEAD + "".join(rows))

    def start(self, *command: str) -> subprocess.Popen:
        environment = os.environ | {
            "DATABASE_URL": self.server.url(),
            "DJANGO_SETTINGS_MODULE": "channel_crm.settings",
            "MEDIA_ROOT": str(self.folder),
            "DEBUG": "1",
        }
        return subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *command: str) -> str:
        process = self.start(*command)
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, out + err
        return out

    def ask(self, sql: str) -> tuple:
        with psycopg2.connect(self.server.url()) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()

    def empty(self) -> None:
        with psycopg2.connect(self.server.url()) as connection, connection.cursor() as cursor:
            cursor.execute("TRUNCATE sales_salesfact, core_import, core_job CASCADE")

    def pull_the_plug(self) -> None:
        pid = self.server.pid()
        os.kill(pid, signal.SIGQUIT)  # "immediate": nothing is finished, nothing is flushed
        deadline = time.monotonic() + 20
        while is_alive(pid) and time.monotonic() < deadline:
            time.sleep(0.02)

    @contextmanager
    def held_up(self, lock: str, *command: str):
        """The process of a command that waits for a lock, which is held until the end."""
        holder = psycopg2.connect(self.server.url())
        holder.cursor().execute(lock)
        process = self.start(*command)
        try:
            while not self.ask("SELECT count(*) FROM pg_locks WHERE NOT granted")[0]:
                assert process.poll() is None, process.communicate()
                time.sleep(0.02)
            yield process
        finally:
            process.kill()
            process.communicate()
            holder.close()

    @contextmanager
    def unplugged(self, lock: str, *command: str):
        """The same, and the server stops while it waits."""
        with self.held_up(lock, *command) as process:
            self.pull_the_plug()
            yield process

    def state(self) -> tuple:
        """Lines, their sum, lines and sum of the rollup, imports."""
        return self.ask(
            """SELECT (SELECT count(*) FROM sales_salesfact),
                      (SELECT coalesce(sum(amount), 0)::text FROM sales_salesfact),
                      (SELECT coalesce(sum(lines), 0)::int FROM sales_salesdaily),
                      (SELECT coalesce(sum(net), 0)::text FROM sales_salesdaily),
                      (SELECT count(*)::int FROM core_import WHERE state = 'applied')"""
        )


TOTAL = f"{LINES * (LINES - 1) // 2 + LINES // 4}.0000"
NOTHING, EVERYTHING = (0, "0", 0, "0", 0), (LINES, TOTAL, LINES, TOTAL, 1)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("site"))
    site.server.start()
    site.run("-c", SETUP)
    yield site
    site.server.stop()


@pytest.fixture
def site(served):
    served.server.start()
    served.empty()
    return served


@pytest.mark.parametrize("lock", [CHECKED, WRITTEN], ids=["checked", "written"])
def test_a_database_that_stops_in_the_middle_of_a_load_keeps_nothing_of_it(site, lock):
    command = ("manage.py", "load", "sales", str(site.file))
    with site.unplugged(lock, *command) as loading:
        said, errors = loading.communicate(timeout=180)
        assert loading.returncode == 1, errors
        assert json.loads(said.splitlines()[-1])["error"] == "database_unreachable"
    site.server.start()
    assert site.state() == NOTHING
    assert json.loads(site.run(*command).splitlines()[-1])["created"] == LINES
    assert site.state() == EVERYTHING


def test_a_worker_whose_database_stops_tries_again(site):
    job, load = site.run("-c", UPLOAD, str(site.file)).split()
    with site.unplugged(WRITTEN, "-c", WORK, job, load) as worker:
        _said, errors = worker.communicate(timeout=180)
        assert "OperationalError" in errors  # which is what Celery tries again after
    site.server.start()
    assert site.state() == NOTHING
    site.run("-c", WORK, job, load)
    assert site.state() == EVERYTHING


def test_a_killed_worker_is_followed_by_another_that_loads_all_of_it_once(site):
    job, load = site.run("-c", UPLOAD, str(site.file)).split()
    with site.held_up(WRITTEN, "-c", WORK, job, load) as worker:
        worker.kill()
    while (
        site.ask("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")[0] > 1
    ):
        time.sleep(0.02)
    assert site.state() == NOTHING
    site.run("-c", WORK, job, load)  # the queue delivers it again
    assert site.state() == EVERYTHING
    assert site.ask("SELECT state FROM core_job") == ("done",)
