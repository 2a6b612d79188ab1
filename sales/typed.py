"""The staged texts of sales lines → a typed table, in which a null means nothing was meant."""

from __future__ import annotations

from itertools import compress
from typing import Any

from core.importing import staging
from core.importing.outcome import Task
from sales import meanings
from sales.models import SalesKind

DEFAULTS = {"source": "file", "kind": SalesKind.SELL_IN.value}
FIELDS = (
    "partner", "product", "occurred_on", "kind", "source", "reference", "quantity", "amount",
)  # fmt: skip


class TypedRows:
    """Makes `import_typed` (row_no, surplus, FIELDS, reverses) of the staging table of a task."""

    def __init__(self, task: Task, cursor: Any) -> None:
        self.task, self.cursor = task, cursor
        self.dates = meanings.Dates(task.dates)
        self.meanings = meanings.looked_up(task.by, self.dates)

    def make(self) -> int:
        """Make the table; how many rows it has."""
        version = self.cursor.connection.server_version
        joins: list[str] = []
        columns = {field: self._looked_up(field, joins) for field in self.meanings}
        # Texts and numbers are worked out once a row, below OFFSET 0, and judged above it.
        parts = ["s.*"]
        for field, length in (("source", 40), ("reference", 100)):
            parts.append(f"btrim({self._text(field)}) AS {field}_text")
            columns[field] = meanings.word(f"s.{field}_text", length)
        for field in ("quantity", "amount"):
            text = self._text(field)
            parts.append(f"{text} AS {field}_text, {meanings.numeric(text, version)} AS {field}")
            columns[field] = meanings.number(f"s.{field}", f"s.{field}_text", version)
        reverses = (
            meanings.optional(self._text("reverses")) if "reverses" in self.task.mapping else "NULL"
        )
        listed = ", ".join(f"{columns[field]} AS {field}" for field in FIELDS)
        self.cursor.execute(
            f"CREATE TEMP TABLE import_typed ON COMMIT DROP AS"
            f' SELECT s.row_no, s.surplus, {listed}, ({reverses})::text COLLATE "C" AS reverses'
            f" FROM (SELECT {', '.join(parts)} FROM {staging.TABLE} s OFFSET 0) s {' '.join(joins)}"
        )
        rows: int = self.cursor.rowcount
        self._type_odd_numbers()
        return rows

    def _type_odd_numbers(self) -> None:
        """Numbers that are none to PostgreSQL, in the ways of people: 1,234.50, (5), 3.5万."""
        fields = ("quantity", "amount")
        missing = ", ".join(f"coalesce(bool_or({field} IS NULL), false)" for field in fields)
        self.cursor.execute(f"SELECT {missing} FROM import_typed")
        for field in compress(fields, self.cursor.fetchone()):
            name, text = f"import_{field}", self._text(field)
            where = (
                "EXISTS (SELECT FROM import_typed t"
                f" WHERE t.row_no = s.row_no AND t.{field} IS NULL)"
            )
            staging.make_lookup(self.cursor, name, text, "numeric", meanings.numbers, where)
            self.cursor.execute(
                f"UPDATE import_typed t SET {field} = {name}.value"
                f" FROM {staging.TABLE} s JOIN {name} ON {name}.text = {text}"
                f" WHERE t.row_no = s.row_no AND t.{field} IS NULL"
            )

    def _text(self, field: str) -> str:
        """The SQL of a field's text; its default where no column or constant gives any."""
        expression = self.task.mapping.get(field)
        if expression is None:
            return f"'{DEFAULTS[field]}'::text"
        text = staging.sql_of(self.cursor, expression)
        if field in DEFAULTS and expression.constant is None:
            return f"coalesce({meanings.optional(text)}, '{DEFAULTS[field]}')"
        return text

    def _looked_up(self, field: str, joins: list[str]) -> str:
        """The SQL of a field's value, by a table of its distinct texts: some thousand, where the
        rows are millions."""
        sql_type, resolve = self.meanings[field]
        expression = self.task.mapping.get(field)
        constant = DEFAULTS.get(field) if expression is None else expression.constant
        if constant is not None:
            value = resolve([constant]).get(constant)
            literal = self.cursor.mogrify(f"%s::{sql_type}", [value])
            return str(literal.decode() if isinstance(literal, bytes) else literal)
        name, text = f"import_{field}", self._text(field)
        staging.make_lookup(self.cursor, name, text, sql_type, resolve)
        joins.append(f"LEFT JOIN {name} ON {name}.text = {text}")
        return f"{name}.value"
