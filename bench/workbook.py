"""How long 100,000 sales lines in a workbook take to load, against reading it with calamine alone.

Needs a scratch database: it refuses one that holds sales lines.
"""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import openpyxl
from python_calamine import CalamineWorkbook

from bench import data
from bench.common import Pairs, Result, seconds
from bench.load import clear, load, write_file
from sales.models import SalesFact

PARTNERS = 700
NUMBERS = ("Line", "Qty", "Amount")


def run(rows: int = 100_000, turns: int = 5) -> list[Result]:
    """Calamine and load in turn; the tables are empty before each load."""
    if SalesFact.objects.exists():
        raise SystemExit("The database holds sales lines. Take a scratch database.")
    data.base()
    data.partners(PARTNERS)
    pairs = Pairs()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sales.xlsx"
        _write(path, rows)
        for _turn in range(turns):
            clear()
            pairs.reference.append(seconds(lambda: _read(path)))
            pairs.work.append(load(path))
            if SalesFact.objects.count() != rows:
                raise RuntimeError("not all lines were loaded")
    clear()
    what = f"load {rows:,} lines from XLSX, all checks on"
    return [pairs.result(what, "reading the workbook with calamine alone", "≤ 3 ×")]


def _write(path: Path, rows: int) -> None:
    """The lines of `bench.load` as people keep them: numbers are numbers, the rest is text."""
    text = path.with_suffix(".csv")
    write_file(text, rows, PARTNERS)
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    with text.open(encoding="utf-8", newline="") as stream:
        lines = csv.DictReader(stream)
        sheet.append(list(lines.fieldnames or ()))
        for line in lines:
            sheet.append([float(v) if name in NUMBERS else v for name, v in line.items()])
    book.save(path)


def _read(path: Path) -> int:
    return len(CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python())
