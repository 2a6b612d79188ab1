"""A year of data over the API while the web server, the worker and the database are killed.

What is in the books at the end is what the ERP has booked, each line once, and its sums.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import psycopg2
import pytest

from embedded.postgres import Postgres
from embedded.servers import free_port, is_alive
from embedded.valkey import Valkey
from tests.survival.erp import WEEKS, Connection, Erp, push, totals

pytestmark = [pytest.mark.services, pytest.mark.xdist_group("interrupted")]
ROOT = Path(__file__).resolve().parents[2]
SETUP = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from tests import factories as make
make.make_territory(code="LAND"); make.make_product_line(code="THINGS")
"""


class Site:
    """A database, a queue and a web server of their own."""

    def __init__(self, folder: Path):
        self.folder, self.port = folder, free_port()
        self.postgres, self.valkey = Postgres(folder), Valkey(folder)
        self.web: subprocess.Popen | None = None
        for server in (self.postgres, self.valkey):
            server.folder.mkdir()
            server.start()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *command: str) -> subprocess.Popen:
        environment = os.environ | {
            "DATABASE_URL": self.postgres.url(),
            "REDIS_URL": self.valkey.url(),
            "DJANGO_SETTINGS_MODULE": "channel_crm.settings",
            "MEDIA_ROOT": str(self.folder),
            "DEBUG": "1",
            "ALLOWED_HOSTS": "127.0.0.1",
            "API_RATE": "100000/min",
            "API_TOKEN_RATE": "100000/min",
        }
        return subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def run(self, *command: str) -> str:
        process = self.start(*command)
        said, _nothing = process.communicate(timeout=180)
        assert process.returncode == 0, said
        return said

    def start_web(self) -> None:
        self.web = self.start(
            "-m", "gunicorn", "channel_crm.wsgi", "--bind", f"127.0.0.1:{self.port}",
            "-c", "python:channel_crm.gunicorn",
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.web.poll() is None, self.web.communicate()
            try:
                urllib.request.urlopen(self.base + "/healthz", timeout=5)
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the web server does not answer")

    def kill_web(self) -> None:
        """Master and workers at once, whatever they are doing."""
        if self.web and self.web.poll() is None:
            os.killpg(self.web.pid, signal.SIGKILL)
            self.web.communicate()

    def pull_the_plug(self) -> None:
        pid = self.postgres.pid()
        os.kill(pid, signal.SIGQUIT)
        deadline = time.monotonic() + 20
        while is_alive(pid) and time.monotonic() < deadline:
            time.sleep(0.02)

    def ask(self, sql: str) -> list[tuple]:
        with psycopg2.connect(self.postgres.url()) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def stop(self) -> None:
        self.kill_web()
        self.valkey.stop()
        self.postgres.stop()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("year"))
    try:
        site.run("-c", SETUP)
        site.start_web()
        yield site
    finally:
        site.stop()


@contextmanager
def trouble(site: Site, seed: int):
    """Something that kills the web server or the database now and then, from a thread of its own,
    so that it strikes in the middle of a request."""
    stop, draw, done = threading.Event(), random.Random(seed), []

    def strike() -> None:
        while not stop.wait(draw.uniform(0.5, 3)):
            what = draw.choice(["web", "web", "database"])
            if what == "web":
                site.kill_web()
                site.start_web()
            else:
                site.pull_the_plug()
                site.postgres.start()
            done.append(what)

    thread = threading.Thread(target=strike)
    thread.start()
    try:
        yield done
    finally:
        stop.set()
        thread.join()


def connected(site, name):
    said = site.run("manage.py", "api_client", name, "--scopes", "read", "write")
    made = json.loads(said.splitlines()[-1])
    return Connection(site.base, made["client_id"], made["client_secret"])


