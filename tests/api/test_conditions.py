"""ETag and If-Match: nobody overwrites what he has not read."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from core.models import Event
from tests.api.conftest import ROOT

PARTNERS = f"{ROOT}partners/"


@pytest.fixture
def url(cast):
    return f"{PARTNERS}{cast.north_partner.pk}/"


def test_what_the_client_has_is_not_sent_again(cast, as_user, url):
    caller = as_user(cast.director)
    tag = caller.get(url)["ETag"]
    for sent in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = caller.get(url, headers={"If-None-Match": sent})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    cast.north.code = "N-NEW"
    cast.north.save()  # shown with the partner, though it stands in another row
    fresh = caller.get(url, headers={"If-None-Match": tag})
    assert (fresh.status_code, fresh.json()["territory_code"]) == (200, "N-NEW")
    assert fresh["ETag"] != tag


def test_a_change_needs_the_state_that_was_read(cast, as_user, url):
    caller = as_user(cast.director)
    tag = caller.get(url)["ETag"]
    changed = caller.patch(url, {"short_name": "A"}, headers={"If-Match": tag})
    assert (changed.status_code, changed["ETag"]) == (200, caller.get(url)["ETag"])
    for send in (
        lambda **sent: caller.patch(url, {"short_name": "B"}, **sent),
        lambda **sent: caller.delete(url, **sent),
        lambda **sent: caller.post(f"{url}transitions/suspend/", {"reason": "x"}, **sent),
        lambda **sent: caller.get(url, **sent),
    ):
        refused = send(headers={"If-Match": tag})
        assert (refused.status_code, refused.json()["code"]) == (412, "precondition_failed")
        assert send(headers={"If-Match": "no quotes"}).status_code == 400
    assert [event.changes for event in Event.objects.all()] == [{"short_name": ["", "A"]}]
    fired = caller.post(
        f"{url}transitions/suspend/", {"reason": "x"}, headers={"If-Match": changed["ETag"]}
    )
    assert (fired.status_code, fired["ETag"]) == (200, caller.get(url)["ETag"])


def test_the_tag_is_of_the_fields_that_are_shown(cast, as_user, url):
    caller = as_user(cast.director)
    tag = caller.get(f"{url}?fields=name")["ETag"]
    caller.patch(url, {"short_name": "A"})
    same = caller.patch(f"{url}?fields=name", {"name": "New"}, headers={"If-Match": tag})
    assert (same.status_code, same.json()) == (200, {"name": "New"})
    other = caller.patch(f"{url}?fields=name", {"name": "Old"}, headers={"If-Match": tag})
    assert other.status_code == 412


@pytest.mark.django_db(transaction=True)
def test_of_two_writers_with_the_same_tag_one_wins(cast, as_user, url):
    callers = [as_user(cast.director), as_user(cast.administrator)]
    for turn in range(3):
        tag = callers[0].get(url)["ETag"]
        start, found = threading.Barrier(2), []

        def write(caller, name, tag=tag, start=start, found=found):
            try:
                start.wait()
                sent = caller.patch(url, {"short_name": name}, headers={"If-Match": tag})
                found.append(sent.status_code)
            finally:
                connection.close()

        threads = [
            threading.Thread(target=write, args=(caller, f"{turn}-{number}"))
            for number, caller in enumerate(callers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(found) == [200, 412]


@pytest.mark.django_db(transaction=True)
def test_two_changes_of_different_fields_both_stay(cast, as_user, url):
    """Without a tag too: the second reads what the first has written."""
    start = threading.Barrier(2)

    def write(values):
        try:
            start.wait()
            assert callers.pop().patch(url, values).status_code == 200
        finally:
            connection.close()

    callers = [as_user(cast.director), as_user(cast.administrator)]
    threads = [
        threading.Thread(target=write, args=(values,))
        for values in ({"short_name": "A"}, {"legal_name": "B"})
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cast.north_partner.refresh_from_db()
    assert (cast.north_partner.short_name, cast.north_partner.legal_name) == ("A", "B")


def test_a_new_row_has_its_tag(cast, as_user):
    made = as_user(cast.director).post(
        f"{ROOT}contacts/", {"name": "Li", "partner_code": "NORTH-1"}
    )
    again = as_user(cast.director).get(f"{ROOT}contacts/{made.json()['id']}/")
    assert (made.status_code, made["ETag"]) == (201, again["ETag"])
