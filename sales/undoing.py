"""Taking an import of sales lines back: new lines go, changed lines are again as they were.

Set by set, under the lock that orders all writers of facts. The triggers keep the rollup.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from core.errors import Blocked, Problem
from core.importing.models import Import
from core.importing.registry import UndoPlan
from core.phrases import listed
from sales import keys
from sales.loading import BEFORE, FACTS, KEPT

_COUNTS = f"""
    SELECT (SELECT count(*) FROM {FACTS} WHERE load_id = %(load)s) - count(*), count(*)
      FROM {BEFORE} WHERE load_id = %(load)s"""
# Imports that changed lines of this one afterwards.
_CHANGED_BY = f"""
    SELECT DISTINCT load_id FROM {BEFORE} WHERE previous_load_id = %(load)s ORDER BY 1"""
# Imports whose lines reverse lines that would go.
_REVERSED_BY = f"""
    SELECT DISTINCT r.load_id FROM {FACTS} r JOIN {FACTS} f ON f.id = r.reverses_id
     WHERE f.load_id = %(load)s AND r.load_id IS DISTINCT FROM %(load)s
       AND NOT EXISTS (SELECT FROM {BEFORE} b WHERE b.load_id = %(load)s AND b.fact_id = f.id)
     ORDER BY 1"""
_RESTORE = f"""
    UPDATE {FACTS} SET load_id = b.previous_load_id, ({KEPT}) = ROW(
           {", ".join(f"b.{name.strip()}" for name in KEPT.split(","))})
      FROM {BEFORE} b WHERE b.load_id = %(load)s AND b.fact_id = {FACTS}.id"""


def plan(load: Import) -> UndoPlan:
    """What undoing would delete and restore, and the later imports that forbid it."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, {"load": load.pk})
        deleted, restored = cursor.fetchone()
        problems = [
            *_problems(
                cursor,
                _CHANGED_BY,
                load,
                "changed_later",
                _("Later imports changed its lines: %(imports)s. Undo these first."),
            ),
            *_problems(
                cursor,
                _REVERSED_BY,
                load,
                "reversed_later",
                _("Lines of other imports reverse its lines: %(imports)s. Undo these first."),
            ),
        ]
    return UndoPlan(deleted, restored, problems)


def undo(load: Import) -> UndoPlan:
    """Take it back in the open transaction. Blocked as the plan says."""
    with connection.cursor() as cursor:
        # From here on nobody else writes a line, or a reversal of one.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('sales.facts'))")
        found = plan(load)
        if found.problems:
            raise Blocked(found.problems)
        values = {"load": load.pk}
        if found.restored:
            cursor.execute(_RESTORE, values)
            cursor.execute(f"DELETE FROM {BEFORE} WHERE load_id = %(load)s", values)
        with keys.not_checked_by_row(cursor):
            cursor.execute(f"DELETE FROM {FACTS} WHERE load_id = %(load)s", values)
    return found


def _problems(cursor: Any, sql: str, load: Import, code: str, text: str) -> list[Problem]:
    cursor.execute(sql, {"load": load.pk})
    found = [f"#{number}" if number else _("by hand") for (number,) in cursor.fetchall()]
    return [Problem(code, text % {"imports": listed(found)})] if found else []
