"""Columns of months become rows, numbers given in thousands become numbers."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from catalog.models import Product
from core.importing import mapping, registry, scales
from core.importing.models import Import
from core.importing.months import month_of
from core.importing.registry import Field
from core.importing.values import ValueProblem, parse_number
from sales.models import SalesFact, Target
from tests import factories as make
from tests.importing.conftest import reasons
from tests.importing.test_load_sales import counts, workbook
from tests.importing.test_pages import upload

WIDE = (
    "Partner,客户名称,2026-01,2026/2,Jan 2027\nP-1,One,100,,300\nP-2,Two,-,50,\nTotal,,100,50,300\n"
)
MONTHS = ("--wide", "month=amount")


@pytest.fixture
def partners(db):
    return make.make_partner("One", code="P-1"), make.make_partner("Two", code="P-2")


def targets():
    return list(
        Target.objects.order_by("partner__code", "month").values_list(
            "partner__code", "month", "amount"
        )
    )


FOUND = [
    ("P-1", date(2026, 1, 1), Decimal(100)),
    ("P-1", date(2027, 1, 1), Decimal(300)),
    ("P-2", date(2026, 2, 1), Decimal(50)),
]


def test_targets_wide_and_long(load, partners):
    """An empty cell gives no row and the total at the foot none either."""
    assert counts(load("targets", WIDE, *MONTHS)) == (3, 3, 0, 0, 0)
    assert targets() == FOUND
    long = "partner,month,amount\nP-1,2026-01,100\nP-1,2027年1月,300\nP-2,202602,50\n"
    assert counts(load("targets", long)) == (3, 0, 0, 3, 0)


@pytest.mark.parametrize(
    ("name", "month"),
    [
        ("2026-01", (2026, 1)),
        ("2026/1", (2026, 1)),
        ("2026.12", (2026, 12)),
        ("202601", (2026, 1)),
        ("2026年1月", (2026, 1)),
        ("２０２６年１月份", (2026, 1)),
        ("2026-01-01", (2026, 1)),
        ("Jan 2026", (2026, 1)),
        ("January-2026", (2026, 1)),
        ("2026 Sept", (2026, 9)),
        ("Dec-26", (2026, 12)),
        ("1月", (0, 1)),
        ("十二月", (0, 12)),
        ("May", (0, 5)),
        ("3月(万元)", (0, 3)),
        ("2026-13", None),
        ("2026-01-02", None),
        ("13月", None),
        ("1234", None),
        ("202600", None),
        ("Amount 2026", None),
        ("Market", None),
        ("1", None),
        ("", None),
    ],
)
def test_names_that_are_months(name, month):
    assert month_of(name) == month


@pytest.mark.parametrize(
    ("header", "options", "error"),
    [
        ("partner,1月,2月", (), "no_year"),
        ("partner,11月,12月,1月", ("--year", "2026"), "month_order"),
        ("partner,2026-01,2026年1月", (), "same_month"),
        ("partner,x", (), "no_months"),
        ("partner,2026-01", ("--map", "amount=partner"), "given_twice"),
        ("partner,2026-01", ("--set", "month=2026-01"), "given_twice"),
        ("partner,2026-01", ("--wide", "month=partner"), "bad_wide"),
        ("partner,2026-01", ("--scale", "amount=12"), "bad_scale"),
        ("partner,2026-01", ("--scale", "partner=1000"), "bad_scale"),
    ],
)
def test_what_does_not_fit_is_refused(load, partners, header, options, error):
    result = load("targets", f"{header}\nP-1,1,2\n", *MONTHS, *options, fails=True)
    assert result["error"] == error


def test_months_of_a_year_that_is_given_below_a_title(load, partners):
    text = "Targets\nPartner,1月,2月\nP-1,1,2\n"
    assert counts(load("targets", text, *MONTHS, "--year", "2026")) == (2, 2, 0, 0, 0)
    assert [month for _partner, month, _amount in targets()] == [date(2026, 1, 1), date(2026, 2, 1)]


def test_a_workbook_whose_months_are_dates(load, partners):
    rows = [["partner", date(2026, 1, 1), date(2026, 2, 1)], ["P-1", 1, 2.5]]
    assert counts(load("targets", workbook(rows), *MONTHS)) == (2, 2, 0, 0, 0)


def test_a_sum_of_the_year_gives_way_to_its_months(load, partners):
    assert counts(load("targets", "partner,Amount,2026-01\nP-1,900,5\n", *MONTHS))[1] == 1
    assert [amount for _partner, _month, amount in targets()] == [Decimal(5)]


BAD = "客户,2026-01,2026-02,备注\nP-1,1.5万,x,\nP-9,2,3,why\n"


@pytest.mark.parametrize("options", [MONTHS, ()])
def test_the_error_file_of_a_wide_file_can_be_loaded_again(load, partners, options):
    """It is long, so with the same choices and with none. Rows are those of the user's file."""
    named = ("--map", "partner=客户")
    result = load("targets", BAD, *MONTHS, *named)
    assert counts(result) == (4, 1, 0, 0, 3)
    assert [reason[:2] for reason in reasons(result)] == [
        (2, "amount"),
        (3, "partner"),
        (3, "partner"),
    ]
    errors = Path(result["error_file"]).read_text("utf-8-sig")
    assert errors.splitlines()[2].startswith("P-9,why,2026-01-01,2,B3,partner")
    corrected = errors.replace("P-9", "P-2").replace("-01,x,", "-01,7,")
    assert counts(load("targets", corrected, *options, *named)) == (3, 3, 0, 0, 0)
    assert targets() == [
        ("P-1", date(2026, 1, 1), Decimal(15000)),
        ("P-1", date(2026, 2, 1), Decimal(7)),
        ("P-2", date(2026, 1, 1), Decimal(2)),
        ("P-2", date(2026, 2, 1), Decimal(3)),
    ]


