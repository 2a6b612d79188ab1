"""Many rows with one statement, whatever their number: PostgreSQL takes them as one JSON text and
reads each value as the type of its column."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from django.db import IntegrityError, connection, models, transaction

from core.errors import DomainError

Row = TypeVar("Row")


def update(rows: Sequence[models.Model], names: Collection[str]) -> None:
    """Write the named fields of stored rows, all of one model, and `updated_at` where it has one.

    Unlike `bulk_update` its cost is that of the rows alone. Does not call `save`; raises
    IntegrityError or DataError as the database does.
    """
    if not rows or not names:
        return
    meta = rows[0]._meta
    key: Any = meta.pk
    fields: list[Any] = [meta.get_field(name) for name in names]
    quote = connection.ops.quote_name
    values = [f"{quote(one.column)} = given.{quote(one.column)}" for one in fields]
    if any(one.name == "updated_at" for one in meta.fields):
        values.append("updated_at = statement_timestamp()")
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {quote(meta.db_table)} AS stored SET {', '.join(values)}"
            f" FROM json_populate_recordset(NULL::{quote(meta.db_table)}, %s) AS given"
            f" WHERE stored.{quote(key.column)} = given.{quote(key.column)}",
            [_as_json(rows, [key, *fields])],
        )


def insert(rows: Sequence[models.Model], names: Collection[str]) -> None:
    """Insert rows, all of one model, with the named fields; the rest the database gives.

    Unlike `bulk_create` it does not tell the keys of the new rows.
    """
    if not rows:
        return
    meta = rows[0]._meta
    fields: list[Any] = [meta.get_field(name) for name in names]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(one.column) for one in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {quote(meta.db_table)} ({columns}) SELECT {columns}"
            f" FROM json_populate_recordset(NULL::{quote(meta.db_table)}, %s)",
            [_as_json(rows, fields)],
        )


def in_parts(
    rows: Sequence[Row],
    write: Callable[[Sequence[Row]], None],
    refuse: Callable[[Row, IntegrityError | DomainError], None],
) -> None:
    """`write` all rows at once; if the database or a rule refuses them, each half by itself, and so
    on down to the rows at fault, which go to `refuse`. Rows are written in their order."""
    if not rows:
        return
    try:
        with transaction.atomic():
            write(rows)
    except (IntegrityError, DomainError) as error:
        if len(rows) == 1:
            refuse(rows[0], error)
            return
        half = len(rows) // 2
        in_parts(rows[:half], write, refuse)
        in_parts(rows[half:], write, refuse)


def _as_json(rows: Sequence[models.Model], fields: Sequence[Any]) -> str:
    return json.dumps(
        [
            {one.column: one.get_prep_value(one.value_from_object(row)) for one in fields}
            for row in rows
        ],
        default=str,
    )
