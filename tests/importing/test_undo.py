"""Undoing an import of sales: all is again as it was before, or it says what is in the way."""

import io
import json
import threading

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.urls import reverse
from hypothesis import HealthCheck, given, settings, strategies as st

from core.importing.models import Import
from sales.models import FactBefore, SalesDaily, SalesFact
from tests import factories as make
from tests.importing.test_load_sales import GOOD, HEAD, counts
from tests.waiting import wait_for_a_waiter

pytestmark = pytest.mark.django_db
CHANGED = GOOD.replace("10.1234", "11").replace("R2", "R3")


def undo(number, *, fails=False):
    out = io.StringIO()
    try:
        call_command("undo", str(number), stdout=out, language="en")
    except SystemExit as stop:
        assert fails and stop.code == 1
    answer = json.loads(out.getvalue().splitlines()[-1])
    answer.pop("seconds", None)
    return answer


def books():
    """Every line and every cell of the rollup, with where each line came from."""
    lines = SalesFact.objects.order_by("reference").values_list(
        "source", "reference", "partner", "product", "occurred_on", "kind", "quantity", "amount",
        "reverses", "load", "row_no",
    )  # fmt: skip
    cells = SalesDaily.objects.order_by("partner", "day", "kind", "product_line").values_list(
        "partner", "day", "kind", "product_line", "lines", "net", "returns", "quantity"
    )
    return list(lines), list(cells)


def test_new_lines_go_and_changed_ones_are_again_as_before(load, network):
    load("sales", GOOD)
    before = books()
    second = load("sales", CHANGED)
    assert counts(second) == (2, 1, 1, 0, 0)
    assert undo(second["import"]) == {"import": second["import"], "deleted": 1, "restored": 1}
    assert books() == before
    assert Import.objects.get(pk=second["import"]).state == "undone"
    assert FactBefore.objects.count() == 0


def test_an_undone_file_can_be_loaded_again(load, network):
    first = load("sales", GOOD)
    undo(first["import"])
    assert books() == ([], [])
    assert counts(load("sales", GOOD)) == (2, 2, 0, 0, 0)


def test_an_import_is_undone_once(load, network):
    first = load("sales", GOOD)
    undo(first["import"])
    assert undo(first["import"], fails=True)["error"] == "not_applied"
    assert undo(0, fails=True)["error"] == "no_import"


def test_later_imports_are_undone_first(load, network):
    first = load("sales", GOOD)
    second = load("sales", CHANGED)
    number = second["import"]
    assert undo(first["import"], fails=True) == {
        "error": "blocked",
        "message": f"Later imports changed its lines: #{number}. Undo these first.",
    }
    undo(number)
    assert undo(first["import"])["deleted"] == 2
    assert books() == ([], [])


def test_a_line_that_another_import_reverses_stays(load, network):
    first = load("sales", GOOD)
    back = load("sales", HEAD.strip() + ",reverses\nR9,P-1,A-1,2026-01-07,-2,-10.1234,R1\n")
    before = books()
    number = back["import"]
    assert undo(first["import"], fails=True) == {
        "error": "blocked",
        "message": f"Lines of other imports reverse its lines: #{number}. Undo these first.",
    }
    assert books() == before
    undo(number)
    undo(first["import"])
    assert books() == ([], [])


def test_an_original_and_its_reversal_of_one_file_go_together(load, network):
    rows = "R1,P-1,A-1,2026-01-05,2,10,\nR2,P-1,A-1,2026-01-06,-2,-10,R1\n"
    both = load("sales", HEAD.strip() + ",reverses\n" + rows)
    assert undo(both["import"])["deleted"] == 2
    assert books() == ([], [])


def test_a_line_cannot_go_back_to_a_product_that_was_deleted(load, network):
    old = make.make_product(code="A-2", product_line=network[1].product_line)
    load("sales", GOOD.replace("A-1", "A-2"))
    changed = load("sales", GOOD)
    old.delete()
    before = books()
    assert undo(changed["import"], fails=True) == {
        "error": "blocked",
        "message": "2 lines that it removed or changed referred to what has been deleted since.",
    }
    assert books() == before


@pytest.mark.django_db(transaction=True)
def test_a_load_may_refer_to_an_import_whose_undo_waits_for_it(load):
    """A load that changes lines notes whose they were, while the undo waits for its lock."""
    make.make_partner(code="P-1"), make.make_product(code="A-1")
    number = load("sales", GOOD)["import"]
    answers = []

    def take_back():
        try:
            answers.append(undo(number))
        finally:
            connections.close_all()

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('sales.facts'))")
        other = threading.Thread(target=take_back)
        other.start()
        wait_for_a_waiter()
        key = "SELECT id FROM core_import WHERE id = %s FOR KEY SHARE NOWAIT"
        cursor.execute(key, [number])  # as the check of a foreign key does
    other.join()
    assert answers[0]["deleted"] == 2


# Few references, so that files change each other's lines.
ROW = st.tuples(st.integers(1, 6), st.integers(1, 28), st.integers(-9, 9))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(st.lists(ROW, max_size=6, unique_by=lambda row: row[0]), min_size=1, max_size=4))
def test_undoing_every_import_from_the_last_to_the_first_walks_back_exactly(load, files):
    make.make_partner(code=(partner := f"P{Import.objects.count()}-{SalesFact.objects.count()}"))
    product = make.make_product().code
    states, numbers = [books()], []
    for rows in files:
        text = "".join(
            f"{partner}-{n},{partner},{product},2026-01-{day},1,{amount}\n"
            for n, day, amount in rows
        )
        numbers.append(load("sales", HEAD + text)["import"])
        states.append(books())
    for number, state in zip(reversed(numbers), reversed(states[:-1]), strict=True):
        undo(number)
        assert books() == state


@pytest.fixture
def pressed(client, cast, django_capture_on_commit_callbacks):
    """Presses the button as the director, and lets the worker work."""
    client.force_login(cast.director)

    def press(number):
        with django_capture_on_commit_callbacks(execute=True):
            client.post(reverse("core:import_undo", args=[number]))
        return Import.objects.get(pk=number)

    return press


def test_on_the_page(client, load, network, cast, pressed):
    number = load("sales", GOOD)["import"]
    page = reverse("core:import_detail", args=[number])
    act = reverse("core:import_undo", args=[number])
    assert act in client.get(page).content.decode()
    assert "Rows that go" in client.get(act).content.decode()
    row = pressed(number)
    assert (row.state, row.undone_by, row.error) == ("undone", cast.director, "")
    assert books() == ([], [])
    assert act not in client.get(page).content.decode()


def test_what_stands_in_the_way_is_told_on_the_page(client, load, network, pressed):
    first = load("sales", GOOD)["import"]
    second = load("sales", CHANGED)["import"]
    said = client.get(reverse("core:import_undo", args=[first])).content.decode()
    assert f"#{second}" in said
    assert "btn-danger" not in said
    row = pressed(first)  # nobody stops a hand-made request but the service
    assert (row.state, row.undone_by) == ("applied", None)
    assert row.error == f"Later imports changed its lines: #{second}. Undo these first."
