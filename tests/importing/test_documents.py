"""ODS and ZIP: read like any other file, known by what is in them, refused when they mean harm."""

import gzip
import stat
import zipfile
from datetime import date, datetime

import openpyxl
import pytest

from core.errors import DomainError
from core.importing import readers
from tests.importing.conftest import reasons
from tests.importing.documents import archive, cell, ods, ods_of, row, sheet
from tests.importing.test_load_sales import GOOD, HEAD, counts, stored, workbook
from tests.importing.test_workbooks import OLD

NAMES = HEAD.strip().split(",")
LINE = ["R1", "P-1", "A-1", date(2026, 1, 5), 2, 10.5]


@pytest.fixture
def opened(tmp_path):
    def run(content, **options):
        path = tmp_path / "file.xlsx"  # the name says nothing
        path.write_bytes(content)
        return readers.open_table(path, **options)

    return run


@pytest.fixture
def refused(opened):
    def run(content):
        with pytest.raises(DomainError) as caught:
            opened(content)
        return caught.value

    return run


# --- ODS --------------------------------------------------------------------------------------


def test_an_ods_is_loaded_like_any_workbook(load, network):
    """Below empty rows and a title, with merged cells and a total; the rows keep their numbers."""
    head = [cell(name) for name in NAMES]
    first = [cell("R1"), cell("P-1", 'table:number-rows-spanned="2"'), *map(cell, LINE[2:])]
    second = [cell("R2"), "<table:covered-table-cell/>", *map(cell, LINE[2:])]
    third = [cell("R3"), cell(None), *map(cell, LINE[2:])]
    total = [cell("Total"), cell(None, 'table:number-columns-repeated="4"'), cell(31.5)]
    empty = row(cell(None))
    content = ods(
        sheet(empty, empty, row(cell("Sales")), *(row(*r) for r in (head, first, second, third)),
              row(*total))
    )  # fmt: skip
    result = load("sales", content)
    assert counts(result) == (3, 2, 0, 0, 1)
    assert reasons(result) == [(7, "partner", "The cell is empty.")]
    assert [one[1:3] for one in stored()] == [("P-1", date(2026, 1, 5))] * 2


def test_cells_of_an_ods_as_text(opened):
    kinds = [
        '<table:table-cell office:value-type="percentage" office:value="0.125"/>',
        '<table:table-cell office:value-type="currency" office:currency="CNY" office:value="12"/>',
        '<table:table-cell office:value-type="boolean" office:boolean-value="true"/>',
        cell(datetime(2026, 1, 5, 10, 30)),
        cell("a", 'table:number-columns-repeated="2"'),
        '<table:table-cell table:formula="of:=1+2" office:value-type="float" office:value="3"/>',
    ]
    table = opened(ods(sheet(row(*(cell(name) for name in "abcdefg")), row(*kinds))))
    assert [cells for _row, cells in table.rows()] == [
        ["0.125", "12", "TRUE", "2026-01-05 10:30:00", "a", "a", "3"]
    ]


def test_the_sheet_of_an_ods_is_chosen_by_name(opened):
    content = ods(sheet(row(cell("a"))), sheet(row(cell("b")), name="二月"))
    table = opened(content, sheet="二月")
    assert (table.header, table.sheet_names()) == (["b"], ["Sheet1", "二月"])


BLANK = row(cell("a"))
MILLION = 'table:number-columns-repeated="1000000"'


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (ods(sheet(row(cell("a"), cell("x", MILLION)))), "too_many_columns"),
        (ods(sheet(row(cell("a"), cell(None, MILLION), cell("x")))), "too_many_columns"),
        (
            ods(sheet(BLANK, '<table:table-row table:number-rows-repeated="999999">'
                      + cell("x") * 9 + "</table:table-row>")),
            "too_large",
        ),
        (
            ods(sheet(row(cell("a") * 9), '<table:table-row table:number-rows-repeated="999999">'
                      "<table:table-cell/></table:table-row>", BLANK)),
            "too_large",
        ),
        (
            ods(sheet('<table:table-row table:number-rows-repeated="10000">'
                      + cell("x" * 100_000) + "</table:table-row>")),
            "too_large",
        ),
        (ods(sheet(BLANK), doctype='<!DOCTYPE x [<!ENTITY e "ha">]>'), "damaged_file"),
        (ods(sheet(BLANK), mimetype="application/vnd.oasis.opendocument.text"), "no_spreadsheet"),
        (ods(sheet(BLANK), manifest="<manifest:encryption-data/>"), "encrypted"),
        (ods("<table:table>"), "damaged_file"),
        (archive({"mimetype": "", "content.xml": bytes(110 << 20)}), "too_large"),
    ],
)  # fmt: skip
def test_an_ods_that_means_harm_is_refused_before_it_is_read(refused, content, code):
    assert refused(content).code == code


