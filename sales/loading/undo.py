"""Taking an import of facts back: new rows go, changed and removed ones are again as they were.

Set by set, under the lock that orders all writers of these facts. The triggers keep the rollup.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from core.errors import Blocked, Problem
from core.importing.models import Import
from core.importing.registry import UndoPlan
from core.phrases import listed
from sales.control.comparing import reconcile, touched_by
from sales.loading import keys
from sales.loading.kinds import FactKind
from sales.models import FactBefore

BEFORE = FactBefore._meta.db_table
_MINE = f"FROM {BEFORE} b WHERE b.load_id = %(load)s AND b.kind = %(kind)s"


def keep(cursor: Any, kind: FactKind, load: Import, which: str, *, removed: bool = False) -> None:
    """Keep the facts as they are whose ids the SQL `which` gives, before `load` changes or removes
    them."""
    cursor.execute(
        f"""INSERT INTO {BEFORE}
                   (load_id, kind, fact_id, previous_load_id, partner_id, removed, row)
            SELECT {load.pk}, '{kind.name}', f.id, f.load_id, f.partner_id, {removed}, to_jsonb(f)
              FROM {kind.table} f WHERE f.id IN ({which})"""
    )


def plan(kind: FactKind, load: Import) -> UndoPlan:
    """What undoing would delete and restore, and what forbids it."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT (SELECT count(*) FROM {kind.table} WHERE load_id = %(load)s)
                       - count(*) FILTER (WHERE NOT removed), count(*) {_MINE}""",
            {"load": load.pk, "kind": kind.name},
        )
        deleted, restored = cursor.fetchone()
        return UndoPlan(deleted, restored, _Obstacles(cursor, kind, load).problems())


def undo(kind: FactKind, load: Import) -> UndoPlan:
    """Take it back in the open transaction. Blocked as the plan says."""
    with connection.cursor() as cursor:
        # From here on nobody else writes such a fact, or a reversal of one.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [kind.lock])
        found = plan(kind, load)
        if found.problems:
            raise Blocked(found.problems)
        # What this writes is no news of partners: the adjustments of closed months call it undone.
        cursor.execute("SELECT set_config('sales.undoing', 'on', true)")
        totals = touched_by(kind, load)
        values = {"load": load.pk, "kind": kind.name}
        if found.restored:
            _restore(cursor, kind, values)
        with keys.not_checked_by_row(cursor):
            cursor.execute(f"DELETE FROM {kind.table} WHERE load_id = %(load)s", values)
        reconcile(totals)
    return found


def _restore(cursor: Any, kind: FactKind, values: dict[str, Any]) -> None:
    """Changed rows as they were, removed ones back under their ids; marked as revised now, so that
    whoever reads what has changed reads them again."""
    now = "jsonb_build_object('recorded_at', statement_timestamp(), 'revised', true)"
    mine = (
        f"FROM {BEFORE} b, jsonb_populate_record(NULL::{kind.table}, b.row || {now}) r"
        " WHERE b.load_id = %(load)s AND b.kind = %(kind)s"
    )
    names = [
        one.column
        for one in kind.model._meta.concrete_fields
        if one.name not in ("id", "source", "reference")
    ]
    cursor.execute(
        f"UPDATE {kind.table} SET ({', '.join(names)}) = ROW({', '.join(f'r.{n}' for n in names)})"
        f" {mine} AND NOT b.removed AND {kind.table}.id = b.fact_id",
        values,
    )
    # Originals before what reverses them, or in one statement, whose end is when keys are checked.
    cursor.execute(f"INSERT INTO {kind.table} SELECT r.* {mine} AND b.removed", values)
    cursor.execute(f"DELETE FROM {BEFORE} WHERE load_id = %(load)s AND kind = %(kind)s", values)


class _Obstacles:
    """What stands in the way of taking an import back."""

    def __init__(self, cursor: Any, kind: FactKind, load: Import) -> None:
        self.cursor, self.kind, self.values = cursor, kind, {"load": load.pk, "kind": kind.name}

    def problems(self) -> list[Problem]:
        """All of them."""
        facts = self.kind.table
        found = self._imports(
            f"SELECT DISTINCT load_id FROM {BEFORE}"
            " WHERE previous_load_id = %(load)s AND kind = %(kind)s ORDER BY 1",
            "changed_later",
            _("Later imports changed its lines: %(imports)s. Undo these first."),
        )
        found += self._imports(
            f"""SELECT DISTINCT f.load_id FROM {BEFORE} b JOIN {facts} f
                  ON f.source = b.row ->> 'source' AND f.reference = b.row ->> 'reference'
               WHERE b.load_id = %(load)s AND b.kind = %(kind)s AND b.removed ORDER BY 1""",
            "brought_again",
            _("Later imports brought lines again that it removed: %(imports)s. Undo these first."),
        )
        if self.kind.reverses:
            found += self._imports(
                f"""SELECT DISTINCT r.load_id FROM {facts} r JOIN {facts} f ON f.id = r.reverses_id
                     WHERE f.load_id = %(load)s AND r.load_id IS DISTINCT FROM %(load)s
                       AND NOT EXISTS (SELECT {_MINE} AND b.fact_id = f.id)
                     ORDER BY 1""",
                "reversed_later",
                _("Lines of other imports reverse its lines: %(imports)s. Undo these first."),
            )
        return [*found, *self._gone()]

    def _imports(self, sql: str, code: str, text: str) -> list[Problem]:
        self.cursor.execute(sql, self.values)
        found = [f"#{number}" if number else _("by hand") for (number,) in self.cursor.fetchall()]
        return [Problem(code, text % {"imports": listed(found)})] if found else []

    def _gone(self) -> list[Problem]:
        """Rows cannot be again as they were without what they referred to."""
        missing = [
            f"NOT EXISTS (SELECT FROM {one.related_model._meta.db_table} o"
            f" WHERE o.id = (b.row ->> '{one.column}')::bigint)"
            for one in self.kind.model._meta.concrete_fields
            if one.is_relation and not one.null
        ]
        if self.kind.reverses:
            missing.append(
                f"b.row ->> 'reverses_id' IS NOT NULL AND NOT EXISTS (SELECT FROM {self.kind.table}"
                " o WHERE o.id = (b.row ->> 'reverses_id')::bigint) AND NOT EXISTS (SELECT"
                f" FROM {BEFORE} o WHERE o.load_id = %(load)s AND o.kind = %(kind)s AND o.removed"
                " AND o.fact_id = (b.row ->> 'reverses_id')::bigint)"
            )
        self.cursor.execute(
            f"SELECT count(*) {_MINE} AND (({') OR ('.join(missing)}))", self.values
        )
        count = self.cursor.fetchone()[0]
        text = _("%d lines that it removed or changed referred to what has been deleted since.")
        return [Problem("gone", text % count)] if count else []
