"""docs/integration.md: the columns of ERP exports that it names are understood by their names."""

import re
from pathlib import Path

import pytest

from core.importing import mapping, registry

PAGE = Path(__file__).resolve().parents[2] / "docs" / "integration.md"
TABLE = re.compile(r"^\| column \| field of (\w+) \|\n\|[-|]+\|\n((?:\|.*\|\n)+)", re.M)


def promises():
    """(kind, column, column of its lines or "", field) of each name in the tables."""
    for kind, rows in TABLE.findall(PAGE.read_text()):
        for row in rows.splitlines():
            columns, field = (cell.strip() for cell in row.strip("|").split("|"))
            for names in columns.split(","):
                column, _plus, line = (part.strip() for part in names.partition(" + "))
                yield kind, column, line, field


@pytest.mark.parametrize(("kind", "column", "line", "field"), list(promises()))
def test_a_column_is_understood_by_its_name(kind, column, line, field):
    fields = registry.get(kind).fields
    assert mapping.guess(fields, [column]) == {field: column}
    if line:
        assert mapping.guess(fields, [line, column]) == {field: f'{column}+"-"+{line}'}


def test_all_tables_are_read():
    assert len(list(promises())) > 50
    assert {kind for kind, *_rest in promises()} == {"sales", "payments"}


def test_the_code_of_the_page_is_sound():
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S):
        compile(block, "integration.md", "exec")
