"""Facts from a staged file, set by set.

The order: stage, lock, look up what the texts mean, one typed pass, sort the rows into new, known
and rejected, write. Nothing is written before every row has its outcome, so a check and a load say
the same. docs/adr/sales-facts.md has the reasons and the measurements.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from catalog.models import Product
from core.errors import Conflict
from core.importing import staging
from core.importing.models import Import
from core.importing.outcome import Outcome, Task
from partners.models import Partner
from sales.control.comparing import reconcile, touched_by
from sales.loading import keys, report, undo
from sales.loading.explaining import Explainer
from sales.loading.kinds import FactKind
from sales.loading.replacing import Replacing
from sales.loading.suspicion import Suspicion
from sales.loading.typed import TypedRows


class FactLoad:
    """One run over one file. Each method is a step; `run` is their order."""

    def __init__(self, kind: FactKind, task: Task) -> None:
        self.kind, self.task = kind, task
        self.facts = kind.table
        self.outcome = Outcome()
        self.reversing = kind.reverses and "reverses" in task.mapping

    def run(self) -> Outcome:
        """Check and, unless it is a dry run, write. Returns the counts without the rejects."""
        with connection.cursor() as cursor:
            self.cursor = cursor
            cursor.execute("SET LOCAL work_mem = '128MB'")
            self.step(_("Reading"))
            staging.create(cursor, self.task.table, partial(self.task.show, message=_("Reading")))
            # One load at a time, also beside product changes: what is known is all there is.
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [self.kind.lock])
            self.step(_("Checking rows"))
            self.typed = TypedRows(self.kind, self.task, cursor)
            self.outcome.rows = self.typed.make()
            self.outcome.dates = self.typed.dates[self.kind.day].order
            self.reject_untyped()
            self.reject_repeats()
            self.replacing = Replacing(self) if self.task.replace else None
            if self.replacing:
                self.replacing.reject_rows_outside()
            self.find_known()
            if self.reversing:
                self.reject_reversals()
            if self.task.dry_run or self.task.without_suspicious:
                self.step(_("Looking for what is unusual"))
                Suspicion(self).look()
            if self.reversing and self.task.without_suspicious:
                self.reject_reversals()  # of originals that were left out
            if self.replacing:
                self.outcome.removed = self.replacing.find_rows()
            self.count()
            if self.task.dry_run:
                report.describe(self)
            else:
                self.write()
                reconcile(touched_by(self.kind, self.task.load))
            staging.drop_all(cursor)
        return self.outcome

    def step(self, message: str) -> None:
        """Tell how far it is; the place where a cancelled job stops."""
        self.task.progress(1, 1, message)

    # --- Rejects ---------------------------------------------------------------------------------

    def reject_untyped(self) -> None:
        """Rows with a cell that means nothing, or with more cells than the header."""
        checks = self.typed.checks
        nulls = ", ".join(f"{check} IS NULL" for check in checks)
        self.cursor.execute(
            f"""CREATE TEMP TABLE import_bad ON COMMIT DROP AS
            SELECT row_no, coalesce(surplus, '[]') AS surplus, ARRAY[{nulls}] AS nulls
              FROM import_typed
             WHERE num_nulls({", ".join(checks)}) > 0 OR surplus IS NOT NULL"""
        )
        if not self.cursor.rowcount:
            return
        explainer = Explainer(self.task, self.typed.dates)
        names = [check.removeprefix("ok_") for check in checks]
        for row, cells, (surplus, missing) in self.raw("import_bad", "b.surplus, b.nulls"):
            cells += json.loads(surplus)
            fields = [name for name, null in zip(names, missing, strict=True) if null]
            if self.task.table.is_sheet and explainer.is_foot(cells, fields):
                self.outcome.rows -= 1
                continue
            for field, reason in explainer.reasons(cells, fields):
                self.task.rejects.add(row, cells, field, reason)
        self.drop("import_bad")

    def reject_repeats(self) -> None:
        """A reference that stands in the file twice: the first row wins."""
        self.cursor.execute(
            "SELECT count(*) - count(DISTINCT hashtextextended(reference, hashtext(source)))"
            " FROM import_typed"
        )
        if not self.cursor.fetchone()[0]:
            return
        self.cursor.execute(
            """CREATE TEMP TABLE import_repeats ON COMMIT DROP AS
            SELECT * FROM (SELECT row_no, min(row_no) OVER (PARTITION BY source, reference) AS first
                             FROM import_typed) t WHERE row_no <> first"""
        )
        for row, cells, (first,) in self.raw("import_repeats", "b.first"):
            reason = _("The reference repeats row %d.") % self.task.rejects.file_row(first)
            self.task.rejects.add(row, cells, "reference", reason)
        self.drop("import_repeats")

    def find_known(self) -> None:
        """Rows whose reference is in the books: changed or not."""
        self.step(_("Comparing with what is known"))
        old = [f"f.{self.kind.column(name)}" for name in self.kind.compared]
        new = [f"t.{name}" for name in self.kind.compared]
        join = ""
        if self.reversing:
            # By reference, as the original may be new in this file.
            old.append("o.reference")
            new.append("t.reverses")
            join = f"LEFT JOIN {self.facts} o ON o.id = f.reverses_id"
        self.cursor.execute(
            f"""CREATE TEMP TABLE import_known ON COMMIT DROP AS
            SELECT t.row_no, f.id, f.partner_id, f.load_id,
                   ({", ".join(old)}) IS DISTINCT FROM ({", ".join(new)}) AS changed
              FROM import_typed t JOIN {self.facts} f USING (source, reference) {join}
             WHERE EXISTS (SELECT FROM {self.facts})"""
        )
        if self.cursor.rowcount and self.task.by is not None:
            self._reject_unseen()

    def _reject_unseen(self) -> None:
        """A reference that belongs to a partner whom the user may not see stays as it is."""
        seen, params = self.seen("partner_id")
        self.cursor.execute(
            f"""CREATE TEMP TABLE import_unseen ON COMMIT DROP AS
            SELECT row_no FROM import_known WHERE NOT ({seen})""",
            params,
        )
        for row, cells, _none in self.raw("import_unseen", "1"):
            reason = _("The reference is used by another partner.")
            self.task.rejects.add(row, cells, "reference", reason)
        self.drop("import_unseen")

    def seen(self, column: str) -> tuple[str, tuple[Any, ...]]:
        """The SQL, with its parameters, of whether the user may see the partner in `column`."""
        if self.task.by is None:
            return "true", ()
        seen = Partner.objects.visible_to(self.task.by).values("pk").query
        sql, params = seen.sql_with_params()
        return f"{column} IN ({sql})", params

    def reject_reversals(self) -> None:
        """A reversal needs its original: known or in this file, of the same partner. A line of a
        partner whom the user may not see is not known."""
        seen, params = self.seen("f.partner_id")
        self.cursor.execute(
            f"""CREATE TEMP TABLE import_orphans ON COMMIT DROP AS
            SELECT t.row_no, coalesce(f.partner_id, o.partner) AS partner
              FROM import_typed t
              LEFT JOIN {self.facts} f
                     ON f.source = t.source AND f.reference = t.reverses AND {seen}
              LEFT JOIN import_typed o ON o.source = t.source AND o.reference = t.reverses
                    AND o.reverses IS NULL AND o.row_no <> t.row_no
             WHERE t.reverses IS NOT NULL AND (t.reverses = t.reference
                   OR coalesce(o.partner, f.partner_id) IS DISTINCT FROM t.partner)""",
            params,
        )
        for row, cells, (partner,) in self.raw("import_orphans", "b.partner"):
            known = _("The line it reverses belongs to another partner.")
            reason = known if partner else _("The line it reverses is not known.")
            self.task.rejects.add(row, cells, "reverses", reason)
        self.drop("import_orphans")

    def raw(self, table: str, columns: str) -> Iterator[tuple[int, list[str], tuple[Any, ...]]]:
        """(row number, the user's cells, `columns`) of the rows listed in `table`, in order."""
        width = len(self.task.table.header)
        cells = ", ".join(f"coalesce(s.c{i}, '')" for i in range(width))
        with connection.cursor() as reader:
            reader.execute(
                f"DECLARE {table}_rows NO SCROLL CURSOR FOR SELECT s.row_no, {cells}, {columns}"
                f" FROM {table} b JOIN {staging.TABLE} s USING (row_no) ORDER BY s.row_no"
            )
            while True:
                reader.execute(f"FETCH 2000 FROM {table}_rows")
                rows = reader.fetchall()
                for row in rows:
                    yield row[0], list(row[1 : width + 1]), row[width + 1 :]
                if not rows:
                    break
            reader.execute(f"CLOSE {table}_rows")

    def drop(self, table: str) -> None:
        """Take the rows listed in `table` out of what will be written, and drop the list."""
        self.cursor.execute("SELECT to_regclass('pg_temp.import_known') IS NOT NULL")
        known = self.cursor.fetchone()[0]
        for rows in ("import_typed", "import_known") if known else ("import_typed",):
            self.cursor.execute(f"DELETE FROM {rows} r USING {table} b WHERE r.row_no = b.row_no")
        self.cursor.execute(f"DROP TABLE {table}")

    # --- Outcome ---------------------------------------------------------------------------------

    def count(self) -> None:
        """How many rows are new, changed, unchanged, and what comes of each if that is asked."""
        self.cursor.execute(
            """SELECT (SELECT count(*) FROM import_typed), count(*),
                      count(*) FILTER (WHERE changed) FROM import_known"""
        )
        good, known, changed = self.cursor.fetchone()
        self.outcome.created = good - known
        self.outcome.updated = changed
        self.outcome.unchanged = known - changed
        if self.task.outcomes is not None:
            self.cursor.execute(
                "SELECT row_no, CASE WHEN changed THEN 'updated' ELSE 'unchanged' END"
                " FROM import_known"
            )
            self.task.outcomes.update(self.cursor.fetchall())

    # --- Writing ---------------------------------------------------------------------------------

    def write(self) -> None:
        """What goes; new rows in file order, reversals after what they reverse; then the changed
        ones."""
        self.step(_("Writing"))
        # The foreign keys are checked with each statement: cheaper than to remember every row.
        self.cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        if self.replacing and self.outcome.removed:
            self.replacing.remove()
        if self.outcome.created:
            with self._keys_checked_as_sets():
                self._insert("WHERE t.reverses IS NULL" if self.reversing else "")
            if self.reversing:
                original = (
                    f"JOIN {self.facts} o ON o.source = t.source AND o.reference = t.reverses"
                )
                self._insert(original, "o.id")
        if self.outcome.updated:
            self._update()

    @contextmanager
    def _keys_checked_as_sets(self) -> Iterator[None]:
        """Check and hold the keys that the rows refer to, each once, and spare the body the check
        of every row, where the server lets us. Conflict `row_gone` when one was deleted meanwhile.

        The foreign keys stay declared. docs/adr/sales-facts.md has the reasons.
        """
        wanted_keys = [
            (Partner._meta.db_table, "SELECT DISTINCT partner FROM import_typed"),
            (Import._meta.db_table, f"SELECT {self.task.load.pk}"),
        ]
        if self.kind.has_products:
            products = "SELECT DISTINCT product FROM import_typed"
            wanted_keys.append((Product._meta.db_table, products))
        for table, wanted in wanted_keys:
            self.cursor.execute(
                f"WITH wanted (id) AS MATERIALIZED ({wanted}), held AS"
                f" (SELECT id FROM {table} WHERE id IN (SELECT id FROM wanted) FOR KEY SHARE)"
                " SELECT (SELECT count(*) FROM held) = (SELECT count(*) FROM wanted)"
            )
            if not self.cursor.fetchone()[0]:
                raise Conflict(
                    "row_gone",
                    _("A partner or product of this file was deleted meanwhile. Load it again."),
                )
        with keys.not_checked_by_row(self.cursor):
            yield

    def _insert(self, which: str, reverses: str = "") -> None:
        names = (*self.kind.required, *self.kind.optional)
        columns = [self.kind.column(name) for name in names]
        values = [f"t.{name}" for name in names]
        if reverses:
            columns.append("reverses_id")
            values.append(reverses)
        new = "NOT EXISTS (SELECT FROM import_known k WHERE k.row_no = t.row_no)"
        known = self.outcome.updated or self.outcome.unchanged
        glue = "AND" if which.startswith("WHERE") else "WHERE"
        self.cursor.execute(
            f"""INSERT INTO {self.facts} (load_id, row_no, {", ".join(columns)})
            SELECT {self.task.load.pk}, {self._row_no()}, {", ".join(values)}
              FROM import_typed t {which} {f"{glue} {new}" if known else ""}"""
        )

    def _update(self) -> None:
        """The changed rows, after keeping what they were."""
        undo.keep(
            self.cursor, self.kind, self.task.load, "SELECT id FROM import_known WHERE changed"
        )
        sets = [f"{self.kind.column(name)} = t.{name}" for name in self.kind.compared]
        if self.reversing:
            sets.append(
                f"reverses_id = (SELECT o.id FROM {self.facts} o"
                " WHERE o.source = t.source AND o.reference = t.reverses)"
            )
        self.cursor.execute(
            f"""UPDATE {self.facts} f
               SET {", ".join(sets)}, row_no = {self._row_no()}, load_id = {self.task.load.pk}
              FROM import_typed t JOIN import_known k USING (row_no)
             WHERE f.id = k.id AND k.changed"""
        )

    def _row_no(self) -> str:
        """The SQL of the row of the file, as a spreadsheet shows it."""
        scale = self.task.table.row_scale
        return "t.row_no" if scale == 1 else f"t.row_no / {scale}"
