"""What signing a plan does to the targets: a few statements, whatever the size of the plan."""

from __future__ import annotations

from datetime import date

from django.db import connection
from django.utils.translation import gettext as _

from core import workflow
from core.errors import Blocked, Problem
from core.phrases import listed
from sales.models import TargetPlan

# One plan is signed at a time, so that two of them cannot claim the same cells.
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('sales.targets'))"
_OVERLAPS = """
    SELECT DISTINCT o.id, o.name, o.version
      FROM sales_targetplanline l
      JOIN sales_target t ON t.partner_id = l.partner_id AND t.month = l.month
           AND t.kind = %(kind)s AND t.product_line_id IS NOT DISTINCT FROM l.product_line_id
      JOIN sales_targetplan o ON o.id = t.plan_id
     WHERE l.plan_id = %(plan)s AND o.id IS DISTINCT FROM %(amends)s AND o.id <> %(plan)s
     ORDER BY o.id LIMIT 5"""
# A target for all lines together would count in the place of those by product line.
_DROP_WHOLE = """
    DELETE FROM sales_target t
     USING (SELECT DISTINCT partner_id, month FROM sales_targetplanline
             WHERE plan_id = %(plan)s AND product_line_id IS NOT NULL) l
     WHERE t.partner_id = l.partner_id AND t.month = l.month AND t.kind = %(kind)s
       AND t.plan_id IS NULL AND t.product_line_id IS NULL"""
_DROP_OLD = """
    DELETE FROM sales_target t
     WHERE t.plan_id = %(amends)s AND NOT EXISTS (
           SELECT FROM sales_targetplanline l
            WHERE l.plan_id = %(plan)s AND l.partner_id = t.partner_id AND l.month = t.month
              AND l.product_line_id IS NOT DISTINCT FROM t.product_line_id)"""
_WRITE = """
    INSERT INTO sales_target (created_at, partner_id, product_line_id, month, kind, amount, plan_id)
    SELECT now(), partner_id, product_line_id, month, %(kind)s, amount, plan_id
      FROM sales_targetplanline WHERE plan_id = %(plan)s
        ON CONFLICT ON CONSTRAINT sales_target_unique
        DO UPDATE SET amount = EXCLUDED.amount, plan_id = EXCLUDED.plan_id"""


def overlaps(plan: TargetPlan) -> list[Problem]:
    """The problem that other signed plans hold targets of its cells; none without any."""
    with connection.cursor() as cursor:
        cursor.execute(_OVERLAPS, _values(plan))
        names = [name for _key, name, _version in cursor.fetchall()]
    if not names:
        return []
    text = _("Other signed plans hold targets of the same partners and months: %s.")
    return [Problem("overlaps", text % listed(names))]


def write_targets(plan: TargetPlan, *, on: date) -> None:
    """Make the targets say what the plan says, in the open transaction that signs it; the version
    that it amends is superseded. Raises Blocked `overlaps` as seen under the lock."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK)
        problems = overlaps(plan)
        if problems:
            raise Blocked(problems)
        if plan.amends_id:
            workflow.fire(plan.amends, "supersede", by=None, on=on)
        for statement in (_DROP_WHOLE, _DROP_OLD, _WRITE):
            cursor.execute(statement, _values(plan))


def _values(plan: TargetPlan) -> dict[str, object]:
    return {"plan": plan.pk, "amends": plan.amends_id, "kind": plan.kind}
