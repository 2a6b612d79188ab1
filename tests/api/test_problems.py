"""Every error is a problem document, in the caller's language, and none is a 5xx."""

import pytest
from django.db import OperationalError
from django.test import Client
from rest_framework.test import APIClient

from partners.models import Partner
from tests import factories as make
from tests.api.conftest import ROOT

PARTNERS = f"{ROOT}partners/"
KEYS = {"type", "title", "status", "detail", "code", "instance", "request_id", "errors"}


def problem(response, status, code):
    """The document, checked for its form."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert set(body) == KEYS
    assert (body["status"], body["code"]) == (status, code)
    assert body["request_id"] == response["X-Request-ID"]
    return body


def test_anonymous_is_asked_to_sign_in(db):
    response = Client().get(PARTNERS)
    problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


def test_the_language_is_the_callers(db):
    chinese = Client().get(PARTNERS, headers={"Accept-Language": "zh-CN"}).json()
    english = Client().get(PARTNERS, headers={"Accept-Language": "en"}).json()
    assert english["detail"] == "Sign in, or send a valid access token."
    assert chinese["code"] == english["code"]


@pytest.mark.parametrize(
    "path", ["nothing/", "partners/x/", "partners/999999/", "../nothing", "partners"]
)
def test_unknown_addresses(cast, as_user, path):
    response = as_user(cast.director).get(f"{ROOT}{path}".replace("/v1/../", "/"), follow=False)
    if path == "partners":
        assert response.status_code == 301
    else:
        problem(response, 404, "not_found")


@pytest.mark.parametrize("key", ["0", "99999999999999999999", "9" * 400])
def test_absurd_keys_find_nothing(cast, as_user, key):
    for method in ("get", "patch", "delete"):
        problem(getattr(as_user(cast.director), method)(f"{PARTNERS}{key}/"), 404, "not_found")


def test_methods_formats_and_types(cast, as_user):
    caller = as_user(cast.director)
    problem(caller.put(PARTNERS, {}), 405, "method_not_allowed")
    problem(caller.options(PARTNERS), 405, "method_not_allowed")
    problem(caller.get(PARTNERS, headers={"Accept": "text/html"}), 406, "not_acceptable")
    problem(caller.post(PARTNERS, b"a=1", content_type="text/plain"), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe{}",
        b'{"name": NaN}',
        b'{"name": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"name": "a\\u0000b"}',
        b'{"name": "\\ud800"}',
    ],
)
def test_malformed_json(cast, as_user, body):
    response = as_user(cast.director).post(PARTNERS, body, content_type="application/json")
    problem(response, 400, "parse_error")


def test_a_body_too_large(cast, as_user, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = b'{"name": "' + b"x" * 1000 + b'"}'
    response = as_user(cast.director).post(PARTNERS, body, content_type="application/json")
    problem(response, 413, "too_large")


@pytest.mark.parametrize("body", [[], "x", 1, None, [{"name": "x"}]])
def test_a_body_that_is_no_object(cast, as_user, body):
    problem(as_user(cast.director).post(PARTNERS, body, format="json"), 400, "invalid")


def test_every_wrong_field_is_named(cast, as_user):
    body = {"code": 5, "name": "", "territory": "x", "started_on": "2026-1-1", "colour": "red"}
    found = problem(as_user(cast.director).post(PARTNERS, body), 400, "invalid")
    assert {(error["field"], error["code"]) for error in found["errors"]} == {
        ("colour", "unknown_field")
    }
    del body["colour"]
    found = problem(as_user(cast.director).post(PARTNERS, body), 400, "invalid")
    assert {(error["field"], error["code"]) for error in found["errors"]} == {
        ("code", "invalid"),
        ("name", "blank"),
        ("territory", "incorrect_type"),
        ("started_on", "invalid"),
    }


def test_what_is_needed_is_asked_for(cast, as_user):
    found = problem(
        as_user(cast.director).post(PARTNERS, {"code": "X1", "name": "X"}), 400, "invalid"
    )
    assert [error["field"] for error in found["errors"]] == ["territory"]


@pytest.mark.parametrize(
    "query",
    [
        "q=%00",
        "state=%00",
        "page=99999999999999999999999",
        "page_size=-1",
        "territory=99999999999999999999999",
        "territory=1e5",
        "parent=%F0%9F%98%80",
        "started_on_after=0000-00-00",
        "started_on_after=99999-01-01",
        "ordering=" + "code," * 500,
        "x" * 3000 + "=1",
    ],
)
def test_absurd_queries(cast, as_user, query):
    problem(as_user(cast.director).get(f"{PARTNERS}?{query}"), 400, "invalid")


def test_numbers_beyond_every_column(cast, as_user):
    caller = as_user(cast.director)
    for amount in ("1" * 30, "-1", "1.123", "1e5", "NaN"):
        body = {"partner_code": "NORTH-1", "month": "2026-02-01", "amount": amount}
        problem(caller.post(f"{ROOT}targets/", body), 400, "invalid")
    make.make_score(cast.north_partner)
    assert caller.get(f"{ROOT}scores/?total_min={'9' * 40}").status_code in (200, 400)
    problem(caller.get(f"{ROOT}sales-facts/?after={2**63}"), 400, "invalid")


def test_a_number_that_is_infinite_is_none(cast, as_user):
    body = '{"source": "erp", "kind": "sell_in", "period": "2026-03", "rows": 1e400, "amount": "1"}'
    response = as_user(cast.director).post(
        f"{ROOT}control-totals/", body.encode(), content_type="application/json"
    )
    found = problem(response, 400, "invalid")
    assert [(error["field"], error["code"]) for error in found["errors"]] == [("rows", "invalid")]


def test_a_session_needs_the_csrf_token(cast):
    caller = APIClient(enforce_csrf_checks=True)
    caller.force_login(cast.director)
    problem(caller.post(PARTNERS, {}), 403, "csrf_failed")


def test_who_asks_too_often_is_told_when_to_come_back(cast, as_user, settings):
    settings.API_RATE = "2/hour"
    caller = as_user(cast.director)
    assert [caller.get(PARTNERS).status_code for _number in range(3)] == [200, 200, 429]
    response = caller.get(PARTNERS)
    problem(response, 429, "throttled")
    assert 1 <= int(response["Retry-After"]) <= 3601
    assert as_user(cast.finance).get(PARTNERS).status_code == 200


def test_a_crash_is_a_problem_too(cast, as_user, monkeypatch):
    from partners.api import PartnerViewSet

    monkeypatch.setattr(PartnerViewSet, "ordering", None)
    problem(as_user(cast.director).get(PARTNERS), 500, "server_error")


def test_a_database_that_is_away_is_told_of_as_such(cast, as_user, monkeypatch):
    """So that the same request is sent again: the example of docs/integration.md does."""
    from partners.api import PartnerViewSet

    def unplugged(*_args):
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(PartnerViewSet, "represent", unplugged)
    new = {"code": "NEW-1", "name": "New", "territory_code": "N"}
    response = as_user(cast.director).post(PARTNERS, new)
    problem(response, 503, "unavailable")
    assert int(response["Retry-After"]) > 0
    assert not Partner.objects.filter(code="NEW-1").exists()


def test_a_method_that_is_none_has_one_code_everywhere(db):
    problem(Client().get("/api/token/"), 405, "method_not_allowed")


def test_a_wrong_host_is_a_problem_too(db):
    problem(Client().get(PARTNERS, headers={"host": "evil.example"}), 400, "bad_request")
