"""Pages of API clients: made with limits, the secret once, switched off, what it called."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.api_clients import create_client
from accounts.models import ApiClient, User
from core.models import Event
from tests import factories as make

LIST = "/accounts/api-clients/"
MAKE = f"{LIST}make/"


@pytest.fixture
def admin(cast):
    client = Client()
    client.force_login(cast.administrator, backend=django_settings.AUTHENTICATION_BACKENDS[0])
    session = client.session
    session["language"] = "en"
    session.save()
    return client


def token(client_id, secret):
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return Client().post("/api/token/", form)


def test_one_is_made_with_its_limits_and_shows_its_secret_once(admin, cast):
    day = timezone.localdate() + timedelta(days=90)
    typed = {
        "name": "仓库系统",
        "access": "read write",
        "reach": "named",
        "territories": [cast.north.pk],
        "partners": [cast.south_partner.pk],
        "addresses": "127.0.0.1, 10.1.2.3/8\n2001:db8::/48",
        "expires_on": day.isoformat(),
        "requests_per_minute": "30",
        "note": "of the north",
    }
    response = admin.post(MAKE, typed)
    assert response.status_code == 201
    assert "no-store" in response["Cache-Control"]
    client = ApiClient.objects.get()
    made = response.context["made"]
    html = response.content.decode()
    assert html.count(made.client_secret) == 2  # itself, and in the line for curl
    assert token(made.client_id, made.client_secret).status_code == 200
    assert client.addresses == ["127.0.0.1/32", "10.0.0.0/8", "2001:db8::/48"]
    user = client.application.user
    assert (user.username, user.role) == ("api-cangkuxitong", "limited_machine")
    assert list(user.territories.all()) == [cast.north]
    assert list(user.named_partners.all()) == [cast.south_partner]
    event = Event.objects.get(verb="accounts.apiclient.created")
    assert event.actor == cast.administrator
    assert event.changes == {
        "name": [None, "仓库系统"],
        "access": [None, "read write"],
        "sandbox": [None, False],
        "addresses": [None, client.addresses],
        "expires_on": [None, day.isoformat()],
        "requests_per_minute": [None, 30],
        "note": [None, "of the north"],
        "territories": [None, ["North"]],
        "partners": [None, ["Southern Trading"]],
    }
    for path in ("", "history/"):
        page = admin.get(f"{LIST}{client.pk}/{path}").content.decode()
        assert "Southern Trading" in page
        assert made.client_secret not in page


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "taken"}, "name"),
        ({"addresses": "10.0.0.0/33"}, "addresses"),
        ({"addresses": "example.com"}, "addresses"),
        ({"expires_on": "2020-01-01"}, "expires_on"),
        ({"requests_per_minute": "0"}, "requests_per_minute"),
        ({"reach": "named"}, "territories"),
        ({"territories": True}, "reach"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_is_made(admin, cast, typed, field):
    make.make_api_client("taken")
    if "territories" in typed:
        typed = {"territories": [cast.north.pk]}
    response = admin.post(MAKE, {"name": "new", "access": "read"} | typed)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert ApiClient.objects.count() == 1
    assert not User.objects.filter(username="api-new").exists()


def test_a_new_secret_ends_the_old_one_and_its_tokens(admin):
    old = create_client(name="erp", access="read", by=None)
    bearer = token(old.client_id, old.client_secret).json()["access_token"]
    url = f"{LIST}{old.client.pk}/secret/"
    assert "at once" in admin.get(url).content.decode()
    assert token(old.client_id, old.client_secret).status_code == 200  # nothing happened yet
    new = admin.post(url).context["made"]
    assert new.client_secret != old.client_secret
    assert token(old.client_id, old.client_secret).status_code == 401
    assert token(new.client_id, new.client_secret).status_code == 200
    headers = {"Authorization": f"Bearer {bearer}"}
    assert Client().get("/api/v1/partners/", headers=headers).status_code == 401
    assert Event.objects.filter(verb="accounts.apiclient.secret_renewed").count() == 1


def edited(admin, client, **typed):
    form = {"name": str(client), "access": client.access, "reach": ""} | typed
    return admin.post(f"{LIST}{client.pk}/edit/", form)


def test_rows_can_be_taken_and_given_back(admin, cast):
    client = create_client(name="erp", access="read", by=None).client
    limited = edited(admin, client, reach="named", territories=[cast.north.pk])
    assert limited.status_code == 302
    user = User.objects.get(username="api-erp")
    assert (user.role, user.is_global) == ("limited_machine", False)
    changes = Event.objects.filter(verb="accounts.apiclient.updated").first().changes
    assert changes == {"territories": [[], ["North"]]}
    assert edited(admin, client).status_code == 302
    user = User.objects.get(username="api-erp")
    assert (user.role, user.is_global, user.territories.count()) == ("integration", True, 0)


def test_less_access_ends_the_tokens_that_had_more(admin):
    made = create_client(name="erp", access="read write", by=None)
    bearer = token(made.client_id, made.client_secret).json()["access_token"]
    assert edited(admin, made.client, access="read").status_code == 302
    headers = {"Authorization": f"Bearer {bearer}"}
    assert Client().get("/api/v1/partners/", headers=headers).status_code == 401


def test_the_rows_of_a_shared_user_are_not_changed_by_the_way(admin, cast):
    first = create_client(name="erp", access="read", by=None).client
    create_client(name="bi", access="read", by=None, username="api-erp")
    refused = edited(admin, first, reach="named", territories=[cast.north.pk])
    assert refused.status_code == 422
    assert User.objects.get(username="api-erp").role == "integration"
    assert edited(admin, first, note="n").status_code == 302


def test_one_is_switched_off_and_on(admin):
    made = create_client(name="erp", access="read", by=None)
    url = f"{LIST}{made.client.pk}/transition/"
    assert admin.post(f"{url}switch_off/").status_code == 302
    assert token(made.client_id, made.client_secret).status_code == 401
    assert admin.post(f"{url}switch_on/").status_code == 302
    assert token(made.client_id, made.client_secret).status_code == 200
    verbs = Event.objects.order_by("id").values_list("verb", flat=True)
    assert [verb.rpartition(".")[2] for verb in verbs] == ["created", "switch_off", "switch_on"]


def test_only_one_that_was_never_used_is_deleted(admin):
    used = make.make_api_client(last_used_at=timezone.now())
    assert f"{LIST}{used.pk}/delete/" not in admin.get(f"{LIST}{used.pk}/").content.decode()
    assert admin.post(f"{LIST}{used.pk}/delete/").status_code == 302
    unused = create_client(name="erp", access="read", by=None).client
    assert f"{LIST}{unused.pk}/delete/" in admin.get(f"{LIST}{unused.pk}/").content.decode()
    assert admin.post(f"{LIST}{unused.pk}/delete/").status_code == 302
    assert list(ApiClient.objects.all()) == [used]
    assert not User.objects.filter(username="api-erp").exists()
    assert create_client(name="erp", access="read", by=None).client.pk  # the name is free again


def test_the_list_and_the_page_tell_of_expiry_beforehand(admin):
    today = timezone.localdate()
    for name, days in (("soon", 30), ("later", 31), ("gone", 0)):
        make.make_api_client(name, expires_on=today + timedelta(days=days))
    html = admin.get(LIST).content.decode()
    assert html.count("Expires in 30 days") == 1
    assert html.count("Expired") == 1
    soon, later = (ApiClient.objects.get(application__name=name) for name in ("soon", "later"))
    assert "It expires in 30 days" in admin.get(f"{LIST}{soon.pk}/").content.decode()
    assert "It expires in" not in admin.get(f"{LIST}{later.pk}/").content.decode()


def test_calls_are_shown_newest_first_and_filtered(admin):
    client = make.make_api_client()
    now = timezone.now()
    make.make_api_call()  # of another client
    calls = [
        make.make_api_call(client, status=status, at=now - timedelta(days=days))
        for status, days in ((200, 0), (404, 1), (500, 2), (429, 3))
    ]
    day = timezone.localdate() - timedelta(days=1)

    def shown(query=""):
        response = admin.get(f"{LIST}{client.pk}/?tab=calls{query}")
        return [call.pk for call in response.context["calls"]]

    assert shown() == [call.pk for call in calls]
    assert shown("&status=4") == [calls[1].pk, calls[3].pk]
    assert shown("&status=5") == [calls[2].pk]
    assert shown(f"&day={day.isoformat()}") == [calls[1].pk]
    assert shown(f"&status=2&day={day.isoformat()}") == []
    assert shown("&status=x&day=2026-13-99&page=-3") == [call.pk for call in calls]


def test_calls_are_paged(admin):
    client = make.make_api_client()
    for _number in range(51):
        make.make_api_call(client)
    first = admin.get(f"{LIST}{client.pk}/?tab=calls")
    assert (len(first.context["calls"]), first.context["newer"]) == (50, "")
    second = admin.get(f"{LIST}{client.pk}/{first.context['older']}")
    assert (len(second.context["calls"]), second.context["older"]) == (1, "")


def printed(*arguments):
    out = StringIO()
    try:
        call_command("api_client", *arguments, stdout=out)
    except SystemExit as left:
        assert left.code == 1
    return json.loads(out.getvalue().splitlines()[-1])


def test_the_command_sets_the_same_limits(cast):
    said = printed(
        "erp", "--scopes", "write", "--territory", "n", "--partner", "SOUTH-1", "--sandbox",
        "--address", "10.0.0.0/8", "--expires", "2030-01-01", "--rate", "9", "--note", "x",
    )  # fmt: skip
    client = ApiClient.objects.get(application__client_id=said["client_id"])
    user = client.application.user
    assert (list(user.territories.all()), list(user.named_partners.all())) == (
        [cast.north],
        [cast.south_partner],
    )
    assert (client.sandbox, client.addresses, client.requests_per_minute, client.note) == (
        True,
        ["10.0.0.0/8"],
        9,
        "x",
    )
    assert client.expires_on.isoformat() == "2030-01-01"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--partner", "NOBODY"), "does_not_exist"),
        (("--address", "nowhere"), "bad_address"),
        (("--rate", "0"), "invalid"),
        (("--user", "api-x", "--territory", "N"), "rows_of_user"),
    ],
)
def test_the_command_refuses_what_makes_no_sense(cast, arguments, error):
    make.make_user("integration", username="api-x")
    assert printed("erp", *arguments)["error"] == error
    assert ApiClient.objects.count() == 0
