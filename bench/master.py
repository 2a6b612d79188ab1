"""How long `load partners` takes, every row through the forms, against one bare `bulk_create` of
the same partners; then the file again with all rows changed, and undoing both, against that load.

Needs a scratch database: it refuses one that holds partners.
"""

from __future__ import annotations

import csv
import itertools
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.db import connection

from accounts.models import Territory
from bench import data
from bench.common import Pairs, Result, seconds
from core.importing import engine
from core.importing.models import Import
from core.text import pinyin_of
from partners.models import Level, Partner

HEADER = ("code", "name", "short_name", "channel_type", "territory", "parent", "level")
BARE = "one bare bulk_create of the same partners"
FIRST = "the first load"
PLACES = "京津沪渝冀晋辽吉黑苏浙皖闽赣鲁豫鄂湘粤琼"
TRADES = ("电子", "机电", "五金", "建材", "医药", "食品", "家电", "汽配", "化工", "服饰")


def run(count: int = 10_000, turns: int = 3) -> list[Result]:
    """Reference, first load, all rows changed, and both undone, in turn."""
    if Partner.objects.exists():
        raise SystemExit("The database holds partners. Take a scratch database.")
    data.base()
    first, changed, undone = Pairs(), Pairs(), Pairs()
    with tempfile.TemporaryDirectory() as folder:
        new, other = Path(folder) / "new.csv", Path(folder) / "changed.csv"
        write_file(new, rows(count))
        write_file(other, ((*row[:2], f"{row[2]}号", *row[3:]) for row in rows(count)))
        for _turn in range(turns):
            clear()
            first.reference.append(reference(count))
            clear()
            first.work.append(load(new))
            changed.work.append(load(other))
            undone.work.append(seconds(undo_all))
        clear()
    changed.reference = undone.reference = first.work
    what = f"{count:,} partners from CSV through the forms"
    return [
        first.result(what, BARE, "≤ 30 × and < 60 s"),
        changed.result(f"{count:,} partners again, all rows changed", FIRST, "≤ 1 ×"),
        undone.result("undo both imports", FIRST, "≤ 1 ×"),
    ]


def rows(count: int) -> Iterator[tuple[str, ...]]:
    """Partners of all channel types and levels; nine of ten buy from one before them."""
    levels = list(Level.objects.order_by("rank").values_list("code", flat=True))
    for n in range(count):
        place, trade = PLACES[n % len(PLACES)], TRADES[n // 7 % len(TRADES)]
        yield (
            f"BM{n:06}",
            f"{place}城{trade}商贸{n}有限公司",
            f"{place}城{trade}{n}",
            Partner.ChannelType.values[n % 6],
            f"B{n % data.TERRITORIES:03}",
            f"BM{n // 10:06}" if n % 10 else "",
            levels[n % len(levels)],
        )


def write_file(path: Path, lines: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(itertools.chain([HEADER], lines))


def load(path: Path) -> float:
    """Seconds of one load, the fingerprint of the file included."""
    started = time.perf_counter()
    row = Import(kind="partners", file_name=path.name, sha256=engine.sha256_of(path))
    error_path = path.with_suffix(".errors")
    result = engine.run(path, row, engine.Options(), by=None, error_path=error_path)
    taken = time.perf_counter() - started
    if result.outcome.rejected:
        raise SystemExit(error_path.read_text())
    return taken


def reference(count: int) -> float:
    """Seconds of one `bulk_create` of objects that are ready; their parents come later, if ever."""
    territories = {row.code: row for row in Territory.objects.all()}
    levels = {row.code: row for row in Level.objects.all()}
    partners = [
        Partner(
            code=code,
            name=name,
            short_name=short_name,
            pinyin=pinyin_of(name),
            channel_type=channel_type,
            territory=territories[territory],
            level=levels[level],
            state=Partner.State.ACTIVE,
        )
        for code, name, short_name, channel_type, territory, _parent, level in rows(count)
    ]
    return seconds(lambda: Partner.objects.bulk_create(partners))


def undo_all() -> None:
    """Take back what was loaded, the last import first."""
    for row in Import.objects.filter(kind="partners", state="applied").order_by("-pk"):
        engine.undo(row, by=None)


def clear() -> None:
    """Empty the partners, and let no checkpoint of before fall into what is timed."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {Partner._meta.db_table} CASCADE")
        cursor.execute("CHECKPOINT")
