"""The planning page: who sees and enters what, the grid, files in and out, the API."""

import csv
import io
import json
from datetime import date
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook
from rest_framework.test import APIClient

from core import workflow
from core.importing import mapping, registry
from core.models import Event
from core.templatetags.fmt import in_unit
from core.views.exports import XLSX_LIMIT
from partners.models import Membership
from sales.models import Target, TargetPlan
from sales.planning import files, grid, services
from sales.views import TargetPlanView
from tests import factories as make
from tests.contract import conftest

strict_templates = conftest.strict_templates
pytestmark = pytest.mark.django_db
ON = date(2025, 12, 3)
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)


@pytest.fixture(autouse=True)
def _english(settings):
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def plan(cast):
    """A plan of the whole country: 300 in the north and 100 in the south, each January."""
    plan = make.make_plan(territory=cast.country, code="ALL-26")
    for partner, amount in ((cast.north_partner, 300), (cast.south_partner, 100)):
        make.make_plan_line(
            partner, plan=plan, amount=Decimal(amount), last_year=Decimal(amount // 2)
        )
    return plan


@pytest.fixture
def sign_in(client):
    def as_user(user):
        client.force_login(user)
        return client

    return as_user


def url(name, plan):
    return reverse(f"sales:targetplan_{name}", args=[plan.pk])


def cell(plan, partner):
    return plan.lines.get(partner=partner)


def write(client, plan, line, field, value, **more):
    data = {"cell": line.pk, "field": field, "value": value, **more}
    return client.post(url("enter", plan), data)


def sign(plan, cast):
    workflow.fire(plan, "submit", by=cast.director, on=ON)
    return workflow.fire(plan, "sign", by=cast.finance, on=ON)


def rows_of(response):
    return [(row.partner, row.totals.amount) for row in response.context["rows"]]


# --- Who sees what -------------------------------------------------------------------------------


def test_one_sees_the_partners_that_one_sees_and_their_sums(plan, cast, sign_in):
    page = url("detail", plan)
    response = sign_in(cast.director).get(page)
    assert rows_of(response) == [(cast.north_partner, 300), (cast.south_partner, 100)]
    assert [(part.territory, part.totals.amount) for part in response.context["parts"]] == [
        (cast.north, 300),
        (cast.south, 100),
    ]
    response = sign_in(cast.north_manager).get(page)
    assert rows_of(response) == [(cast.north_partner, 300)]
    assert [part.territory for part in response.context["parts"]] == [cast.north]
    assert "400" not in response.content.decode()
    response = sign_in(cast.director).get(page, {"territory": cast.south.pk})
    assert rows_of(response) == [(cast.south_partner, 100)]
    assert sign_in(cast.stranger).get(page).status_code == 404


def test_a_partner_is_told_neither_what_is_planned_nor_by_whom_before_it_is_signed(
    plan, cast, sign_in
):
    client = sign_in(cast.north_person)
    response = client.get(url("detail", plan))
    assert [row.partner for row in response.context["rows"]] == [cast.north_partner]
    assert (response.context["field"], response.context["parts"]) == ("proposal", [])
    text = response.content.decode()
    assert ("300" in text, "Top-down" in text, "director" in text) == (False, False, False)
    assert "300" not in client.get(TargetPlanView.url("list")).content.decode()
    assert "300" not in client.get(url("file", plan), {"what": "amount"}).getvalue().decode()
    assert "300" not in client.get(url("cells", plan), {"cell": cell(plan, cast.north_partner).pk})
    sign(plan, cast)
    assert "300" in client.get(TargetPlanView.url("list")).content.decode()
    assert "300" in client.get(url("file", plan), {"what": "amount"}).getvalue().decode()
    new = services.amend_plan(plan=TargetPlan.objects.get(pk=plan.pk), reason="x", by=cast.director)
    new.lines.filter(partner=cast.north_partner).update(amount=777)
    assert "777" not in client.get(url("detail", new), {"tab": "changes"}).content.decode()
    sign(new, cast)
    assert "777" in client.get(url("detail", new), {"tab": "changes"}).content.decode()


def test_the_figures_of_a_partner_are_its_own_entries_alone(plan, cast, sign_in):
    """Not what its manager entered, nor what a partner below it did."""
    below = make.make_partner(territory=cast.north, parent=cast.north_partner)
    make.make_plan_line(below, plan=plan, proposal=Decimal(55), last_year=Decimal(66))
    make.make_plan_line(cast.north_partner, plan=plan, month=FEBRUARY, manager=Decimal(777))
    Membership.objects.update(include_sub_partners=True)
    plan.lines.filter(partner=cast.north_partner, month=JANUARY).update(
        manager=Decimal(888), proposal=Decimal(12)
    )
    response = sign_in(cast.north_person).get(url("detail", plan))
    figures = [(each.label, each.value, each.note) for each in response.context["figures"]]
    assert figures == [("Last year", "150", ""), ("My entry", "12", "1 of 2 months")]
    text = response.content.decode()
    assert ("888" in text, "777" in text) == (False, False)
    sign(plan, cast)
    response = sign_in(cast.north_person).get(url("detail", plan))
    told = [(each.label, each.value) for each in response.context["figures"]]
    assert told == [("Last year", "150"), ("My entry", "12"), ("Target", "1,300")]


def test_the_page_of_many_takes_as_many_queries_as_of_one(plan, cast, sign_in):
    client = sign_in(cast.director)

    def queries(**query):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url("detail", plan), query).status_code == 200
        return len(captured)

    shows = [{"show": show} for show in ("plan", "compare", "entry")]
    queries()
    few = [queries(**show) for show in shows]
    for _number in range(6):
        make.make_plan_line(make.make_partner(territory=cast.south), plan=plan)
    for month in range(2, 13):
        make.make_plan_line(cast.north_partner, plan=plan, month=date(2026, month, 1))
    assert [queries(**show) for show in shows] == few


