"""Workbooks that mean harm or hold more than values: refused in a sentence, or read as values."""

import io
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from core.errors import DomainError
from core.importing import readers
from sales.models import SalesFact
from tests import factories as make
from tests.importing.conftest import reasons
from tests.importing.test_load_sales import HEAD, counts, stored, workbook

ROWS = [HEAD.strip().split(","), ["R1", "P-1", "A-1", date(2026, 1, 5), 2, 10.5]]
ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY e0 "ha">{ENTITIES}]>'


def rewritten(content, changes, *, added=()):
    """The workbook with parts passed through functions, and parts added."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for item in old.infolist():
            change = changes.get(item.filename, lambda data: data)
            new.writestr(item, change(old.read(item)))
        for name, data in added:
            new.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    "doctype",
    [BOMB, '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e9 SYSTEM "file:///etc/passwd">]>'],
)
@pytest.mark.parametrize("cell", [b"<v>10.5</v>", b"<t>R1</t>"])
def test_entities_are_refused(load, network, doctype, cell):
    """A billion laughs and a file from elsewhere, as a number and as a text."""

    def spoilt(data):
        body = data.split(b"?>", 1)[-1]
        assert cell in body
        return doctype.encode() + body.replace(cell, cell[:3] + b"&e9;" + cell[-4:])

    content = rewritten(workbook(ROWS), {"xl/worksheets/sheet1.xml": spoilt})
    assert load("sales", content, name="b.xlsx", fails=True)["error"] == "damaged_file"
    assert SalesFact.objects.count() == 0


def test_a_link_to_another_workbook_is_not_followed(load, network):
    """What Excel saw at the other end last is the value."""

    def linked(data):
        return data.replace(b"<v>10.5</v>", b"<f>[1]Sheet1!$A$1</f><v>10.5</v>")

    link = (
        '<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        '<externalBook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
        ' r:id="rId1"/></externalLink>'
    )
    content = rewritten(
        workbook(ROWS),
        {"xl/worksheets/sheet1.xml": linked},
        added=[("xl/externalLinks/externalLink1.xml", link)],
    )
    assert counts(load("sales", content, name="link.xlsx")) == (1, 1, 0, 0, 0)
    assert str(stored()[0][-2]) == "10.5000"


def test_a_formula_counts_as_its_last_value_or_as_empty(load, network):
    def computed(data):
        return data.replace(b"<v>10.5</v>", b"<f>5+5.5</f><v>10.5</v>")

    content = rewritten(workbook(ROWS), {"xl/worksheets/sheet1.xml": computed})
    assert counts(load("sales", content, name="formula.xlsx")) == (1, 1, 0, 0, 0)

    never = workbook([ROWS[0], ["R2", "P-1", "A-1", date(2026, 1, 5), 2, "=HYPERLINK(1)"]])
    result = load("sales", never, name="formula.xlsx")
    assert reasons(result) == [(2, "amount", "The cell is empty.")]


def test_an_error_in_a_cell_is_no_number(load, network):
    def broken(data):
        return data.replace(b'<c r="F2" t="n"><v>10.5</v>', b'<c r="F2" t="e"><v>#DIV/0!</v>')

    result = load(
        "sales", rewritten(workbook(ROWS), {"xl/worksheets/sheet1.xml": broken}), name="error.xlsx"
    )
    assert [reason[:2] for reason in reasons(result)] == [(2, "amount")]


def bomb(name, size):
    """The workbook with a part of zeros, which pack to a thousandth."""
    return rewritten(workbook(ROWS), {}, added=[(name, bytes(size))])


def opened(tmp_path, content):
    path = tmp_path / "book.xlsx"
    path.write_bytes(content)
    with pytest.raises(DomainError) as caught:
        readers.open_table(path)
    return caught.value.code


@pytest.mark.parametrize("part", ["xl/worksheets/sheet3.xml", "xl/any.bin"])
def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, part):
    assert opened(tmp_path, bomb(part, 110 << 20)) == "too_large"


def test_a_part_that_is_larger_than_it_says_is_refused(tmp_path):
    content = bomb("xl/more.xml", 110 << 20)
    size = (110 << 20).to_bytes(4, "little")
    assert content.count(size) == 2  # beside the part and in the directory
    assert opened(tmp_path, content.replace(size, (1000).to_bytes(4, "little"))) == "damaged_file"


def test_ten_thousand_columns(tmp_path):
    header = [f"column {number}" for number in range(10_000)]
    assert opened(tmp_path, workbook([header, header])) == "too_many_columns"
    assert opened(tmp_path, ",".join(header).encode()) == "too_many_columns"


OLD = Path(__file__).with_name("data") / "old.xls"  # as an ERP of 2003 writes it
COLUMNS = ("reference=单号", "partner=客户编码", "product=存货编码", "occurred_on=单据日期")
COLUMNS += ("quantity=数量", "amount=金额")
FOUND = [
    ("R1", "P-1", date(2026, 1, 5), Decimal(2), Decimal("10.5"), "sell_in"),
    ("R2", "P-1", date(2026, 1, 6), Decimal(-1), Decimal("1234.5"), "sell_in"),
]


def test_an_old_workbook_with_titles_merged_cells_and_totals(load, network):
    assert counts(load("sales", OLD.read_bytes(), "--map", *COLUMNS)) == (2, 2, 0, 0, 0)
    assert stored() == FOUND
    assert [fact.row_no for fact in SalesFact.objects.order_by("reference")] == [4, 5]


def test_cells_merged_downwards_hold_one_value(load, network):
    book = openpyxl.Workbook()
    for row in (
        HEAD.strip().split(","),
        *([f"R{n}", "", "A-1", "2026-01-05", 1, n] for n in "123"),
    ):
        book.active.append(row)
    book.active["B2"] = "P-1"
    book.active.merge_cells("B2:B3")
    stream = io.BytesIO()
    book.save(stream)
    result = load("sales", stream.getvalue())
    assert counts(result) == (3, 2, 0, 0, 1)
    assert reasons(result) == [(4, "partner", "The cell is empty.")]


def merged(rows, *ranges):
    """A workbook with these rows, of which cells are merged."""
    book, stream = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    for one in ranges:
        book.active.merge_cells(one)
    book.save(stream)
    return stream.getvalue()


def test_an_amount_merged_over_several_lines_counts_once(load, network):
    """It is the sum of these lines: who of them has how much, nobody knows."""
    rows = [HEAD.strip().split(","), *([f"R{n}", "P-1", "A-1", "2026-01-05", 1, 90] for n in "12")]
    result = load("sales", merged(rows, "B2:B3", "F2:F3"))
    assert counts(result) == (2, 1, 0, 0, 1)
    assert reasons(result) == [(3, "amount", "The cell is empty.")]
    assert SalesFact.objects.get().amount == 90


def test_a_target_merged_over_several_rows_counts_once(load, network):
    make.make_partner("Two", code="P-2")
    rows = [["partner", "2026-01", "2026-02"], ["P-1", 100, 7], ["P-2", 100, 8]]
    result = load("targets", merged(rows, "B2:B3"), "--wide", "month=amount")
    assert counts(result) == (3, 3, 0, 0, 0)


def test_marks_that_nobody_sees_are_none_in_a_workbook(load, network):
    load("sales", HEAD + "R1,P-1,A-1,2026-01-05,1,5\nR2,P-1,A-1,2026-01-05,1,5\n")
    rows = [
        [name + "\u200b" for name in HEAD.strip().split(",")],
        ["R1\u200b", "P-1", "A-1", "\u200e2026-01-05", 1, "\u202d5\u202c"],
        ["R2", "P-1\ufeff", "A-1", "2026-01-05", "1", 5],
    ]
    assert counts(load("sales", merged(rows))) == (2, 0, 0, 2, 0)


def test_a_nul_in_a_workbook_does_not_reach_the_books(load, network):
    plain = merged([HEAD.strip().split(","), ["RNUL1", "P-1", "A-1", "2026-01-05", 1, 5]])
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain)) as old, zipfile.ZipFile(packed, "w") as new:
        for item in old.infolist():
            data = old.read(item).replace(b"RNUL1", b"R_x0000_1")
            new.writestr(item, data)
    assert counts(load("sales", packed.getvalue())) == (1, 1, 0, 0, 0)
    assert SalesFact.objects.get().reference == "R1"


TITLED = (
    "Sales of January\n\n"
    'North,"as of\n2026-01-31"\n'
    "reference;partner;product;occurred_on;quantity;amount\n"
    "R1;P-1;A-1;2026-01-05;2;10,5\n"
    "R2;P-1;A-1;2026-01-05;2;1,000.50\n"
    "Total;;;;4;1011\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])  # by COPY, and by Python's reader
def test_the_header_is_found_below_titles(load, network, encoding):
    text = TITLED.replace('North,"as of\n2026-01-31"', "North")
    result = load("sales", text.encode(encoding))
    assert counts(result) == (2, 1, 0, 0, 1)
    assert reasons(result) == [(5, "amount", "“10,5” is not a number such as -1234.5.")]
    assert SalesFact.objects.get().row_no == 6


def test_a_first_row_that_names_a_column_is_the_header_whatever_follows(load, network):
    text = "amount,x\n" + HEAD + "R1,P-1,A-1,2026-01-05,2,10\n"
    assert load("sales", text, fails=True)["error"] == "missing_field"


ONE = "R1,P-1,A-1,2026-01-05,2,10\nR2,P-1,A-1,2026-01-05,2,11\nR3,P-1,A-1,2026-01-05,2,12\n"


@pytest.mark.parametrize(
    "text",
    [
        'Pipes of 5" only\n' + HEAD + ONE,  # a quotation mark that quotes nothing
        HEAD.replace("amount", 'amount,size 5"') + ONE,
        '"Title\nof two lines"\n' + HEAD + ONE,
        (HEAD + ONE).replace("\n", "\r"),  # line ends of an old Macintosh
        ("Title\n" + HEAD + ONE).replace("\n", "\r\n"),
        "\ufeffTitle\n\n" + HEAD + ONE,
    ],
)
def test_no_row_is_lost_below_the_header_whatever_stands_above(load, network, text):
    assert counts(load("sales", text)) == (3, 3, 0, 0, 0)
    assert [row[0] for row in stored()] == ["R1", "R2", "R3"]
