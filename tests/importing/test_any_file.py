"""Known rows, written as any file with any dirt around them, are read back as they were."""

import csv
import gzip
import io
import tempfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
from hypothesis import given, settings, strategies as st

from core.importing import mapping, readers
from core.importing.registry import Field
from core.importing.values import is_total, parse_date, parse_number
from tests.importing.documents import archive, ods_of

FIELDS = (
    Field("code", "Code", True, ("编码",)),
    Field("day", "Day", True, ("日期",)),
    Field("amount", "Amount", True, ("金额",)),
    Field("note", "Note", False, ("备注",)),
)
HEADER = ["编码", "日期", "金额(元)", "备注"]
TITLES = [["二月销售明细"], [], ["单位：元", "打印：张三"]]
TOTAL = ["合计", "", "99", ""]

# What a cell may hold: no control signs, which the reader takes away, and what GB18030 can say.
words = st.text(st.sampled_from("aZ09 中文é,;|\t\"'-+=＋（）\n"), max_size=12).map(str.strip)
numbers = st.decimals(-(10**9), 10**9, places=2).map(lambda n: Decimal(f"{n:f}"))
days = st.dates(date(2000, 1, 1), date(2030, 12, 31))
rows = st.lists(
    st.tuples(st.integers(1, 10**6).map("A-{}".format), days, numbers, words), max_size=8
)


def wide(text):
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


WRITTEN = st.sampled_from(
    [str, lambda n: f"{n:,}", lambda n: wide(f"{n:,}"), lambda n: f"￥{n:,}" if n >= 0 else str(n)]
)


def as_text(lines, encoding, delimiter):
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter).writerows(lines)
    return stream.getvalue().encode(encoding)


def as_xlsx(lines):
    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet()
    for line in lines:
        page.append([None if value == "" else value for value in line])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def read(content):
    """[(row, code, day, amount, note)] of the rows that are no totals."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        table = readers.open_table(path, names=mapping.names(FIELDS))
        found = mapping.resolve(FIELDS, table.header, mapping.guess(FIELDS, table.header), {})
        lines = [
            (row, {name: one.value(cells) for name, one in found.items()})
            for row, cells in table.rows()
            if not is_total(cells)
        ]
    return [
        (row, one["code"], parse_date(one["day"]), parse_number(one["amount"]), one["note"])
        for row, one in lines
    ]


def laid_out(known, titles, blanks, write):
    """The lines of a file with dirt, and what should be read from them."""
    lines, expected = [*titles, HEADER], []
    for number, (code, day, amount, note) in enumerate(known):
        lines += [[""] * 4] if number in blanks else []
        lines.append([code, day, write(amount), note])
        expected.append((len(lines), code, day, amount, note))
    return [*lines, TOTAL, [""] * 4], expected


dirt = {
    "titles": st.sampled_from([[], TITLES, TITLES[:2]]),
    "blanks": st.sets(st.integers(0, 7), max_size=3),
}


@settings(max_examples=60, deadline=2000)
@given(
    rows,
    WRITTEN,
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]),
    st.sampled_from(",;\t|"),
    st.sampled_from([bytes, gzip.compress, lambda data: archive({"一月.csv": data})]),
    dirt["titles"],
    dirt["blanks"],
)
def test_text(known, write, encoding, delimiter, pack, titles, blanks):
    lines, expected = laid_out(known, titles, blanks, write)
    assert read(pack(as_text(lines, encoding, delimiter))) == expected


@settings(max_examples=40, deadline=2000)
@given(
    rows,
    st.sampled_from([float, str, "{:,}".format]),
    st.sampled_from([as_xlsx, ods_of]),
    st.booleans(),
    dirt["titles"],
    dirt["blanks"],
)
def test_workbooks(known, write, written, packed, titles, blanks):
    known = [(*one[:3], one[3].replace("\n", " ").replace("\t", " ")) for one in known]
    known = [(*one[:3], " ".join(one[3].split()).lstrip("=")) for one in known]
    lines, expected = laid_out(known, titles, blanks, write)
    content = written(lines)
    assert read(archive({"book": content}) if packed else content) == expected
