"""What bounds a client: addresses, expiry, its own rate, and the log of its calls."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken

from accounts import api_calls
from accounts.api_clients import create_client
from accounts.models import ApiCall, ApiClient
from accounts.tasks import forget_calls
from core.models import Event
from tests import factories as make
from tests.api.conftest import ROOT
from tests.api.test_machines import ask, bearer
from tests.api.test_problems import KEYS, problem

PARTNERS = f"{ROOT}partners/"
ELSEWHERE = {"REMOTE_ADDR": "198.51.100.4"}


def made_with(access="read write", **terms):
    """(credentials, caller with a token) of a client with these terms."""
    made = create_client(name="ERP", access=access, by=None, **terms)
    return made, bearer(ask(made).json()["access_token"])


def token_problem(response, status, code, error):
    """Problem details that a client of OAuth2 understands, too."""
    body = response.json()
    assert (response.status_code, body["code"], body["error"]) == (status, code, error)
    assert set(body) == KEYS | {"error"}


def logged():
    return list(ApiCall.objects.order_by("id").values_list("method", "path", "status", "code"))


# --- Addresses and expiry -------------------------------------------------------------------------


def test_calls_and_tokens_from_other_addresses_are_refused(db):
    made, caller = made_with(addresses=["127.0.0.0/8", "2001:db8::/32"])
    assert caller.get(PARTNERS).status_code == 200
    assert caller.get(PARTNERS, REMOTE_ADDR="2001:db8::7").status_code == 200
    refused = problem(caller.get(PARTNERS, **ELSEWHERE), 403, "address_not_allowed")
    assert refused["detail"] == "This client may not call from the address 198.51.100.4."
    form = {"client_id": made.client_id, "client_secret": made.client_secret}
    form["grant_type"] = "client_credentials"
    answer = Client().post("/api/token/", form, **ELSEWHERE)
    token_problem(answer, 403, "address_not_allowed", "unauthorized_client")
    # Who does not know the secret learns nothing of the addresses.
    wrong = Client().post("/api/token/", form | {"client_secret": "x"}, **ELSEWHERE)
    assert wrong.json() == {"error": "invalid_client"}
    assert [call[2:] for call in logged()] == [
        (200, ""),
        (200, ""),
        (200, ""),
        (403, "address_not_allowed"),
        (403, "address_not_allowed"),
        (401, "invalid_client"),
    ]


def test_the_header_of_a_proxy_counts_only_where_it_is_told_of(db, settings):
    _made, caller = made_with(addresses=["127.0.0.1"])
    spoofed = {"X-Forwarded-For": "127.0.0.1"}
    assert caller.get(PARTNERS, headers=spoofed, **ELSEWHERE).status_code == 403
    settings.TRUSTED_PROXIES = 1
    assert caller.get(PARTNERS, headers=spoofed, **ELSEWHERE).status_code == 200
    assert caller.get(PARTNERS).status_code == 403


def test_after_its_last_day_a_client_gets_nothing(db):
    today = timezone.localdate()
    made, caller = made_with(expires_on=today + timedelta(days=1))
    assert caller.get(PARTNERS).status_code == 200
    ApiClient.objects.update(expires_on=today)
    problem(caller.get(PARTNERS), 401, "client_expired")
    token_problem(ask(made), 401, "client_expired", "invalid_client")


def test_a_client_that_is_switched_off_gets_nothing(db):
    made, caller = made_with()
    ApiClient.objects.update(state="off")
    problem(caller.get(PARTNERS), 401, "client_disabled")
    assert ask(made).json() == {"error": "invalid_client"}


# --- Rates ----------------------------------------------------------------------------------------


def test_a_client_has_a_limit_of_its_own(db):
    _made, caller = made_with(requests_per_minute=2)
    first = caller.get(PARTNERS)
    assert (first["RateLimit-Limit"], first["RateLimit-Remaining"]) == ("2", "1")
    assert 1 <= int(first["RateLimit-Reset"]) <= 60
    assert caller.get(PARTNERS).status_code == 200
    refused = caller.get(PARTNERS)
    problem(refused, 429, "throttled")
    assert 1 <= int(refused["Retry-After"]) <= 61
    assert refused["RateLimit-Remaining"] == "0"
    other = create_client(name="other", access="read", by=None)
    assert bearer(ask(other).json()["access_token"]).get(PARTNERS).status_code == 200
    assert [call[2:] for call in logged() if call[1] == PARTNERS][2] == (429, "throttled")


def test_a_client_without_one_has_the_usual_limit(db, settings):
    settings.API_RATE = "7/hour"
    _made, caller = made_with()
    assert caller.get(PARTNERS)["RateLimit-Limit"] == "7"


def test_an_address_may_not_ask_for_tokens_without_end(db, settings):
    settings.API_TOKEN_RATE = "2/hour"
    made = create_client(name="ERP", access="read", by=None)
    assert ask(made).status_code == 200
    assert ask(made, client_secret="guess").status_code == 401
    refused = ask(made)
    problem(refused, 429, "throttled")
    assert 1 <= int(refused["Retry-After"]) <= 3601
    form = {"grant_type": "client_credentials", "client_id": made.client_id}
    form["client_secret"] = made.client_secret
    assert Client().post("/api/token/", form, **ELSEWHERE).status_code == 200


# --- The log --------------------------------------------------------------------------------------


def test_each_call_is_logged_once(cast):
    made, caller = made_with("read")
    response = caller.get(f"{PARTNERS}?q=North")
    assert caller.post(PARTNERS, {}).status_code == 403
    assert logged() == [
        ("POST", "/api/token/", 200, ""),
        ("GET", f"{PARTNERS}?q=North", 200, ""),
        ("POST", PARTNERS, 403, "insufficient_scope"),
    ]
    call = ApiCall.objects.get(path=f"{PARTNERS}?q=North")
    assert (call.client, call.address, call.rows) == (made.client, "127.0.0.1", None)
    assert call.request_id == response["X-Request-ID"]
    assert call.milliseconds < 60_000


def test_people_and_strangers_are_not_in_the_log(cast, as_user):
    assert as_user(cast.director).get(PARTNERS).status_code == 200
    assert bearer("nonsense").get(PARTNERS).status_code == 401
    assert Client().post("/api/token/", {"client_id": "x"}).status_code >= 400
    assert ApiCall.objects.count() == 0


def test_a_load_tells_how_many_rows_it_wrote(cast):
    make.make_product("Cable", code="A-1")
    _made, caller = made_with()
    lines = [
        {
            "reference": f"R{number}",
            "partner": code,
            "product": "A-1",
            "occurred_on": "2026-01-05",
            "quantity": 1,
            "amount": 1,
        }
        for number, code in enumerate(("NORTH-1", "SOUTH-1", "NOBODY"))
    ]
    assert caller.post(f"{ROOT}sales-facts/bulk/", lines).status_code == 200
    assert ApiCall.objects.get(path=f"{ROOT}sales-facts/bulk/").rows == 2


def test_what_may_be_secret_is_not_logged():
    hide = api_calls.without_secrets
    assert (
        hide("/x/?q=a&access_token=abc&API_KEY=d&page=2")
        == "/x/?q=a&access_token=…&API_KEY=…&page=2"
    )
    assert hide("/x/?client_secret=") == "/x/?client_secret=…"
    assert hide("/token/?q=token=1") == "/token/?q=token=1"


def test_a_long_address_is_cut(db):
    _made, caller = made_with()
    assert caller.get(f"{PARTNERS}?q={'x' * 400}").status_code == 400
    assert len(ApiCall.objects.get(status=400).path) == 300


def test_a_call_is_answered_also_when_it_cannot_be_logged(cast):
    _made, caller = made_with()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_apicall RENAME TO accounts_gone")
    assert len(caller.get(PARTNERS).json()["results"]) == 2


def test_the_last_use_is_written_once_a_minute_and_not_for_refusals(db):
    made = create_client(name="ERP", access="read", by=None)
    assert ask(made, client_secret="guess").status_code == 401
    made.client.refresh_from_db()
    assert made.client.last_used_at is None
    caller = bearer(ask(made).json()["access_token"])
    made.client.refresh_from_db()
    first = made.client.last_used_at
    assert timezone.now() - first < timedelta(minutes=1)
    assert caller.get(PARTNERS).status_code == 200
    made.client.refresh_from_db()
    assert made.client.last_used_at == first
    assert Event.objects.filter(verb="accounts.apiclient.updated").count() == 0


def test_calls_are_kept_for_thirty_days(db):
    now = timezone.now()
    client = make.make_api_client()
    for days in (29, 31, 40):
        make.make_api_call(client, at=now - timedelta(days=days))
    assert api_calls.forget(at=now) == 2
    assert ApiCall.objects.count() == 1


def test_tokens_are_deleted_a_day_after_their_end(db):
    made_with()
    for hours in (23, 25):
        AccessToken.objects.update(expires=timezone.now() - timedelta(hours=hours))
        forget_calls()
        assert AccessToken.objects.count() == (hours < 24)


def test_the_log_costs_one_insert(cast, django_assert_max_num_queries):
    _made, caller = made_with()
    caller.get(PARTNERS)
    with django_assert_max_num_queries(100) as seen:
        caller.get(PARTNERS)
    writes = [q["sql"] for q in seen.captured_queries if not q["sql"].startswith("SELECT")]
    assert [sql.split('"')[1] for sql in writes if sql.startswith("INSERT")] == ["accounts_apicall"]
    assert not [sql for sql in writes if sql.startswith("UPDATE")]


def test_the_database_refuses_a_rate_of_nothing(db):
    client = make.make_api_client()
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiClient.objects.filter(pk=client.pk).update(requests_per_minute=0)
