"""`load sales`: what goes in, what is refused and why, and that nothing goes in twice."""

import csv
import gzip
import io
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import example, given, strategies as st

from core.importing.models import Import
from core.importing.staging import _Quotes
from sales.models import SalesDaily, SalesFact
from tests import factories as make
from tests.importing.conftest import reasons

HEAD = "reference,partner,product,occurred_on,quantity,amount\n"
GOOD = HEAD + "R1,P-1,A-1,2026-01-05,2,10.1234\nR2,P-1,A-1,2026/1/6,-1,-5\n"


def counts(result):
    return tuple(result[name] for name in ("rows", "created", "updated", "unchanged", "rejected"))


def stored():
    return list(
        SalesFact.objects.order_by("reference").values_list(
            "reference", "partner__code", "occurred_on", "quantity", "amount", "kind"
        )
    )


def test_rows_become_facts_and_rollup(load, network):
    result = load("sales", GOOD, "--set", "source=erp")
    assert counts(result) == (2, 2, 0, 0, 0)
    assert result["error_file"] is None
    assert stored() == [
        ("R1", "P-1", date(2026, 1, 5), Decimal(2), Decimal("10.1234"), "sell_in"),
        ("R2", "P-1", date(2026, 1, 6), Decimal(-1), Decimal(-5), "sell_in"),
    ]
    assert SalesDaily.objects.count() == 2
    fact = SalesFact.objects.get(reference="R2")
    assert (fact.source, fact.row_no, fact.load.file_name) == ("erp", 3, "file.csv")


def test_the_same_file_twice_changes_nothing(load, network):
    load("sales", GOOD)
    assert counts(load("sales", GOOD)) == (2, 0, 0, 2, 0)
    assert SalesFact.objects.count() == 2


def test_another_source_may_use_the_same_reference(load, network):
    load("sales", GOOD)
    assert counts(load("sales", GOOD, "--set", "source=other")) == (2, 2, 0, 0, 0)


def test_a_changed_row_is_updated_with_its_rollup(load, network):
    load("sales", GOOD)
    changed = GOOD.replace("10.1234", "11").replace("R2", "R3")
    assert counts(load("sales", changed)) == (2, 1, 1, 0, 0)
    assert dict(SalesDaily.objects.values_list("day", "net")) == {
        date(2026, 1, 5): Decimal(11),
        date(2026, 1, 6): Decimal(-10),
    }


def test_each_refused_row_says_why_in_the_users_own_columns(load, network):
    text = HEAD + (
        "R1,P-1,A-1,2026-01-05,2,10\n"
        "R2,NOBODY,A-1,2026-01-05,2,10\n"
        "R3,P-1,NOTHING,2026-01-05,2,10\n"
        "R4,P-1,A-1,0202-01-05,2,10\n"
        "R5,P-1,A-1,2026-02-30,2,10\n"
        "R6,P-1,A-1,2026-01-05,two,12345678901234567\n"
        "R7,P-1,A-1,2026-01-05,NaN,1.00005\n"
        "R1,P-1,A-1,2026-01-05,3,11\n"
        ",P-1,A-1,2026-01-05,0,\n"
        "R8,P-1,A-1,2026-01-05,0,0\n"
    )
    result = load("sales", text)
    assert counts(result) == (10, 2, 0, 0, 8)
    assert reasons(result) == [
        (3, "partner", "There is no partner with the code “NOBODY”."),
        (4, "product", "There is no product with the code “NOTHING”."),
        (5, "occurred_on", "The year of “0202-01-05” is not between 1990 and 2100."),
        (6, "occurred_on", "There is no such day as “2026-02-30”."),
        (7, "quantity", "“two” is not a number such as -1234.5."),
        (7, "amount", "12345678901234567 is too large: at most 14 digits stand before the point."),
        (8, "quantity", "“NaN” is not a number such as -1234.5."),
        (8, "amount", "1.00005 has more than 4 decimals."),
        (9, "reference", "The reference repeats row 2."),
        (10, "reference", "The cell is empty."),
        (10, "amount", "The cell is empty."),
    ]
    with Path(result["error_file"]).open(encoding="utf-8-sig") as stream:
        assert stream.readline() == HEAD.strip() + ",Row,Field,Reason\n"
        assert stream.readline().startswith("R2,NOBODY,A-1,2026-01-05,2,10,3,partner,")