_PLAIN = """
    SELECT t.id, count(DISTINCT l.partner_id), sum(l.last_year), sum(l.top_down), sum(l.amount),
           coalesce(sum(coalesce(l.manager, l.proposal)), 0),
           coalesce(sum(l.top_down) FILTER (WHERE coalesce(l.manager, l.proposal) IS NOT NULL), 0)
      FROM sales_targetplanline l JOIN partners_partner p ON p.id = l.partner_id
      JOIN accounts_territory t ON t.id = p.territory_id
     WHERE l.plan_id = %s GROUP BY t.id, t.sort_path ORDER BY t.sort_path"""


@pytest.fixture
def wide(cast):
    """Partners × lines × months; a third is entered by the manager, a fifth by the partner."""
    lines = [make.make_product_line(), make.make_product_line()]
    plan = make.make_plan(territory=cast.country)
    plan.product_lines.set(lines)
    number = 0
    for territory in (cast.north, cast.south, cast.south):
        partner = make.make_partner(territory=territory)
        for line in lines:
            for month in (JANUARY, FEBRUARY, date(2026, 12, 1)):
                number += 1
                make.make_plan_line(
                    partner,
                    plan=plan,
                    product_line=line,
                    month=month,
                    last_year=Decimal(number * 7),
                    top_down=Decimal(number * 11),
                    amount=Decimal(number * 13) + Decimal("0.25"),
                    manager=Decimal(number * 5) if number % 3 == 0 else None,
                    proposal=Decimal(number * 3) if number % 5 == 0 else None,
                )
    return plan


@pytest.mark.parametrize("late", [False, True])
def test_the_sums_are_those_of_plain_sql(wide, cast, sign_in, monkeypatch, late):
    """Whether they come with the page or, of a large plan, after it."""
    client = sign_in(cast.director)
    if late:
        monkeypatch.setattr(grid, "SUMMED_WITH_PAGE", 17)  # of 18
        page = client.get(url("detail", wide), {"show": "compare"})
        assert (page.context["late"], page.context["parts"]) == (True, [])
        assert f'hx-get="{url("sums", wide)}?show=compare"' in page.content.decode()
    response = client.get(url("sums" if late else "detail", wide), {"show": "compare"})
    with connection.cursor() as cursor:
        cursor.execute(_PLAIN, [wide.pk])
        plain = cursor.fetchall()
    names = ("last_year", "top_down", "amount", "bottom_up", "against")
    shown = [
        (part.territory.pk, part.partners, *(getattr(part.totals, name) for name in names))
        for part in response.context["parts"]
    ]
    assert shown == plain
    last_year, top_down, amount, bottom_up, _against = (
        sum(each) for each in list(zip(*plain, strict=True))[2:]
    )
    figures = [figure.value for figure in response.context["figures"]]
    assert figures == [in_unit(each, "") for each in (last_year, top_down, bottom_up, amount)]
    assert response.context["waiting"] == 3


