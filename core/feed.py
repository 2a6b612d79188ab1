"""Reading what is new without missing what commits late.

A row gets its time from the database when it is written, but is seen only when its transaction
commits, so that rows appear out of the order of their times and of their keys. Whoever reads
"everything after what I have" must stop at the horizon: before it nothing more can appear.
"""

from __future__ import annotations

from datetime import datetime

import pgtrigger
from django.db import connection, models


def changed_at(model: type[models.Model]) -> pgtrigger.Trigger:
    """The trigger that gives each row the time of the statement that last changed it, on whatever
    path it is written. A statement that leaves a row as it was is no change."""
    # What the database works out itself is not there yet when the trigger looks.
    generated = [one.column for one in model._meta.local_fields if one.generated]
    same = "".join(f" NEW.{column} := OLD.{column};" for column in generated)
    return pgtrigger.Trigger(
        name="changed_at",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=f"""
        IF TG_OP = 'UPDATE' THEN
            NEW.updated_at := OLD.updated_at;{same}
            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;
        END IF;
        NEW.updated_at := statement_timestamp();
        RETURN NEW;
    """,
    )


# A session tells of its transaction a moment after that began.
_TOLD_WITHIN = "1 second"
_HORIZON = f"""
    SELECT least(min(xact_start), clock_timestamp() - interval '{_TOLD_WITHIN}')
      FROM pg_stat_activity
     WHERE datname = current_database() AND backend_type = 'client backend'
       AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"""


def horizon() -> datetime:
    """The time before which all rows are committed or will never be: the start of the oldest open
    transaction of this database, at most a second ago.

    Ask for it in a statement before the one that reads, and read rows whose time, given by the
    database's clock in the statement that wrote them, is less. Transactions of another database
    role are seen only where this role may read all statistics (pg_read_all_stats).
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # kept within a transaction otherwise
        cursor.execute(_HORIZON)
        return cursor.fetchone()[0]
