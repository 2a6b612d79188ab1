"""How long `load sales` takes against a bare COPY and INSERT … SELECT into such a table; then the
same file again, and undoing it, against the first load.

Needs a scratch database: it refuses one that holds sales lines. Both sides write the same file in
the same run on the same server, in turns.
"""

from __future__ import annotations

import random
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from bench import data
from bench.common import Pairs, Result, seconds
from core.importing import engine
from core.importing.models import Import
from sales.models import SalesDaily, SalesFact

OPTIONS = engine.Options(
    maps={
        "reference": 'Order+"-"+Line',
        "partner": "Customer",
        "product": "Item",
        "occurred_on": "Date",
        "quantity": "Qty",
        "amount": "Amount",
    },
    constants={"source": "bench"},
)
BARE = "bare COPY into text, then INSERT … SELECT with the same keys, checks and indexes"
HEADER = "Order,Line,Customer,Item,Date,Qty,Amount,Note,Region,Currency\n"
FACTS = SalesFact._meta.db_table


def run(
    rows: int = 1_000_000, partner_counts: tuple[int, ...] = (700, 20_000), turns: int = 3
) -> list[Result]:
    """First load and the same file again, for few partners and for many."""
    if SalesFact.objects.exists():
        raise SystemExit("The database holds sales lines. Take a scratch database.")
    data.base()
    results = []
    for partners in partner_counts:
        data.partners(partners)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "sales.csv"
            write_file(path, rows, partners)
            results += compare(path, f"{rows:,} lines of {partners:,} partners", turns)
    clear()
    return results


def compare(path: Path, what: str, turns: int) -> list[Result]:
    """Reference, load, the same file again, in turn; the tables are empty before each load."""
    first, again, undone = Pairs(), Pairs(), Pairs()
    for _turn in range(turns):
        clear()
        first.reference.append(reference(path))
        first.work.append(load(path))
        again.reference.append(first.work[-1])
        again.work.append(load(path))
        undone.reference.append(first.work[-1])
        undone.work.append(seconds(undo_the_first))
    return [
        first.result(f"load {what}, all checks on", BARE, "≤ 1.3 ×"),
        again.result(f"load {what} again", "the first load", "≤ 0.5 ×"),
        undone.result(f"undo the import of {what}", "the first load", "≤ 0.5 ×"),
    ]


def undo_the_first() -> None:
    """Take back the import that wrote the lines."""
    number = SalesFact.objects.values_list("load", flat=True)[:1].get()
    engine.undo(Import.objects.get(pk=number), by=None)


def load(path: Path) -> float:
    """Seconds of one load with all its checks, the fingerprint of the file included."""
    started = time.perf_counter()
    row = Import(kind="sales", file_name=path.name, sha256=engine.sha256_of(path))
    engine.run(path, row, OPTIONS, by=None, error_path=path.with_suffix(".errors"))
    return time.perf_counter() - started


def reference(path: Path) -> float:
    """Seconds of COPY into text and one INSERT … SELECT with the same constraints and indexes."""
    load_id = Import.objects.create(kind="sales", file_name="bare").pk
    columns = [f"c{number}" for number in range(HEADER.count(",") + 1)]
    with connection.cursor() as cursor:
        make_twin(cursor)
        started = time.perf_counter()
        with transaction.atomic():
            listed = ", ".join(f"{column} text" for column in columns)
            cursor.execute(f"CREATE TEMP TABLE bench_text ({listed}) ON COMMIT DROP")
            with path.open("rb") as stream:
                cursor.copy_expert(
                    "COPY bench_text FROM STDIN (FORMAT csv, HEADER)", stream, 1 << 20
                )
            cursor.execute(
                """INSERT INTO bench_facts (partner_id, product_id, load_id, occurred_on, kind,
                       source, reference, quantity, amount)
                   SELECT p.id, r.id, %s, c4::date, 'sell_in', 'bench', c0 || '-' || c1,
                          c5::numeric, c6::numeric
                     FROM bench_text JOIN partners_partner p ON p.code = c2
                     JOIN catalog_product r ON r.code = c3""",
                [load_id],
            )
        taken = time.perf_counter() - started
        cursor.execute("DROP TABLE bench_facts")
    return taken


def make_twin(cursor: Any) -> None:
    """An empty table of the form of the facts: same columns, checks, indexes and foreign keys."""
    cursor.execute(f"CREATE TABLE bench_facts (LIKE {FACTS} INCLUDING ALL)")
    cursor.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = %s::regclass AND contype = 'f'",
        [FACTS],
    )
    for name, definition in cursor.fetchall():
        definition = definition.replace(f"REFERENCES {FACTS}", "REFERENCES bench_facts")
        cursor.execute(f'ALTER TABLE bench_facts ADD CONSTRAINT "bench_{name}" {definition}')


def clear() -> None:
    """Empty facts and rollup, and let no checkpoint of before fall into what is timed."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {FACTS}, {SalesDaily._meta.db_table} CASCADE")
        cursor.execute("CHECKPOINT")


def write_file(path: Path, rows: int, partners: int) -> None:
    """Orders of 1 to 23 lines in date order over three years, always the same."""
    chance, day, order, written = random.Random(7), date(2023, 1, 1), 0, 0
    with path.open("w", encoding="utf-8") as stream:
        stream.write(HEADER)
        while written < rows:
            order += 1
            head = f"BC{chance.randrange(partners):06}"
            on = day + timedelta(written * 1095 // rows)
            for line in range(min(chance.randrange(1, 24), rows - written)):
                stream.write(
                    f"SO{order:07},{line},{head},BP{chance.randrange(data.PRODUCTS):04},{on},"
                    f"{chance.randrange(1, 50)},{chance.randrange(100, 9_999_999) / 100},"
                    f"note {written},North,CNY\n"
                )
                written += 1