def test_the_rows_hold_the_sums_of_their_cells(wide, cast, sign_in):
    rows = sign_in(cast.director).get(url("detail", wide)).context["rows"]
    for row in rows:
        cells = wide.lines.filter(partner=row.partner, product_line=row.product_line)
        assert row.totals == grid.sums(cells)
    assert len(rows) == 6


def test_what_is_typed_and_called_is_not_read_as_html(cast, sign_in):
    plan = make.make_plan(territory=cast.north)
    partner = make.make_partner('<b>"A"', territory=cast.north)
    line = make.make_plan_line(partner, plan=plan)
    client = sign_in(cast.director)
    assert "<b>" not in client.get(url("detail", plan)).content.decode()
    response = write(client, plan, line, "amount", '"><b>')
    assert (response.status_code, "<b>" in response.content.decode()) == (422, False)


def test_an_entry_takes_the_same_queries_in_a_large_plan(plan, cast, sign_in):
    client = sign_in(cast.director)

    def queries(value):
        with CaptureQueriesContext(connection) as captured:
            write(client, plan, cell(plan, cast.south_partner), "manager", value)
        return len(captured)

    queries("1")
    one = queries("2")
    for _number in range(6):
        make.make_plan_line(make.make_partner(territory=cast.south), plan=plan)
    assert queries("3") == one


@pytest.mark.parametrize("show", ["plan", "compare", "entry"])
@pytest.mark.parametrize("state", ["draft", "signed"])
def test_no_view_of_the_grid_reads_what_is_not_there(
    plan, cast, sign_in, strict_templates, show, state
):
    if state == "signed":
        sign(plan, cast)
    for user in (cast.director, cast.north_manager, cast.north_person):
        client = sign_in(user)
        assert client.get(url("detail", plan), {"show": show}).status_code == 200
        line = cell(plan, cast.north_partner)
        assert client.get(url("cells", plan), {"cell": line.pk, "show": show}).status_code == 200


@pytest.mark.parametrize(
    "query",
    ["show=x", "territory=x", "territory=999999", "line=x", "page=0", "page=99", "q=%00", "what=x"],
)
def test_nonsense_in_the_address_is_survived(plan, cast, sign_in, query):
    for name in ("detail", "file"):
        assert sign_in(cast.director).get(f"{url(name, plan)}?{query}").status_code == 200


def test_partners_are_searched_and_paged(cast, sign_in, monkeypatch):
    monkeypatch.setattr(grid, "PAGE", 2)
    plan = make.make_plan(territory=cast.north)
    for name in ("Alpha", "Beta", "Gamma"):
        make.make_plan_line(make.make_partner(name, territory=cast.north), plan=plan)
    client = sign_in(cast.director)

    def shown(**query):
        rows = client.get(url("detail", plan), query).context["rows"]
        return [row.partner.name for row in rows]

    assert (shown(), shown(page="2")) == (["Alpha", "Beta"], ["Gamma"])
    assert shown(q="gam") == ["Gamma"]


def test_a_plan_by_product_line_has_a_row_for_each(cast, sign_in):
    lines = [make.make_product_line(), make.make_product_line()]
    plan = make.make_plan(territory=cast.north, lines=lines)
    for line in lines:
        make.make_plan_line(cast.north_partner, plan=plan, product_line=line)
    client = sign_in(cast.director)
    response = client.get(url("detail", plan))
    assert [row.product_line for row in response.context["rows"]] == lines
    response = client.get(url("detail", plan), {"line": lines[1].pk})
    assert [row.product_line for row in response.context["rows"]] == [lines[1]]
    assert response.context["parts"][0].totals.amount == 1000


# --- Entries -------------------------------------------------------------------------------------


