"""The staged texts of facts → a typed table, in which a null means nothing was meant."""

from __future__ import annotations

from functools import partial
from itertools import compress
from typing import Any

from core.importing import staging
from core.importing.outcome import Task
from sales.loading import aliases, meanings
from sales.loading.kinds import FactKind


class TypedRows:
    """Makes `import_typed` of the staging table of a task: row_no, surplus, the kind's fields,
    `ok_…` for what may be empty but not wrong, and reverses."""

    def __init__(self, kind: FactKind, task: Task, cursor: Any) -> None:
        self.kind, self.task, self.cursor = kind, task, cursor
        self.dates = {name: meanings.Dates(task.dates) for name in kind.dates}
        self.meanings = meanings.looked_up(task.by, self.dates)
        self.units = kind.has_products and "unit" in task.mapping
        # A row is good when none of these is null.
        self.checks = (*kind.required, *(f"ok_{name}" for name in kind.optional))
        if self.units:
            self.checks = (*self.checks, "ok_unit")

    def make(self) -> int:
        """Make the table; how many rows it has."""
        version = self.cursor.connection.server_version
        joins: list[str] = []
        columns = {name: self._looked_up(name, joins) for name in self.kind.known}
        # Texts and numbers are worked out once a row, below OFFSET 0, and judged above it.
        parts = ["s.*"]
        for name, length in self.kind.words.items():
            parts.append(f"{meanings.trimmed(self._text(name))} AS {name}_text")
            columns[name] = meanings.word(f"s.{name}_text", length)
        for name in self.kind.numbers:
            text = self._text(name)
            parts.append(f"{text} AS {name}_text, {meanings.numeric(text, version)} AS {name}")
            scale = self.task.scales.get(name, 1)
            columns[name] = meanings.number(f"s.{name}", f"s.{name}_text", version, scale)
        for name in self.kind.optional:
            text = meanings.optional(self._text(name))
            columns[f"ok_{name}"] = f"({text} IS NULL OR {columns[name]} IS NOT NULL OR NULL)"
            if name in self.kind.words:
                columns[name] = f"coalesce({columns[name]}, '')"
        self._translate(columns, joins)
        reverses = (
            meanings.optional(self._text("reverses")) if "reverses" in self.task.mapping else "NULL"
        )
        listed = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
        self.cursor.execute(
            f"CREATE TEMP TABLE import_typed ON COMMIT DROP AS"
            f' SELECT s.row_no, s.surplus, {listed}, ({reverses})::text COLLATE "C" AS reverses'
            f" FROM (SELECT {', '.join(parts)} FROM {staging.TABLE} s OFFSET 0) s {' '.join(joins)}"
        )
        rows: int = self.cursor.rowcount
        self._type_odd_numbers()
        if "factor" in columns:
            self._convert()
        return rows

    def _translate(self, columns: dict[str, str], joins: list[str]) -> None:
        """Products by the names that partners have for them, and how many of ours one of theirs
        is."""
        if not self.kind.has_products:
            return
        own, product, unit = columns["product"], self._text("product"), "''::text"
        if self.units:
            text = self._text("unit")
            staging.make_lookup(self.cursor, "import_unit", text, "text", aliases.units)
            joins.append(f"LEFT JOIN import_unit ON import_unit.text = {text}")
            unit = "coalesce(import_unit.value, '')"
            columns["ok_unit"] = f"({own} IS NULL OR {aliases.counts_in(own, unit)} OR NULL)"
        if aliases.make_table(self.cursor, columns["partner"], " ".join(joins), product, unit):
            joins.append(
                f"LEFT JOIN {aliases.TABLE} alias ON alias.partner IS NOT DISTINCT FROM"
                f" {columns['partner']} AND alias.text = {product} AND alias.unit = {unit}"
            )
            columns["product"] = f"coalesce(alias.product, {own})"
            columns["factor"] = "coalesce(alias.factor, 1)"
            if self.units:
                columns["ok_unit"] = f"(alias.product IS NOT NULL OR {columns['ok_unit']} OR NULL)"

    def _convert(self) -> None:
        """Quantities in our units; one that has no room any more means nothing."""
        self.cursor.execute(
            "UPDATE import_typed SET quantity = CASE WHEN abs(quantity * factor) < 1e14"
            " THEN round(quantity * factor, 4) END WHERE factor <> 1"
        )

    def _type_odd_numbers(self) -> None:
        """Numbers that are none to PostgreSQL, in the ways of people: 1,234.50, (5), 3.5万."""
        fields = self.kind.numbers
        missing = ", ".join(f"coalesce(bool_or({field} IS NULL), false)" for field in fields)
        self.cursor.execute(f"SELECT {missing} FROM import_typed")
        for field in compress(fields, self.cursor.fetchone()):
            name, text = f"import_{field}", self._text(field)
            where = (
                "EXISTS (SELECT FROM import_typed t"
                f" WHERE t.row_no = s.row_no AND t.{field} IS NULL)"
            )
            resolve = partial(meanings.numbers, scale=self.task.scales.get(field, 1))
            staging.make_lookup(self.cursor, name, text, "numeric", resolve, where)
            self.cursor.execute(
                f"UPDATE import_typed t SET {field} = {name}.value"
                f" FROM {staging.TABLE} s JOIN {name} ON {name}.text = {text}"
                f" WHERE t.row_no = s.row_no AND t.{field} IS NULL"
            )

    def _text(self, field: str) -> str:
        """The SQL of a field's text; its default where no column or constant gives any."""
        expression = self.task.mapping.get(field)
        default = self.kind.defaults.get(field, "")
        if expression is None:
            return f"'{default}'::text"
        text = staging.sql_of(self.cursor, expression)
        if default and expression.constant is None:
            return f"coalesce({meanings.optional(text)}, '{default}')"
        return text

    def _looked_up(self, field: str, joins: list[str]) -> str:
        """The SQL of a field's value, by a table of its distinct texts: some thousand, where the
        rows are millions."""
        sql_type, resolve = self.meanings[field]
        expression = self.task.mapping.get(field)
        constant = self.kind.defaults.get(field, "") if expression is None else expression.constant
        if constant is not None:
            value = resolve([constant]).get(constant)
            literal = self.cursor.mogrify(f"%s::{sql_type}", [value])
            return str(literal.decode() if isinstance(literal, bytes) else literal)
        name, text = f"import_{field}", self._text(field)
        staging.make_lookup(self.cursor, name, text, sql_type, resolve)
        joins.append(f"LEFT JOIN {name} ON {name}.text = {text}")
        return f"{name}.value"