def test_all_or_nothing_loads_nothing(load, network):
    text = GOOD + "R9,NOBODY,A-1,2026-01-05,2,10\n"
    result = load("sales", text, "--all-or-nothing", fails=True)
    assert (result["error"], result["rejected"]) == ("rejected_rows", 1)
    assert reasons(result) == [(4, "partner", "There is no partner with the code “NOBODY”.")]
    assert (SalesFact.objects.count(), Import.objects.count()) == (0, 0)


def test_a_dry_run_counts_and_writes_nothing(load, network):
    assert counts(load("sales", GOOD, "--dry-run")) == (2, 2, 0, 0, 0)
    assert (SalesFact.objects.count(), Import.objects.count()) == (0, 0)


def test_joined_columns_and_strange_names(load, network):
    text = (
        "Order,Invoice/Item Number,A+B,Customer,Item,Date,Qty,Sale (Dollars)\n"
        "S1,1,x,P-1,A-1,20260105,1,5\n"
    )
    fixed = (
        "partner=Customer",
        "product=Item",
        "occurred_on=Date",
        "quantity=Qty",
        "amount=Sale (Dollars)",
    )
    for expression, reference in (
        ('Order+"-"+Invoice/Item Number', "S1-1"),
        ("Order+-+Invoice/Item Number", "S1-1"),
        ("A+B", "x"),
        ("Order+A+B", "S1x"),
    ):
        load("sales", text, "--map", f"reference={expression}", *fixed)
        assert SalesFact.objects.filter(reference=reference).exists(), expression


def test_an_unknown_column_names_its_likeness(load, network):
    result = load("sales", GOOD, "--map", "amount=ammount", fails=True)
    assert result == {
        "error": "unknown_column",
        "message": "There is no column “ammount”. Did you mean: amount?",
    }