def test_an_entry_answers_with_its_row_and_the_sums(plan, cast, sign_in):
    line = cell(plan, cast.north_partner)
    response = write(sign_in(cast.north_manager), plan, line, "manager", "1,250.50", show="entry")
    assert response.status_code == 200
    line.refresh_from_db()
    assert line.manager == Decimal("1250.50")
    text = response.content.decode()
    assert (f'id="row-{cast.north_partner.pk}-0"' in text, 'id="plan-figures"' in text) == (
        True,
        True,
    )
    write(sign_in(cast.north_manager), plan, line, "manager", "")
    line.refresh_from_db()
    assert line.manager is None


@pytest.mark.parametrize("value", ["-1", "x", "1e30", "NaN", "1.234"])
def test_nonsense_is_refused_and_stays_in_its_cell(plan, cast, sign_in, value):
    line = cell(plan, cast.north_partner)
    response = write(sign_in(cast.director), plan, line, "amount", value)
    assert response.status_code == 422
    assert f'value="{value}"' in response.content.decode()
    line.refresh_from_db()
    assert line.amount == 300


@pytest.mark.parametrize(
    ("who", "field", "status"),
    [
        ("director", "amount", 200),
        ("director", "manager", 200),
        ("director", "proposal", 403),
        ("administrator", "proposal", 403),
        ("north_manager", "manager", 200),
        ("north_manager", "comment", 200),
        ("north_manager", "amount", 403),
        ("north_manager", "locked", 403),
        ("north_manager", "proposal", 403),
        ("south_manager", "manager", 404),
        ("north_person", "proposal", 200),
        ("north_person", "manager", 403),
        ("north_person", "amount", 403),
        ("north_person", "comment", 403),
        ("finance", "manager", 403),
        ("finance", "amount", 403),
    ],
)
def test_who_enters_what(plan, cast, sign_in, who, field, status):
    line = cell(plan, cast.north_partner)
    assert write(sign_in(getattr(cast, who)), plan, line, field, "5").status_code == status
    assert Event.objects.filter(verb="sales.targetplanline.updated").count() == (status == 200)


def test_partners_enter_for_themselves_only(plan, cast, sign_in):
    """Who sees the partners below sees their rows, and enters for the own one."""
    below = make.make_partner(territory=cast.north, parent=cast.north_partner)
    other = make.make_plan_line(below, plan=plan)
    Membership.objects.update(include_sub_partners=True)
    client = sign_in(cast.north_person)
    rows = client.get(url("detail", plan)).context["rows"]
    assert {(row.partner, row.writable) for row in rows} == {
        (cast.north_partner, True),
        (below, False),
    }
    assert write(client, plan, other, "proposal", "5").status_code == 403
    south = cell(plan, cast.south_partner)
    assert write(client, plan, south, "proposal", "5").status_code == 404
    assert write(client, plan, cell(plan, cast.north_partner), "proposal", "5").status_code == 200
    assert set(plan.lines.values_list("partner", "proposal")) == {
        (cast.north_partner.pk, 5),
        (below.pk, None),
        (cast.south_partner.pk, None),
    }


def test_nothing_is_entered_once_it_is_submitted(plan, cast, sign_in):
    workflow.fire(plan, "submit", by=cast.director, on=ON)
    line = cell(plan, cast.north_partner)
    for user, field in ((cast.director, "amount"), (cast.north_person, "proposal")):
        response = write(sign_in(user), plan, line, field, "5")
        assert response.status_code == 422
        assert "Only the draft of a plan can be changed" in response.content.decode()
    response = sign_in(cast.director).get(url("detail", plan))
    assert (response.context["field"], response.context["may_split"]) == ("", False)


def test_the_panel_shows_one_partner_side_by_side(plan, cast, sign_in):
    line = cell(plan, cast.north_partner)
    line.manager, line.proposal = Decimal(330), Decimal(280)
    line.save()
    plan.hints.create(
        partner=cast.north_partner,
        basis="history",
        last_year=150,
        own=Decimal(165),
        own_low=Decimal(140),
        own_high=Decimal(190),
        peers=Decimal(170),
    )
    response = sign_in(cast.director).get(url("cells", plan), {"cell": line.pk})
    text = response.content.decode()
    for told in ("From its own history: 165", "between 140 and 190", "from its peers: 170"):
        assert told in text
    row = response.context["row"]
    assert (row.first.bottom_up, row.first.difference, row.first.ratio) == (330, 30, Decimal("0.1"))
    assert row.fair == [165, *[0] * 11]
    compare = sign_in(cast.director).get(url("detail", plan), {"show": "compare"})
    assert "140 – 190" in compare.content.decode()


