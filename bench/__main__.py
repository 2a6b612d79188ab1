"""`python -m bench`: every figure of docs and release notes, measured in one run.

Makes a database of its own on the server of DATABASE_URL (the local one by default), measures each
piece of work beside its bare reference, and writes bench/RESULTS.md. `--only pages` runs a part;
`--scale 0.1` is for trying it out.
"""

from __future__ import annotations

import argparse
import os
from datetime import date
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")
PARTS = ("load", "evaluate", "pages")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    _own_database()
    parts = [options.only] if options.only else list(PARTS)
    tables = [_part(name, options.scale) for name in parts]
    if options.only or options.scale != 1:
        return
    from bench.common import machine

    RESULTS.write_text(
        "# Measured\n\n"
        "Made by `python -m bench`. Each figure is the median of the ratios of pairs, work and "
        "reference in turn, on one database in one run; seconds are medians.\n\n"
        f"{date.today()}, {machine()}\n\n" + "\n\n".join(tables) + "\n"
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
    os.environ["DATABASE_URL"] = f"{base}/channel_crm_bench" + (f"?{query}" if query else "")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)


def _part(name: str, scale: float) -> str:
    from bench import evaluate, load, pages
    from bench.common import HEADER

    run = {
        "load": lambda: load.run(int(1_000_000 * scale)),
        "evaluate": lambda: evaluate.run(int(20_000 * scale), int(2_000_000 * scale)),
        "pages": lambda: pages.run(int(20_000 * scale)),
    }[name]
    rows = [result.row() for result in run()]
    table = "\n".join([f"## {name}", "", HEADER, *rows])
    print(table, flush=True)
    return table


if __name__ == "__main__":
    main()
