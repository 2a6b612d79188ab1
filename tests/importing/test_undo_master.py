"""Undoing an import of master data: all is again as before, or it says what is in the way."""

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings, strategies as st

from accounts.models import Territory
from core import crud
from core.importing import engine, registry
from core.importing.models import Import
from core.models import Event
from partners.models import Contact, Partner
from tests import factories as make
from tests.importing.test_load_sales import GOOD, counts
from tests.importing.test_undo import undo

pytestmark = pytest.mark.django_db
HEAD = "code,name,territory,parent,credit_code\n"
TAX = ("91350100M000100Y43", "91110000802100433B")


def table():
    """Every partner with all that is stored of it but the clock."""
    names = [one.attname for one in Partner._meta.concrete_fields if one.name != "updated_at"]
    return list(Partner.objects.order_by("pk").values_list(*names))


def blocked(number):
    answer = undo(number, fails=True)
    assert answer["error"] == "blocked"
    return answer["message"]


@pytest.fixture
def place(db):
    return make.make_territory(code="T")


def test_created_rows_go_and_changed_ones_are_again_as_before(load, place):
    load("partners", HEAD + "A,Alpha,T,,\nB,Beta,T,A,\n")
    before = table()
    second = load(
        "partners", HEAD + f"A,Alpha,T,,\nB,贝塔,T,C,{TAX[0]}\nC,Gamma,T,A,\nD,Delta,T,C,\n"
    )
    assert counts(second) == (4, 2, 1, 1, 0)
    assert undo(second["import"]) == {"import": second["import"], "deleted": 2, "restored": 1}
    assert table() == before
    assert counts(load("partners", HEAD + "C,Gamma,T,A,\n")) == (1, 1, 0, 0, 0)


def test_the_history_tells_of_it(load, place, cast):
    load("partners", HEAD + "A,Alpha,T,,\n")
    number = load("partners", HEAD + "A,Aleph,T,,\nB,Beta,T,,\n")["import"]
    keys = dict(Partner.objects.values_list("code", "pk"))
    last = Event.objects.latest("pk").pk
    Partner.objects.update(updated_at="2020-01-01T00:00Z")
    engine.undo(Import.objects.get(pk=number), by=cast.director)
    gone, changed = Event.objects.filter(pk__gt=last, verb__startswith="partners").order_by("verb")
    assert (gone.verb, gone.object_id, gone.scope_id) == (
        "partners.partner.deleted", keys["B"], keys["B"],
    )  # fmt: skip
    assert (gone.changes["name"], gone.actor) == (["Beta", None], cast.director)
    assert (changed.verb, changed.object_id) == ("partners.partner.updated", keys["A"])
    assert changed.changes == {"name": ["Aleph", "Alpha"], "pinyin": ["aleph aleph", "alpha alpha"]}
    assert (changed.source, changed.reason) == ("import", f"Taken back with import #{number}.")
    assert Partner.objects.get(code="A").updated_at.year > 2020


def test_branches_that_were_moved_move_back(load):
    head = "code,name,parent\n"
    load("territories", head + "X,X,\nY,Y,\nA,A,X\nB,B,A\nC,C,B\n")
    before = list(Territory.objects.order_by("pk").values_list("code", "path", "sort_path"))
    number = load("territories", head + "N,N,Y\nA,A,N\nB,B,Y\nX,X,B\n")["import"]
    undo(number)
    after = list(Territory.objects.order_by("pk").values_list("code", "path", "sort_path"))
    assert after == before


def test_a_unique_value_that_rows_handed_on_is_handed_back(load, place):
    load("partners", HEAD + f"A,Alpha,T,,{TAX[0]}\nB,Beta,T,,\nC,Gamma,T,,{TAX[1]}\n")
    before = table()
    text = HEAD + f"A,Alpha,T,,\nB,Beta,T,,{TAX[0]}\nC,Gamma,T,,\nD,Delta,T,,{TAX[1]}\n"
    result = load("partners", text)
    assert counts(result) == (4, 1, 3, 0, 0)
    undo(result["import"])
    assert table() == before


def test_what_depends_on_created_rows_is_listed(load, place, cast):
    make.make_product(code="A-1")
    number = load("partners", HEAD + "P-1,One,T,,\nP-2,Two,T,P-1,\n")["import"]
    partner = Partner.objects.get(code="P-1")
    load("sales", GOOD)
    load("contacts", "partner,name\nP-1,Li\nP-2,Wang\n")
    make.make_partner(parent=partner)
    before = table()
    assert [
        str(one.message)
        for one in registry.get("partners").undo_plan(Import.objects.get(pk=number)).problems
    ] == [
        "Rows that it created are still used by: Sales lines (2).",
        "Rows that it created are still used by: contacts (2).",
        "Rows that it created are still used by: partners (1).",
    ]
    assert "contacts (2)" in blocked(number)
    assert (table(), Contact.objects.count()) == (before, 2)


def test_a_territory_that_bounds_a_user_stays(load, cast):
    number = load("territories", "code,name\nNEW,New\n")["import"]
    cast.south_manager.territories.add(Territory.objects.get(code="NEW"))
    assert blocked(number) == "Rows that it created are still used by: users (1)."