def test_codes_match_in_any_width_and_case(load, network):
    assert counts(load("sales", HEAD + "R1,ｐ－1,a-１,2026年1月5日,1,5\n")) == (1, 1, 0, 0, 0)
    assert counts(load("sales", HEAD + "R2,\u200fP-1\u200e,A-1,2026-01-05,1,5\n")) == (
        1,
        1,
        0,
        0,
        0,
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
def test_encodings_are_found_out(load, network, encoding):
    make.make_partner("Two", code="北京01")
    text = HEAD + "单1,北京01,A-1,2026-01-05,1,5\n" * 1 + "R2,P-1,A-1,2026-01-05,1,5\n" * 1
    assert counts(load("sales", text.encode(encoding))) == (2, 2, 0, 0, 0)
    assert SalesFact.objects.filter(reference="单1", partner__code="北京01").exists()


def test_gzip_and_other_delimiters(load, network):
    assert counts(
        load("sales", gzip.compress(GOOD.replace(",", ";").encode()), name="f.csv.gz")
    ) == (2, 2, 0, 0, 0)


def test_quotes_line_ends_and_lines_of_commas(load, network):
    text = (
        HEAD.strip()
        + ',note\r\nR1,P-1,A-1,2026-01-05,1,5,"a\r\nb, ""c"""\r\n'
        + ",,,,,,\r\n\r\n"
        + "R2,P-1,A-1,2026-01-05,1,5,“x”\r\n"
    )
    assert counts(load("sales", text)) == (2, 2, 0, 0, 0)


def test_ragged_rows_are_refused_by_row_not_by_file(load, network):
    text = GOOD + "R3,P-1,A-1,2026-01-05,1,5,surplus\nR4,P-1\nR5,P-1,A-1,2026-01-05,1,5,\n"
    result = load("sales", text)
    assert counts(result) == (5, 3, 0, 0, 2)
    assert [(row, field) for row, field, _reason in reasons(result)] == [
        (4, ""),
        (5, "product"),
        (5, "occurred_on"),
        (5, "quantity"),
        (5, "amount"),
    ]


def test_a_backslash_line_does_not_end_the_file(load, network):
    text = (
        HEAD.strip() + ',note\nR1,P-1,A-1,2026-01-05,1,5,"\n\\.\n"\nR2,P-1,A-1,2026-01-05,1,5,x\n'
    )
    assert counts(load("sales", text)) == (2, 2, 0, 0, 0)


def workbook(rows):
    book, stream = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.create_sheet("Other")
    book.save(stream)
    return stream.getvalue()


def test_xlsx_with_dates_numbers_and_formulas(load, network):
    content = workbook(
        [
            HEAD.strip().split(","),
            ["R1", "P-1", "A-1", date(2026, 1, 5), 2, 0.1 + 0.2],
            ["R2", "P-1", "A-1", "2026/1/6", -1, 12345678.9012],
            ["R3", "P-1", "A-1", date(2026, 1, 5), 2, "=1+1"],
            [None] * 6,
            ["R5", "P-1", "A-1", date(2026, 1, 5), 1e-9, 1],
        ]
    )
    result = load("sales", content, name="book.xlsx")
    assert counts(result) == (4, 2, 0, 0, 2)
    assert reasons(result) == [
        (4, "amount", "The cell is empty."),
        (6, "quantity", "0.000000001 has more than 4 decimals."),
    ]
    assert [row[-2] for row in stored()] == [Decimal("0.3"), Decimal("12345678.9012")]
    missing = load("sales", content, "--sheet", "Third", name="book.xlsx", fails=True)
    assert missing["message"] == "There is no sheet “Third”; there are: Sheet, Other."


def test_reversals_find_their_original(load, network):
    make.make_partner("Two", code="P-2")
    head = HEAD.strip() + ",reverses\n"
    text = head + (
        "B1,P-1,A-1,2026-01-07,-2,-10,R1\n"
        "R1,P-1,A-1,2026-01-05,2,10,\n"
        "B2,P-2,A-1,2026-01-07,-2,-10,R1\n"
        "B3,P-1,A-1,2026-01-07,-2,-10,GONE\n"
        "B4,P-1,A-1,2026-01-07,-2,-10,B4\n"
    )
    result = load("sales", text)
    assert counts(result) == (5, 2, 0, 0, 3)
    assert SalesFact.objects.get(reference="B1").reverses.reference == "R1"
    assert reasons(result) == [
        (4, "reverses", "The line it reverses belongs to another partner."),
        (5, "reverses", "The line it reverses is not known."),
        (6, "reverses", "The line it reverses is not known."),
    ]
    assert counts(load("sales", text)) == (5, 0, 0, 2, 3)


def test_a_known_line_takes_back_an_original_of_the_same_file(load, network):
    """It came without saying what it takes back; now the file has both."""
    load("sales", HEAD + "B1,P-1,A-1,2026-01-07,-2,-10\n")
    head = HEAD.replace("\n", ",reverses\n")
    text = head + "R1,P-1,A-1,2026-01-05,2,10,\nB1,P-1,A-1,2026-01-07,-2,-10,R1\n"
    assert counts(load("sales", text)) == (2, 1, 1, 0, 0)
    assert SalesFact.objects.get(reference="B1").reverses.reference == "R1"
    assert counts(load("sales", text)) == (2, 0, 0, 2, 0)


def test_a_user_loads_only_what_they_may_see(load, cast):
    make.make_product("Cable", code="A-1")
    text = HEAD + "R1,NORTH-1,A-1,2026-01-05,1,5\nR2,SOUTH-1,A-1,2026-01-05,1,5\n"
    result = load("sales", text, "--by", "north_manager")
    assert counts(result) == (2, 1, 0, 0, 1)
    assert reasons(result) == [(3, "partner", "There is no partner with the code “SOUTH-1”.")]
    load("sales", text)
    stolen = load("sales", HEAD + "R2,NORTH-1,A-1,2026-01-05,1,5\n", "--by", "north_manager")
    assert reasons(stolen) == [(2, "reference", "The reference is used by another partner.")]
    assert SalesFact.objects.get(reference="R2").partner == cast.south_partner


def test_amounts_in_the_ways_of_people(load, network):
    ways = ("1,234.50", "（5）", "￥7", "3-", "1.5万", "１２")
    rows = "".join(f'R{n},P-1,A-1,2026-01-05,"{1 + n},000","{way}"\n' for n, way in enumerate(ways))
    assert counts(load("sales", HEAD + rows)) == (6, 6, 0, 0, 0)
    assert [(row[3], row[4]) for row in stored()] == [
        (Decimal(1000), Decimal("1234.5")),
        (Decimal(2000), Decimal(-5)),
        (Decimal(3000), Decimal(7)),
        (Decimal(4000), Decimal(-3)),
        (Decimal(5000), Decimal(15000)),
        (Decimal(6000), Decimal(12)),
    ]
    assert SalesDaily.objects.get().net == Decimal("16245.5")


UNTOLD = "“2/1/2026” does not tell which is the day and which the month. Say the order of dates."


def test_the_order_of_dates_is_found_said_or_asked_for(load, network):
    told = HEAD + "R1,P-1,A-1,2/1/2026,1,1\nR2,P-1,A-1,1/16/2026,1,1\n"
    assert counts(load("sales", told)) == (2, 2, 0, 0, 0)
    assert [row[2] for row in stored()] == [date(2026, 2, 1), date(2026, 1, 16)]
    untold = HEAD + "R3,P-1,A-1,2/1/2026,1,1\n"
    assert reasons(load("sales", untold)) == [
        (
            2,
            "occurred_on",
            UNTOLD,
        )
    ]
    assert counts(load("sales", untold, "--dates", "dmy")) == (1, 1, 0, 0, 0)
    assert SalesFact.objects.get(reference="R3").occurred_on == date(2026, 1, 2)


def test_codes_that_lost_their_zeros_are_found_where_only_one_fits(load, network):
    _partner, cable = network
    for code in ("007", "0042", "00042"):
        make.make_product(code=code, product_line=cable.product_line)
    rows = "R1,P-1,7,2026-01-05,1,1\nR2,P-1,7.0,2026-01-05,1,1\nR3,P-1,42,2026-01-05,1,1\n"
    result = load("sales", HEAD + rows)
    assert counts(result) == (3, 2, 0, 0, 1)
    assert reasons(result) == [(4, "product", "There is no product with the code “42”.")]
    assert set(SalesFact.objects.values_list("product__code", flat=True)) == {"007"}


def test_a_word_for_nothing_is_nothing(load, network):
    head = HEAD.replace("\n", ",kind,source,reverses\n")
    rows = "R1,P-1,A-1,2026-01-05,1,1,,,NULL\nR2,P-1,A-1,2026-01-05,1,-,sell_out,x,-\n"
    result = load("sales", head + rows)
    assert counts(result) == (2, 1, 0, 0, 1)
    assert reasons(result) == [(3, "amount", "The cell is empty.")]
    fact = SalesFact.objects.get()
    assert (fact.kind, fact.source, fact.reverses) == ("sell_in", "file", None)


@pytest.mark.parametrize("word", ["-", "无", "NULL", "/"])
def test_lines_without_a_number_do_not_overwrite_each_other(load, network, word):
    result = load("sales", HEAD + f"{word},P-1,A-1,2026-01-05,1,1\nR1,P-1,A-1,2026-01-05,1,1\n")
    assert counts(result) == (2, 1, 0, 0, 1)
    assert reasons(result) == [(2, "reference", "The cell is empty.")]


def test_blanks_around_a_reference_do_not_make_it_another(load, network):
    load("sales", GOOD)
    again = GOOD.replace("R1,", "R1\t,").replace("R2,", "\u3000R2\xa0,")
    assert counts(load("sales", again)) == (2, 0, 0, 2, 0)


def test_a_percent_sign_in_a_fixed_text_stays_one(load, network):
    options = ("--set", "source=5%-U8", "--map", 'reference="%"+reference')
    assert counts(load("sales", GOOD, *options)) == (2, 2, 0, 0, 0)
    assert list(SalesFact.objects.order_by("reference").values_list("source", "reference")) == [
        ("5%-U8", "%R1"),
        ("5%-U8", "%R2"),
    ]


def test_of_two_columns_of_one_name_none_is_taken(load, network):
    text = HEAD.replace("\n", ",Amount\n") + "R1,P-1,A-1,2026-01-05,1,5,50\n"
    assert counts(load("sales", text))[1] == 1
    assert SalesFact.objects.get().amount == 5
    answer = load("sales", text.replace(",amount,", ",AMOUNT,"), fails=True)
    assert answer["error"] == "ambiguous_column"


@pytest.mark.parametrize("note", ['pipe 5"', '5" pipe', 'a "b" c', '"pipe 5"" wide, ""A"""'])
@pytest.mark.parametrize("last", ["", ",end"])
def test_a_quotation_mark_within_a_cell_swallows_no_lines(load, network, note, last):
    """COPY would read on to the next mark, over the ends of lines."""
    head = HEAD.replace("\n", f",note{',more' if last else ''}\n")
    notes = ("plain", note, "plain", note, "plain")
    rows = (f"R{n},P-1,A-1,2026-01-05,1,{n},{text}{last}\n" for n, text in enumerate(notes))
    assert counts(load("sales", head + "".join(rows))) == (5, 5, 0, 0, 0)
    assert [row[0] for row in stored()] == ["R0", "R1", "R2", "R3", "R4"]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("rest", ["", 'R4,P-1,A-1,2026-01-05,1,5,"ok"\n'])
def test_a_quotation_mark_that_is_not_closed_swallows_no_lines(load, network, rest, encoding):
    """It would make the lines below it a note of its own line, and nobody would miss them."""
    row = "R{0},P-1,A-1,2026-01-05,1,5,{1}\n"
    rows = row.format(1, "好") + row.format(2, '"急') + row.format(3, "")
    text = HEAD.replace("\n", ",note\n") + rows + rest
    answer = load("sales", text.encode(encoding), fails=True)
    assert answer["error"] == "open_quotation"
    assert answer["message"].startswith("A quotation mark in row 3 is not closed")
    assert SalesFact.objects.count() == 0


@given(
    st.lists(st.tuples(st.text('a",\n;', max_size=6), st.booleans()), min_size=1, max_size=8),
    st.integers(1, 7),
)
@example([('",";', True), ('"', True), ('"', True)], 1)
def test_marks_that_enclose_cells_are_told_from_others_however_the_bytes_are_cut(cells, size):
    """What csv writes is fit for COPY; what is not fit is never taken for it."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([text, "x"] for text, _raw in cells)
    written = stream.getvalue().encode()
    raw = "".join(f"{text if raw else 'y'},x\n" for text, raw in cells).encode()
    for data, fit in ((written, True), (raw, None)):
        quotes = _Quotes(",")
        chunks = [data[at : at + size] for at in range(0, len(data), size)]
        found = all(quotes.enclose_cells(chunk) for chunk in [*chunks, b""])
        if fit:
            assert found
        elif found:  # then nothing but whole cells is enclosed
            assert b'"' not in re.sub(rb'(?<![^\n,])"(?:[^"]|"")*"(?![^\n,])', b"", data)
