"""The sandbox: answered as if it was done, and nothing is left."""

from datetime import date

import pytest

from accounts.api_clients import create_client
from accounts.models import ApiCall
from core import workflow
from core.models import Event, Import, Job, KeptAnswer
from partners.models import Contact, Partner
from sales.models import SalesDaily, SalesFact, Target
from tests import factories as make
from tests.api.conftest import ROOT
from tests.api.test_machines import ask, bearer
from tests.api.test_problems import problem

PARTNERS = f"{ROOT}partners/"
BULK = f"{ROOT}sales-facts/bulk/"
ON = {"Sandbox": "true"}
NEW = {"code": "NEW-1", "name": "New", "territory_code": "N"}
LINE = {
    "reference": "R1",
    "partner": "NORTH-1",
    "product": "A-1",
    "occurred_on": "2026-01-05",
    "quantity": 1,
    "amount": 1,
}


@pytest.fixture
def sandboxed(cast):
    """A client that is always in the sandbox."""
    made = create_client(name="trial", access="read write", by=None, sandbox=True)
    return bearer(ask(made).json()["access_token"])


def test_a_new_row_is_answered_and_not_there(cast, machine):
    before = Event.objects.count()
    response = machine.post(PARTNERS, NEW, headers={"Sandbox": "True"})
    assert (response.status_code, response["Sandbox"]) == (201, "true")
    assert response.json()["code"] == "NEW-1"
    problem(machine.get(f"{PARTNERS}{response.json()['id']}/"), 404, "not_found")
    assert Event.objects.count() == before
    real = machine.post(PARTNERS, NEW)
    assert (real.status_code, real.has_header("Sandbox")) == (201, False)
    told = {**response.json(), "id": None, "created_at": None, "updated_at": None}
    assert told == {**real.json(), "id": None, "created_at": None, "updated_at": None}


def test_a_client_of_the_sandbox_writes_nothing_whatever_it_says(cast, sandboxed):
    url = f"{PARTNERS}{cast.north_partner.pk}/"
    response = sandboxed.patch(url, {"short_name": "N"}, headers={"Sandbox": "false"})
    assert (response.json()["short_name"], response["Sandbox"]) == ("N", "true")
    read = sandboxed.get(url)
    assert (read.json()["short_name"], read.has_header("Sandbox")) == ("", False)
    assert list(ApiCall.objects.order_by("id").values_list("method", "sandbox")) == [
        ("POST", False),  # its token is real
        ("PATCH", True),
        ("GET", False),
    ]


def test_people_may_try_things_too(cast, as_user):
    target = make.make_target(cast.north_partner)
    caller = as_user(cast.director)
    response = caller.delete(f"{ROOT}targets/{target.pk}/", headers=ON)
    assert (response.status_code, response["Sandbox"]) == (204, "true")
    assert Target.objects.get() == target
    make.make_contact(cast.north_partner)
    url = f"{PARTNERS}{cast.north_partner.pk}/transitions/suspend/"
    assert caller.post(url, {"reason": "x"}, headers=ON).json()["state"] == "suspended"
    assert Partner.objects.get(code="NORTH-1").state == "active"


def test_many_lines_are_checked_and_none_is_kept(cast, sandboxed):
    make.make_product("Cable", code="A-1")
    lines = [LINE, LINE | {"reference": "R2", "partner": "NOBODY"}]
    answer = sandboxed.post(BULK, lines).json()
    assert (answer["created"], answer["rejected"]) == (1, 1)
    assert isinstance(answer["import"], int)
    for model in (SalesFact, SalesDaily, Import):
        assert model.objects.count() == 0


def test_an_answer_of_the_sandbox_is_not_kept(cast, machine):
    make.make_product("Cable", code="A-1")
    key = {"Idempotency-Key": "k1"}
    assert machine.post(BULK, [LINE], headers=key | ON).json()["created"] == 1
    assert KeptAnswer.objects.count() == 0
    real = machine.post(BULK, [LINE], headers=key)
    assert (real.json()["created"], real.has_header("Idempotency-Replayed")) == (1, False)
    assert SalesFact.objects.count() == 1


def test_what_a_worker_would_do_is_refused(cast, as_user, django_capture_on_commit_callbacks):
    make.make_scheme_item(version := make.make_scheme_version())
    workflow.fire(version, "publish", by=cast.director, on=date(2026, 1, 1))
    body = {"scheme": version.scheme_id, "period": "2026Q1"}
    caller = as_user(cast.director)
    with django_capture_on_commit_callbacks() as waiting:
        response = caller.post(f"{ROOT}evaluations/", body, headers=ON)
    problem(response, 422, "not_in_sandbox")
    assert (waiting, Job.objects.count()) == ([], 0)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"code": "NORTH-1", "name": "N", "territory_code": "N"}, 400),
        ({"code": "X", "name": "N", "territory_code": "N", "parent_code": "Z"}, 400),
    ],
)
def test_errors_are_the_same(cast, machine, body, status):
    def told(response):
        assert response.status_code == status
        return {**response.json(), "request_id": None}

    assert told(machine.post(PARTNERS, body, headers=ON)) == told(machine.post(PARTNERS, body))


def test_a_crash_is_a_problem_too(cast, machine, monkeypatch):
    from partners.api import PartnerViewSet

    monkeypatch.setattr(PartnerViewSet, "represent", None)
    response = machine.post(PARTNERS, NEW, headers=ON)
    problem(response, 500, "server_error")
    assert (response["Sandbox"], Partner.objects.filter(code="NEW-1").exists()) == ("true", False)


def test_a_misspelt_header_does_not_write(cast, machine):
    body = {"partner_code": "NORTH-1", "name": "Someone"}
    refused = problem(
        machine.post(f"{ROOT}contacts/", body, headers={"Sandbox": "yes"}), 400, "invalid"
    )
    assert [error["field"] for error in refused["errors"]] == ["Sandbox"]
    assert Contact.objects.count() == 0
    assert machine.get(PARTNERS, headers={"Sandbox": "yes"}).status_code == 200


def test_who_may_not_write_may_not_in_the_sandbox_either(cast):
    made = create_client(name="reader", access="read", by=None, sandbox=True)
    caller = bearer(ask(made).json()["access_token"])
    problem(caller.post(PARTNERS, NEW), 403, "insufficient_scope")
    problem(bearer("nonsense").post(PARTNERS, NEW, headers=ON), 401, "invalid_token")


def test_what_a_worker_would_load_leaves_no_file(cast, sandboxed, settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    make.make_product("Cable", code="A-1")
    response = sandboxed.post(BULK, [LINE], headers={"Prefer": "respond-async"})
    problem(response, 422, "not_in_sandbox")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