# --- Splitting, growth, taking over --------------------------------------------------------------


def test_splitting_from_the_page(cast, sign_in):
    make.make_fact(cast.north_partner, occurred_on=date(2025, 1, 9), amount=Decimal(100))
    plan = make.make_plan(territory=cast.north, amount=Decimal(500))
    client = sign_in(cast.director)
    response = client.post(url("split", plan), {"query": "show=compare"})
    assert response.url == f"{url('detail', plan)}?show=compare"
    assert sum(plan.lines.values_list("amount", flat=True)) == 500
    empty = make.make_plan(territory=make.make_territory())
    response = client.post(url("split", empty), follow=True)
    assert "There are no partners" in response.content.decode()


def test_growth_is_typed_in_per_cent(plan, cast, sign_in):
    client = sign_in(cast.director)
    client.post(url("growth", plan), {"territory": cast.north.pk, "rate": "12.5"})
    assert plan.growths.get().rate == Decimal("0.125")
    (north, south) = client.get(url("detail", plan)).context["parts"]
    assert (north.percent, south.percent) == (Decimal("12.5"), None)
    client.post(url("growth", plan), {"territory": cast.country.pk, "rate": "8"})
    response = client.get(url("detail", plan))
    assert response.context["percent"] == 8
    plan.growths.filter(territory=cast.country).delete()
    client.post(url("growth", plan), {"territory": cast.north.pk, "rate": "1001"})
    assert plan.growths.get().rate == Decimal("0.125")
    client.post(url("growth", plan), {"territory": cast.north.pk, "rate": ""})
    assert not plan.growths.exists()


def test_taking_over_what_is_looked_at(plan, cast, sign_in):
    plan.lines.update(manager=7)
    client = sign_in(cast.director)
    client.post(url("take", plan), {"source": "bottom_up", "territory": cast.south.pk})
    assert dict(plan.lines.values_list("partner", "amount")) == {
        cast.north_partner.pk: 300,
        cast.south_partner.pk: 7,
    }
    client.post(url("take", plan), {"source": "bottom_up", "partner": cast.north_partner.pk})
    assert set(plan.lines.values_list("amount", flat=True)) == {7}
    response = client.post(url("take", plan), {"source": "x"}, follow=True)
    assert "Choose what to take over." in response.content.decode()


def test_potential_is_a_hint_beside_each_territory(plan, cast, sign_in):
    for place, people, gdp in ((cast.north, 60, 20), (cast.south, 40, 80)):
        type(place).objects.filter(pk=place.pk).update(population=people, gdp=gdp)
    found = {
        part.territory: (part.share, part.potential, part.index)
        for part in sign_in(cast.director).get(url("detail", plan)).context["parts"]
    }
    # Last year 150 and 50; population 60 and 40 %, GDP 20 and 80 %: potential 40 and 60 %.
    assert found == {
        cast.north: (Decimal("0.75"), Decimal("0.4"), Decimal("1.875")),
        cast.south: (Decimal("0.25"), Decimal("0.6"), Decimal("0.25") / Decimal("0.6")),
    }
    (part,) = sign_in(cast.north_manager).get(url("detail", plan)).context["parts"]
    assert (part.share, part.potential) == (1, 1)


# --- Signing and amending ------------------------------------------------------------------------