def test_rows_are_counted_from_the_top_of_the_sheet(load, network):
    """Empty rows above the header count once; they once counted twice."""
    rows = [[], [], NAMES, [*LINE[:5], "x"]]
    for content in (workbook(rows), ods_of(rows)):
        assert [one[:2] for one in reasons(load("sales", content))] == [(4, "amount")]


def test_empty_rows_and_columns_before_merged_cells(opened):
    book = openpyxl.Workbook()
    for place, value in {"B3": "a", "C3": "b", "B4": "x", "C4": 1, "C5": 2}.items():
        book.active[place] = value
    book.active.merge_cells("B4:B5")
    from io import BytesIO

    stream = BytesIO()
    book.save(stream)
    assert list(opened(stream.getvalue(), names={"a", "b"}).rows()) == [
        (4, ["", "x", "1"]),
        (5, ["", "x", "2"]),
    ]


# --- ZIP --------------------------------------------------------------------------------------

BESIDE = {"data/": "", "__MACOSX/._x.csv": "x", "data/.DS_Store": "x"}


@pytest.mark.parametrize(
    "content",
    [
        GOOD.encode(),
        GOOD.encode("utf-16"),
        GOOD.replace(",", "\t").encode(),
        workbook([NAMES, LINE, ["R2", "P-1", "A-1", date(2026, 1, 6), -1, -5]]),
        ods_of([NAMES, LINE, ["R2", "P-1", "A-1", date(2026, 1, 6), -1, -5]]),
    ],
)
def test_a_packed_file_is_loaded(load, network, content):
    packed = archive(BESIDE | {"data/一月.csv": content})
    assert counts(load("sales", packed)) == (2, 2, 0, 0, 0)
    assert [one[0] for one in stored()] == ["R1", "R2"]
    assert counts(load("sales", packed)) == (2, 0, 0, 2, 0)


def test_a_packed_old_workbook(opened):
    table = opened(archive({"old.xls": OLD.read_bytes()}), names={"单号", "金额"})
    assert len(list(table.rows())) == 3  # two lines and the total


def in_gbk(name):
    """The name as Windows in China writes it: its bytes, and no sign of what they are."""
    return name.encode("gbk").decode("cp437")


def test_which_files_are_too_many_is_told_in_readable_names(refused):
    files = {in_gbk("一月.csv"): "a", in_gbk("二月.csv"): "b"}
    packed = archive(files)
    for name in files:  # zipfile writes UTF-8 and says so; that Windows does neither
        assert packed.count(name.encode()) == 2
        packed = packed.replace(name.encode(), name.encode("cp437").ljust(len(name.encode())))
    packed = packed.replace(b"\x00\x08\x08\x00", b"\x00\x00\x08\x00")
    error = refused(packed)
    assert error.code == "no_single_file"
    assert "一月.csv" in error.message and "二月.csv" in error.message


def link():
    info = zipfile.ZipInfo("a.csv")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


ENCRYPTED = archive({"a.csv": GOOD}).replace(b"PK\x03\x04\x14\x00\x00", b"PK\x03\x04\x14\x00\x01")
ENCRYPTED = ENCRYPTED.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (archive({}), "no_single_file"),
        (archive(BESIDE), "no_single_file"),
        (archive({"a.csv": "a", "b.csv": "b"}), "no_single_file"),
        (ENCRYPTED, "encrypted"),
        (archive({"a.zip": archive({"a.csv": GOOD})}), "nested_archive"),
        (archive({"a.csv.gz": gzip.compress(GOOD.encode())}), "nested_archive"),
        (archive({"../a.csv": GOOD}), "unsafe_archive"),
        (archive({"/a.csv": GOOD}), "unsafe_archive"),
        (archive({"a\\..\\b.csv": GOOD}), "unsafe_archive"),
        (archive({link(): "/etc/passwd"}), "unsafe_archive"),
        (archive({"a.csv": b"a,b\n" * (30 << 20)}), "too_large"),
        (archive({"a.csv": ""}), "empty_file"),
        (archive({"a.csv": bytes(range(256)) * 20}), "not_text"),
        (archive({"a.xlsx": b"PK\x03\x04" + bytes(600)}), "damaged_file"),
        (archive({"a.csv": GOOD})[:-30], "damaged_file"),
    ],
)
def test_an_archive_that_is_no_good_says_why(refused, content, code):
    assert refused(content).code == code


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_damaged_archive_is_refused_before_any_row_is_read(refused, encoding):
    content = bytearray(archive({"a.csv": (GOOD * 100).encode(encoding)}))
    at = content.index(b"PK\x01\x02") + 16  # the checksum in the directory
    content[at] ^= 1
    assert refused(bytes(content)).code == "damaged_file"


def test_nothing_is_left_of_what_was_unpacked(opened, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    table = opened(archive({"a.xlsx": workbook([["a"], ["1"]])}))
    assert [cells for _row, cells in table.rows()] == [["1"]]
    assert [path.name for path in tmp_path.iterdir()] == ["file.xlsx"]


def test_text_that_begins_like_an_archive_is_text(opened):
    assert opened(b"PK,Name\n1,a\n").header == ["PK", "Name"]
