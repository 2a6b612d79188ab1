"""The feed of what happened: for whom, in which shape, by which filters."""

from __future__ import annotations

import time

import pytest

from core import audit, crud
from core.importing import engine
from core.models import Event, Import
from tests import factories as make
from tests.api.conftest import ROOT

EVENTS = f"{ROOT}events/"


def told(caller, query=""):
    answer = caller.get(f"{EVENTS}{query}")
    assert answer.status_code == 200, answer.content
    return [row["verb"] for row in answer.json()["results"]]


def record(verb, obj, **fields):
    return audit.record(verb, obj, by=fields.pop("by", None), **fields)


@pytest.fixture
def happened(cast):
    """Something with each partner, with a product, with a user; then the horizon passes."""
    record("partners.partner.updated", cast.north_partner, by=cast.director, reason="why")
    contact = make.make_contact(cast.south_partner)
    crud.delete(contact, by=cast.administrator)
    record("catalog.product.updated", make.make_product())
    record("accounts.user.created", cast.stranger)
    time.sleep(1.1)
    return cast


def test_an_event_says_who_did_what_to_which_row(happened, as_user):
    first, second, *_rest = as_user(happened.director).get(EVENTS).json()["results"]
    partner = happened.north_partner
    assert {name: first[name] for name in first if name not in ("id", "at")} == {
        "verb": "partners.partner.updated",
        "actor": happened.director.pk,
        "actor_username": "director",
        "source": Event.objects.earliest("id").source,
        "object": {
            "type": "partners.partner",
            "id": partner.pk,
            "repr": "Northern Trading",
            "url": f"{ROOT}partners/{partner.pk}/",
        },
        "partner": partner.pk,
        "changes": {},
        "reason": "why",
        "data": {},
    }
    assert (second["verb"], second["object"]["url"]) == ("partners.contact.deleted", None)


def test_each_reader_is_told_of_what_he_may_see(happened, as_user):
    product, user = "catalog.product.updated", "accounts.user.created"
    north, south = "partners.partner.updated", "partners.contact.deleted"
    assert told(as_user(happened.director)) == [north, south, product, user]
    assert told(as_user(happened.finance)) == [north, south, product]
    assert told(as_user(happened.north_manager)) == [north]
    assert told(as_user(happened.stranger)) == []
    assert as_user(happened.north_person).get(EVENTS).status_code == 403


def test_the_filters(happened, as_user):
    caller = as_user(happened.director)
    assert told(caller, "?verb=partners.contact") == ["partners.contact.deleted"]
    assert told(caller, "?object_type=catalog.product") == ["catalog.product.updated"]
    assert told(caller, f"?partner={happened.north_partner.pk}") == ["partners.partner.updated"]
    assert told(caller, "?since=2999-01-01") == []
    for wrong in ("object_type=x.y", "object_type=x", "after=1", "after=x", "since=x", "page=2"):
        assert caller.get(f"{EVENTS}?{wrong}").status_code == 400, wrong
    unseen = Event.objects.get(verb="partners.contact.deleted").pk
    assert as_user(happened.north_manager).get(f"{EVENTS}?after={unseen}").status_code == 400


def test_a_partner_that_the_reader_does_not_see_is_not_named(cast, as_user):
    changes = {"parent": [None, cast.south_partner.pk], "owner": [None, cast.north_manager.pk]}
    record("partners.partner.updated", cast.north_partner, changes=changes)
    time.sleep(1.1)
    (row,) = as_user(cast.north_manager).get(EVENTS).json()["results"]
    assert row["changes"] == changes | {"parent": [None, None]}
    (row,) = as_user(cast.director).get(f"{EVENTS}?fields=changes").json()["results"]
    assert row == {"changes": changes}


def test_an_import_is_one_event_and_undoing_it_another(cast, machine, as_user):
    make.make_product("Cable", code="A-1", product_line=make.make_product_line(code="CAB"))
    line = {
        "reference": "R1",
        "partner": "NORTH-1",
        "product": "A-1",
        "occurred_on": "2026-01-05",
        "quantity": "2",
        "amount": "10.50",
    }
    number = machine.post(f"{ROOT}sales-facts/bulk/", [line]).json()["import"]
    engine.undo(Import.objects.get(pk=number), by=cast.director)
    time.sleep(1.1)
    rows = machine.get(f"{EVENTS}?verb=core.import").json()["results"]
    counts = {"rows": 1, "created": 1, "updated": 0, "unchanged": 0, "removed": 0, "rejected": 0}
    assert [(row["verb"], row["actor_username"], row["data"]) for row in rows] == [
        ("core.import.applied", "api-erp", {"import": number, "kind": "sales", **counts}),
        (
            "core.import.undone",
            "director",
            {"import": number, "kind": "sales", "deleted": 1, "restored": 0},
        ),
    ]
    assert told(as_user(cast.north_manager), "?verb=core.import") == []
