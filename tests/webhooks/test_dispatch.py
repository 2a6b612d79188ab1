"""Which events are queued for which endpoint, and that each is queued once."""

import threading
import time

import pytest
from django.db import connection, transaction
from django.utils import timezone

from core import audit, feed, workflow
from core.webhooks import dispatch as dispatching
from core.webhooks.dispatch import dispatch
from core.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests import factories as make

VERB = "partners.partner.updated"


def tell(partner, verb=VERB):
    return audit.record(verb, partner, by=None).pk


def queue_all():
    now = timezone.now()
    return dispatch(until=now, at=now)


def queued(endpoint):
    return sorted(endpoint.deliveries.values_list("event_id", flat=True))


def test_an_endpoint_gets_what_its_user_may_see(cast):
    users = {
        "machine": make.make_user("integration"),
        "north": cast.north_manager,
        "south": cast.south_manager,
        "stranger": cast.stranger,
        "trainer": make.make_user("trainer"),  # may not read events
        "partner": cast.north_person,
        "gone": make.make_user("integration", is_active=False),
    }
    endpoints = {name: make.make_webhook(user) for name, user in users.items()}
    north, south = tell(cast.north_partner), tell(cast.south_partner)
    shared = tell(cast.north, "accounts.territory.updated")
    queue_all()
    assert {name: queued(endpoint) for name, endpoint in endpoints.items()} == {
        "machine": [north, south, shared],
        "north": [north],
        "south": [south],
        "stranger": [],
        "trainer": [],
        "partner": [],
        "gone": [],
    }


def test_an_endpoint_is_told_of_nothing_that_its_user_may_not_view(cast):
    machine = make.make_webhook(make.make_user("integration"))
    administrator = make.make_webhook(cast.administrator)
    user = tell(cast.stranger, "accounts.user.created")
    partner = tell(cast.north_partner)
    queue_all()
    assert queued(machine) == [partner]  # as in its feed of events
    assert queued(administrator) == [user, partner]


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (["*"], [0, 1, 2, 3]),
        (["partners.partner.*"], [0, 1]),
        (["partners.partner.suspend"], [1]),
        (["partners.contact.created", "partners.partner.updated"], [0, 2]),
        (["partners.partner_.*"], []),  # no wildcards but the star at the end
    ],
)
def test_types_are_verbs_and_prefixes(types, expected, db):
    partner = make.make_partner()
    endpoint = make.make_webhook(event_types=types)
    verbs = [VERB, "partners.partner.suspend", "partners.contact.created", "partners.site.deleted"]
    keys = [tell(partner, verb) for verb in verbs]
    queue_all()
    assert queued(endpoint) == [keys[index] for index in expected]


def test_what_happened_before_there_was_an_endpoint_is_not_told(db):
    partner = make.make_partner()
    tell(partner)
    endpoint = make.make_webhook()
    assert (queue_all(), queued(endpoint)) == (0, [])


def test_looking_again_adds_nothing(db):
    make.make_webhook()
    tell(make.make_partner())
    assert [queue_all(), queue_all()] == [1, 0]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_windows_lose_and_repeat_nothing_also_among_equal_times(count, db, monkeypatch):
    monkeypatch.setattr(dispatching, "WINDOW", 2)
    partner, endpoint = make.make_partner(), make.make_webhook()
    # One statement: one time for all of them.
    audit.record_many([(VERB, partner, {})] * count, by=None)
    assert queue_all() == count == len(queued(endpoint))


def test_what_happens_during_a_pause_waits(cast):
    endpoint = make.make_webhook()
    today = timezone.localdate()
    workflow.fire(endpoint, "pause", by=cast.administrator, on=today)
    meanwhile = tell(cast.north_partner)
    assert queue_all() == 0
    workflow.fire(endpoint, "resume", by=cast.administrator, on=today)
    queue_all()
    assert meanwhile in queued(endpoint)


def test_as_many_queries_for_many_events_as_for_one(db, django_assert_num_queries):
    partner = make.make_partner()
    make.make_webhook()
    for count in (1, 50):
        audit.record_many([(VERB, partner, {})] * count, by=None)
        with django_assert_num_queries(10):
            assert queue_all() == count


@pytest.mark.django_db(transaction=True)
def test_two_dispatchers_beside_slow_writers_queue_everything_once():
    partner = make.make_partner()
    endpoint = make.make_webhook()
    stop = threading.Event()

    def write(pause):
        try:
            for _ in range(8):
                with transaction.atomic():
                    tell(partner)
                    time.sleep(pause)
                    tell(partner)
        finally:
            connection.close()

    def keep_dispatching():
        try:
            while not stop.is_set():
                dispatch(until=feed.horizon(), at=timezone.now())
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=(pause,)) for pause in (0.01, 0.1, 0.3)]
    dispatchers = [threading.Thread(target=keep_dispatching) for _ in range(2)]
    for thread in (*writers, *dispatchers):
        thread.start()
    for thread in writers:
        thread.join()
    deadline = time.monotonic() + 10
    while WebhookDelivery.objects.count() < 48 and time.monotonic() < deadline:
        time.sleep(0.1)
    stop.set()
    for thread in dispatchers:
        thread.join()
    assert len(queued(endpoint)) == 48
    assert WebhookEndpoint.objects.get().progress.event_at <= timezone.now()


@pytest.mark.django_db(transaction=True)
def test_what_commits_late_is_not_missed():
    partner, endpoint = make.make_partner(), make.make_webhook()
    written, go_on = threading.Event(), threading.Event()

    def write_slowly():
        try:
            with transaction.atomic():
                tell(partner)
                written.set()
                go_on.wait(10)
        finally:
            connection.close()

    writer = threading.Thread(target=write_slowly)
    writer.start()
    assert written.wait(10)
    quick = tell(partner)
    time.sleep(1.1)
    dispatch(until=feed.horizon(), at=timezone.now())
    assert queued(endpoint) == []
    go_on.set()
    writer.join()
    time.sleep(1.1)
    dispatch(until=feed.horizon(), at=timezone.now())
    found = queued(endpoint)
    assert len(found) == 2 and quick in found
