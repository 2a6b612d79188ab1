"""What a check finds beyond rows that cannot be read: unlikely rows, differences, months."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.importing import engine, reports, services
from core.importing.models import Import
from sales.models import SalesFact
from tests import factories as make
from tests.importing.conftest import reasons
from tests.importing.test_load_sales import counts

pytestmark = pytest.mark.django_db
HEAD = "reference,kind,partner,product,occurred_on,quantity,amount\n"


def line(reference, *, kind="", partner="P-1", product="A-1", day="2026-03-05", amount=100):
    return f"{reference},{kind},{partner},{product},{day},1,{amount}\n"


def check(tmp_path, *lines, kind="sales", **options):
    path = tmp_path / "check.csv"
    path.write_text(HEAD + "".join(lines))
    load = Import(kind=kind, file_name=path.name)
    result = engine.run(
        path, load, engine.Options(**options), by=None, error_path=tmp_path / "e.csv", dry_run=True
    )
    return result.outcome


def month_of(load, network, *lines):
    return load("sales", HEAD + "".join(lines))


@pytest.fixture
def history(load, network):
    """Ten lines of 100 in January, sell-in of A-1 by P-1."""
    make.make_product("Plug", code="A-2", product_line=network[1].product_line)
    month_of(load, network, *(line(f"H{n}", day="2026-01-10") for n in range(10)))


def test_ten_times_the_usual_amount(tmp_path, history):
    found = check(tmp_path, line("R1", amount=999), line("R2", amount=-1000), line("R3"))
    assert found.suspicious == {"usual": 1, "rows": 1}
    assert found.suspects == [
        (3, "amount", "-1000 is at least ten times the usual amount, 100.00.")
    ]


def test_without_history_the_file_itself_says_what_is_usual(tmp_path, network):
    lines = [line(f"R{n}", amount=5) for n in range(10)]
    assert check(tmp_path, *lines, line("R10", amount=50)).suspicious == {"usual": 1, "rows": 1}
    assert check(tmp_path, *lines[:8], line("R10", amount=50)).suspicious == {}


def test_dates_far_from_the_rest_and_days_to_come(tmp_path, network):
    tomorrow = timezone.localdate() + timedelta(days=1)
    days = ["2026-03-01", "2026-03-08", "2026-03-15", "2016-03-05", str(tomorrow)]
    found = check(tmp_path, *(line(f"R{n}", day=day) for n, day in enumerate(days)))
    assert found.suspicious == {"date": 1, "future": 1, "rows": 2}
    assert found.suspects == [
        (5, "occurred_on", "2016-03-05 lies far from the other dates of the file."),
        (6, "occurred_on", f"{tomorrow} has not come yet."),
    ]


def test_a_product_the_partner_never_had(tmp_path, history):
    make.make_partner("New", code="P-2")
    found = check(tmp_path, line("R1", product="A-2"), line("R2", partner="P-2"))
    assert found.suspects == [(2, "product", "This partner never had the product A-2.")]


def test_sold_before_it_was_received(tmp_path, history):
    found = check(
        tmp_path,
        line("R1", kind="sell_out", day="2026-01-09"),
        line("R2", kind="sell_out", day="2026-01-10"),
        line("R3", kind="sell_through", product="A-2"),
        line("R4", product="A-2", day="2026-03-06"),
    )
    assert [row for row, _field, reason in found.suspects if "received" in reason] == [2, 4]
    assert found.suspicious["received"] == 2


def test_suspicious_rows_can_be_left_out(load, history):
    text = HEAD + line("R1", amount=5000) + line("R2")
    result = load("sales", text, "--without-suspicious")
    assert counts(result) == (2, 1, 0, 0, 1)
    assert reasons(result) == [
        (2, "amount", "5000 is at least ten times the usual amount, 100.00.")
    ]
    assert SalesFact.objects.filter(reference="R1").count() == 0


def test_what_takes_back_a_line_that_is_left_out_is_not_lost(load, history):
    head = HEAD.replace("\n", ",reverses\n")
    days = [f"R{n},,P-1,A-1,2026-03-0{n},1,100,\n" for n in range(1, 5)]
    old = "OLD,,P-1,A-1,2016-03-05,1,100,\nBACK,,P-1,A-1,2026-03-05,-1,-100,OLD\n"
    result = load("sales", head + "".join(days) + old, "--without-suspicious")
    assert counts(result) == (6, 4, 0, 0, 2)
    assert [reason[:2] for reason in reasons(result)] == [(6, "occurred_on"), (7, "reverses")]
    assert SalesFact.objects.filter(reference__startswith="R").count() == 4


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_today_is_what_it_is_where_the_people_are(tmp_path, network, zone):
    with timezone.override(zone):
        today = timezone.localdate()
        found = check(tmp_path, line("R1", day=today), line("R2", day=today + timedelta(days=1)))
    assert [row for row, _field, _reason in found.suspects] == [3]


def test_differences_of_changed_rows(tmp_path, history):
    found = check(
        tmp_path,
        line("H1", day="2026-01-10", amount="120.50"),
        line("H2", day="2026-01-11", product="A-2"),
        line("H3", day="2026-01-10"),
    )
    assert (found.updated, found.unchanged) == (2, 1)
    assert found.changes == [
        (2, "amount", "100", "120.5"),
        (3, "product", "A-1", "A-2"),
        (3, "occurred_on", "2026-01-10", "2026-01-11"),
    ]


def test_known_rows_lead_to_the_imports_that_brought_them(tmp_path, history):
    first = Import.objects.latest("pk")
    found = check(tmp_path, line("H1", day="2026-01-10"), line("R1"))
    assert found.known_from == {first.pk: 1}


def test_months_stand_beside_those_of_the_last_load_of_the_source(
    client, cast, network, settings, tmp_path
):
    first = _upload(cast, HEAD + line("A", day="2026-01-05") + line("B", day="2026-04-05"))
    services.apply(load=first, by=cast.director, progress=lambda *_: None)
    second = _upload(cast, HEAD + line("C", day="2026-02-05") + line("D", day="2026-03-05"))
    assert second.report["before"] == first.pk
    shown = reports.of(second, cast.director)
    assert [(m.month, m.rows, m.rows_before, m.missing) for m in shown["months"]] == [
        ("2026-02", 1, None, False),
        ("2026-03", 1, None, False),
        ("2026-04", None, 1, True),
    ]
    assert shown["before"] == first
    assert reports.of(second, cast.stranger)["before"] is None


def _upload(cast, text):
    from django.core.files.base import ContentFile

    load = services.upload(
        file=ContentFile(text.encode(), name="f.csv"), kind="sales", by=cast.director
    )
    load.options = {"maps": {}, "constants": {"source": "erp"}}
    return services.check(load=load, by=cast.director, progress=lambda *_: None)


def test_a_gap_between_the_months_is_shown():
    found = reports.months([["2026-01", 1, "10"], ["2026-03", 2, "20"]], [])
    assert [(m.month, m.rows, m.missing) for m in found] == [
        ("2026-01", 1, False),
        ("2026-02", None, True),
        ("2026-03", 2, False),
    ]
    far = reports.months([["1999-01", 1, "10"], ["2026-03", 2, "20"]], [])
    assert [m.month for m in far] == ["1999-01", "2026-03"]