def test_what_was_changed_later_is_not_written_over(load, place):
    load("partners", HEAD + "A,Alpha,T,,\nB,Beta,T,,\n")
    number = load("partners", HEAD + "A,Aleph,T,,\nB,Bet,T,,\nC,Gamma,T,,\n")["import"]
    for code, field, value in (
        ("A", "note", "other field"),
        ("B", "name", "x"),
        ("C", "note", "x"),
    ):
        partner = Partner.objects.get(code=code)
        setattr(partner, field, value)
        crud.save(partner, by=None)
    before = table()
    assert blocked(number) == "Changed after the import: partners (2): Bet, Gamma."
    assert table() == before
    again = Partner.objects.get(code="B")
    again.name = "Bet"
    crud.save(again, by=None)  # somebody wanted it so
    assert "Bet, Gamma" in blocked(number)


def test_what_was_changed_without_a_trace_is_not_written_over(load, place):
    load("partners", HEAD + "A,Alpha,T,,\n")
    number = load("partners", HEAD + "A,Aleph,T,,\n")["import"]
    Partner.objects.update(name="By SQL")
    assert blocked(number) == "Changed after the import: partners (1): Aleph."


def test_later_imports_are_undone_first(load, place):
    first = load("partners", HEAD + "A,Alpha,T,,\n")["import"]
    second = load("partners", HEAD + "A,Aleph,T,,\n")["import"]
    third = load("partners", HEAD + "A,Alpha,T,,\n")["import"]
    assert "Changed after" in blocked(first)
    undo(third)
    undo(second)
    assert undo(first)["deleted"] == 1
    assert table() == []


def test_what_a_row_referred_to_may_be_gone(load, place):
    old = make.make_territory(code="OLD")
    load("partners", HEAD + "A,Alpha,OLD,,\n")
    number = load("partners", HEAD + "A,Alpha,T,,\n")["import"]
    crud.delete(old, by=None)
    assert undo(number, fails=True)["error"] == "row_gone"


def test_a_value_that_somebody_else_has_by_now_cannot_come_back(load, place):
    load("partners", HEAD + f"A,Alpha,T,,{TAX[0]}\nB,Beta,T,,\n")
    number = load("partners", HEAD + "A,Alpha,T,,\nB,Bet,T,,\n")["import"]
    make.make_partner(credit_code=TAX[0])
    before = table()
    assert undo(number, fails=True) == {
        "error": "not_restored",
        "message": "“Alpha” cannot be as it was before: A record with these values exists already.",
    }
    assert table() == before


def test_rows_that_are_gone_already_are_no_concern(load, place):
    number = load("partners", HEAD + "A,Alpha,T,,\nB,Beta,T,,\n")["import"]
    crud.delete(Partner.objects.get(code="A"), by=None)
    assert undo(number)["deleted"] == 1


def test_undoing_three_rows_costs_as_many_queries_as_three_hundred(
    load, place, django_assert_max_num_queries
):
    for count in (3, 300):
        load("partners", HEAD + "".join(f"{count}-{i},N,T,,\n" for i in range(count)))
        text = "".join(
            f"{count}-{i},M,T,,\n{count}-{i}n,New,T,{count}-{i},\n" for i in range(count)
        )
        number = load("partners", HEAD + text)["import"]
        with django_assert_max_num_queries(50):
            assert undo(number) == {"import": number, "deleted": count, "restored": count}


def test_on_the_page(client, load, place, cast, django_capture_on_commit_callbacks):
    number = load("partners", HEAD + "A,Alpha,T,,\n")["import"]
    client.force_login(cast.director)
    act = reverse("core:import_undo", args=[number])
    assert client.get(act).context["plan"].deleted == 1
    with django_capture_on_commit_callbacks(execute=True):
        client.post(act)
    assert Import.objects.get(pk=number).state == "undone"
    assert not Partner.objects.filter(code="A").exists()


def test_targets_and_contacts_too(load, network):
    contacts = load("contacts", "partner,name,phone\nP-1,Li,1\n")["import"]
    target = "partner,product_line,month,kind,amount\nP-1,CAB,2026-01,,{}\n"
    first = load("targets", target.format("1000"))["import"]
    second = load("targets", target.format("1000.50"))["import"]
    assert [undo(number)["restored"] for number in (second, first, contacts)] == [1, 0, 0]
    partner = network[0]
    assert (partner.contacts.count(), partner.targets.count()) == (0, 0)


# Few codes, names and parents, so that files change each other's rows.
ROW = st.tuples(
    st.integers(1, 5), st.sampled_from("xyz"), st.integers(0, 5), st.sampled_from(["", *TAX])
)
FILE = st.lists(ROW, max_size=5, unique_by=lambda row: row[0])


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(st.one_of(FILE, st.none()), min_size=1, max_size=6))
def test_any_loads_and_undos_walk_back_exactly(load, place, steps):
    stack = []
    for rows in [*steps, *[None] * len(steps)]:
        if rows is not None:
            text = "".join(
                f"P{n},{name},T,{f'P{above}' if above else ''},{tax}\n"
                for n, name, above, tax in rows
            )
            before = table()
            stack.append((load("partners", HEAD + text)["import"], before))
        elif stack:
            number, before = stack.pop()
            undo(number)
            assert table() == before
    assert table() == []
