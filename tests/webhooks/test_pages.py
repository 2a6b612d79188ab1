"""What an administrator does with webhooks."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from core.models import Event
from core.webhooks import services, signing
from core.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookSecret
from tests import factories as make


@pytest.fixture
def client(cast):
    client = Client()
    client.force_login(cast.administrator, backend="accounts.backends.RoleBackend")
    return client


def typed(cast, **changes):
    return {
        "name": "ERP",
        "url": "https://erp.example.com/hook",
        "owner": cast.administrator.pk,
        "objects": ["partners.partner", "partners.contact"],
        "verbs": "partners.site.created\npartners.site.deleted",
        **changes,
    }


def test_a_new_webhook_has_its_types_a_start_and_a_secret(cast, client):
    response = client.post("/webhooks/new/", typed(cast))
    endpoint = WebhookEndpoint.objects.get()
    assert response.url == f"/webhooks/{endpoint.pk}/"
    assert endpoint.event_types == [
        "partners.contact.*",
        "partners.partner.*",
        "partners.site.created",
        "partners.site.deleted",
    ]
    assert timezone.now() - endpoint.progress.event_at < timedelta(seconds=10)
    assert endpoint.secrets.get().shown_at is None
    assert "sealed" not in str(Event.objects.get().changes)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": "http://erp.example.com/"}, "url"),
        ({"verbs": "partners.partner.danced"}, "verbs"),
        ({"verbs": "nothing.at.all"}, "verbs"),
        ({"objects": [], "verbs": ""}, "objects"),
        ({"objects": ["auth.group"]}, "objects"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(changes, field, cast, client):
    response = client.post("/webhooks/new/", typed(cast, **changes))
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not WebhookEndpoint.objects.exists()


def test_a_webhook_acts_as_a_machine_or_its_maker_and_nobody_else(cast, client):
    machines = {make.make_user("integration"), make.make_user("limited_machine")}
    form = client.get("/webhooks/new/").context["form"]
    assert set(form.fields["owner"].queryset) == {*machines, cast.administrator}
    response = client.post("/webhooks/new/", typed(cast, owner=cast.director.pk))
    assert list(response.context["form"].errors) == ["owner"]


def test_a_secret_is_shown_once(client):
    endpoint = make.make_webhook(secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    url = f"/webhooks/{endpoint.pk}/secret/"
    first, second = client.post(url), client.post(url)
    assert b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" in first.content
    assert "no-store" in first.headers["Cache-Control"]
    assert second.status_code == 302
    assert b"whsec_" not in client.get(second.url).content
    assert Event.objects.get().verb == "core.webhookendpoint.secret_shown"


@pytest.mark.parametrize(("posted", "hours"), [({"overlap": "1"}, 24), ({}, 0)])
def test_a_new_secret_leaves_the_old_one_for_a_day_or_not_at_all(posted, hours, client):
    endpoint = make.make_webhook()
    old = endpoint.secrets.get()
    client.post(f"/webhooks/{endpoint.pk}/rotate/", posted)
    old.refresh_from_db()
    new = endpoint.secrets.get(ends_at=None)
    assert signing.unseal(new.sealed) != signing.unseal(old.sealed)
    assert round((old.ends_at - timezone.now()) / timedelta(hours=1)) == hours


def test_a_secret_that_leaked_ends_at_once_also_if_it_was_about_to(cast):
    endpoint = make.make_webhook()
    now = timezone.now()
    for overlap in (timedelta(hours=24), timedelta()):
        services.rotate(endpoint, by=cast.administrator, at=now, overlap=overlap)
    assert list(endpoint.secrets.filter(ends_at__gt=now)) == []
    services.forget(at=now)
    assert WebhookSecret.objects.count() == 1


def test_a_test_is_queued_unless_the_webhook_is_paused(client):
    endpoint = make.make_webhook()
    client.post(f"/webhooks/{endpoint.pk}/test/")
    assert endpoint.deliveries.get().event.verb == "core.webhookendpoint.tested"
    client.post(f"/webhooks/{endpoint.pk}/transition/pause/")
    client.post(f"/webhooks/{endpoint.pk}/test/")
    assert endpoint.deliveries.count() == 1


def test_nobody_disables_by_hand(client):
    endpoint = make.make_webhook()
    assert client.post(f"/webhooks/{endpoint.pk}/transition/disable/").status_code == 403


def test_sending_again_begins_a_new_round(cast, client):
    now = timezone.now()
    row = make.make_delivery(state="failed", attempts=10, ended_at=now)
    client.post(f"/webhooks/deliveries/{row.pk}/again/")
    row.refresh_from_db()
    assert (row.state, row.attempts, row.ended_at) == ("pending", 0, None)
    assert row.log[-1]["by"] == str(cast.administrator)


def test_what_a_worker_has_in_hand_is_left_to_it(client):
    lease = timezone.now() + timedelta(minutes=1)
    row = make.make_delivery(leased_until=lease, attempts=3)
    client.post(f"/webhooks/deliveries/{row.pk}/again/")
    row.refresh_from_db()
    assert (row.leased_until, row.attempts) == (lease, 3)


def test_the_dead_letters_of_some_days_are_sent_again_together(client):
    endpoint = make.make_webhook()
    now = timezone.now()
    day = timezone.localdate(now).isoformat()
    rows = [make.make_delivery(endpoint, state="failed", ended_at=now) for _ in range(3)]
    old = make.make_delivery(endpoint, state="failed", ended_at=now)
    WebhookDelivery.objects.filter(pk=old.pk).update(created_at=now - timedelta(days=3))
    make.make_delivery(endpoint, state="delivered", ended_at=now)
    query = f"?state=failed&created_at_after={day}&created_at_before={day}"
    form = {"query": query, "all": "1", "action": "again", "confirmed": "1"}
    client.post("/webhooks/deliveries/bulk/", form)
    pending = WebhookDelivery.objects.filter(state="pending").values_list("pk", flat=True)
    assert sorted(pending) == [row.pk for row in rows]


def test_what_is_no_longer_kept_is_deleted(db):
    now = timezone.now()
    kept = {}
    for state in ("delivered", "failed", "cancelled"):
        for days in (29, 31, 91):
            row = make.make_delivery(state=state, ended_at=now - timedelta(days=days))
            kept[state, days] = row.pk
    pending = make.make_delivery()
    services.forget(at=now)
    left = set(WebhookDelivery.objects.values_list("pk", flat=True))
    assert {key for key, pk in kept.items() if pk in left} == {
        ("delivered", 29), ("failed", 29), ("failed", 31), ("cancelled", 29), ("cancelled", 31),
    }  # fmt: skip
    assert pending.pk in left
