"""Reminders of figures from below: who gets one, on which day, and once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal

import pytest
from django.core import mail
from django.db import connections, transaction
from django.urls import reverse

from core.errors import Conflict
from core.models import Event, Job
from sales.planning import letters, reminders
from sales.tasks import report_tick
from tests import factories as make
from tests.letters import follow_links
from tests.waiting import wait_for_a_waiter

pytestmark = pytest.mark.django_db
DUE = date(2025, 12, 20)


@pytest.fixture(autouse=True)
def _english(settings):
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def plan(cast):
    """Of the whole country, both partners without a figure, and everybody can be written to."""
    plan = make.make_plan(territory=cast.country, name="Next year", due_on=DUE)
    for partner in (cast.north_partner, cast.south_partner):
        make.make_plan_line(partner, plan=plan)
    for name in ("director", "north_manager", "south_manager", "north_person", "south_person"):
        user = getattr(cast, name)
        user.email, user.language = f"{name}@example.com", "en"
        user.save()
    return plan


def sent():
    return sorted(letter.to[0].partition("@")[0] for letter in mail.outbox)


def days(plan, *numbers):
    return [day for day in numbers if reminders.remind_when_due(on=date(2025, 12, day)) == [plan]]


def test_managers_and_partners_without_figures_get_a_letter(
    plan, cast, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        told = reminders.remind(plan=plan, by=cast.director, on=date(2025, 12, 3))
    # The person of the south is a member, who may not enter figures; a director is no manager.
    assert (told, sent()) == ((1, 2), ["north_manager", "north_person", "south_manager"])
    written = {letter.to[0].partition("@")[0]: letter for letter in mail.outbox}
    partner, manager = written["north_person"], written["north_manager"]
    assert partner.subject == "Figures are still missing: Next year"
    assert "please enter what Northern Trading expects" in partner.body
    assert "The last day for it is 2025-12-20." in partner.body
    assert "- Northern Trading" in manager.body
    for letter in (partner, manager):
        assert "Southern" not in letter.body
    assert set(follow_links().values()) == {200}
    plan.refresh_from_db()
    assert plan.reminded_on == date(2025, 12, 3)
    event = Event.objects.get(verb="sales.targetplan.reminded")
    assert (event.data, Job.objects.get().state) == ({"partners": 1, "managers": 2}, "done")


def test_who_has_entered_gets_none(plan, cast, django_capture_on_commit_callbacks):
    plan.lines.filter(partner=cast.north_partner).update(proposal=Decimal(1))
    plan.lines.filter(partner=cast.south_partner).update(manager=Decimal(1))
    with django_capture_on_commit_callbacks(execute=True):
        assert reminders.remind(plan=plan, by=cast.director, on=DUE) == (0, 0)
    assert (sent(), Job.objects.count()) == ([], 0)
    plan.refresh_from_db()
    assert plan.reminded_on is None


def test_who_enters_before_the_letter_is_written_gets_none(
    plan, cast, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as waiting:
        reminders.remind(plan=plan, by=cast.director, on=DUE)
    plan.lines.filter(partner=cast.north_partner).update(proposal=Decimal(1))
    for callback in waiting:
        callback()
    assert sent() == ["south_manager"]


def test_the_owner_of_a_partner_is_its_manager(plan, cast):
    owner = make.make_user("sales_manager", email="owner@example.com")
    type(cast.north_partner).objects.filter(pk=cast.north_partner.pk).update(owner=owner)
    found = letters.managers_of(reminders.without_figure(plan))
    assert found == {
        owner.pk: ["Northern Trading"],
        cast.south_manager.pk: ["Southern Trading"],
    }


def test_letters_of_many_take_as_many_queries_as_of_one(plan, cast, django_assert_num_queries):
    partners = [cast.north_partner.pk]
    users = [cast.north_manager.pk]
    for _round in range(2):
        with django_assert_num_queries(6):
            letters.reminders(plan, partners, users)
        for _number in range(3):
            partner = make.make_partner(territory=cast.north)
            make.make_plan_line(partner, plan=plan)
            person = make.make_membership(partner).user
            person.email = f"{person.pk}@example.com"
            person.save()
            partners.append(partner.pk)
    assert len(letters.reminders(plan, partners, users)) == 8


def test_each_plan_reminds_once_in_the_days_before_its_day(plan):
    assert days(plan, 12, 13, 13, 14, 20, 21) == [13]
    plan.due_on = date(2025, 12, 30)
    plan.save()
    assert days(plan, 21, 22, 23, 24) == [23]


def test_a_missed_day_is_made_up_for_up_to_the_day_itself(plan):
    assert days(plan, 21) == []
    assert days(plan, 20) == [20]


def test_a_plan_without_a_day_or_that_is_no_draft_reminds_of_nothing(plan, cast):
    for fields in ({"due_on": None}, {"due_on": DUE, "remind_before": None}):
        type(plan).objects.filter(pk=plan.pk).update(**fields)
        assert days(plan, 13, 20) == []
    type(plan).objects.filter(pk=plan.pk).update(
        remind_before=7, state="submitted", submitted_by=cast.director, submitted_on=DUE
    )
    assert days(plan, 13, 20) == []
    with pytest.raises(Conflict):
        reminders.remind(plan=plan, by=cast.director, on=DUE)


def test_however_often_the_clock_ticks_the_letters_go_out_once(
    plan, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr("django.utils.timezone.localdate", lambda *_args: date(2025, 12, 15))
    for _tick in range(3):
        with django_capture_on_commit_callbacks(execute=True):
            report_tick()
    assert sent() == ["north_manager", "north_person", "south_manager"]


@pytest.mark.django_db(transaction=True)
def test_two_ticks_at_once_remind_once(plan):
    def run():
        try:
            return len(reminders.remind_when_due(on=DUE))
        finally:
            if threading.current_thread() is not threading.main_thread():
                connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            mine = run()
            other = pool.submit(run)
            wait_for_a_waiter()
        assert (mine, other.result(60)) == (1, 0)
    assert Event.objects.filter(verb="sales.targetplan.reminded").count() == 1


def test_the_page_says_who_is_missing_and_reminds(plan, cast, client):
    def page(**query):
        return client.get(reverse("sales:targetplan_detail", args=[plan.pk]), query)

    plan.lines.filter(partner=cast.north_partner).update(manager=Decimal(1))
    client.force_login(cast.director)
    assert page().context["waiting"] == 1
    assert [row.partner for row in page(missing="1").context["rows"]] == [cast.south_partner]
    address = reverse("sales:targetplan_remind", args=[plan.pk])
    text = client.post(address, follow=True).content.decode()
    assert "Reminded: 1 partner(s), 1 manager(s)." in text
    client.force_login(cast.north_person)
    text = page(missing="1").content.decode()
    assert "Please enter your figures by 2025-12-20. 1 figure is missing." in text
    assert "Southern" not in text
