"""PostgreSQL and Valkey for a machine that has neither.

`ensure()` runs before the settings read the environment (manage.py, tests, `make run`). Where
`DATABASE_URL` or `REDIS_URL` is not set it joins this checkout's own server in `var/`, starts it if
need be, and sets the variable. The server stays up as long as anybody uses it: `embedded.keeper`.
"""

import fcntl
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from embedded.keeper import SERVERS
from embedded.servers import START_SECONDS, STOP_SECONDS, Server, ServerError

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"

_held: dict[str, IO] = {}
_keepers: dict[str, subprocess.Popen] = {}  # the ones this process started


def ensure(var: Path = VAR) -> None:
    """Set DATABASE_URL and REDIS_URL where they are missing. Exits with one line on failure."""
    missing = [kind for kind in SERVERS.values() if not os.environ.get(kind.variable)]
    try:
        with ThreadPoolExecutor() as pool:  # they start at the same time
            urls = list(pool.map(lambda kind: _join(kind(var)), missing))
    except (ServerError, OSError) as error:
        sys.exit(f"error: {error}")
    for kind, url in zip(missing, urls, strict=True):
        os.environ[kind.variable] = url


def leave() -> None:
    """Stop using the servers; returns when those that nobody else uses have stopped."""
    while _held:
        name, users = _held.popitem()
        folder = Path(users.name).parent
        users.close()
        os.environ.pop(SERVERS[name].variable, None)
        _wait_for_stop(folder)
        if name in _keepers and not _is_locked(folder / "keeper.lock"):
            _keepers.pop(name).wait()


def _join(server: Server) -> str:
    server.folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    users = (server.folder / "users.lock").open("a")
    fcntl.flock(users, fcntl.LOCK_SH)  # waits while a keeper is stopping the server
    with (server.folder / "start.lock").open("a") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        _start(server)
    _held[server.name] = users
    return server.url()


def _start(server: Server) -> None:
    """Have a keeper for the server and wait until it answers."""
    deadline = time.monotonic() + START_SECONDS
    while _is_locked(server.folder / "keeper.lock"):
        if server.answers():
            return
        if time.monotonic() > deadline:
            raise ServerError(f"The embedded {server.name} does not answer: {server.last_words()}")
        time.sleep(0.05)
    _spawn_keeper(server)


def _spawn_keeper(server: Server) -> None:
    with (server.folder / "keeper.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "embedded.keeper", server.name, str(server.folder.parent)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            cwd=ROOT,
            text=True,
        )
    assert process.stdout
    with process.stdout as said:
        line = said.readline().strip()
    if line != "ready":
        raise ServerError(line or f"no keeper for {server.name}: see {log.name}")
    _keepers[server.name] = process


def _is_locked(path: Path) -> bool:
    """Whether somebody holds this lock for himself alone."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def _is_shared(path: Path) -> bool:
    """Whether others hold this lock together; not so while it is free, or a keeper's alone."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return not _is_locked(path)
        return False


def _wait_for_stop(folder: Path) -> None:
    """Wait for the keeper to end, unless others still use its server."""
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline and _is_locked(folder / "keeper.lock"):
        if _is_shared(folder / "users.lock"):
            return
        time.sleep(0.02)
