"""`python -m bench`: every figure of docs and release notes, measured in one run.

Makes a database of its own on the server of DATABASE_URL (the local one by default), measures each
piece of work beside its bare reference, and writes bench/RESULTS.md. `--only pages` renews that
part of the file; `--scale 0.1` is for trying it out and writes var/bench.md instead.
"""

from __future__ import annotations

import argparse
import os
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

RESULTS = Path(__file__).with_name("RESULTS.md")
TRIAL = RESULTS.parent.parent / "var" / "bench.md"
PARTS = (
    *("master", "load", "workbook", "memory", "bulk", "evaluate", "workers", "backtest", "pages"),
    "planning",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    _own_database()
    parts = [options.only] if options.only else list(PARTS)
    path = RESULTS if options.scale == 1 else TRIAL
    sections = _sections(path)
    for name in parts:
        sections[name] = _part(name, options.scale)
        print(f"## {name}\n\n{sections[name]}\n", flush=True)
        path.parent.mkdir(exist_ok=True)
        path.write_text(_document(sections, options.scale))


def _sections(path: Path) -> dict[str, str]:
    """What an earlier run wrote of each part."""
    found = path.read_text().split("\n## ")[1:] if path.exists() else []
    return {name: text.strip() for name, _newline, text in (each.partition("\n") for each in found)}


def _document(sections: dict[str, str], scale: float) -> str:
    tried = "" if scale == 1 else f"\nA trial with {scale:g} of the rows: no figures to quote.\n"
    return (
        "# Measured\n\n"
        "Made by `make bench`. Each figure is the median of the ratios of pairs, work and its "
        "reference in turn, on one database in one run; seconds are medians.\n"
        + tried
        + "".join(f"\n## {name}\n\n{sections[name]}\n" for name in PARTS if name in sections)
    )


def _own_database() -> None:
    """Create an empty database beside the product's, migrate it, and point the settings to it."""
    os.environ.setdefault("LOCAL", "1")
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"
    from channel_crm import local

    local.ensure()
    base, _, _name = os.environ["DATABASE_URL"].partition("?")[0].rpartition("/")
    query = os.environ["DATABASE_URL"].partition("?")[2]
    import psycopg2

    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("DROP DATABASE IF EXISTS channel_crm_bench WITH (FORCE)")
        cursor.execute("CREATE DATABASE channel_crm_bench")
    connection.close()
    # Nor does a worker of the product take our tasks.
    os.environ["REDIS_URL"] = urlsplit(os.environ["REDIS_URL"])._replace(path="/14").geturl()
    os.environ["DATABASE_URL"] = f"{base}/channel_crm_bench" + (f"?{query}" if query else "")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)


def _part(name: str, scale: float) -> str:
    """The table of one part, with when and where it was measured."""
    from bench import (
        backtest,
        bulk,
        evaluate,
        load,
        master,
        memory,
        pages,
        planning,
        workbook,
        workers,
    )
    from bench.common import HEADER, machine

    partners = int(20_000 * scale)
    run = {
        "load": lambda: load.run(int(1_000_000 * scale), (min(700, partners), partners)),
        "master": lambda: master.run(int(10_000 * scale)),
        "workbook": lambda: workbook.run(int(100_000 * scale)),
        "memory": lambda: memory.run(int(1_000_000 * scale)),
        "bulk": lambda: bulk.run(int(50_000 * scale), min(700, partners)),
        "evaluate": lambda: evaluate.run(partners, int(2_000_000 * scale)),
        "workers": lambda: workers.run(int(100_000 * scale), int(2_000_000 * scale)),
        "backtest": lambda: backtest.run(int(5_000 * scale), int(500_000 * scale)),
        "pages": lambda: pages.run(partners),
        "planning": lambda: planning.run(int(1_000 * scale)),
    }[name]
    rows = [result.row() for result in run()]
    return "\n".join([f"{date.today()}, {machine()}", "", HEADER, *rows])


if __name__ == "__main__":
    main()
