"""The queue: sent, tried again, given up, and what a killed worker leaves."""

import base64
import hashlib
import hmac
import json
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from core import audit, workflow
from core.models import Event
from core.webhooks import delivery, services
from core.webhooks.models import WebhookDelivery, WebhookProgress
from core.webhooks.sending import Outcome
from tests import factories as make
from tests.webhooks.server import OK, receiver, says, status

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD = "whsec_c2VjcmV0LW9mLWEtcm90YXRlZC1lbmRwb2ludA=="

pytestmark = [pytest.mark.usefixtures("local_receivers")]


def headers_of(raw):
    head, _end, body = raw.partition(b"\r\n\r\n")
    pairs = (line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    return {name.lower(): value for name, value in pairs}, body


def make_due(row):
    WebhookDelivery.objects.filter(pk=row.pk).update(next_attempt_at=timezone.now())


def test_a_message_is_thin_signed_and_recorded(db):
    partner = make.make_partner("Secret Name")
    event = audit.record(
        "partners.partner.updated", partner, by=None, changes={"phone": ["1", "2"]}
    )
    with receiver(says(OK)) as there:
        row = make.make_delivery(make.make_webhook(url=there.url, secret=SECRET), event=event)
        assert delivery.run() == 1
    headers, body = headers_of(there.requests[0])
    assert json.loads(body) == {
        "type": "partners.partner.updated",
        "timestamp": event.created_at.isoformat().replace("+00:00", "Z"),
        "data": {
            "event_id": event.pk,
            "object_type": "partners.partner",
            "object_id": partner.pk,
            "url": f"/api/v1/partners/{partner.pk}/",
        },
    }
    assert headers["webhook-id"] == f"evt_{event.pk}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 5
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    mac = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{mac}"
    row.refresh_from_db()
    assert (row.state, row.attempts, row.status, row.response) == ("delivered", 1, 200, "ok")
    assert row.ended_at and row.leased_until is None and len(row.log) == 1


def test_what_the_api_does_not_have_has_no_address(db):
    endpoint = make.make_webhook()
    event = audit.record("core.webhookendpoint.tested", endpoint, by=None)
    assert delivery.payload(event)["data"]["url"] is None


def test_ten_failures_are_a_dead_letter_and_each_has_the_same_id(db):
    with receiver(status(500)) as there:
        row = make.make_delivery(make.make_webhook(url=there.url))
        states = []
        for _ in range(11):
            make_due(row)
            delivery.run()
            row.refresh_from_db()
            states.append(row.state)
    assert states == ["pending"] * 9 + ["failed"] * 2
    assert {headers_of(raw)[0]["webhook-id"] for raw in there.requests} == {row.message_id}
    assert (len(there.requests), row.attempts, len(row.log)) == (10, 10, 10)


def test_after_a_failure_it_waits(db):
    with receiver(status(500)) as there:
        row = make.make_delivery(make.make_webhook(url=there.url))
        assert delivery.run() == 1
    row.refresh_from_db()
    assert timedelta(seconds=3) < row.next_attempt_at - timezone.now() < timedelta(seconds=6)
    assert delivery.run() == 0


@pytest.mark.parametrize(("code", "hours"), [(429, 2), (503, 2), (500, 0)])
def test_retry_after_is_respected_where_it_has_a_meaning(code, hours, db):
    with receiver(status(code, "Retry-After: 7200")) as there:
        row = make.make_delivery(make.make_webhook(url=there.url))
        delivery.run()
    row.refresh_from_db()
    waits = row.next_attempt_at - timezone.now()
    assert round(waits / timedelta(hours=1)) == hours


def test_gone_disables_the_endpoint_and_what_waits_stays(db):
    with receiver(status(410)) as there:
        endpoint = make.make_webhook(url=there.url)
        row = make.make_delivery(endpoint)
        delivery.run()
    endpoint.refresh_from_db()
    row.refresh_from_db()
    assert (endpoint.state, row.state, row.error) == ("disabled", "failed", "gone")
    event = Event.objects.get(verb="core.webhookendpoint.disable")
    assert event.object_id == endpoint.pk and "410" in event.reason
    waits = make.make_delivery(endpoint)
    assert delivery.run() == 0
    waits.refresh_from_db()
    assert waits.state == "pending"


@pytest.mark.parametrize(("days", "state"), [(4.9, "active"), (5.1, "disabled")])
def test_only_failures_for_five_days_disable_the_endpoint(days, state, db):
    endpoint = make.make_webhook()
    row = make.make_delivery(endpoint)
    now = timezone.now()
    WebhookProgress.objects.update(failing_since=now - timedelta(days=days))
    delivery.record(row, Outcome("status", 500), at=now)
    endpoint.refresh_from_db()
    assert endpoint.state == state


def test_a_success_forgets_earlier_failures(db):
    endpoint = make.make_webhook()
    now = timezone.now()
    since = []
    for error in ("timeout", ""):
        delivery.record(make.make_delivery(endpoint), Outcome(error), at=now)
        since.append(WebhookProgress.objects.get().failing_since)
    assert since == [now, None]


def test_a_paused_endpoint_is_left_alone(cast):
    endpoint = make.make_webhook()
    make.make_delivery(endpoint)
    workflow.fire(endpoint, "pause", by=cast.administrator, on=timezone.localdate())
    assert delivery.run() == 0


def test_an_event_that_left_the_scope_of_the_user_is_not_sent(cast):
    event = audit.record("partners.partner.updated", cast.south_partner, by=None)
    with receiver(says(OK)) as there:
        endpoint = make.make_webhook(cast.north_manager, url=there.url)
        row = make.make_delivery(endpoint, event=event)
        test = services.send_test(endpoint, by=cast.administrator, at=timezone.now())
        delivery.run()
    row.refresh_from_db()
    test.refresh_from_db()
    assert (row.state, row.error, test.state) == ("cancelled", "unseen", "delivered")
    assert [headers_of(raw)[0]["webhook-id"] for raw in there.requests] == [test.message_id]


def test_both_secrets_sign_until_the_old_one_ends(cast):
    endpoint = make.make_webhook(secret=OLD)
    now = timezone.now()
    services.rotate(endpoint, by=cast.administrator, at=now, overlap=timedelta(hours=24))
    counts = []
    for later in (timedelta(), timedelta(hours=23), timedelta(hours=25)):
        make.make_delivery(endpoint)
        messages = delivery.claim(at=now + later + timedelta(minutes=1), room=1)
        counts.append(len(messages[0].headers["webhook-signature"].split(" ")))
    assert counts == [2, 2, 1]


def test_a_secret_that_cannot_be_read_is_said_until_there_is_a_new_one(db, settings):
    row = make.make_delivery()
    settings.SECRET_KEY = "another"
    assert delivery.run() == 0
    row.refresh_from_db()
    assert (row.state, row.error, row.attempts) == ("pending", "secret", 1)
    now = timezone.now()
    services.rotate(row.endpoint, by=None, at=now, overlap=timedelta(hours=24))
    (message,) = delivery.claim(at=now + timedelta(minutes=1), room=1)
    assert len(message.headers["webhook-signature"].split(" ")) == 1


def test_a_worker_that_dies_before_it_could_write_sends_again_with_the_same_id(db):
    now = timezone.now()
    with receiver(says(OK)) as there:
        row = make.make_delivery(make.make_webhook(url=there.url))
        (lost,) = delivery.claim(at=now + timedelta(seconds=1), room=16)
        outcome = lost.send()  # … and here the worker is killed
        assert delivery.claim(at=now + timedelta(minutes=1), room=16) == []
        (again,) = delivery.claim(at=now + timedelta(minutes=3), room=16)
        delivery.record(again.delivery, again.send(), at=now + timedelta(minutes=3))
        # Had it only been slow: what it says now is too late to count.
        delivery.record(lost.delivery, outcome, at=now + timedelta(minutes=4))
    row.refresh_from_db()
    assert [headers_of(raw)[0]["webhook-id"] for raw in there.requests] == [row.message_id] * 2
    assert (row.state, row.attempts) == ("delivered", 1)


def test_a_slow_endpoint_does_not_hold_up_the_others(db):
    def slowly(sock):
        time.sleep(0.6)
        sock.sendall(OK)

    with receiver(slowly) as slow, receiver(says(OK)) as quick:
        crowded, other = make.make_webhook(url=slow.url), make.make_webhook(url=quick.url)
        for _ in range(12):
            make.make_delivery(crowded)
        row = make.make_delivery(other)
        began = timezone.now()
        assert delivery.run() == 13
    row.refresh_from_db()
    assert row.ended_at - began < timedelta(seconds=0.5)
    assert slow.most_at_once == delivery.AT_ONCE
    assert crowded.deliveries.filter(state="delivered").count() == 12


def test_an_endpoint_that_fails_is_asked_one_at_a_time(db):
    endpoint = make.make_webhook()
    for _ in range(5):
        make.make_delivery(endpoint)
    WebhookProgress.objects.update(failing_since=timezone.now())
    assert len(delivery.claim(at=timezone.now(), room=16)) == 1
    assert delivery.claim(at=timezone.now(), room=16) == []


def test_claims_take_turns_among_endpoints(db):
    endpoints = [make.make_webhook() for _ in range(3)]
    for endpoint in endpoints:
        for _ in range(4):
            make.make_delivery(endpoint)
    claimed = delivery.claim(at=timezone.now(), room=3)
    assert sorted(m.delivery.endpoint_id for m in claimed) == [e.pk for e in endpoints]


def test_as_many_queries_for_many_messages_as_for_one(db, django_assert_num_queries):
    owner = make.make_user("integration")
    delivery.claim(at=timezone.now(), room=16)
    for count in (1, 4):
        for _ in range(count):
            make.make_delivery(make.make_webhook(owner))
        with django_assert_num_queries(4):
            assert len(delivery.claim(at=timezone.now(), room=16)) == count


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_claim_the_same_message():
    for _ in range(5):
        endpoint = make.make_webhook()
        for _ in range(4):
            make.make_delivery(endpoint)
    now, found, barrier = timezone.now(), [], threading.Barrier(4)

    def work():
        try:
            barrier.wait()
            while messages := delivery.claim(at=now, room=2):
                found.extend(message.delivery.pk for message in messages)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(WebhookDelivery.objects.values_list("pk", flat=True))


@pytest.mark.django_db(transaction=True)
def test_one_run_at_a_time():
    entered = threading.Event()

    def slowly(sock):
        entered.set()
        time.sleep(0.5)
        sock.sendall(OK)

    def work():
        try:
            delivery.run()
        finally:
            connection.close()

    with receiver(slowly) as there:
        endpoint = make.make_webhook(url=there.url)
        make.make_delivery(endpoint)
        first = threading.Thread(target=work)
        first.start()
        assert entered.wait(10)
        make.make_delivery(endpoint)
        assert delivery.run() == 0
        first.join()
    assert endpoint.deliveries.filter(state="delivered").count() >= 1
