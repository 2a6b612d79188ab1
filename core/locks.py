"""Doing something in one place at a time, held by a PostgreSQL advisory lock.

The lock belongs to the database session: when a worker dies, its session ends and the lock is
free again. That is how work that still goes on is told from work whose worker was killed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import InterfaceError, OperationalError, connection
from django.utils.translation import gettext as _

from core.errors import Conflict


@contextmanager
def try_hold(key: str) -> Iterator[bool]:
    """Hold the lock for the body, if it is free: the body is told whether."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [key])
        mine = cursor.fetchone()[0]
    try:
        yield mine
    finally:
        # A session that is gone has given its locks back.
        with suppress(OperationalError, InterfaceError), connection.cursor() as cursor:
            if mine:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [key])


@contextmanager
def hold(key: str) -> Iterator[None]:
    """Hold the lock for the body. Conflict `already_running` when another session has it."""
    with try_hold(key) as mine:
        if not mine:
            raise Conflict(
                "already_running",
                _("This is running already. Nothing was started a second time."),
            )
        yield


def is_held(key: str) -> bool:
    """Whether any session holds the lock; asks without taking it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT EXISTS (
                SELECT 1
                FROM pg_locks, pg_database, hashtextextended(%s, 0) AS key
                WHERE locktype = 'advisory' AND objsubid = 1 AND granted
                  AND pg_database.oid = pg_locks.database AND datname = current_database()
                  AND classid::bigint = (key >> 32) & 4294967295
                  AND objid::bigint = key & 4294967295)
            """,
            [key],
        )
        return bool(cursor.fetchone()[0])
