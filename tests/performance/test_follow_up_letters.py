"""Who is told of consequences, due actions and re-tests: each time once, however often it ticks."""

import csv
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from django.core import mail
from django.db import connections, transaction
from django.urls import reverse

from core import workflow
from core.models import Event, Job
from performance.results import reminding
from performance.results.consequences import put_in_force
from tests import factories as make
from tests.letters import follow_links
from tests.performance.test_scorecard import evaluate_published

pytestmark = pytest.mark.django_db
TODAY, LATER = date(2026, 5, 1), date(2026, 6, 1)


@pytest.fixture
def owner(cast):
    """Who looks after the northern partner."""
    user = make.make_user(email="owner@example.com", first_name="Ann", last_name="Lee")
    cast.north_partner.owner = user
    cast.north_partner.save()
    cast.north_person.email = "theirs@example.com"
    cast.north_person.save()
    return user


def decided(cast, **fields):
    fields = {"kind": "warning", "effective_on": LATER} | fields
    row = make.make_consequence(partner=cast.north_partner, **fields)
    if row.kind == "elimination":
        workflow.fire(row, "agree", by=cast.administrator, on=TODAY)
        row.refresh_from_db()
    return workflow.fire(row, "decide", by=cast.director, on=TODAY)


def sent(capture, tell, **options):
    """The letters of one tick: (address, subject) of each."""
    mail.outbox.clear()
    with capture(execute=True):
        tell(**options)
    return [(letter.to[0], letter.subject) for letter in mail.outbox]


def test_the_owner_is_told_of_what_was_decided_once(
    cast, owner, django_capture_on_commit_callbacks
):
    row, other = decided(cast), decided(cast, kind="award")
    make.make_consequence(partner=cast.north_partner, kind="warning")  # nobody decided it
    tell = reminding.tell_decided
    found = sent(django_capture_on_commit_callbacks, tell)
    assert found == [("owner@example.com", "Consequences were decided")]
    body = mail.outbox[0].body
    assert "Dear Ann Lee," in body
    assert body.count("Northern Trading") == 2 and body.count("from 2026-06-01") == 2
    assert sent(django_capture_on_commit_callbacks, tell) == []
    for each in (row, other):
        events = Event.objects.of(each).filter(verb="performance.consequence.told")
        assert events.count() == 1


def test_the_partner_is_told_when_it_is_in_force(cast, owner, django_capture_on_commit_callbacks):
    silver, gold = (make.make_level(rank=rank) for rank in (5001, 5002))
    cast.north_partner.level = silver
    cast.north_partner.save()
    decided(cast, kind="level", level=gold)
    decided(cast, kind="elimination")
    tell = put_in_force
    assert sent(django_capture_on_commit_callbacks, tell, on=date(2026, 5, 31)) == []
    found = sent(django_capture_on_commit_callbacks, tell, on=LATER)
    assert found == [
        ("owner@example.com", "Consequences are in force"),
        ("theirs@example.com", "Consequences are in force"),
    ]
    ours, theirs = (letter.body for letter in mail.outbox)
    assert f"{silver} → {gold}" in ours and f"{silver} → {gold}" in theirs
    assert "Elimination" in ours and "Elimination" not in theirs
    assert follow_links() == {"owner@example.com": 200, "theirs@example.com": 200}
    assert sent(django_capture_on_commit_callbacks, tell, on=LATER) == []


def test_who_cannot_be_written_to_gets_none(cast, owner, django_capture_on_commit_callbacks):
    owner.is_active = False
    owner.save()
    decided(cast)
    assert sent(django_capture_on_commit_callbacks, reminding.tell_decided) == []
    assert Job.objects.get().result == {"letters sent": 0}


def test_actions_are_reminded_of_before_their_day_and_once_after_it(
    owner, django_capture_on_commit_callbacks
):
    plan = make.make_improvement_plan()
    action = make.make_plan_action(plan, owner=owner, due_on=LATER, what="Train two people")
    make.make_plan_action(plan, owner=owner, due_on=LATER, done_on=TODAY)
    found = {}
    for days in range(-6, 7):
        day = LATER + timedelta(days=days)
        letters = sent(django_capture_on_commit_callbacks, reminding.remind_of_actions, on=day)
        found[days] = [subject for _to, subject in letters]
    told = {days: subjects for days, subjects in found.items() if subjects}
    assert told == {-3: ["Actions are due soon"], 1: ["Actions are overdue"]}
    action.due_on = LATER + timedelta(days=30)
    action.save()
    day = LATER + timedelta(days=29)
    again = sent(django_capture_on_commit_callbacks, reminding.remind_of_actions, on=day)
    assert again == [("owner@example.com", "Actions are due soon")]
    assert mail.outbox[0].body.count("Train two people") == 1
    assert follow_links() == {"owner@example.com": 200}


