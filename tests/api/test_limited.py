"""A client that is limited to territories or partners: no edge shows it another one."""

import time
from datetime import date

import pytest
from django.urls import reverse

from accounts.api_clients import Rows, create_client
from channel_crm.api import router
from core.models import Event
from partners.models import Partner
from partners.services import merge_partners
from sales.models import SalesFact
from tests import factories as make
from tests.api.conftest import ROOT
from tests.api.test_machines import ask, bearer
from tests.api.test_problems import problem
from tests.contract.samples import SAMPLES

PARTNERS = f"{ROOT}partners/"
BY = ["territory", "partner"]
RESOURCES = {basename: view.model for _prefix, view, basename in router.registry}


def limited(cast, by):
    """(its user, a caller) of a client that may touch the north only."""
    rows = {
        "territory": Rows(territories=frozenset({cast.north})),
        "partner": Rows(partners=frozenset({cast.north_partner})),
    }[by]
    made = create_client(name="North", access="read write", by=None, rows=rows)
    return made.client.application.user, bearer(ask(made).json()["access_token"])


# What tells of the whole network is not for a machine of a part of it.
OF_ALL = {"backtestreport", "backtestresult"}


def pairs(cast):
    """{basename: (a row of the north, one of the south)} of every resource."""
    found = {}
    for basename, model in RESOURCES.items():
        if basename in {"event", "import", *OF_ALL}:  # see test_events and test_bulk_jobs
            continue
        sample = SAMPLES[model._meta.label_lower]
        if basename == "partner":
            found[basename] = (cast.north_partner, cast.south_partner)
        else:
            found[basename] = (sample.row(cast.north_partner), sample.row(cast.south_partner))
    return found


@pytest.mark.parametrize("by", BY)
def test_every_list_and_row_is_of_the_north(cast, by):
    _user, caller = limited(cast, by)
    for basename, (mine, other) in pairs(cast).items():
        listed = caller.get(reverse(f"api:{basename}-list"))
        assert listed.status_code == 200, basename
        keys = {row["id"] for row in listed.json()["results"]}
        shared = SAMPLES[RESOURCES[basename]._meta.label_lower].shared
        assert mine.pk in keys, basename
        assert (other.pk in keys) == shared, basename
        assert b"SOUTH-1" not in listed.content and b"Southern" not in listed.content, basename
        for method, allowed in (("get", {404}), ("patch", {403, 404, 405}), ("delete", {403, 405})):
            url = reverse(f"api:{basename}-detail", args=[other.pk])
            status = getattr(caller, method)(url, {}).status_code
            assert status in ({200, 403, 405} if shared else allowed), (basename, method)
    for basename in OF_ALL:
        assert caller.get(reverse(f"api:{basename}-list")).status_code == 403, basename


@pytest.mark.parametrize("by", BY)
def test_filters_and_choices_know_nothing_of_the_south(cast, by):
    _user, caller = limited(cast, by)
    make.make_fact(cast.south_partner)
    query = f"?partner={cast.south_partner.pk}"
    problem(caller.get(f"{ROOT}sales-facts/{query}"), 400, "invalid")
    body = {"partner_code": "SOUTH-1", "name": "Someone"}
    refused = problem(caller.post(f"{ROOT}contacts/", body), 400, "invalid")
    assert refused["errors"][0]["code"] == "does_not_exist"
    body = {"partner": cast.south_partner.pk, "month": "2026-01-01", "amount": "1"}
    problem(caller.post(f"{ROOT}targets/", body), 400, "invalid")


@pytest.mark.parametrize("by", BY)
def test_a_load_takes_only_lines_of_the_north(cast, by):
    user, caller = limited(cast, by)
    make.make_product("Cable", code="A-1")
    theirs = make.make_fact(cast.south_partner, source="file", reference="R2")
    lines = [
        {
            "reference": f"R{number}",
            "partner": code,
            "product": "A-1",
            "occurred_on": "2026-01-05",
            "quantity": 1,
            "amount": 1,
        }
        for number, code in ((0, "NORTH-1"), (1, "SOUTH-1"), (2, "NORTH-1"))
    ]
    answer = caller.post(f"{ROOT}sales-facts/bulk/", lines).json()
    assert [row["outcome"] for row in answer["results"]] == ["created", "rejected", "rejected"]
    assert answer["results"][1]["problems"] == [
        {"field": "partner", "message": "There is no partner with the code “SOUTH-1”."}
    ]
    assert set(SalesFact.objects.values_list("reference", "partner__code")) == {
        ("R0", "NORTH-1"),
        ("R2", "SOUTH-1"),
    }
    theirs.refresh_from_db()
    assert theirs.load_id is None
    assert set(SalesFact.objects.visible_to(user).values_list("reference", flat=True)) == {"R0"}