def test_the_error_file_says_its_scale(load, partners):
    """Loaded again without a choice, it is refused and not taken for a thousandth."""
    wide = "partner,2026-01,2026-02\nP-1,1,x\n"
    result = load("targets", wide, *MONTHS, "--scale", "amount=10000")
    errors = Path(result["error_file"]).read_text("utf-8-sig")
    assert errors.startswith("partner,month,amount (万),")
    assert load("targets", errors, fails=True)["error"] == "missing_field"
    corrected = errors.replace(",x,", ",2,")
    assert counts(load("targets", corrected, *MONTHS, "--scale", "amount=10000"))[1] == 1
    assert [amount for _partner, _month, amount in targets()] == [Decimal(10000), Decimal(20000)]


def test_sales_by_month(load, network):
    """Facts too: rows of one line of the file have numbers of their own."""
    text = "partner,product,2026-01,2026-02\nP-1,A-1,5,7\nP-1,A-1,,\nP-1,B-1,1,\n"
    result = load(
        "sales", text, "--wide", "occurred_on=amount",
        "--map", 'reference=partner+"-"+product+"-"+occurred_on', "--set", "quantity=1",
    )  # fmt: skip
    assert counts(result) == (3, 2, 0, 0, 1)
    assert [reason[:2] for reason in reasons(result)] == [(4, "product")]
    assert list(
        SalesFact.objects.order_by("reference").values_list("reference", "occurred_on", "amount")
    ) == [
        ("P-1-A-1-2026-01-01", date(2026, 1, 1), Decimal(5)),
        ("P-1-A-1-2026-02-01", date(2026, 2, 1), Decimal(7)),
    ]


def test_a_row_with_more_cells_than_the_header_is_refused(load, partners):
    result = load("targets", "partner,2026-01,2026-02\nP-1,1,2,3\n", *MONTHS)
    assert [reason[:2] for reason in reasons(result)] == [(2, ""), (2, "")]


# --- Scale ----------------------------------------------------------------------------------------


def test_prices_in_thousands(load):
    make.make_product_line(code="CAB")
    text = "code,name,product_line,list_price\nA,A,CAB,1.5\nB,B,CAB,1.23456789\nC,C,CAB,\n"
    result = load("products", text, "--set", "unit=EA", "--scale", "list_price=1000")
    assert [reason[:2] for reason in reasons(result)] == [(3, "list_price")]
    assert Product.objects.get(code="A").list_price == Decimal(1500)


@pytest.mark.parametrize(
    ("text", "scale", "number"),
    [("1,234.5", 1000, "1234500"), ("(0.0001)", 10000, "-1"), ("3.5万", 1, "35000")],
)
def test_a_number_is_multiplied(text, scale, number):
    assert parse_number(text, scale=Decimal(scale)) == Decimal(number)


def test_a_number_with_a_unit_of_its_own_is_not_multiplied_again():
    with pytest.raises(ValueProblem) as caught:
        parse_number("3.5万", scale=Decimal(10000))
    assert caught.value.code == "scaled_twice"
    assert "10,000" in caught.value.message


@pytest.mark.parametrize(
    ("column", "scale"),
    [
        ("金额(万元)", "10000"),
        ("金额（千元）", "1000"),
        ("Amount (thousand)", "1000"),
        ("Amount [USD '000]", "1000"),
        ("收入(百万)", "1000000"),
        ("金额(万元)(不含税)", "10000"),
        ("数量(千克)", ""),
        ("金额(元)", ""),
        ("万元", ""),
        ("Length (m)", ""),
    ],
)
def test_the_unit_in_a_name_suggests_the_scale(column, scale):
    assert scales.suggested(column) == scale


