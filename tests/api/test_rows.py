"""Lists, details and writes: the same rows and checks as the pages."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.models import Event
from partners.models import Partner
from tests import factories as make
from tests.api.conftest import ROOT

PARTNERS = f"{ROOT}partners/"

MAKERS = {
    "territories": make.make_territory,
    "product-lines": make.make_product_line,
    "products": make.make_product,
    "levels": make.make_level,
    "partners": make.make_partner,
    "contacts": make.make_contact,
    "sites": make.make_site,
    "sales-facts": make.make_fact,
    "control-totals": make.make_control_total,
    "targets": make.make_target,
    "reports": make.make_report,
    "closed-periods": make.make_closed_period,
    "adjustments": make.make_adjustment,
    "imports": make.make_import,
    "schemes": make.make_scheme,
    "scheme-versions": make.make_scheme_version,
    "evaluation-schedules": make.make_schedule,
    "evaluations": make.make_evaluation,
    "scores": make.make_score,
}


def codes(response):
    return [row["code"] for row in response.json()["results"]]


def test_a_partner_is_shown_with_codes_beside_ids(cast, as_user):
    row = as_user(cast.director).get(f"{PARTNERS}{cast.north_partner.pk}/").json()
    assert (row["code"], row["territory"], row["territory_code"]) == ("NORTH-1", cast.north.pk, "N")
    assert (row["state"], row["level"], row["level_code"]) == ("active", None, None)


def test_a_list_holds_only_what_the_caller_sees(cast, as_user):
    assert codes(as_user(cast.director).get(PARTNERS)) == ["NORTH-1", "SOUTH-1"]
    assert codes(as_user(cast.north_manager).get(PARTNERS)) == ["NORTH-1"]
    assert codes(as_user(cast.south_person).get(PARTNERS)) == ["SOUTH-1"]
    assert codes(as_user(cast.stranger).get(PARTNERS)) == []


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_a_row_of_another_territory_does_not_exist(cast, as_user, method):
    caller = as_user(cast.south_manager)
    if method == "delete":
        contact = make.make_contact(cast.north_partner)
        assert caller.delete(f"{ROOT}contacts/{contact.pk}/").status_code == 404
    else:
        response = getattr(caller, method)(f"{PARTNERS}{cast.north_partner.pk}/", {})
        assert response.status_code == 404


def test_a_role_without_the_permission_is_refused(cast, as_user):
    caller = as_user(cast.finance)
    assert caller.get(PARTNERS).status_code == 200
    assert caller.patch(f"{PARTNERS}{cast.north_partner.pk}/", {"name": "X"}).status_code == 403
    assert caller.post(PARTNERS, {}).status_code == 403
    assert as_user(cast.north_person).get(f"{ROOT}evaluations/").status_code == 403


def test_a_partner_is_made_by_codes_with_one_event(cast, as_user):
    body = {
        "code": "Ｎ－２",
        "name": "Second",
        "territory_code": "n",
        "owner_username": "north_manager",
    }
    response = as_user(cast.director).post(PARTNERS, body)
    assert response.status_code == 201
    partner = Partner.objects.get(pk=response.json()["id"])
    assert (partner.code, partner.territory, partner.owner) == (
        "N-2",
        cast.north,
        cast.north_manager,
    )
    event = Event.objects.get(object_id=partner.pk, verb="partners.partner.created")
    assert (event.source, event.actor) == ("api", cast.director)


def test_a_change_leaves_one_event_with_the_difference(cast, as_user):
    url = f"{PARTNERS}{cast.north_partner.pk}/"
    row = as_user(cast.director).patch(url, {"short_name": "NT"}).json()
    assert row["short_name"] == "NT"
    event = Event.objects.get(verb="partners.partner.updated")
    assert (event.verb, event.changes) == ("partners.partner.updated", {"short_name": ["", "NT"]})


def test_what_was_read_may_be_sent_back(cast, as_user):
    caller = as_user(cast.director)
    url = f"{PARTNERS}{cast.north_partner.pk}/"
    assert caller.patch(url, caller.get(url).json()).status_code == 200
    assert not Event.objects.exists()


def test_id_and_code_must_agree(cast, as_user):
    body = {"territory": cast.north.pk, "territory_code": "S"}
    response = as_user(cast.director).patch(f"{PARTNERS}{cast.north_partner.pk}/", body)
    assert response.json()["errors"][0]["code"] == "contradiction"


def test_related_rows_are_those_that_the_caller_sees(cast, as_user):
    caller = as_user(cast.north_manager)
    for given in ({"partner": cast.south_partner.pk}, {"partner_code": "SOUTH-1"}):
        response = caller.post(f"{ROOT}contacts/", {"name": "Li", **given})
        assert response.status_code == 400
        assert response.json()["errors"][0]["code"] == "does_not_exist"
    assert (
        caller.post(f"{ROOT}contacts/", {"name": "Li", "partner_code": "north-1"}).status_code
        == 201
    )


def test_only_our_own_people_own_partners(cast, as_user):
    url = f"{PARTNERS}{cast.north_partner.pk}/"
    for given in ({"owner": cast.south_person.pk}, {"owner_username": cast.south_person.username}):
        assert as_user(cast.director).patch(url, given).status_code == 400
    given = {"owner": cast.south_manager.pk}
    assert as_user(cast.director).patch(url, given).json()["owner_username"] == "south_manager"


def test_nobody_writes_a_row_out_of_his_own_sight(cast, as_user):
    url = f"{PARTNERS}{cast.north_partner.pk}/"
    response = as_user(cast.north_manager).patch(url, {"territory_code": "S"})
    assert (response.status_code, response.json()["code"]) == (403, "not_visible")
    cast.north_partner.refresh_from_db()
    assert cast.north_partner.territory == cast.north


def test_the_models_own_rules_hold(cast, as_user):
    caller = as_user(cast.director)
    body = {
        "code": "north-1",
        "name": "Copy",
        "territory_code": "N",
        "credit_code": "91330106MA2XXXXX0A",
    }
    errors = caller.post(PARTNERS, body).json()["errors"]
    assert "credit_code" in {error["field"] for error in errors}
    assert [error["message"] for error in errors if error["field"] is None] == [
        "There is a partner with this code already."
    ]


def test_a_row_that_others_need_is_not_deleted(cast, as_user):
    response = as_user(cast.administrator).delete(f"{ROOT}territories/{cast.north.pk}/")
    assert (response.status_code, response.json()["code"]) == (409, "protected")
    free = make.make_territory("Free")
    assert as_user(cast.administrator).delete(f"{ROOT}territories/{free.pk}/").status_code == 204


def test_decimals_are_strings_both_ways(cast, as_user):
    body = {"partner_code": "NORTH-1", "month": "2026-02-01", "amount": "1234.50"}
    caller = as_user(cast.director)
    assert caller.post(f"{ROOT}targets/", body).json()["amount"] == "1234.50"
    response = caller.post(f"{ROOT}targets/", body | {"month": "2026-03-01", "amount": 12.5})
    assert response.json()["errors"] == [
        {"field": "amount", "code": "not_text", "message": "Write it as a string, like “1234.50”."}
    ]


@pytest.mark.parametrize("name", MAKERS)
def test_three_rows_cost_the_queries_of_one(cast, as_user, name):
    caller = as_user(cast.director)

    def count():
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert caller.get(f"{ROOT}{name}/").status_code == 200
        return len(queries)

    MAKERS[name]()
    caller.get(f"{ROOT}{name}/")
    one = count()
    if name not in ("targets", "scores"):
        MAKERS[name]()
        MAKERS[name]()
    else:
        for partner in (cast.north_partner, cast.south_partner):
            MAKERS[name](partner)
    assert count() == one
    assert one <= 4


@pytest.mark.parametrize("name", MAKERS)
def test_each_resource_answers_in_every_order_and_with_every_filter(cast, as_user, name):
    from channel_crm.api import router

    obj = MAKERS[name]()
    view = next(view for prefix, view, _base in router.registry if prefix == name)
    caller = as_user(cast.director)
    assert caller.get(f"{ROOT}{name}/{obj.pk}/").status_code == 200
    for field in view.ordering_fields:
        for sign in ("", "-"):
            url = f"{ROOT}{name}/?ordering={sign}{field}"
            assert caller.get(url).status_code == 200, url
    for field in view.filterset_class.base_filters if view.filterset_class else ():
        for value in ("1", "2026-01-01", "x"):
            assert caller.get(f"{ROOT}{name}/?{field}={value}").status_code in (200, 400)


def test_pages_are_capped_counted_and_linked(cast, as_user):
    for _number in range(3):
        make.make_partner(territory=cast.north)
    caller = as_user(cast.director)
    first = caller.get(f"{PARTNERS}?page_size=2").json()
    assert (first["count"], len(first["results"]), first["previous"]) == (5, 2, None)
    second = caller.get(first["next"]).json()
    assert len(second["results"]) == 2
    last = caller.get(second["next"]).json()
    assert (len(last["results"]), last["next"]) == (1, None)
    assert caller.get(second["previous"]).json() == first
    assert caller.get(f"{PARTNERS}?page_size=201").status_code == 400
    assert caller.get(f"{PARTNERS}?page=99").json()["results"] == []


def test_sales_lines_go_by_the_last_id(cast, as_user):
    ids = [make.make_fact(cast.north_partner).pk for _number in range(3)]
    caller = as_user(cast.director)
    first = caller.get(f"{ROOT}sales-facts/?page_size=2").json()
    assert [row["id"] for row in first["results"]] == ids[:2]
    rest = caller.get(first["next"]).json()
    assert ([row["id"] for row in rest["results"]], rest["next"]) == (ids[2:], None)
    newest = caller.get(f"{ROOT}sales-facts/?ordering=-id&page_size=1").json()
    assert newest["results"][0]["id"] == ids[2]


def test_filters_and_search_are_those_of_the_pages(cast, as_user):
    caller = as_user(cast.director)
    assert codes(caller.get(f"{PARTNERS}?territory={cast.south.pk}")) == ["SOUTH-1"]
    assert codes(caller.get(f"{PARTNERS}?territory={cast.country.pk}&ordering=-code")) == [
        "SOUTH-1",
        "NORTH-1",
    ]
    assert codes(caller.get(f"{PARTNERS}?q=northern")) == ["NORTH-1"]
    assert codes(caller.get(f"{PARTNERS}?state=prospect&state=exited")) == []
    for wrong in ("teritory=1", "state=gone", "ordering=note", "page=0", "page=x"):
        assert caller.get(f"{PARTNERS}?{wrong}").status_code == 400, wrong


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("territory_code=N", "unknown_parameter"),  # the name of the field that is shown
        ("started_on=2026-01-01", "unknown_parameter"),
        ("started_on_afer=2026-01-01", "unknown_parameter"),
        ("unowned=yes", "invalid_choice"),
        ("unowned=", "empty_parameter"),
    ],
)
def test_what_would_filter_nothing_is_refused(cast, as_user, query, code):
    refused = as_user(cast.director).get(f"{PARTNERS}?{query}")
    assert refused.status_code == 400, refused.json()
    assert [error["code"] for error in refused.json()["errors"]] == [code]


@pytest.mark.parametrize("word", ["true", "false", "True", "False"])
def test_yes_and_no_filter(cast, as_user, word):
    make.make_partner("Owned", code="OWNED", owner=cast.north_manager)
    found = codes(as_user(cast.director).get(f"{PARTNERS}?unowned={word}&ordering=code"))
    assert found == (["NORTH-1", "SOUTH-1"] if word.lower() == "true" else ["OWNED"])


@pytest.mark.parametrize("query", ["?fields=colour", "?fields="])
def test_what_cannot_be_answered_as_it_is_asked_for_is_not_done(cast, as_user, query):
    caller = as_user(cast.director)
    before = Event.objects.count()
    body = {"partner_code": "NORTH-1", "name": "Someone"}
    assert caller.post(f"{ROOT}contacts/{query}", body).status_code == 400
    total = {"source": "erp", "kind": "sell_in", "period": "2026-03", "rows": 2, "amount": "1"}
    assert caller.post(f"{ROOT}control-totals/{query}", total).status_code == 400
    scheme = make.make_scheme()
    assert caller.post(f"{ROOT}schemes/{scheme.pk}/drafts/{query}").status_code == 400
    assert Event.objects.count() == before


def test_a_state_changes_only_by_a_transition(cast, as_user):
    caller = as_user(cast.director)
    url = f"{PARTNERS}{cast.north_partner.pk}/"
    assert caller.patch(url, {"state": "exited"}).json()["state"] == "active"
    offered = {row["name"]: row for row in caller.get(f"{url}transitions/").json()}
    assert set(offered) == {"suspend", "leave"} and offered["suspend"]["needs_reason"]
    refused = caller.post(f"{url}transitions/suspend/", {})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "reason_required")
    done = caller.post(f"{url}transitions/suspend/", {"reason": "late payment"})
    assert (done.status_code, done.json()["state"]) == (200, "suspended")
    assert (
        caller.post(f"{url}transitions/suspend/", {"reason": "x"}).json()["code"] == "wrong_state"
    )
    assert caller.post(f"{url}transitions/nothing/", {}).status_code == 404
    assert as_user(cast.finance).post(f"{url}transitions/resume/", {}).status_code == 403
    assert as_user(cast.south_manager).post(f"{url}transitions/resume/", {}).status_code == 404


def test_an_evaluation_is_started_watched_published_and_explained(
    cast, as_user, django_capture_on_commit_callbacks
):
    make.make_fact(cast.north_partner, occurred_on=date(2025, 2, 3), amount=Decimal("1000"))
    caller = as_user(cast.director)
    with django_capture_on_commit_callbacks(execute=True):
        started = caller.post(
            f"{ROOT}evaluations/", {"scheme_code": "quarterly-basic", "period": "2025Q1"}
        )
    assert (started.status_code, started.json()["state"]) == (202, "running")
    url = f"{ROOT}evaluations/{started.json()['id']}/"
    assert caller.get(url).json()["state"] == "computed"
    assert caller.post(f"{url}transitions/publish/", {}).json()["state"] == "published"
    scores = as_user(cast.north_manager).get(f"{ROOT}scores/?evaluation={started.json()['id']}")
    (row,) = scores.json()["results"]
    assert row["partner_code"] == "NORTH-1"
    found = as_user(cast.north_manager).get(f"{ROOT}scores/{row['id']}/").json()
    item = found["items"][0]
    assert (item["code"], item["value"], item["sources"][0]["lines"]) == (
        "sell_in_net",
        "1000.0000",
        1,
    )
    lines = as_user(cast.north_manager).get(item["sources"][0]["url"]).json()["results"]
    assert [line["amount"] for line in lines] == ["1000.0000"]
    unseen = as_user(cast.director).get(f"{ROOT}scores/?partner={cast.south_partner.pk}")
    other = unseen.json()["results"][0]["id"]
    assert as_user(cast.north_manager).get(f"{ROOT}scores/{other}/").status_code == 404


def test_a_draft_of_a_scheme_copies_the_version_in_force(cast, as_user):
    caller = as_user(cast.director)
    (scheme,) = caller.get(f"{ROOT}schemes/?q=quarterly-basic").json()["results"]
    made = caller.post(f"{ROOT}schemes/{scheme['id']}/drafts/")
    assert (made.status_code, made.json()["state"]) == (201, "draft")
    assert [item["weight"] for item in made.json()["items"]] == ["40", "30", "15", "15"]
    versions = caller.get(f"{ROOT}schemes/{scheme['id']}/").json()["versions"]
    assert [version["state"] for version in versions] == ["draft", "published"]
    refused = as_user(cast.finance).post(f"{ROOT}schemes/{scheme['id']}/drafts/")
    assert refused.status_code == 403
