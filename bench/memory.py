"""How much memory a worker needs while it loads 1,000,000 lines, against 10,000: the same, if rows
are not held.

`python -m bench.memory JOB IMPORT` is the worker: it does what the queue would have it do, and
prints its greatest resident size in bytes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.common import Result

PARTNERS = 20_000
GOAL = "≤ 400 MB, flat"


def run(rows: int = 1_000_000, turns: int = 3) -> list[Result]:
    """A worker of its own for each load."""
    from bench import data
    from bench.common import Pairs
    from bench.load import clear, write_file
    from sales.models import SalesFact

    if SalesFact.objects.exists():
        raise SystemExit("The database holds sales lines. Take a scratch database.")
    data.base()
    data.partners(PARTNERS)
    pairs = Pairs()
    few = max(rows // 100, 1)
    with tempfile.TemporaryDirectory() as folder:
        for number, used in ((few, pairs.reference), (rows, pairs.work)):
            path = Path(folder) / f"{number}.csv"
            write_file(path, number, PARTNERS)
            for _turn in range(turns):
                clear()
                used.append(_worked(path, folder))
                if SalesFact.objects.count() != number:
                    raise RuntimeError("not all lines were loaded")
    clear()
    what = f"memory of a worker that loads {rows:,} lines"
    return [pairs.result(what, f"that loads {few:,} lines", GOAL, unit="MB")]


def _worked(path: Path, folder: str) -> float:
    """Upload the file, let a worker apply it, and return its greatest size in MB."""
    from django.core.files import File
    from django.test import override_settings

    from accounts.models import User
    from bench.load import OPTIONS
    from core.importing import services
    from core.importing.models import Import
    from core.models import Job

    user, _created = User.objects.get_or_create(
        username="bench-director", defaults={"role": "director", "language": "en"}
    )
    with override_settings(MEDIA_ROOT=folder), path.open("rb") as stream:
        load = services.upload(file=File(stream, path.name), kind="sales", by=user)
        load.options, load.state = asdict(OPTIONS), Import.State.APPLYING
        load.job = Job.objects.create(kind="import", title=path.name, created_by=user)
        load.save()
    done = subprocess.run(
        [sys.executable, "-m", "bench.memory", str(load.job.pk), str(load.pk)],
        env=os.environ | {"MEDIA_ROOT": folder},
        capture_output=True,
        check=True,
        text=True,
    )
    return int(done.stdout.split()[-1]) / 1e6


def _work(job: int, load: int) -> int:
    import django

    django.setup()
    from channel_crm.celery import app
    from core.importing.tasks import apply_import

    app.loader.import_default_modules()  # all that a worker has in its memory before any work
    apply_import(job, load)
    # Not ru_maxrss: that begins with the size of the process that started this one.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 1024


if __name__ == "__main__":
    print(_work(*map(int, sys.argv[1:])))
