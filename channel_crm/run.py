"""`make run`: the whole program on this machine under one supervisor.

Starts the embedded servers where no others are given, then the web server, which first brings the
database up to date, then the worker and the beat, and keeps them running until Ctrl-C. Nothing it
started outlives it.
"""

import contextlib
import ctypes
import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import IO
from urllib.parse import urlsplit

from channel_crm import local

STOP_SECONDS = 15
# A part that ends by itself is started again, unless it never lives long.
SOUND_AFTER_SECONDS = 60
SHORT_LIVES = 3
PR_SET_PDEATHSIG = 1
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_asked_to_stop = False


class Failed(Exception):
    """What a person has to read and can do something about."""


class Stopped(Exception):
    """Ctrl-C, SIGTERM or a closed terminal."""


def die_with_parent() -> None:
    """On Linux, be told to stop when the supervisor is killed outright."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Part:
    """One program under the supervisor."""

    def __init__(self, name: str, command: list[str]):
        self.name = name
        self.command = command
        self.process: subprocess.Popen | None = None
        self.started_at = 0.0
        self.short_lives = 0

    def start(self) -> None:
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the supervisor; it stops the parts in order
            preexec_fn=die_with_parent,
        )
        threading.Thread(target=self._print, args=(self.process.stdout,), daemon=True).start()

    def _print(self, output: IO[bytes]) -> None:
        for line in output:
            print(f"{self.name:6} | {line.decode(errors='replace').rstrip()}", flush=True)

    def ended(self) -> int | None:
        return self.process.poll() if self.process else None

    def keep_going(self) -> None:
        """Start it again when it has ended; raises Failed when it does so again and again."""
        if self.ended() is None:
            return
        lived = time.monotonic() - self.started_at
        self.short_lives = self.short_lives + 1 if lived < SOUND_AFTER_SECONDS else 0
        if self.short_lives > SHORT_LIVES:
            raise Failed(f"{self.name} keeps ending (status {self.ended()}); its words are above.")
        print(f"{self.name:6} | ended with status {self.ended()}, starting it again", flush=True)
        self.start()

    def signal(self, number: signal.Signals, *, group: bool = False) -> None:
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                (os.killpg if group else os.kill)(self.process.pid, number)

    def stop(self, deadline: float) -> None:
        """Wait for the end after a SIGTERM; what is left of it then is killed."""
        if self.process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(max(0, deadline - time.monotonic()))
            self.signal(signal.SIGKILL, group=True)
            self.process.wait()


def parts(host: str, port: int) -> list[Part]:
    """Web server, worker and beat, as docker-compose.yml runs them."""
    python = sys.executable
    # Being root is fine here: a bare machine or a container may have nobody else.
    celery = [python, "-W", "ignore:You're running the worker with superuser", "-m", "celery"]
    celery += ["-A", "channel_crm", "--quiet"]
    schedule = str(local.VAR / "celerybeat-schedule")
    return [
        Part(
            "web",
            [python, "-m", "channel_crm.web", "channel_crm.wsgi", "--bind", f"{host}:{port}"]
            + ["-c", "python:channel_crm.gunicorn"],
        ),
        Part("worker", [*celery, "worker", "--concurrency=2", "--loglevel=WARNING"]),
        Part(
            "beat", [*celery, "beat", "--loglevel=WARNING", "--pidfile=", f"--schedule={schedule}"]
        ),
    ]


def read_port() -> int:
    text = os.environ.get("PORT", "8000")
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise Failed(f"PORT={text} is not a port number.")
    return int(text)


def lock_run(address: str) -> IO:
    """Hold `var/run.lock` for as long as we run. Raises Failed when another run holds it."""
    local.VAR.mkdir(mode=0o700, exist_ok=True)
    file = (local.VAR / "run.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        raise Failed(
            f"Channel CRM already runs: {file.read().strip()}. Use it, or stop it first."
        ) from None
    file.truncate(0)
    file.write(f"{address} (process {os.getpid()})")
    file.flush()
    return file


def check_port(host: str, port: int) -> None:
    """Raises Failed when something listens there. Waits a moment for a run that is just ending."""
    for _attempt in range(30):
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((host, port))
                return
            except PermissionError:
                raise Failed(
                    f"Port {port} needs root. Choose one above 1023: make run PORT=8001"
                ) from None
            except OSError:
                time.sleep(0.1)
    raise Failed(f"Port {port} is taken. Choose another: make run PORT={port + 1}")


def check_servers() -> None:
    """Raises Failed when a server that was named in the environment does not answer."""
    import psycopg2
    import redis

    database, cache = os.environ.get("DATABASE_URL"), os.environ.get("REDIS_URL")
    if database:
        try:
            psycopg2.connect(database, connect_timeout=5).close()
        except psycopg2.Error as error:
            reason = str(error).strip().splitlines()[0]
            raise Failed(f"The database of DATABASE_URL cannot be used: {reason}") from None
    if cache:
        try:
            redis.from_url(cache, socket_connect_timeout=5).ping()
        except (redis.RedisError, OSError, ValueError) as error:
            place = urlsplit(cache).hostname or cache
            raise Failed(f"The server of REDIS_URL ({place}) does not answer: {error}") from None


def answers(host: str, port: int) -> bool:
    """Whether the pages can be opened."""
    place = "127.0.0.1" if host == "0.0.0.0" else host
    connection = http.client.HTTPConnection(place, port, timeout=5)
    with contextlib.closing(connection):
        try:
            connection.request("GET", "/healthz", headers={"Host": "localhost"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False


def supervise(web: Part, others: list[Part], host: str, port: int) -> None:
    """Start the parts, the pages first, and keep them going until a signal ends it."""
    running = [web]
    for number in STOP_SIGNALS:
        signal.signal(number, remember_signal)
    try:
        pause(0)
        web.start()
        while not answers(host, port):
            if web.ended() is not None:
                raise Failed("The web server does not start; its words are above.")
            pause(0.1)
        for part in others:
            part.start()
        running += others
        show_welcome(host, port)
        while True:
            for part in running:
                part.keep_going()
            pause(0.2)
    finally:
        stop(running)


def stop(running: list[Part]) -> None:
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    print("Stopping …", flush=True)
    deadline = time.monotonic() + STOP_SECONDS
    for part in running:
        part.signal(signal.SIGTERM)
    for part in running:
        part.stop(deadline)


def show_welcome(host: str, port: int) -> None:
    accounts = local.VAR / "accounts.txt"
    print(f"\nChannel CRM is ready: http://{'localhost' if host == '127.0.0.1' else host}:{port}/")
    if accounts.exists():
        print(accounts.read_text().rstrip())
    print("Ctrl-C stops it.\n", flush=True)


def remember_signal(*_: object) -> None:
    """A signal while parts run: `pause` obeys it.

    Nothing is raised here. In the middle of starting a part Python would swallow the exception (in
    the hooks around a fork) or lose sight of the process that was just started.
    """
    global _asked_to_stop
    _asked_to_stop = True


def stop_on_signal(*_: object) -> None:
    """A signal before that: whatever is waited for is left at once."""
    remember_signal()
    raise Stopped


def pause(seconds: float) -> None:
    """Let time pass. Raises Stopped when a signal has come."""
    time.sleep(seconds)
    if _asked_to_stop:
        raise Stopped


def main() -> int:
    """Run until stopped. Returns the exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "channel_crm.settings")
    os.environ.setdefault("LOCAL", "1")
    os.chdir(local.VAR.parent)
    for number in STOP_SIGNALS:
        signal.signal(number, stop_on_signal)
    host = os.environ.get("HOST", "127.0.0.1")
    try:
        port = read_port()
        os.environ.setdefault("SITE_URL", f"http://localhost:{port}")
        with lock_run(f"http://localhost:{port}/"):
            check_port(host, port)
            check_servers()
            local.ensure()
            try:
                web, *others = parts(host, port)
                supervise(web, others, host, port)
            finally:
                local.leave()
    except Failed as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return 1
    except Stopped:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
