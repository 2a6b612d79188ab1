"""Starts one embedded server and stops it when nobody uses it any more.

Run as a program of its own (`python -m embedded.keeper postgres var`) by `channel_crm.local`.
Whoever uses the server holds a shared lock on its `users.lock`. The kernel drops that lock when the
user ends, however it ends, so once the keeper gets the lock for itself nobody is left and it stops
the server.
"""

import fcntl
import os
import signal
import sys
import time
from pathlib import Path
from typing import IO

from embedded.postgres import Postgres
from embedded.servers import Server, ServerError
from embedded.valkey import Valkey

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
