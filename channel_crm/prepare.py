"""Bring the database and the static files up to date before the servers start (`make run`)."""

import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

from channel_crm.run import die_with_parent

VAR = settings.BASE_DIR / "var"


def collect_static() -> None:
    """Copy, compress and fingerprint the static files, only when one of them has changed."""
    root = Path(settings.STATIC_ROOT)
    stamp = root / ".stamp"
    value = static_digest()
    if settings.DEBUG or (stamp.exists() and stamp.read_text() == value):
        return
    print("Collecting static files …", flush=True)
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp.write_text(value)


def static_digest() -> str:
    """A digest of our files' sizes and times and of the locked packages, which bring the rest."""
    sha = hashlib.sha256((settings.BASE_DIR / "requirements.txt").read_bytes())
    for folder in settings.STATICFILES_DIRS:
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file():
                found = path.stat()
                sha.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    return sha.hexdigest()


def load_demo() -> None:
    """The demo network, once: who has partners keeps what he has. DEMO=0 leaves it out."""
    from partners.models import Partner

    if os.environ.get("DEMO", "1") != "0" and not Partner.objects.exists():
        print("Loading the demo network (once, about a minute) …", flush=True)
        # In a process of its own, which takes its memory along when it ends.
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "demo"]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True, preexec_fn=die_with_parent)


def note_accounts() -> None:
    """Leave the demo accounts, if there are any, where the supervisor prints them from."""
    said = io.StringIO()
    call_command("demo", accounts=True, stdout=said)
    # The last line is for machines, as with every command.
    lines = [line for line in said.getvalue().splitlines() if not line.startswith("{")]
    (VAR / "accounts.txt").write_text("\n".join(lines))


def main() -> None:
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    collect_static()
    load_demo()
    note_accounts()


if __name__ == "__main__":
    main()