FIELDS = (Field("amount", "Amount", True, ("金额",)), Field("quantity", "Quantity", True, ("qty",)))


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (["金额(元)", "Qty (pcs)"], {"amount": "金额(元)", "quantity": "Qty (pcs)"}),
        (["金额(元)", "金额", "qty"], {"amount": "金额", "quantity": "qty"}),
        (["金额(元)", "金额(美元)", "qty"], {"quantity": "qty"}),
        (["(元)", "Amount [USD]"], {"amount": "Amount [USD]"}),
    ],
)
def test_a_column_with_a_unit_is_guessed_like_its_bare_name(header, found):
    assert mapping.guess(FIELDS, header) == found


@pytest.mark.parametrize(
    ("kind", "header", "found"),
    [
        (
            "sales",
            ["ProductKey", "ResellerKey", "SalesOrderNumber", "SalesOrderLineNumber"],
            {
                "product": "ProductKey",
                "partner": "ResellerKey",
                "reference": 'SalesOrderNumber+"-"+SalesOrderLineNumber',
            },
        ),
        ("sales", ["Order No.", "Line"], {"reference": 'Order No.+"-"+Line'}),
        (
            "sales",
            ["Invoice/Item Number", "Item Number"],
            {"reference": "Invoice/Item Number", "product": "Item Number"},
        ),
        (
            "sales",  # the number of the line
            ["Billing Document", "Item No.", "partner", "product", "date", "quantity", "amount"],
            {
                "reference": 'Billing Document+"-"+Item No.',
                "partner": "partner",
                "product": "product",
                "occurred_on": "date",
                "quantity": "quantity",
                "amount": "amount",
            },
        ),
        (
            "sales",  # nothing else is the product
            ["Invoice Number", "Item No.", "partner", "date", "quantity", "amount"],
            {
                "reference": "Invoice Number",
                "product": "Item No.",
                "partner": "partner",
                "occurred_on": "date",
                "quantity": "quantity",
                "amount": "amount",
            },
        ),
        ("partners", ["CustomerID", "Customer"], {"code": "CustomerID", "name": "Customer"}),
        ("partners", ["CustomerID", "Customer No"], {}),  # which of the two?
        ("partners", ["经销商代码", "客户名称"], {"code": "经销商代码", "name": "客户名称"}),
        ("contacts", ["ID", "No"], {}),
    ],
)
def test_another_word_for_number_is_as_good(kind, header, found):
    assert mapping.guess(registry.get(kind).fields, header) == found


def test_units_do_not_make_a_name_ambiguous(load, network):
    text = "reference,partner,product,occurred_on,quantity,amount,amount (USD)\n"
    assert counts(load("sales", text + "R1,P-1,A-1,2026-01-05,1,5,9\n"))[1] == 1
    assert SalesFact.objects.get().amount == 5


# --- The page -------------------------------------------------------------------------------------


def test_the_page_suggests_months_and_scale(page, client, cast):
    text = "客户编码,1月(万元),2月(万元)\nNORTH-1,1.5,2\nSOUTH-1,1,\n"
    row = upload(page, text, kind="targets")
    row.file_name = "2026年任务.csv"
    row.save()
    address = f"/imports/{row.pk}/columns/"
    form = client.get(address).context["form"]
    data = {name: value for name, value in form.initial.items() if value}
    assert data == {
        "map_partner": "客户编码",
        "scale_amount": "10000",
        "wide": "month=amount",
        "year": 2026,
    }
    assert "1月(万元), 2月(万元)" in form.fields["wide"].help_text

    failed = page("import_map", row.pk, **{**data, "year": ""}).context["form"]
    assert list(failed.errors) == ["year"]
    page("import_map", row.pk, **data)
    row.refresh_from_db()
    assert (row.state, row.rows, row.created, row.rejected) == ("checked", 3, 2, 1)
    again = client.get(address).context["form"]
    assert {name: value for name, value in again.initial.items() if value} == data
    page("import_apply", row.pk)
    assert targets() == [
        ("NORTH-1", date(2026, 1, 1), Decimal(15000)),
        ("NORTH-1", date(2026, 2, 1), Decimal(20000)),
    ]


def test_an_import_of_before_has_no_such_choices(page, client, cast):
    row = upload(page, "partner,month,amount\nNORTH-1,2026-01,5\n", kind="targets")
    row.options = {"maps": {}, "constants": {}, "encoding": "", "sheet": None}
    row.save()
    form = client.get(f"/imports/{row.pk}/columns/").context["form"]
    assert "wide" not in form.fields
    page("import_map", row.pk, map_partner="partner")
    assert Import.objects.get(pk=row.pk).created == 1
