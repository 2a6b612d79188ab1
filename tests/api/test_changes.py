"""Reading what has changed: nothing is skipped, nothing comes twice, whoever writes meanwhile."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from core.models import Event
from partners.models import Partner
from sales.models import SalesFact
from tests import factories as make
from tests.api.conftest import ROOT

PARTNERS, FACTS, EVENTS = f"{ROOT}partners/", f"{ROOT}sales-facts/", f"{ROOT}events/"
LONG_AGO = "2000-01-01"


def settle():
    """Let the horizon pass what was written."""
    time.sleep(1.1)


def ids(answer):
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def walk(caller, url):
    """The ids of all pages from this address on, and the last cursor."""
    found = []
    while url:
        answer = caller.get(url)
        found += ids(answer)
        url = answer.json()["next"]
    return found, answer.json()["cursor"]


@pytest.fixture
def slowly():
    """Run something in a transaction of another connection that stays open until `finish()`."""
    done = []

    def begin(work):
        written, go_on = threading.Event(), threading.Event()

        def run():
            try:
                with transaction.atomic():
                    work()
                    written.set()
                    go_on.wait(20)
            finally:
                connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        assert written.wait(10)

        def finish():
            go_on.set()
            thread.join()

        done.append(finish)
        return finish

    yield begin
    for finish in done:
        finish()


def test_changes_come_once_in_pages_and_filters_hold(cast, as_user):
    more = [make.make_partner(territory=cast.north).pk for _number in range(3)]
    settle()
    caller = as_user(cast.director)
    all_of_them = [cast.north_partner.pk, cast.south_partner.pk, *more]
    found, cursor = walk(caller, f"{PARTNERS}?updated_since={LONG_AGO}&page_size=2")
    assert found == all_of_them
    assert walk(caller, f"{PARTNERS}?cursor={cursor}")[0] == []
    Partner.objects.filter(pk__in=[more[0], cast.south_partner.pk]).update(short_name="x")
    Partner.objects.filter(pk=more[1]).update(short_name="")  # as it was
    settle()
    url = f"{PARTNERS}?cursor={cursor}"
    assert walk(caller, f"{url}&territory={cast.south.pk}")[0] == [cast.south_partner.pk]
    assert sorted(walk(caller, url)[0]) == sorted([cast.south_partner.pk, more[0]])
    assert walk(as_user(cast.north_manager), url)[0] == [more[0]]


@pytest.mark.parametrize(
    "asked",
    [
        "cursor=x",
        "cursor=" + "A" * 38,
        "updated_since=yesterday",
        "updated_since=2026-01-01T00:00:00",
        "updated_since=2026-13-01",
        "updated_since=9999-12-31T23:59:59-23:00",
        f"updated_since={LONG_AGO}&ordering=code",
        f"updated_since={LONG_AGO}&page=2",
    ],
)
def test_what_is_no_place_is_refused(cast, as_user, asked):
    assert as_user(cast.director).get(f"{PARTNERS}?{asked}").status_code == 400


def test_a_cursor_is_of_one_list(cast, as_user):
    caller = as_user(cast.director)
    cursor = caller.get(f"{PARTNERS}?updated_since={LONG_AGO}").json()["cursor"]
    answer = caller.get(f"{ROOT}contacts/?cursor={cursor}")
    assert answer.json()["errors"][0]["code"] == "bad_cursor"


@pytest.mark.django_db(transaction=True)
def test_a_row_that_commits_late_is_not_skipped(cast, as_user, slowly):
    caller = as_user(cast.director)
    settle()
    found, cursor = walk(caller, f"{PARTNERS}?updated_since={LONG_AGO}")
    finish = slowly(lambda: Partner.objects.filter(pk=cast.north_partner.pk).update(note="slow"))
    settle()
    quick = make.make_partner(territory=cast.north).pk
    settle()
    found, cursor = walk(caller, f"{PARTNERS}?cursor={cursor}")
    assert found == []
    finish()
    settle()
    found, cursor = walk(caller, f"{PARTNERS}?cursor={cursor}")
    assert found == [cast.north_partner.pk, quick]
    assert walk(caller, f"{PARTNERS}?cursor={cursor}")[0] == []


def test_sales_lines_are_told_when_new_and_when_changed(cast, as_user):
    lines = [make.make_fact(cast.north_partner).pk for _number in range(5)]
    settle()
    caller = as_user(cast.director)
    url = f"{FACTS}?updated_since={LONG_AGO}&page_size=2"
    found, cursor = walk(caller, url)
    assert found == lines
    SalesFact.objects.filter(pk__in=lines[1:4]).update(amount=7)
    SalesFact.objects.filter(pk=lines[4]).update(amount=100)  # as it was
    new = make.make_fact(cast.north_partner).pk
    settle()
    found, cursor = walk(caller, f"{FACTS}?cursor={cursor}&page_size=1")
    assert found == [new, *lines[1:4]]
    assert walk(caller, f"{FACTS}?cursor={cursor}")[0] == []
    assert walk(caller, url)[0] == [lines[0], lines[4], new, *lines[1:4]]
    later = (timezone.now() + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    found, cursor = walk(caller, f"{FACTS}?updated_since={later}")
    assert found == []


def test_no_sales_line_is_skipped_while_others_walk_and_write(cast, as_user):
    """A line that changes between two pages comes, whichever side of the page it was on."""
    lines = [make.make_fact(cast.north_partner).pk for _number in range(4)]
    settle()
    caller = as_user(cast.director)
    first = caller.get(f"{FACTS}?updated_since={LONG_AGO}&page_size=2")
    SalesFact.objects.filter(pk__in=[lines[0], lines[2]]).update(amount=7)
    settle()
    assert (ids(first), walk(caller, first.json()["next"])[0]) == (
        lines[:2],
        [lines[3], lines[0], lines[2]],
    )


@pytest.mark.django_db(transaction=True)
def test_an_event_that_commits_late_is_not_skipped(cast, as_user, slowly):
    from core import audit

    caller = as_user(cast.director)
    verb = "partners.partner.updated"
    finish = slowly(lambda: audit.record(verb, cast.north_partner, by=None, reason="slow"))
    settle()
    quick = audit.record(verb, cast.north_partner, by=None, reason="quick").pk
    settle()
    found, cursor = walk(caller, EVENTS)
    assert found == []
    finish()
    settle()
    slow = Event.objects.get(reason="slow").pk
    found, cursor = walk(caller, f"{EVENTS}?after={cursor}&page_size=1")
    assert found == [slow, quick]
    assert walk(caller, f"{EVENTS}?after={slow}")[0] == [quick]
    assert walk(caller, f"{EVENTS}?after={cursor}")[0] == []