def test_submitting_signing_and_amending_from_the_pages(plan, cast, sign_in):
    def fire(user, name, **data):
        address = TargetPlanView.url("transition", plan.pk).replace("__name__", name)
        return sign_in(user).post(address, {"transition": name, **data})

    address = f"{url('detail', plan)}"
    assert "Submit" in sign_in(cast.director).get(address).content.decode()
    workflow.fire(plan, "submit", by=cast.director, on=ON)
    workflow.fire(plan, "sign", by=cast.finance, on=ON)
    client = sign_in(cast.director)
    assert client.get(address).context["may_amend"] is True
    assert client.post(url("amend", plan), {"reason": ""}).status_code == 422
    response = client.post(url("amend", plan), {"reason": "a partner leaves"})
    new = TargetPlan.objects.get(version=2)
    assert response.url == url("detail", new)
    response = client.get(address)
    assert (response.context["may_amend"], response.context["newer"]) == (False, new)
    assert "a partner leaves" in client.get(url("detail", new)).content.decode()
    assert client.post(url("amend", plan), {"reason": "again"}).status_code == 422
    new.lines.filter(partner=cast.north_partner).update(amount=333)
    changes = client.get(url("detail", new), {"tab": "changes"}).context["changes"]
    assert [(change.old, change.new) for change in changes] == [(300, 333)]


def test_product_lines_of_a_plan_do_not_overlap(cast, sign_in):
    above = make.make_product_line()
    below = make.make_product_line(parent=above)
    data = {
        "name": "Next year",
        "code": "N-27",
        "year": "2027",
        "kind": "sell_in",
        "territory": cast.north.pk,
        "newcomers": "median",
        "rounding": "0",
        "product_lines": [above.pk, below.pk],
    }
    client = sign_in(cast.director)
    response = client.post(TargetPlanView.url("create"), data)
    assert list(response.context["form"].errors) == ["product_lines"]
    response = client.post(
        TargetPlanView.url("create"), data | {"product_lines": [above.pk], "kind": "collection"}
    )
    assert list(response.context["form"].errors) == ["product_lines"]
    client.post(TargetPlanView.url("create"), data | {"product_lines": [above.pk]})
    assert list(TargetPlan.objects.get().product_lines.all()) == [above]


# --- Files ---------------------------------------------------------------------------------------


def load(tmp_path, kind, text, *options, fails=False):
    path = tmp_path / "file.csv"
    path.write_text(text)
    out = io.StringIO()
    try:
        call_command("load", kind, str(path), *options, stdout=out, language="en")
    except SystemExit:
        assert fails
    return json.loads(out.getvalue().splitlines()[-1])


def counts(done):
    return tuple(done[name] for name in ("created", "updated", "rejected"))


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path / "media")


@pytest.mark.parametrize(
    ("kind", "field"), [("plan_amounts", "amount"), ("plan_entries", "manager")]
)
def test_amounts_come_wide_and_long(plan, cast, tmp_path, kind, field):
    wide = "plan,partner,2026-01,2026-02\nALL-26,NORTH-1,310,320\nALL-26,SOUTH-1,,120\n"
    done = load(tmp_path, kind, wide, "--wide", f"month={field}")
    assert counts(done) == (2, 1, 0)
    expected = [
        (cast.north_partner.pk, JANUARY, Decimal(310)),
        (cast.north_partner.pk, FEBRUARY, Decimal(320)),
        (cast.south_partner.pk, FEBRUARY, Decimal(120)),
    ]
    rows = plan.lines.filter(**{f"{field}__isnull": False}).exclude(**{field: 100})
    assert (
        list(rows.order_by("partner", "month").values_list("partner", "month", field)) == expected
    )
    long = f"plan,partner,month,{field}\nALL-26,NORTH-1,2026-01,311\nALL-26,SOUTH-1,2026年2月,121\n"
    assert counts(load(tmp_path, kind, long)) == (0, 2, 0)
    assert plan.lines.get(partner=cast.south_partner, month=FEBRUARY).amount == (
        121 if field == "amount" else None
    )


def test_what_lies_outside_of_the_plan_or_is_locked_is_refused_row_by_row(plan, cast, tmp_path):
    plan.lines.filter(partner=cast.south_partner).update(locked=True)
    text = (
        "plan,partner,month,amount\nALL-26,NORTH-1,2026-01,1\nALL-26,NORTH-1,2027-01,1\n"
        "ALL-26,SOUTH-1,2026-01,1\nALL-27,NORTH-1,2026-01,1\nALL-26,NOBODY,2026-01,1\n"
    )
    done = load(tmp_path, "plan_amounts", text, fails=True)
    assert done["rejected"] == 4
    assert cell(plan, cast.south_partner).amount == 100