@pytest.mark.parametrize("by", BY)
def test_nothing_can_be_put_or_moved_out_of_sight(cast, by):
    _user, caller = limited(cast, by)
    new = {"code": "NEW-1", "name": "New", "territory_code": "S"}
    problem(caller.post(PARTNERS, new), 403, "not_visible")
    inside = caller.post(PARTNERS, new | {"territory_code": "N"})
    # Who was named partners gets no others, wherever they are.
    assert inside.status_code == {"territory": 201, "partner": 403}[by]
    moved = caller.patch(f"{PARTNERS}{cast.north_partner.pk}/", {"territory_code": "S"})
    assert moved.status_code == {"territory": 403, "partner": 200}[by]
    parent = caller.patch(f"{PARTNERS}{cast.north_partner.pk}/", {"parent_code": "SOUTH-1"})
    problem(parent, 400, "invalid")
    assert Partner.objects.filter(code="NEW-1").exists() == (by == "territory")


@pytest.mark.parametrize("by", BY)
def test_it_reads_the_history_of_its_partners_only(cast, by, as_user):
    user, _caller = limited(cast, by)
    for partner in (cast.north_partner, cast.south_partner):
        as_user(cast.director).patch(f"{PARTNERS}{partner.pk}/", {"note": "x"})
    seen = Event.objects.visible_to(user).values_list("scope_id", flat=True)
    assert set(seen) == {cast.north_partner.pk}


def test_what_is_shared_is_read_and_not_changed(cast):
    _user, caller = limited(cast, "partner")
    line = make.make_product_line(code="CAB")
    assert caller.get(f"{ROOT}product-lines/").json()["results"][0]["code"] == "CAB"
    assert len(caller.get(f"{ROOT}territories/").json()["results"]) == 3
    body = {"code": "A-1", "name": "A", "product_line": line.pk}
    problem(caller.post(f"{ROOT}products/", body), 403, "permission_denied")


def test_what_was_named_and_is_gone_leaves_nothing_not_everything(cast):
    _user, caller = limited(cast, "partner")
    Partner.objects.filter(pk=cast.north_partner.pk).delete()
    assert caller.get(PARTNERS).json()["results"] == []


def test_territories_and_partners_add_up(cast):
    west = make.make_partner("Western", code="WEST-1", territory=cast.country)
    rows = Rows(frozenset({cast.north}), frozenset({west}))
    made = create_client(name="Both", access="read", by=None, rows=rows)
    caller = bearer(ask(made).json()["access_token"])
    codes = [row["code"] for row in caller.get(f"{PARTNERS}?ordering=code").json()["results"]]
    assert codes == ["NORTH-1", "WEST-1"]


@pytest.mark.parametrize("by", BY)
def test_a_total_of_the_network_cannot_be_guessed(cast, by):
    _user, caller = limited(cast, by)
    total = {"source": "erp", "kind": "sell_in", "period": "2026-03", "rows": 2, "amount": "5.0000"}
    problem(caller.post(f"{ROOT}control-totals/", total), 403, "not_visible")
    make.make_control_total(
        source="erp", starts_on=date(2026, 3, 1), ends_before=date(2026, 4, 1), rows=2, amount=5
    )
    for rows in (2, 3):
        problem(caller.post(f"{ROOT}control-totals/", total | {"rows": rows}), 403, "not_visible")


@pytest.mark.parametrize("by", BY)
def test_it_cannot_own_a_partner(cast, by):
    """Who owns one sees it, wherever it is."""
    user, caller = limited(cast, by)
    row = {"code": "NEW-1", "name": "New", "territory": "S", "owner": user.username}
    answer = caller.post(f"{PARTNERS}bulk/", [row]).json()
    assert [problem["field"] for problem in answer["results"][0]["problems"]] == ["owner"]
    assert not Partner.objects.filter(code="NEW-1").exists()


def test_a_parent_out_of_sight_stays_when_what_was_read_is_sent_back(cast):
    _user, caller = limited(cast, "partner")
    cast.north_partner.parent = cast.south_partner
    cast.north_partner.save()
    url = f"{PARTNERS}{cast.north_partner.pk}/"
    read = caller.get(url).json()
    assert (read["parent"], read["parent_code"]) == (None, None)
    assert caller.patch(url, read | {"short_name": "N"}).json()["short_name"] == "N"
    cast.north_partner.refresh_from_db()
    assert cast.north_partner.parent == cast.south_partner


def test_it_is_not_told_into_which_partner_one_was_merged(cast):
    _user, caller = limited(cast, "territory")
    merge_partners(
        keep=cast.south_partner,
        drop=cast.north_partner,
        by=None,
        on=date(2026, 1, 1),
        reason="the same",
    )
    time.sleep(1.1)
    rows = caller.get(f"{ROOT}events/?verb=partners.partner").json()["results"]
    assert [row["verb"] for row in rows] == ["partners.partner.merge"]
    assert "SOUTH-1" not in str(rows)
    assert rows[0]["changes"]["merged_into"] == [None, None]
