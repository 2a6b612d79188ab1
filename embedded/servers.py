"""What an embedded server is: where it lives, how it starts, answers and stops."""

import contextlib
import importlib.util
import os
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path

START_SECONDS = 30
STOP_SECONDS = 30
LOG_BYTES = 10_000_000


class ServerError(Exception):
    """A server could not be started; the message is for the person at the keyboard."""


def package_folder(name: str) -> Path:
    """The folder of an installed package, without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ServerError(f"The Python package {name} is not installed. Run `make install`.")
    return Path(spec.submodule_search_locations[0])


def is_alive(pid: int) -> bool:
    """Whether the process runs; a child of ours that has ended is reaped and counts as gone."""
    with contextlib.suppress(ChildProcessError):
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def works_in(pid: int, folder: Path) -> bool:
    """Whether the process has `folder` as its working directory, or the system cannot tell."""
    if not Path("/proc/self").exists():
        return True
    try:
        return Path(f"/proc/{pid}/cwd").resolve(strict=True) == folder.resolve()
    except OSError:
        return False


class Server:
    """One embedded server: where it lives, how it starts, answers and stops."""

    name: str
    variable: str
    stop_signal: signal.Signals

    def __init__(self, var: Path):
        self.folder = var.resolve() / self.name
        self.data = self.folder / "data"
        self.url_file = self.folder / "url"
        self.log = self.folder / "log"

    def url(self) -> str:
        """The address with the password; a first call invents both."""
        try:
            return self.url_file.read_text().strip()
        except FileNotFoundError:
            return self._write_url(self.make_url(secrets.token_urlsafe(18), free_port()))

    def _write_url(self, url: str) -> str:
        fresh = self.url_file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(url)
        fresh.replace(self.url_file)
        return url

    @property
    def port(self) -> int:
        return int(self.url().rpartition("@")[2].partition(":")[2].partition("/")[0])

    @property
    def password(self) -> str:
        return self.url().rpartition("@")[0].rpartition(":")[2]

    def make_url(self, password: str, port: int) -> str:
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError

    def pid(self) -> int | None:
        """The process of the server on our data, started by us or left by an earlier keeper."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Whatever must exist before the first start."""
        self.data.mkdir(mode=0o700, exist_ok=True)

    def process_options(self) -> dict:
        return {}

    def start(self) -> None:
        """Start the server, or adopt the one that runs; returns when it answers.

        Raises ServerError with the end of the server's log when it does not.
        """
        if self.pid() and self.answers():
            return
        self.prepare()
        for _attempt in range(3):
            if not port_is_free(self.port):
                self._write_url(self.make_url(self.password, free_port()))
            if self._launch():
                return
        raise ServerError(f"The embedded {self.name} does not start: {self.last_words()}")

    def _launch(self) -> bool:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                self.command(),
                cwd=self.data,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self.process_options(),
            )
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if self.answers():
                # From here on the process is known by its pid, like an adopted one.
                process.returncode = 0
                return True
            time.sleep(0.02)
        process.kill()
        process.wait()
        return False

    def stop(self) -> None:
        """Stop the server in good order; kill it when it does not."""
        pid = self.pid()
        for number in (self.stop_signal, signal.SIGKILL):
            if pid is None:
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline = time.monotonic() + STOP_SECONDS
            while time.monotonic() < deadline:
                if not is_alive(pid):
                    return
                time.sleep(0.02)

    def last_words(self) -> str:
        lines = (
            self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        )
        return f"{lines[-1] if lines else 'no message'} (see {self.log})"

    def trim_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".old"))


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def port_is_free(port: int) -> bool:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
