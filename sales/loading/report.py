"""What a check shows of the rows: sums by month, differences, where known rows came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.models import Product
from core.importing.outcome import SHOWN
from partners.models import Partner

if TYPE_CHECKING:
    from sales.loading.load import FactLoad

MOST_SOURCES = 20


def describe(load: FactLoad) -> None:
    """Fill the outcome of a check."""
    cursor, outcome, kind = load.cursor, load.outcome, load.kind
    cursor.execute(
        f"""SELECT to_char({kind.day}, 'YYYY-MM'), count(*), sum(amount)::text
              FROM import_typed GROUP BY 1 ORDER BY 1"""
    )
    outcome.months = cursor.fetchall()
    cursor.execute(f"SELECT DISTINCT source FROM import_typed ORDER BY 1 LIMIT {MOST_SOURCES}")
    outcome.sources = [source for (source,) in cursor.fetchall()]
    cursor.execute(
        """SELECT load_id, count(*) FROM import_known WHERE load_id IS NOT NULL
            GROUP BY 1 ORDER BY 2 DESC, 1"""
    )
    outcome.known_from = dict(cursor.fetchall())
    if outcome.updated:
        outcome.changes = _changes(load)


def _changes(load: FactLoad) -> list[tuple[int, str, str, str]]:
    """(row, field, old, new) of the first changed rows, codes instead of keys."""
    kind = load.kind
    names = list(kind.compared)
    old = [f"f.{kind.column(name)}" for name in names]
    new = [f"t.{name}" for name in names]
    for name, model in (("partner", Partner), ("product", Product)):
        if name in names:
            place, table = names.index(name), model._meta.db_table
            old[place] = f"(SELECT code FROM {table} WHERE id = {old[place]})"
            new[place] = f"(SELECT code FROM {table} WHERE id = {new[place]})"
    if load.reversing:
        names.append("reverses")
        old.append(f"(SELECT reference FROM {kind.table} WHERE id = f.reverses_id)")
        new.append("t.reverses")
    pairs = ", ".join(f"{a}::text, {b}::text" for a, b in zip(old, new, strict=True))
    load.cursor.execute(
        f"""SELECT t.row_no, {pairs}
              FROM (SELECT * FROM import_known WHERE changed ORDER BY row_no LIMIT {SHOWN}) k
              JOIN import_typed t USING (row_no) JOIN {kind.table} f ON f.id = k.id
             ORDER BY t.row_no"""
    )
    found = []
    for number, *texts in load.cursor.fetchall():
        row = load.task.rejects.file_row(number)
        for name, before, after in zip(names, texts[::2], texts[1::2], strict=True):
            if _plain(before) != _plain(after):
                found.append((row, name, _plain(before), _plain(after)))
    return found


def _plain(text: str | None) -> str:
    """Numbers without the zeros of their column."""
    text = text or ""
    head, point, decimals = text.partition(".")
    if point and head.lstrip("-").isdigit() and decimals.isdigit():
        return f"{head}.{decimals}".rstrip("0").rstrip(".")
    return text
