"""Foreign keys checked as sets, so that they need not be checked row by row.

docs/adr/sales-facts.md has the reasons.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def not_checked_by_row(cursor: Any) -> Iterator[None]:
    """Spare the statements of the body the foreign key check of every row, where the server lets
    us. Only for a caller who has checked and locked what the rows refer to, in this transaction.
    """
    cursor.execute("SELECT has_parameter_privilege('session_replication_role', 'SET')")
    if not cursor.fetchone()[0]:
        yield
        return
    cursor.execute("SET LOCAL session_replication_role = replica")
    yield
    cursor.execute("SET LOCAL session_replication_role = origin")
