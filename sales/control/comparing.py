"""Counting our books for control totals, set by set.

Whoever writes totals or facts holds one lock from before it reads the other until its end: so a
total that is posted while facts are loaded is counted with them by whoever comes second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Min, QuerySet

from core.importing.models import Import
from sales.loading.kinds import PAYMENTS, SALES, FactKind
from sales.models import ControlKind, ControlTotal, FactBefore

TOTALS = ControlTotal._meta.db_table
BEFORE = FactBefore._meta.db_table
# Taken after those of the facts, also in the order of the alphabet (partners.moves.lock_all).
LOCK = "sales.totals"


def lock() -> None:
    """Wait for who writes totals, or facts that have some; until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [LOCK])


def facts_of(kind: str) -> FactKind:
    """The facts that a total of this kind counts."""
    return PAYMENTS if kind == ControlKind.PAYMENT else SALES


def kind_column(facts: FactKind) -> str:
    """The SQL of the kind of total that counts a row of these facts."""
    return "kind" if facts is SALES else f"'{ControlKind.PAYMENT.value}'"


def _totals_of(facts: FactKind) -> QuerySet:
    payments = ControlTotal.objects.filter(kind=ControlKind.PAYMENT)
    return payments if facts is PAYMENTS else ControlTotal.objects.exclude(kind=ControlKind.PAYMENT)


def touched_by(facts: FactKind, load: Import) -> list[int]:
    """The keys of the totals in whose source and days rows lie that `load` wrote, changed or
    removed, as they are now and as they were before; reconcile them before the transaction ends.

    Ask after a load, and before its undo. Where there are no totals it costs one look.
    """
    lock()
    totals = _totals_of(facts)
    if not totals.exists():
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH days AS MATERIALIZED (
                SELECT source, min(day) AS first, max(day) AS last
                  FROM (SELECT source, {facts.day} AS day FROM {facts.table}
                         WHERE load_id = %(load)s
                        UNION ALL
                        SELECT b.row ->> 'source', (b.row ->> '{facts.day}')::date FROM {BEFORE} b
                         WHERE load_id = %(load)s AND kind = %(kind)s) AS written
                 GROUP BY source)
            SELECT t.id FROM {TOTALS} t JOIN days d USING (source)
             WHERE t.starts_on <= d.last AND t.ends_before > d.first
               AND (t.kind = %(payment)s) = %(payments)s""",
            {
                "load": load.pk,
                "kind": facts.name,
                "payment": ControlKind.PAYMENT.value,
                "payments": facts is PAYMENTS,
            },
        )
        return [key for (key,) in cursor.fetchall()]


def reconcile(totals: Sequence[int]) -> None:
    """Count the books again for the totals with these keys: one statement a table of facts.

    Where they match, what was asked for has come.
    """
    if not totals:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        lock()
        # The planner takes the totals and the sums to be few: a thousand of each it would compare
        # pair by pair.
        cursor.execute("SET LOCAL enable_nestloop = off")
        for facts in (SALES, PAYMENTS):
            _count(cursor, facts, totals)
        cursor.execute("SET LOCAL enable_nestloop = DEFAULT")


def _count(cursor: Any, facts: FactKind, totals: Sequence[int]) -> None:
    chosen = _totals_of(facts).filter(pk__in=totals)
    span = chosen.aggregate(start=Min("starts_on"), end=Max("ends_before"))
    if span["start"] is None:
        return
    # Facts are summed up once, by day, of each partner and of all (0), however many totals a day is
    # in; totals are spread out over their days: so the two meet by equality, which can be hashed.
    cursor.execute(
        f"""WITH books AS MATERIALIZED (
            SELECT source, {kind_column(facts)} AS kind, {facts.day} AS day,
                   coalesce(partner_id, 0) AS partner, count(*) AS rows, sum(amount) AS amount
              FROM {facts.table}
             WHERE source = ANY(%(sources)s) AND {facts.day} >= %(start)s AND {facts.day} < %(end)s
             GROUP BY GROUPING SETS ((1, 2, 3), (1, 2, 3, partner_id))
        ), spread AS MATERIALIZED (
            SELECT id, source, kind, coalesce(partner_id, 0) AS partner, starts_on + n AS day
              FROM {TOTALS} CROSS JOIN generate_series(0, ends_before - starts_on - 1) AS n
             WHERE id = ANY(%(keys)s)
        ), counted AS (
            SELECT id, coalesce(sum(rows), 0) AS rows, coalesce(sum(amount), 0) AS amount
              FROM spread LEFT JOIN books USING (source, kind, partner, day)
             GROUP BY id
        )
        UPDATE {TOTALS} t
           SET books_rows = c.rows, books_amount = c.amount, checked_at = statement_timestamp(),
               updated_at = CASE WHEN (t.books_rows, t.books_amount) IS DISTINCT FROM
                                      (c.rows::int, c.amount)
                                 THEN statement_timestamp() ELSE t.updated_at END,
               requested_at = CASE WHEN (t.rows, t.amount) <> (c.rows, c.amount)
                                   THEN t.requested_at END,
               requested_by_id = CASE WHEN (t.rows, t.amount) <> (c.rows, c.amount)
                                      THEN t.requested_by_id END
          FROM counted c
         WHERE t.id = c.id""",
        {
            "sources": list(chosen.order_by().values_list("source", flat=True).distinct()),
            "keys": list(chosen.order_by().values_list("pk", flat=True)),
            **span,
        },
    )
