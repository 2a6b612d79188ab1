"""Machines: client credentials, tokens, scopes."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application
from rest_framework.test import APIClient

from accounts.api_clients import create_client
from accounts.models import User
from core.models import Event
from tests import factories as make
from tests.api.conftest import ROOT, token_for
from tests.api.test_problems import problem

PARTNERS = f"{ROOT}partners/"


def bearer(token):
    caller = APIClient(raise_request_exception=False)
    caller.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return caller


def ask(made, **form):
    form = {
        "grant_type": "client_credentials",
        "client_id": made.client_id,
        "client_secret": made.client_secret,
        **form,
    }
    return Client().post("/api/token/", form)


def test_the_command_prints_credentials_that_work(cast):
    out = StringIO()
    call_command("api_client", "ERP", "--scopes", "read", "write", stdout=out)
    printed = json.loads(out.getvalue().splitlines()[-1])
    user = User.objects.get(username=printed["user"])
    assert (user.role, user.has_usable_password()) == ("integration", False)
    form = {key: printed[key] for key in ("client_id", "client_secret")}
    answer = Client().post("/api/token/", {"grant_type": "client_credentials", **form}).json()
    assert (answer["token_type"], answer["expires_in"], answer["scope"]) == (
        "Bearer",
        3600,
        "read write",
    )
    assert len(bearer(answer["access_token"]).get(PARTNERS).json()["results"]) == 2
    assert printed["client_secret"] not in Application.objects.get().client_secret


def test_a_second_client_of_the_name_is_refused(db):
    create_client(name="erp", access="read", by=None)
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("api_client", "erp", stdout=out)
    assert json.loads(out.getvalue())["error"] == "client_exists"


def test_a_machine_acts_as_its_user(cast, machine):
    response = machine.patch(f"{PARTNERS}{cast.north_partner.pk}/", {"short_name": "N"})
    assert response.status_code == 200
    event = Event.objects.get(verb="partners.partner.updated")
    assert (event.actor.username, event.source) == ("api-erp", "api")
    # What the role may not do, its token may not do either.
    problem(machine.delete(f"{PARTNERS}{cast.north_partner.pk}/"), 403, "permission_denied")


def test_scopes_bound_the_token(cast):
    caller = bearer(token_for("read"))
    assert caller.get(PARTNERS).status_code == 200
    problem(caller.post(PARTNERS, {}), 403, "insufficient_scope")
    made = create_client(name="reader", access="read", by=None)
    assert ask(made, scope="read write").json() == {"error": "invalid_scope"}
    wide = create_client(name="writer", access="read write", by=None)
    only_write = ask(wide, scope="write").json()["access_token"]
    problem(bearer(only_write).get(PARTNERS), 403, "insufficient_scope")


def test_a_bad_token_is_an_error_even_beside_a_session(cast):
    caller = bearer("nonsense")
    caller.force_login(cast.director)
    response = caller.get(PARTNERS)
    problem(response, 401, "invalid_token")
    assert response["WWW-Authenticate"] == 'Bearer realm="api", error="invalid_token"'
    assert Client().get(f"{PARTNERS}?access_token=x").status_code == 401


def test_a_token_ends(cast):
    token = token_for("read")
    AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    problem(bearer(token).get(PARTNERS), 401, "invalid_token")


def test_who_is_switched_off_gets_nowhere(cast):
    made = create_client(name="erp", access="read", by=None)
    token = ask(made).json()["access_token"]
    User.objects.filter(username="api-erp").update(is_active=False)
    problem(bearer(token).get(PARTNERS), 401, "client_disabled")
    assert (ask(made).status_code, ask(made).json()) == (401, {"error": "invalid_client"})


def test_a_client_of_a_person_gets_no_token(cast):
    application = Application(
        name="mine",
        user=cast.director,
        client_type="confidential",
        authorization_grant_type="client-credentials",
    )
    secret = application.client_secret
    application.save()
    form = {"client_id": application.client_id, "client_secret": secret}
    answer = Client().post("/api/token/", {"grant_type": "client_credentials", **form})
    assert answer.json() == {"error": "invalid_client"}


@pytest.mark.parametrize(
    "grant",
    [
        "password",
        "authorization_code",
        "refresh_token",
        "implicit",
        "",
        "urn:ietf:params:oauth:grant-type:device_code",
    ],
)
def test_no_other_grant_exists(cast, grant):
    made = create_client(name="erp", access="read", by=None)
    Application.objects.update(authorization_grant_type="password")
    cast.director.set_password("secret-enough")
    cast.director.save()
    answer = ask(made, grant_type=grant, username="director", password="secret-enough", code="x")
    assert answer.status_code == 400
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize(
    "form", [{}, {"client_id": "\x00"}, {"client_secret": "x"}, {"client_id": "é"}]
)
def test_credentials_that_are_none(db, form):
    answer = Client().post("/api/token/", {"grant_type": "client_credentials", **form})
    assert answer.status_code in (400, 401)


def test_basic_credentials(db):
    import base64

    made = create_client(name="erp", access="read", by=None)
    for text, status in (
        (f"{made.client_id}:{made.client_secret}", 200),
        ("\x00:\x00", 401),
        ("x", 401),
    ):
        header = "Basic " + base64.b64encode(text.encode()).decode()
        answer = Client().post(
            "/api/token/", {"grant_type": "client_credentials"}, headers={"Authorization": header}
        )
        assert answer.status_code == status


def test_tokens_are_not_kept_in_the_clear(db):
    token = token_for("read")
    assert token not in str(AccessToken.objects.values().get())


def test_an_existing_user_must_be_a_machine(db):
    make.make_user("director", username="boss")
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("api_client", "erp", "--user", "boss", stdout=out)
    assert json.loads(out.getvalue())["error"] == "not_an_integration_user"
