"""Reminders of reports: kept, written to who reads them, sent by themselves on their days."""

from datetime import UTC, date, datetime

import pytest
from django.core import mail

from core.models import Event, Job
from sales import letters
from sales.models import Report
from sales.services import reporting
from tests import factories as make

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 5, 9, tzinfo=UTC)


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
        reminded, come = reporting.remind(reports=Report.objects.all(), by=cast.director, at=NOW)
    assert ({row.pk for row in reminded}, [row.pk for row in come]) == (
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
    assert (Job.objects.get().state, Job.objects.get().result) == ("done", {"letters sent": 2})


def test_letters_of_many_partners_take_as_many_queries_as_one(django_assert_num_queries):
    keys = [make.make_report().pk for _number in range(4)]
    for count in (1, 4):
        with django_assert_num_queries(3):
            letters.reminders(keys[:count])


def test_automatic_reminders_are_sent_on_their_days_and_once():
    rule = make.make_reporting_rule(remind_before=3, remind_after=5)
    make.make_report(rule=rule)  # due on 10 February
    make.make_report(rule=make.make_reporting_rule())  # reminds of nothing
    days = [6, 7, 8, 10, 11, 14, 15, 16, 21, 22, 25]
    sent = [day for day in days if reporting.remind_when_due(on=date(2026, 2, day), at=at(2, day))]
    assert sent == [7, 15]


def test_a_missed_day_is_made_up_for_but_not_weeks_later():
    rule = make.make_reporting_rule(remind_after=5)
    make.make_report(rule=rule)
    assert reporting.remind_when_due(on=date(2026, 2, 22), at=at(2, 22)) == []
    assert len(reporting.remind_when_due(on=date(2026, 2, 21), at=at(2, 21))) == 1
