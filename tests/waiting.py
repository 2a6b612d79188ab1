"""Waiting for another session of this test's database to wait for a lock."""

import time

from django.db import connection

# Locks of rows name no database in pg_locks, and the server has those of the other test processes.
WAITING = """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


def wait_for_a_waiter() -> None:
    """Returns when one waits; fails after a minute."""
    with connection.cursor() as cursor:
        for _attempt in range(3000):
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return
            # The activities that a transaction sees are those of its first look.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            time.sleep(0.02)
    raise AssertionError("nobody waits")
