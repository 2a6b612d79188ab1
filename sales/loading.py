"""Sales facts from a staged file, set by set.

The order: stage, lock, look up what the texts mean, one typed pass, sort the rows into new, known
and rejected, write. Nothing is written before every row has its outcome, so a check and a load say
the same. The triggers of migration 0002 keep the rollup. docs/adr/sales-facts.md has the reasons
and the measurements.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from catalog.models import Product
from core.errors import Conflict
from core.importing import staging
from core.importing.models import Import
from core.importing.outcome import Outcome, Task
from core.importing.values import is_total
from partners.models import Partner
from sales import keys
from sales.explaining import explain
from sales.models import SalesFact, SalesFactBefore
from sales.typed import FIELDS, TypedRows

FACTS = SalesFact._meta.db_table
BEFORE = SalesFactBefore._meta.db_table
# What an import changes of a line, and what undoing it puts back.
KEPT = (
    "partner_id, product_id, reverses_id, occurred_on, row_no, kind, quantity, amount, recorded_at"
)


class SalesLoad:
    """One run over one file. Each method is a step; `run` is their order."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.outcome = Outcome()
        self.reversing = "reverses" in task.mapping

    def run(self) -> Outcome:
        """Check and, unless it is a dry run, write. Returns the counts without the rejects."""
        with connection.cursor() as cursor:
            self.cursor = cursor
            cursor.execute("SET LOCAL work_mem = '128MB'")
            self.step(_("Reading"))
            staging.create(cursor, self.task.table, self.task.show)
            # One load at a time, also beside product changes: what is known is all there is.
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('sales.facts'))")
            self.step(_("Checking rows"))
            self.typed = TypedRows(self.task, cursor)
            self.outcome.rows = self.typed.make()
            self.reject_untyped()
            self.reject_repeats()
            self.find_known()
            if self.reversing:
                self.reject_reversals()
            self.count()
            if not self.task.dry_run:
                self.write()
            staging.drop_all(cursor)
        return self.outcome

    def step(self, message: str) -> None:
        """Tell how far it is; the place where a cancelled job stops."""
        self.task.progress(1, 1, message)

    # --- Rejects ---------------------------------------------------------------------------------

    def reject_untyped(self) -> None:
        """Rows with a cell that means nothing, or with more cells than the header."""
        nulls = ", ".join(f"{field} IS NULL" for field in FIELDS)
        self.cursor.execute(
            f"""CREATE TEMP TABLE import_bad ON COMMIT DROP AS
            SELECT row_no, coalesce(surplus, false) AS surplus, ARRAY[{nulls}] AS nulls
              FROM import_typed WHERE num_nulls({", ".join(FIELDS)}) > 0 OR surplus"""
        )
        if not self.cursor.rowcount:
            return
        for row, cells, (surplus, missing) in self._raw("import_bad", "b.surplus, b.nulls"):
            fields = [field for field, null in zip(FIELDS, missing, strict=True) if null]
            # A line of commas at the end of a sheet, or the totals of its columns. Who asks what
            # became of each row sends neither.
            is_foot = not any(cells) or (len(fields) > 1 and is_total(cells))
            if is_foot and self.task.outcomes is None:
                self.outcome.rows -= 1
                continue
            for field, reason in explain(
                self.task.mapping, cells, fields, surplus, self.typed.dates.parse
            ):
                self.task.rejects.add(row, cells, field, reason)
        self._drop("import_bad")

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
        for row, cells, (first,) in self._raw("import_repeats", "b.first"):
            reason = _("The reference repeats row %d.") % first
            self.task.rejects.add(row, cells, "reference", reason)
        self._drop("import_repeats")

    def find_known(self) -> None:
        """Rows whose reference is in the books: changed or not."""
        self.step(_("Comparing with what is known"))
        reverses = ", f.reverses_id" if self.reversing else ""
        original = ", o.id" if self.reversing else ""
        join = (
            f"LEFT JOIN {FACTS} o ON o.source = t.source AND o.reference = t.reverses"
            if self.reversing
            else ""
        )
        self.cursor.execute(
            f"""CREATE TEMP TABLE import_known ON COMMIT DROP AS
            SELECT t.row_no, f.id, f.partner_id,
                   (f.partner_id, f.product_id, f.occurred_on, f.kind, f.quantity, f.amount
                    {reverses}) IS DISTINCT FROM (t.partner, t.product, t.occurred_on, t.kind,
                    t.quantity, t.amount {original}) AS changed
              FROM import_typed t JOIN {FACTS} f USING (source, reference) {join}
             WHERE EXISTS (SELECT FROM {FACTS})"""
        )
        if self.cursor.rowcount and self.task.by is not None:
            self._reject_unseen()

    def _reject_unseen(self) -> None:
        """A reference that belongs to a partner whom the user may not see stays as it is."""
        seen, params = self._seen("partner_id")
        self.cursor.execute(
            f"""CREATE TEMP TABLE import_unseen ON COMMIT DROP AS
            SELECT row_no FROM import_known WHERE NOT ({seen})""",
            params,
        )
        for row, cells, _none in self._raw("import_unseen", "1"):
            reason = _("The reference is used by another partner.")
            self.task.rejects.add(row, cells, "reference", reason)
        self._drop("import_unseen")

    def _seen(self, column: str) -> tuple[str, tuple[Any, ...]]:
        """The SQL, with its parameters, of whether the user may see the partner in `column`."""
        if self.task.by is None:
            return "true", ()
        seen = Partner.objects.visible_to(self.task.by).values("pk").query
        sql, params = seen.sql_with_params()
        return f"{column} IN ({sql})", params

    def reject_reversals(self) -> None:
        """A reversal needs its original: known or in this file, of the same partner. A line of a
        partner whom the user may not see is not known."""
        seen, params = self._seen("f.partner_id")
        self.cursor.execute(
            f"""CREATE TEMP TABLE import_orphans ON COMMIT DROP AS
            SELECT t.row_no, coalesce(f.partner_id, o.partner) AS partner
              FROM import_typed t
              LEFT JOIN {FACTS} f ON f.source = t.source AND f.reference = t.reverses AND {seen}
              LEFT JOIN import_typed o ON o.source = t.source AND o.reference = t.reverses
                    AND o.reverses IS NULL AND o.row_no <> t.row_no
             WHERE t.reverses IS NOT NULL AND (t.reverses = t.reference
                   OR coalesce(o.partner, f.partner_id) IS DISTINCT FROM t.partner)""",
            params,
        )
        for row, cells, (partner,) in self._raw("import_orphans", "b.partner"):
            known = _("The line it reverses belongs to another partner.")
            reason = known if partner else _("The line it reverses is not known.")
            self.task.rejects.add(row, cells, "reverses", reason)
        self._drop("import_orphans")

    def _raw(self, table: str, columns: str) -> Iterator[tuple[int, list[str], tuple[Any, ...]]]:
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

    def _drop(self, table: str) -> None:
        """Take the rows listed in `table` out of what will be written."""
        self.cursor.execute(f"DELETE FROM import_typed t USING {table} b WHERE t.row_no = b.row_no")
        if table == "import_unseen" or self.reversing and table == "import_orphans":
            self.cursor.execute(
                f"DELETE FROM import_known k USING {table} b WHERE k.row_no = b.row_no"
            )

    # --- Outcome ---------------------------------------------------------------------------------

    def count(self) -> None:
        """How many rows are new, changed, unchanged; for a check also the sums by month."""
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
                """SELECT row_no, CASE changed WHEN true THEN 'updated' WHEN false THEN 'unchanged'
                          ELSE 'created' END
                     FROM import_typed LEFT JOIN import_known USING (row_no)"""
            )
            self.task.outcomes.update(self.cursor.fetchall())
        if self.task.dry_run:
            self.cursor.execute(
                """SELECT to_char(occurred_on, 'YYYY-MM'), count(*), sum(amount)::text
                     FROM import_typed GROUP BY 1 ORDER BY 1"""
            )
            self.outcome.months = self.cursor.fetchall()

    def write(self) -> None:
        """New rows in file order, reversals after what they reverse; then the changed ones."""
        self.step(_("Writing"))
        # The foreign keys are checked with each statement: cheaper than to remember every row.
        self.cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        if self.outcome.created:
            with self._keys_checked_as_sets():
                self._insert("NULL", "WHERE t.reverses IS NULL")
            if self.reversing:
                original = f"JOIN {FACTS} o ON o.source = t.source AND o.reference = t.reverses"
                self._insert("o.id", original)
        if self.outcome.updated:
            self._update()

    @contextmanager
    def _keys_checked_as_sets(self) -> Iterator[None]:
        """Check and hold the keys that the rows refer to, each once, and spare the body the check
        of every row, where the server lets us. Conflict `row_gone` when one was deleted meanwhile.

        The foreign keys stay declared. docs/adr/sales-facts.md has the reasons.
        """
        for table, wanted in (
            (Partner._meta.db_table, "SELECT DISTINCT partner FROM import_typed"),
            (Product._meta.db_table, "SELECT DISTINCT product FROM import_typed"),
            (Import._meta.db_table, f"SELECT {self.task.load.pk}"),
        ):
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

    def _insert(self, reverses: str, which: str) -> None:
        new = "NOT EXISTS (SELECT FROM import_known k WHERE k.row_no = t.row_no)"
        known = self.outcome.updated or self.outcome.unchanged
        glue = "AND" if which.startswith("WHERE") else "WHERE"
        self.cursor.execute(
            f"""INSERT INTO {FACTS} (partner_id, product_id, load_id, reverses_id, occurred_on,
                row_no, kind, source, reference, quantity, amount)
            SELECT t.partner, t.product, {self.task.load.pk}, {reverses}::bigint, t.occurred_on,
                   t.row_no, t.kind, t.source, t.reference, t.quantity, t.amount
              FROM import_typed t {which} {f"{glue} {new}" if known else ""}"""
        )

    def _update(self) -> None:
        """The changed lines, after keeping what they were."""
        self.cursor.execute(
            f"""INSERT INTO {BEFORE} (load_id, fact_id, previous_load_id, {KEPT})
            SELECT {self.task.load.pk}, f.id, f.load_id, {KEPT}
              FROM {FACTS} f WHERE f.id IN (SELECT id FROM import_known WHERE changed)"""
        )
        original = (
            f"(SELECT o.id FROM {FACTS} o WHERE o.source = t.source AND o.reference = t.reverses)"
        )
        reverses = f", reverses_id = {original}" if self.reversing else ""
        self.cursor.execute(
            f"""UPDATE {FACTS} f
               SET partner_id = t.partner, product_id = t.product, occurred_on = t.occurred_on,
                   kind = t.kind, quantity = t.quantity, amount = t.amount, row_no = t.row_no,
                   load_id = {self.task.load.pk}, recorded_at = statement_timestamp() {reverses}
              FROM import_typed t JOIN import_known k USING (row_no)
             WHERE f.id = k.id AND k.changed"""
        )