def test_nothing_is_imported_into_a_signed_plan(plan, cast, tmp_path):
    sign(plan, cast)
    text = "plan,partner,month,amount\nALL-26,NORTH-1,2026-01,1\n"
    assert load(tmp_path, "plan_amounts", text, fails=True)["rejected"] == 1
    assert Target.objects.get(partner=cast.north_partner).amount == 300


def test_a_planned_target_is_not_changed_by_a_file(plan, cast, tmp_path):
    sign(plan, cast)
    text = "partner,month,amount\nNORTH-1,2026-01,1\nNORTH-1,2026-02,2\nSOUTH-1,2026-01,100\n"
    done = load(tmp_path, "targets", text, fails=True)
    assert done["rejected"] == 1
    assert Target.objects.get(partner=cast.north_partner, month=JANUARY).amount == 300


def test_what_is_exported_can_be_imported_again(plan, cast, sign_in, tmp_path):
    client = sign_in(cast.director)
    text = client.get(url("file", plan), {"what": "amount"}).getvalue().decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == [
        "Plan",
        "Partner code",
        "Name",
        "Product line",
        *(f"2026-{month:02d}" for month in range(1, 13)),
        "Whole year",
    ]
    assert [(row[1], row[4], row[5], row[-1]) for row in rows[1:]] == [
        ("NORTH-1", "300.00", "", "300.00"),
        ("SOUTH-1", "100.00", "", "100.00"),
    ]
    changed = text.replace("300.00", "450.00")
    columns = {"partner": "Partner code", "product_line": "Product line"}
    guessed = mapping.guess(registry.get("plan_amounts").fields, rows[0])
    assert guessed == {"plan": "Plan", **columns}
    maps = [f"{field}={column}" for field, column in columns.items()]
    done = load(tmp_path, "plan_amounts", changed, "--wide", "month=amount", *(("--map", *maps)))
    assert counts(done) == (0, 1, 0)
    assert cell(plan, cast.north_partner).amount == 450
    book = load_workbook(
        io.BytesIO(client.get(url("file", plan), {"format": "xlsx"}).getvalue()), read_only=True
    )
    assert [cells[4] for cells in book.active.iter_rows(values_only=True)] == ["2026-01", 450, 100]


def test_a_workbook_too_large_is_refused_in_words(plan, cast, sign_in, monkeypatch):
    assert XLSX_LIMIT > 2
    monkeypatch.setattr(files, "XLSX_LIMIT", 2)
    response = sign_in(cast.director).get(url("file", plan), {"format": "xlsx"}, follow=True)
    assert "Export them as CSV" in response.content.decode()


# --- The API -------------------------------------------------------------------------------------


def api(user):
    client = APIClient()
    client.force_login(user)
    return client


def test_entries_over_the_api(plan, cast):
    line = cell(plan, cast.north_partner)
    address = f"/api/v1/target-plan-lines/{line.pk}/"
    answer = api(cast.north_manager).patch(address, {"manager": "12.50"}, format="json")
    assert (answer.status_code, answer.json()["manager"]) == (200, "12.50")
    for name in ("amount", "proposal", "locked"):
        api(cast.director).patch(address, {name: "1"}, format="json")
    line.refresh_from_db()
    assert (line.amount, line.proposal, line.locked) == (300, None, False)
    assert api(cast.finance).patch(address, {"manager": "1"}, format="json").status_code == 403
    assert api(cast.south_manager).get(address).status_code == 404
    assert api(cast.north_person).get(address).status_code == 403
    sign(plan, cast)
    frozen = api(cast.north_manager).patch(address, {"manager": "1"}, format="json")
    assert (frozen.status_code, frozen.json()["code"]) == (409, "frozen")


def test_the_lines_of_a_plan_over_the_api(plan, cast):
    query = {"plan": plan.pk, "month_after": "2026-01-01"}
    found = api(cast.director).get("/api/v1/target-plan-lines/", query).json()["results"]
    assert {(row["partner_code"], row["amount"]) for row in found} == {
        ("NORTH-1", "300.00"),
        ("SOUTH-1", "100.00"),
    }
    sign(plan, cast)
    found = api(cast.director).get("/api/v1/targets/").json()["results"]
    assert {row["plan"] for row in found} == {plan.pk}
