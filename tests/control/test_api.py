"""Posting totals and references, and reading what differs."""

import gzip
import json
from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError

from core.models import Event
from sales.models import ControlReference, ControlTotal
from tests import factories as make
from tests.api.conftest import ROOT, _english, as_user, machine  # noqa: F401  fixtures

pytestmark = pytest.mark.django_db
TOTALS = f"{ROOT}control-totals/"
MARCH = {
    "source": "erp", "kind": "sell_in", "period": "2026-03", "rows": 2, "amount": "150.0000",
}  # fmt: skip


@pytest.fixture
def erp(cast, machine):  # noqa: F811
    """A machine that calls, beside two lines of March."""
    for reference, partner, amount in (
        ("A", cast.north_partner, "100"), ("B", cast.south_partner, "60"),
    ):  # fmt: skip
        make.make_fact(
            partner, source="erp", reference=reference, amount=Decimal(amount),
            occurred_on=date(2026, 3, 31),
        )  # fmt: skip
    return machine


def shown(response, *names):
    return tuple(response.json()[name] for name in names)


SIDES = ("rows", "amount", "books_rows", "books_amount", "difference", "matches")


def test_a_total_is_answered_with_the_comparison(erp):
    answer = erp.post(TOTALS, MARCH)
    assert answer.status_code == 201
    assert shown(answer, *SIDES) == (2, "150.0000", 2, "160.0000", "10.0000", False)
    assert shown(answer, "period", "starts_on", "ends_before", "partner") == (
        "2026-03", "2026-03-01", "2026-04-01", None,
    )  # fmt: skip


def test_a_known_total_is_brought_up_to_date(erp):
    first = erp.post(TOTALS, MARCH).json()
    again = erp.post(TOTALS, MARCH)
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    assert Event.objects.filter(verb__startswith="sales.controltotal").count() == 1
    right = erp.post(TOTALS, MARCH | {"amount": "160"})
    assert (right.status_code, *shown(right, "id", "matches")) == (200, first["id"], True)
    assert erp.post(TOTALS, MARCH | {"period": "2026-03-31"}).status_code == 201
    assert erp.post(TOTALS, MARCH | {"partner_code": "NORTH-1"}).status_code == 201
    assert erp.post(TOTALS, MARCH | {"kind": "payment"}).status_code == 201
    assert ControlTotal.objects.count() == 4


