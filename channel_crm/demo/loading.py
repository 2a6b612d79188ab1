"""Writes facts by COPY; the rollup follows by the database's own triggers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from io import StringIO

from django.db import connection

from channel_crm.demo.clock import early
from channel_crm.demo.sales import Fact

_STAGE = """
    CREATE TEMPORARY TABLE IF NOT EXISTS demo_stage (
        position int, source text, reference text, kind text, partner_id bigint, product_id bigint,
        occurred_on date, quantity numeric, amount numeric, reverses text, recorded_at timestamptz
    ) ON COMMIT DROP;
    TRUNCATE demo_stage;
"""
_COLUMNS = "source, reference, kind, partner_id, product_id, occurred_on, quantity, amount"
# First what is reversed, then what reverses it: both may be in the same stage.
_SALES = f"""
    INSERT INTO sales_salesfact ({_COLUMNS}, recorded_at)
    SELECT {_COLUMNS}, recorded_at FROM demo_stage WHERE reverses IS NULL ORDER BY position
"""
_RETURNS = """
    INSERT INTO sales_salesfact (source, reference, kind, partner_id, product_id, occurred_on,
                                 quantity, amount, reverses_id, recorded_at)
    SELECT s.source, s.reference, s.kind, s.partner_id, s.product_id, s.occurred_on,
           s.quantity, s.amount, f.id, s.recorded_at
    FROM demo_stage s JOIN sales_salesfact f ON (f.source, f.reference) = (s.source, s.reverses)
    ORDER BY s.position
"""


def load(
    facts: Iterable[Fact], days: Iterable[date], partners: dict[str, int], products: dict[str, int]
) -> int:
    """Append `facts`, each recorded early on its day; the dicts give keys for codes. Returns how
    many. Inside a transaction."""
    buffer, recorded = StringIO(), {}
    for position, (fact, day) in enumerate(zip(facts, days, strict=True)):
        if day not in recorded:
            recorded[day] = early(day).isoformat()
        cells = (
            position, fact.source, fact.reference, fact.kind, partners[fact.partner],
            products[fact.product], fact.day, fact.quantity, _amount(fact.cents),
            fact.reverses or "\\N", recorded[day],
        )  # fmt: skip
        buffer.write("\t".join(map(str, cells)) + "\n")
    buffer.seek(0)
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        cursor.copy_expert("COPY demo_stage FROM STDIN", buffer)
        cursor.execute(_SALES)
        written = cursor.rowcount
        cursor.execute(_RETURNS)
        return written + cursor.rowcount


def _amount(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"