def test_a_year_arrives_whole_and_once(site):
    erp = Erp()
    connection = connected(site, "erp")
    with trouble(site, seed=3) as struck:
        push(erp, connection)
    assert len(struck) >= 3, struck
    assert connection.tries > 2 * WEEKS + 2  # some requests had to be sent again

    booked = {
        row["reference"]: (
            *(row[name] for name in ("partner", "product", "occurred_on")),
            *(Decimal(row[name]) for name in ("quantity", "amount")),
        )
        for row in erp.sales.values()
    }
    found = site.ask(
        """SELECT f.reference, p.code, a.code, f.occurred_on::text, f.quantity, f.amount
             FROM sales_salesfact f JOIN partners_partner p ON p.id = f.partner_id
             JOIN catalog_product a ON a.id = f.product_id"""
    )
    assert {reference: tuple(rest) for reference, *rest in found} == booked
    assert len(found) == len(booked)
    paid = site.ask("SELECT reference, paid_on::text, due_on::text, amount FROM sales_payment")
    assert {reference: tuple(rest) for reference, *rest in paid} == {
        row["reference"]: (row["paid_on"], row["due_on"], Decimal(row["amount"]))
        for row in erp.payments.values()
    }
    assert site.ask(
        """SELECT partner_id, day, kind, product_line_id, lines, net, returns, quantity
             FROM sales_salesdaily ORDER BY 1, 2, 3, 4"""
    ) == site.ask(
        """SELECT f.partner_id, f.occurred_on, f.kind, p.product_line_id, count(*)::int,
                  sum(f.amount), coalesce(sum(f.amount) FILTER (WHERE f.amount < 0), 0),
                  sum(f.quantity)
             FROM sales_salesfact f JOIN catalog_product p ON p.id = f.product_id
            GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"""
    )
    for total in totals(erp):
        answer = connection.post("/api/v1/control-totals/", total)
        assert answer["matches"], answer


ROWS = 60_000
RESUME = "import django; django.setup(); from core.jobs import resume_orphans; resume_orphans()"


def wait_for(what, seconds=90):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def test_a_killed_worker_is_followed_by_another_that_loads_all_of_it_once(site):
    connection = connected(site, "large")
    connection.send("/api/v1/products/bulk/", Erp().products(), "products-large")
    connection.send("/api/v1/partners/bulk/", Erp().partners(), "partners-large")
    rows = [
        {
            "source": "large", "reference": f"L{n}", "partner": f"F{n % 20:03}",
            "product": f"X{n % 30:03}", "occurred_on": "2025-06-01", "quantity": 1, "amount": n,
        }
        for n in range(ROWS)
    ]  # fmt: skip
    load = connection.send("/api/v1/sales-facts/bulk/", rows, "large")
    assert load["state"] == "applying"

    def state():
        return site.ask(
            f"""SELECT j.state, j.losses, i.state,
                       (SELECT count(*) FROM sales_salesfact WHERE source = 'large')
                  FROM core_import i JOIN core_job j ON j.id = i.job_id WHERE i.id = {load["id"]}"""
        )[0]

    worker = ("-m", "celery", "-A", "channel_crm", "worker", "--concurrency=1", "--loglevel=ERROR")
    first = site.start(*worker)
    wait_for(lambda: state()[0] == "running")
    time.sleep(random.Random(11).uniform(0.2, 0.8))
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    assert state() == ("running", 0, "applying", 0)
    second = site.start(*worker)
    try:
        wait_for(lambda: site.run("-c", RESUME) is not None and state()[1] == 1)  # as the beat does
        wait_for(lambda: state()[0] == "done")
    finally:
        os.killpg(second.pid, signal.SIGKILL)
        second.communicate()
    assert state() == ("done", 1, "applied", ROWS)
    total = site.ask("SELECT sum(net), sum(lines) FROM sales_salesdaily WHERE day = '2025-06-01'")
    booked = site.ask(
        "SELECT sum(amount), count(*) FROM sales_salesfact WHERE occurred_on = '2025-06-01'"
    )
    assert total == booked
