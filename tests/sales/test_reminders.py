"""Reminders of reports: kept, written to who reads them, sent by themselves on their days."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from smtplib import SMTPRecipientsRefused

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connections, transaction

from core.models import Event, Job
from sales import letters
from sales.models import Report
from sales.services import reporting
from tests import factories as make
from tests.letters import follow_links
from tests.waiting import wait_for_a_waiter

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 5, 9, tzinfo=UTC)


def reachable(email="somebody@example.com"):
    """A partner that can be written to."""
    return make.make_contact(email=email).partner


def at(month, day):
    return datetime(2026, month, day, 12, tzinfo=UTC)


def test_a_reminder_is_kept_and_written_to_who_reads_it(cast, django_capture_on_commit_callbacks):
    cast.north_person.email, cast.north_person.language = "north@example.com", "en"
    cast.north_person.save()
    make.make_contact(cast.north_partner, email="unused@example.com")
    make.make_contact(cast.south_partner, email="second@example.com")
    make.make_contact(cast.south_partner, email="first@example.com", is_primary=True)
    rule = make.make_reporting_rule()
    reports = [make.make_report(p, rule=rule) for p in (cast.north_partner, cast.south_partner)]
    reports.append(make.make_report(cast.north_partner, rule=rule, starts_on=date(2026, 2, 1)))
    done = make.make_report(rule=rule)
    make.make_fact(done.partner, kind="sell_through")
    with django_capture_on_commit_callbacks(execute=True):
        reminded, left = reporting.remind(reports=Report.objects.all(), by=cast.director, at=NOW)
    assert ({row.pk for row in reminded}, [row.pk for row, _why in left]) == (
        {row.pk for row in reports},
        [done.pk],
    )
    rows = Report.objects.order_by("pk").values_list("reminders", "reminded_at")
    assert sorted(rows, key=str) == [(0, None)] + [(1, NOW)] * 3
    assert Event.objects.filter(verb="sales.report.reminded", actor=cast.director).count() == 3
    letters = {letter.to[0]: letter for letter in mail.outbox}
    assert set(letters) == {"north@example.com", "first@example.com"}
    assert letters["north@example.com"].subject == "2 reports are still to come"
    assert "- Sell-through, 01/2026, due on 2026-02-10" in letters["north@example.com"].body
    assert cast.north_partner.name not in letters["first@example.com"].body
    assert "https://" not in letters["first@example.com"].body  # a contact without an account
    mail.outbox.remove(letters["first@example.com"])
    assert follow_links() == {"north@example.com": 200}
    assert (Job.objects.get().state, Job.objects.get().result) == ("done", {"letters sent": 2})


def test_letters_of_many_partners_take_as_many_queries_as_one(django_assert_num_queries):
    keys = [make.make_report().pk for _number in range(4)]
    for count in (1, 4):
        with django_assert_num_queries(3):
            letters.reminders(keys[:count])


def test_automatic_reminders_are_sent_on_their_days_and_once():
    rule = make.make_reporting_rule(remind_before=3, remind_after=5)
    make.make_report(reachable(), rule=rule)  # due on 10 February
    make.make_report(reachable(), rule=make.make_reporting_rule())  # reminds of nothing
    days = [6, 7, 8, 10, 11, 14, 15, 16, 21, 22, 25]
    sent = [day for day in days if reporting.remind_when_due(on=date(2026, 2, day), at=at(2, day))]
    assert sent == [7, 15]


def test_a_missed_day_is_made_up_for_but_not_weeks_later():
    rule = make.make_reporting_rule(remind_after=5)
    make.make_report(reachable(), rule=rule)
    assert reporting.remind_when_due(on=date(2026, 2, 22), at=at(2, 22)) == []
    assert len(reporting.remind_when_due(on=date(2026, 2, 21), at=at(2, 21))) == 1


def test_nobody_is_reminded_where_nobody_can_be_written_to():
    report = make.make_report(rule=make.make_reporting_rule(remind_after=5))
    assert reporting.remind_when_due(on=date(2026, 2, 21), at=at(2, 21)) == []
    reminded, left = reporting.remind(reports=Report.objects.all(), by=None, at=NOW)
    assert (reminded, left) == ([], [(report, "Nobody at the partner has an e-mail address.")])
    assert (Report.objects.get().reminders, Event.objects.count()) == (0, 0)
    make.make_contact(report.partner, email="new@example.com")
    assert reporting.remind_when_due(on=date(2026, 2, 21), at=at(2, 21)) == [report]


class Refusing(EmailBackend):
    """A mail server that knows one address not."""

    def send_messages(self, messages):
        if ["gone@example.com"] in [message.to for message in messages]:
            raise SMTPRecipientsRefused({"gone@example.com": (550, b"no such user")})
        return super().send_messages(messages)


def test_an_address_that_is_refused_keeps_nobody_else_from_their_letter(
    settings, django_capture_on_commit_callbacks
):
    settings.EMAIL_BACKEND = "tests.sales.test_reminders.Refusing"
    for email in ("gone@example.com", "here@example.com"):
        make.make_report(reachable(email))
    with django_capture_on_commit_callbacks(execute=True):
        reporting.remind(reports=Report.objects.all(), by=None, at=NOW)
    assert [letter.to for letter in mail.outbox] == [["here@example.com"]]
    result = {"letters sent": 1, "addresses refused": "gone@example.com"}
    assert (Job.objects.get().state, Job.objects.get().result) == ("done", result)


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_remind_once():
    make.make_report(reachable(), rule=make.make_reporting_rule(remind_after=5))

    def run():
        try:
            return len(reporting.remind_when_due(on=date(2026, 2, 21), at=at(2, 21)))
        finally:
            if threading.current_thread() is not threading.main_thread():
                connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            mine = run()
            other = pool.submit(run)
            wait_for_a_waiter()
        assert (mine, other.result(60)) == (1, 0)
    assert Report.objects.get().reminders == 1
