"""`make run` as a person meets it, in a copy of this checkout with a var/ of its own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from channel_crm.local import ROOT
from embedded.servers import free_port

# One worker runs all of a file: they share a folder.
pytestmark = [pytest.mark.services, pytest.mark.xdist_group("run")]

# Enough for a slow machine; nobody waits that long on a sound one.
SECONDS = 300
# What the tests' own process is told and a person's shell would not be.
OURS = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """The sources, with the environment and the front-end files that are installed already."""
    copy = tmp_path_factory.mktemp("run") / "checkout"
    left_out = shutil.ignore_patterns(
        ".*", "var", "vendor", "__pycache__", "tests", "docs", "bench"
    )
    shutil.copytree(ROOT, copy, ignore=left_out)
    (copy / ".venv").symlink_to(Path(sys.prefix))
    for folder in ("vendor", "static/vendor"):
        (copy / folder).symlink_to(ROOT / folder)
    return copy


class Run:
    """One `make run`, without the installing."""

    def __init__(self, checkout: Path, **variables: str):
        env = {key: value for key, value in os.environ.items() if key not in OURS}
        self.port = int(variables.get("PORT") or free_port())
        self.output = checkout / f"output-{self.port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "channel_crm.run"],
            cwd=checkout,
            env=env | {"DEMO": "0", "PORT": str(self.port), "LOCAL": "1"} | variables,
            stdout=self.output.open("w"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def said(self) -> str:
        return self.output.read_text()

    def fails(self) -> str:
        """Wait for a start that must not succeed; its one line."""
        assert self.process.wait(SECONDS) == 1
        return self.said().strip()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + SECONDS
        while "is ready" not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)

    def open(self, path: str) -> int:
        with urllib.request.urlopen(f"http://localhost:{self.port}{path}", timeout=30) as answer:
            return answer.status

    def stop(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(SECONDS)


@pytest.fixture
def start(checkout):
    """Starts runs in the checkout; none of them outlives its test, also when it fails."""
    runs: list[Run] = []

    def begin(**variables: str) -> Run:
        runs.append(Run(checkout, **variables))
        return runs[-1]

    yield begin
    for run in runs:
        if run.process.poll() is None:
            run.stop(signal.SIGTERM)


def processes(checkout: Path) -> list[psutil.Process]:
    """Everything that works in the checkout: supervisor, parts, keepers and servers."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(checkout):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def part(checkout: Path, word: str) -> psutil.Process:
    """The oldest process with this word in its command line."""
    found = [process for process in processes(checkout) if word in process.cmdline()]
    return min(found, key=lambda process: process.create_time())


def wait_until(done) -> None:
    deadline = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def test_it_starts_mends_itself_and_leaves_nothing_behind(checkout, start):
    run = start()
    run.wait_until_ready()
    assert run.open("/healthz") == 200
    assert run.open("/readyz") == 200

    second = start()
    line = second.fails()
    assert line.startswith("error: Channel CRM already runs: http://localhost:")
    assert "\n" not in line

    wait_until(lambda: any("worker" in process.cmdline() for process in processes(checkout)))
    worker = part(checkout, "worker")
    worker.kill()
    wait_until(lambda: "worker | ended with status -9, starting it again" in run.said())

    assert run.stop(signal.SIGINT) == 0
    assert processes(checkout) == []


def test_a_signal_in_the_middle_of_starting_a_part_stops_all(tmp_path):
    """Python swallows what is raised in the hooks around a fork."""
    (tmp_path / "healthz").write_text("sound")
    script = tmp_path / "supervise.py"
    script.write_text(f"""
import os, signal, sys
from channel_crm.run import Part, Stopped, supervise

port = {free_port()}
web = Part("web", [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)])
worker = Part("worker", ["sleep", "1000"])
os.register_at_fork(
    after_in_parent=lambda: web.process and os.kill(os.getpid(), signal.SIGINT)
)
try:
    supervise(web, [worker], "127.0.0.1", port)
except Stopped:
    print(web.process.returncode, worker.process.returncode)
""")
    done = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == f"{-signal.SIGTERM} {-signal.SIGTERM}"


def test_after_its_supervisor_was_killed_it_starts_again(checkout, start):
    run = start()
    run.wait_until_ready()
    run.process.kill()
    run.process.wait()
    again = start(PORT=str(run.port))
    again.wait_until_ready()
    assert again.open("/healthz") == 200
    assert again.stop(signal.SIGTERM) == 0
    assert processes(checkout) == []


def test_a_taken_port_is_told_in_one_line(start):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = start(PORT=str(port)).fails()
    assert line == f"error: Port {port} is taken. Choose another: make run PORT={port + 1}"


def test_a_port_that_is_none_is_told_in_one_line(start):
    assert start(PORT="0").fails() == "error: PORT=0 is not a port number."


def test_a_database_that_does_not_answer_is_told_in_one_line(start):
    line = start(DATABASE_URL=f"postgres://crm@127.0.0.1:{free_port()}/crm").fails()
    assert line.startswith(
        "error: The database of DATABASE_URL cannot be used: connection to server"
    )
    assert "\n" not in line


def test_a_queue_that_does_not_answer_is_told_in_one_line(start):
    line = start(REDIS_URL=f"redis://127.0.0.1:{free_port()}/0").fails()
    assert line.startswith("error: The server of REDIS_URL (127.0.0.1) does not answer:")
    assert "\n" not in line


def test_make_says_what_to_do_about_an_old_python(checkout):
    said = subprocess.run(
        ["make", "-C", str(checkout), "run", "PYTHON="], capture_output=True, text=True
    )
    assert said.returncode == 2
    assert "Channel CRM needs Python 3.11 or newer." in said.stderr
