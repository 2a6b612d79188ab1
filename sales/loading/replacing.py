"""A file in the place of what its sources have brought for a period."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from core.errors import Conflict
from sales.loading import keys, undo

if TYPE_CHECKING:
    from sales.loading.load import FactLoad


class Replacing:
    """Facts of the sources and kinds of a file, within a period, that are not in it: they go.

    The engine loads such a file whole or not at all: of a row that was rejected nobody knows
    whether its fact should go.
    """

    def __init__(self, load: FactLoad) -> None:
        assert load.task.replace
        self.load, self.kind, self.cursor = load, load.kind, load.cursor
        self.whole = load.task.replace.whole
        day = load.kind.day
        self.cursor.execute(
            f"SELECT coalesce(%s, min({day})), coalesce(%s, max({day})) FROM import_typed",
            [load.task.replace.first, load.task.replace.last],
        )
        self.first, self.last = self.cursor.fetchone()

    def reject_rows_outside(self) -> None:
        """Rows of other days: they would be loaded beside what they should replace."""
        self.cursor.execute(
            f"""CREATE TEMP TABLE import_outside ON COMMIT DROP AS
            SELECT row_no FROM import_typed WHERE {self.kind.day} NOT BETWEEN %s AND %s""",
            [self.first, self.last],
        )
        if not self.cursor.rowcount:
            return
        for row, cells, _none in self.load.raw("import_outside", "1"):
            reason = _("The date lies outside of the period that is replaced.")
            self.load.task.rejects.add(row, cells, self.kind.day, reason)
        self.load.drop("import_outside")

    def find_rows(self) -> int:
        """List what goes in `import_removed`; how many facts that are. Conflict when one of them is
        reversed by a fact that stays."""
        seen, params = self.load.seen("f.partner_id")
        kinds = "AND f.kind IN (SELECT kind FROM import_typed)" if self.kind.reverses else ""
        partners = "" if self.whole else "AND f.partner_id IN (SELECT partner FROM import_typed)"
        self.cursor.execute(
            f"""CREATE TEMP TABLE import_removed ON COMMIT DROP AS
            SELECT f.id FROM {self.kind.table} f
             WHERE f.source IN (SELECT source FROM import_typed) {kinds} {partners}
               AND f.{self.kind.day} BETWEEN %s AND %s AND {seen}
               AND NOT EXISTS (SELECT FROM import_typed t
                                WHERE t.source = f.source AND t.reference = f.reference)""",
            [self.first, self.last, *params],
        )
        removed: int = self.cursor.rowcount
        if removed and self.kind.reverses:
            self._refuse_reversed()
        return removed

    def _refuse_reversed(self) -> None:
        self.cursor.execute(
            f"""SELECT (SELECT count(*) FROM {self.kind.table} r
                         WHERE r.reverses_id IN (SELECT id FROM import_removed)
                           AND r.id NOT IN (SELECT id FROM import_removed))
                     + (SELECT count(*) FROM import_typed t JOIN {self.kind.table} o
                          ON o.source = t.source AND o.reference = t.reverses
                         WHERE o.id IN (SELECT id FROM import_removed)
                           AND NOT EXISTS (SELECT FROM import_known k WHERE k.row_no = t.row_no))"""
        )
        count = self.cursor.fetchone()[0]
        if count:
            raise Conflict(
                "reversed_lines",
                _("%d lines that stay reverse lines that would go. Put these into the file too.")
                % count,
            )

    def remove(self) -> None:
        """Take them out of the books, after keeping what they were."""
        which = "SELECT id FROM import_removed"
        undo.keep(self.cursor, self.kind, self.load.task.load, which, removed=True)
        with keys.not_checked_by_row(self.cursor):
            self.cursor.execute(f"DELETE FROM {self.kind.table} WHERE id IN ({which})")