def test_a_total_of_one_partner_counts_its_lines(erp):
    answer = erp.post(TOTALS, MARCH | {"partner_code": "NORTH-1", "rows": 1, "amount": "100"})
    assert shown(answer, *SIDES) == (1, "100.0000", 1, "100.0000", "0.0000", True)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"period": "2026"}, "period"),
        ({"period": "2026Q1"}, "period"),
        ({"period": "2026-13"}, "period"),
        ({"period": "2026-02-30"}, "period"),
        ({"period": "9999-12-31"}, "period"),
        ({"period": "2026-3-1"}, "period"),
        ({"kind": "gift"}, "kind"),
        ({"rows": -1}, "rows"),
        ({"rows": 3_000_000_000}, "rows"),
        ({"amount": 1.5}, "amount"),
        ({"amount": "1.23456"}, "amount"),
        ({"amount": "123456789012345"}, "amount"),
        ({"source": ""}, "source"),
        ({"partner_code": "NOBODY"}, "partner_code"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(erp, wrong, field):
    answer = erp.post(TOTALS, MARCH | wrong)
    assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (400, [field])
    assert not ControlTotal.objects.exists()


def rows(*pairs):
    return [{"reference": reference, "amount": amount} for reference, amount in pairs]


def put(erp, key, body, kind="application/json", **headers):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return erp.put(f"{TOTALS}{key}/references/", data, content_type=kind, **headers)


def differences(erp, key, **asked):
    found = erp.get(f"{TOTALS}{key}/differences/", asked).json()
    return [tuple(row.values()) for row in found["results"]], found["count"]


def test_each_sort_of_difference_is_found(erp):
    key = erp.post(TOTALS, MARCH).json()["id"]
    assert differences(erp, key) == ([], 0)
    assert put(erp, key, rows(("B", "50"), ("C", 1.5), ("Ä", "7"))).status_code == 200
    expected = [
        ("A", "missing_there", None, "100.0000"),
        ("B", "different", "50.0000", "60.0000"),
        ("C", "missing_here", "1.5000", None),
        ("Ä", "missing_here", "7.0000", None),
    ]
    assert differences(erp, key) == (expected, 4)
    assert differences(erp, key, page_size=3, page=2) == (expected[3:], 4)
    assert put(erp, key, rows(("A", "100.0000"), ("B", "60"))).status_code == 200
    assert differences(erp, key) == ([], 0)


def test_a_source_without_rows_needs_no_list(erp):
    key = erp.post(TOTALS, MARCH | {"rows": 0, "amount": "0"}).json()["id"]
    assert [row[:2] for row in differences(erp, key)[0]] == [
        ("A", "missing_there"),
        ("B", "missing_there"),
    ]


def test_a_list_comes_as_ndjson_and_packed(erp):
    key = erp.post(TOTALS, MARCH).json()["id"]
    lines = gzip.compress(b'{"reference":"A","amount":"100"}\n{"reference":"D","amount":"1"}\n')
    answer = put(erp, key, lines, "application/x-ndjson", headers={"content-encoding": "gzip"})
    assert answer.status_code == 200
    assert ControlReference.objects.count() == 2


def test_a_bad_list_changes_nothing_and_names_rows(erp):
    key = erp.post(TOTALS, MARCH).json()["id"]
    put(erp, key, rows(("A", "100")))
    bad = [*rows(("X", "1"), ("X", "2"), ("", "3"), ("Y", "much"), ("Z", float("inf"))), 5]
    answer = put(erp, key, bad)
    fields = [error["field"] for error in answer.json()["errors"]]
    assert (answer.status_code, fields) == (
        400,
        ["2.reference", "3.reference", "4.amount", "5.amount", "6"],
    )
    assert [row.reference for row in ControlReference.objects.all()] == ["A"]
    assert put(erp, key, []).status_code == 400


def test_asking_again_tells_of_what_is_missing(erp, cast, as_user):  # noqa: F811
    key = erp.post(TOTALS, MARCH).json()["id"]
    put(erp, key, rows(("B", "50"), ("C", "100")))
    answer = as_user(cast.finance).post(f"{TOTALS}{key}/request/")
    assert answer.status_code == 200 and answer.json()["requested_at"]
    event = Event.objects.get(verb="sales.controltotal.requested")
    assert (event.actor, event.object_id) == (cast.finance, key)
    assert event.data == {
        "source": "erp", "kind": "sell_in", "period": "2026-03", "partner": None,
        "references": ["B", "C"],
    }  # fmt: skip


def test_what_matches_is_not_asked_for(erp):
    key = erp.post(TOTALS, MARCH | {"amount": "160"}).json()["id"]
    answer = erp.post(f"{TOTALS}{key}/request/")
    assert (answer.status_code, answer.json()["code"]) == (409, "matches")
    assert not Event.objects.filter(verb="sales.controltotal.requested").exists()


def test_totals_are_filtered(erp):
    differs = erp.post(TOTALS, MARCH).json()["id"]
    same = erp.post(TOTALS, MARCH | {"period": "2026-02", "rows": 0, "amount": "0"}).json()["id"]
    make.make_control_total()  # not compared

    def found(**asked):
        return [row["id"] for row in erp.get(TOTALS, asked).json()["results"]]

    assert found(matches="true") == [same]
    assert found(matches="false") == [differs]
    assert found(period_after="2026-03-01") == [differs]
    assert found(source="erp", kind="payment") == []


def test_a_manager_sees_totals_of_own_partners_only(erp, cast, as_user):  # noqa: F811
    whole = erp.post(TOTALS, MARCH).json()["id"]
    mine = erp.post(TOTALS, MARCH | {"partner_code": "NORTH-1"}).json()["id"]
    other = erp.post(TOTALS, MARCH | {"partner_code": "SOUTH-1"}).json()["id"]
    manager = as_user(cast.north_manager)
    assert [row["id"] for row in manager.get(TOTALS).json()["results"]] == [mine]
    for key in (whole, other):
        for path in ("", "differences/"):
            assert manager.get(f"{TOTALS}{key}/{path}").status_code == 404
        assert put(manager, key, rows(("A", "1"))).status_code == 403
    assert manager.get(f"{TOTALS}{mine}/differences/").status_code == 200
    assert manager.post(TOTALS, MARCH).status_code == 403
    assert as_user(cast.north_person).get(TOTALS).status_code == 403


def test_the_database_takes_days_and_whole_months_only():
    with pytest.raises(IntegrityError, match="control_total_period"):
        make.make_control_total(ends_before=date(2026, 1, 20))
