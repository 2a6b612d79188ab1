"""The embedded servers: shared while anybody uses them, gone when nobody does, whatever happens."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg2
import pytest
import redis

from channel_crm import local
from embedded.postgres import Postgres
from embedded.servers import is_alive
from embedded.valkey import Valkey

# One worker runs all of a file: they share a folder.
pytestmark = [pytest.mark.services, pytest.mark.xdist_group("local")]

# A user of the servers: says where they are, stays until its input ends, or dies with it.
USER = """
import os, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from channel_crm import local
local.ensure(Path(sys.argv[2]))
print(os.environ["DATABASE_URL"], os.environ["REDIS_URL"], flush=True)
sys.stdin.read()
"""


class User:
    """A process that uses the servers of a folder."""

    def __init__(self, var: Path):
        env = {
            key: value
            for key, value in os.environ.items()
            if key not in ("DATABASE_URL", "REDIS_URL")
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(local.ROOT), str(var)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=env,
        )

    def urls(self) -> list[str]:
        return self.process.stdout.readline().split()

    def leave(self) -> None:
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("var")


@pytest.fixture
def var(folder):
    """A folder for servers of these tests' own, of which none runs before and after a test."""
    yield folder
    wait_until(lambda: server_pids(folder) == [] and keepers(folder) == [])


def wait_until(done, seconds=20):
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def server_pids(var: Path) -> list[int]:
    found = [server(var).pid() for server in (Postgres, Valkey) if (var / server.name).exists()]
    return [pid for pid in found if pid]


def query(url: str) -> int:
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS visits (number int)")
        cursor.execute("INSERT INTO visits VALUES (1)")
        cursor.execute("SELECT count(*) FROM visits")
        count = cursor.fetchone()[0]
    connection.close()
    return count


def test_users_share_the_servers_and_the_data_outlives_them(var):
    first, second = User(var), User(var)  # both start at once: one of them starts the servers
    urls = first.urls()
    assert second.urls() == urls
    pids = server_pids(var)
    assert len(pids) == 2
    visits = query(urls[0])
    redis.from_url(urls[1]).set("kept", "yes")
    first.leave()
    assert query(urls[0]) == visits + 1
    second.leave()
    wait_until(lambda: server_pids(var) == [])

    third = User(var)
    again = third.urls()
    assert again == urls
    assert query(again[0]) == visits + 2
    assert redis.from_url(again[1]).get("kept") == b"yes"
    third.leave()


def test_a_user_killed_outright_leaves_no_server(var):
    user = User(var)
    urls = user.urls()
    pids = server_pids(var)
    user.kill()
    wait_until(lambda: not any(is_alive(pid) for pid in pids))
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(urls[0])


def test_a_server_that_dies_is_started_again_at_the_same_address(var):
    user = User(var)
    urls = user.urls()
    visits = query(urls[0])
    for pid in server_pids(var):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: Postgres(var).answers() and Valkey(var).answers())
    assert query(urls[0]) == visits + 1
    assert redis.from_url(urls[1]).ping()
    user.leave()


def test_servers_whose_keeper_was_killed_are_taken_over(var):
    first = User(var)
    urls = first.urls()
    pids = server_pids(var)
    for pid in keepers(var):
        os.kill(pid, signal.SIGKILL)
    second = User(var)
    assert second.urls() == urls
    assert server_pids(var) == pids
    first.leave()
    second.leave()


def keepers(var: Path) -> list[int]:
    said = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True)
    lines = [line.split(None, 1) for line in said.stdout.splitlines()]
    return [int(pid) for pid, args in lines if "embedded.keeper" in args and str(var) in args]


def test_the_password_is_asked_for(var):
    user = User(var)
    database, cache = user.urls()
    place = database.rpartition("@")[2]
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(f"postgres://crm:wrong@{place}")
    with pytest.raises(redis.AuthenticationError):
        redis.from_url(f"redis://{cache.rpartition('@')[2]}").ping()
    assert (var / "postgres" / "url").stat().st_mode & 0o077 == 0
    user.leave()


def test_a_server_named_in_the_environment_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/db")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere/0")
    local.ensure(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can make a folder that others cannot enter"
)
def test_root_can_run_it_in_a_folder_nobody_else_may_enter(var):
    # pytest's folders are closed to others already; the server runs as another user.
    assert var.parent.stat().st_mode & 0o007 == 0
    user = User(var)
    urls = user.urls()
    assert (var / "postgres" / "data").stat().st_uid != 0
    assert query(urls[0])
    user.leave()
