"""A file in the place of a period: what it does not have goes, and comes back when it is undone."""

import json

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from core.importing.models import Import
from sales.models import FactBefore, SalesFact
from tests import factories as make
from tests.importing.conftest import reasons
from tests.importing.test_load_sales import counts
from tests.importing.test_undo import books, undo

pytestmark = pytest.mark.django_db
HEAD = "reference,source,partner,product,occurred_on,quantity,amount\n"


def line(reference, day, *, partner="P-1", source="erp", amount=10):
    return f"{reference},{source},{partner},A-1,2026-{day},1,{amount}\n"


@pytest.fixture
def year(load, network):
    make.make_partner("Two", code="P-2")
    load(
        "sales",
        HEAD + line("R1", "01-05") + line("R2", "02-05") + line("R3", "02-06") + line("R4", "03-05")
        + line("R5", "02-07", partner="P-2") + line("R6", "02-08", source="file"),
    )  # fmt: skip


def stored():
    return list(SalesFact.objects.order_by("reference").values_list("reference", flat=True))


def test_lines_of_its_partners_source_and_days_go(load, year):
    before = books()
    result = load("sales", HEAD + line("R2", "02-05") + line("R7", "02-20"), "--replace=partners")
    assert (*counts(result), result["removed"]) == (2, 1, 0, 1, 0, 1)
    assert stored() == ["R1", "R2", "R4", "R5", "R6", "R7"]
    assert undo(result["import"]) == {"import": result["import"], "deleted": 1, "restored": 1}
    assert books() == before
    assert FactBefore.objects.count() == 0


def test_the_period_may_be_said_and_the_whole_source_meant(load, year):
    february = ("--replace=source", "--replace-first=2026-02-01", "--replace-last=2026-02-28")
    result = load("sales", HEAD + line("R2", "02-05"), *february)
    assert result["removed"] == 2
    assert stored() == ["R1", "R2", "R4", "R6"]


def test_a_rejected_row_keeps_the_whole_file_out(load, year):
    bad = HEAD + line("R2", "02-05") + line("R8", "02-06", partner="P-9")
    assert load("sales", bad, "--replace=partners", fails=True)["error"] == "rejected_rows"
    assert len(stored()) == 6


def test_rows_of_other_days_are_refused(load, year):
    result = load(
        "sales", HEAD + line("R2", "02-05") + line("R4", "03-05"), "--replace=partners",
        "--replace-last=2026-02-28", fails=True,
    )  # fmt: skip
    assert reasons(result) == [
        (3, "occurred_on", "The date lies outside of the period that is replaced.")
    ]


def test_a_line_that_another_reverses_does_not_go(load, year):
    back = line("R9", "04-01", amount=-10).replace("\n", ",R3\n")
    load("sales", HEAD.replace("\n", ",reverses\n") + back)
    result = load("sales", HEAD + line("R2", "02-05") + line("R7", "02-20"), "--replace=partners",
                  fails=True)  # fmt: skip
    assert result["error"] == "reversed_lines"
    assert len(stored()) == 7


def test_lines_that_came_again_stand_in_the_way_of_undoing(load, year):
    first = load("sales", HEAD + line("R2", "02-05") + line("R7", "02-20"), "--replace=partners")
    again = load("sales", HEAD + line("R3", "02-06"))
    message = (
        f"Later imports brought lines again that it removed: #{again['import']}. Undo these first."
    )
    assert undo(first["import"], fails=True) == {"error": "blocked", "message": message}
    undo(again["import"])
    assert undo(first["import"])["restored"] == 1


FILES = st.lists(
    st.tuples(
        st.dictionaries(
            st.sampled_from(["R1", "R2", "R3", "R4"]),
            st.tuples(st.sampled_from(["01-05", "01-20", "02-05"]), st.integers(1, 3)),
            min_size=1,
        ),
        st.sampled_from(["", "--replace=partners", "--replace=source"]),
    ),
    min_size=1,
    max_size=5,
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(FILES)
def test_undoing_every_import_from_the_last_to_the_first_walks_back_exactly(load, network, files):
    made, states = [], [books()]
    for rows, replace in files:
        text = HEAD + "".join(line(r, day, amount=amount) for r, (day, amount) in rows.items())
        made.append(load("sales", text, *([replace] if replace else []))["import"])
        states.append(books())
    for number, state in zip(reversed(made), reversed(states[:-1]), strict=True):
        undo(number)
        assert books() == state
    assert FactBefore.objects.count() == 0
    assert Import.objects.filter(pk__in=made, state="undone").count() == len(made)


def test_options_are_kept_as_they_were_given(load, year):
    result = load("sales", HEAD + line("R2", "02-05"), "--replace=source")
    options = Import.objects.get(pk=result["import"]).options
    assert (options["replace"], options["replace_first"]) == ("source", "")
    assert json.dumps(options)