def test_actions_of_a_closed_plan_are_not_reminded_of(owner, django_capture_on_commit_callbacks):
    plan = make.make_improvement_plan()
    make.make_plan_action(plan, owner=owner, due_on=TODAY)
    workflow.fire(plan, "cancel", by=None, on=TODAY, reason="no more")
    assert sent(django_capture_on_commit_callbacks, reminding.remind_of_actions, on=LATER) == []


def test_the_owner_of_a_plan_is_told_when_its_re_test_is_due(
    owner, cast, django_capture_on_commit_callbacks
):
    evaluation = make.make_evaluation(period="2026Q2")
    fields = {"scheme": evaluation.scheme, "retest_period": "2026Q2", "owner": owner}
    fields |= {"starts_on": TODAY, "due_on": date(2026, 12, 31)}
    make.make_improvement_plan(partner=cast.north_partner, **fields)
    make.make_improvement_plan(partner=cast.south_partner, **fields)  # has no result
    make.make_score(cast.north_partner, evaluation=evaluation)
    tell = reminding.tell_retests
    assert sent(django_capture_on_commit_callbacks, tell, on=TODAY) == []
    evaluate_published(evaluation)
    found = sent(django_capture_on_commit_callbacks, tell, on=TODAY)
    assert found == [("owner@example.com", "Re-tests are due")]
    assert "Northern Trading" in mail.outbox[0].body
    assert "Southern Trading" not in mail.outbox[0].body
    assert sent(django_capture_on_commit_callbacks, tell, on=TODAY) == []
    found = sent(django_capture_on_commit_callbacks, tell, on=date(2026, 12, 31))
    assert len(found) == 1 and "Southern Trading" in mail.outbox[0].body


@pytest.mark.django_db(transaction=True)
def test_two_ticks_at_once_tell_once():
    make.make_plan_action(make.make_improvement_plan(), due_on=TODAY)

    def run():
        try:
            return len(reminding.remind_of_actions(on=TODAY))
        finally:
            if threading.current_thread() is not threading.main_thread():
                connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            mine = run()
            other = pool.submit(run).result(60)
        after = pool.submit(run).result(60)
    assert (mine, other, after) == (1, 0, 0)


# --- the list ----------------------------------------------------------------------------------


def test_the_list_says_from_which_level_to_which_by_whom_and_since_when(
    client, cast, owner, django_capture_on_commit_callbacks
):
    silver, gold = (
        make.make_level(rank=rank, name=name, name_en=name, color=color)
        for rank, name, color in ((5001, "Argent", "gray"), (5002, "Or", "yellow"))
    )
    cast.north_partner.level = silver
    cast.north_partner.save()
    cast.director.first_name, cast.director.last_name = "小明", "王"
    cast.director.save()
    row = decided(cast, kind="level", level=gold)
    client.force_login(cast.director)
    listed = reverse("performance:consequence_list")
    page = reverse("performance:consequence_detail", args=[row.pk])

    def exported():
        response = client.get(reverse("performance:consequence_export"), {"format": "csv"})
        text = response.getvalue().decode().removeprefix("\ufeff")
        (found,) = csv.DictReader(io.StringIO(text))
        return found

    before = exported()
    assert (before["level before → after"], before["in force since"]) == ("Argent → Or", "")
    assert before["decided by"] == "王小明"
    put_in_force(on=LATER)
    cast.north_partner.refresh_from_db()
    assert cast.north_partner.level == gold
    after = exported()
    assert after["level before → after"] == "Argent → Or", "not gold → gold"
    assert after["in force since"] != ""
    for address in (listed, page):
        text = client.get(address).content.decode()
        assert "Argent" in text and "王小明" in text and "In force" in text
