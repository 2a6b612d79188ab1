"""The reporting calendar, its lists and the page that closes a month."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.periods import Period
from performance import services
from sales.filters import ReportFilter
from sales.models import Adjustment, ClosedPeriod, Report
from sales.views import ClosedPeriodView, ReportView
from tests import factories as make

CALENDAR = "/sales/calendar/"
MONTH = Period.containing("month", timezone.localdate()).previous()


@pytest.fixture
def client_of(cast, client):
    def sign_in(user):
        client.force_login(user)
        return client

    return sign_in


def last_month(partner, rule):
    return make.make_report(partner, rule=rule, starts_on=MONTH.start, due_on=MONTH.end)


def rows_of(response):
    calendar = response.context["calendar"]
    return [(row, [cell and cell["state"] for cell in cells]) for row, cells in calendar.rows]


def test_the_calendar_shows_the_partners_that_one_sees(cast, client_of):
    rule = make.make_reporting_rule()
    for partner in (cast.north_partner, cast.south_partner):
        last_month(partner, rule)
    make.make_fact(cast.north_partner, kind="sell_through", occurred_on=MONTH.start)
    response = client_of(cast.director).get(CALENDAR)
    north, south = rows_of(response)
    assert (north[0], south[0]) == (cast.north_partner, cast.south_partner)
    assert len(north[1]) == 12 and set(north[1][:-1]) == {None}
    assert north[1][-1] in ("received", "late") and south[1][-1] in ("missing", "expected")
    assert response.context["calendar"].found.owed == 2
    assert [row for row, _ in rows_of(client_of(cast.south_manager).get(CALENDAR))] == [
        cast.south_partner
    ]
    assert [row for row, _ in rows_of(client_of(cast.north_person).get(CALENDAR))] == [
        cast.north_partner
    ]
    wanted = {"territory": cast.south.pk, "state": south[1][-1]}
    response = client_of(cast.director).get(CALENDAR, wanted)
    assert [row for row, _ in rows_of(response)] == [cast.south_partner]
    assert rows_of(client_of(cast.stranger).get(CALENDAR)) == []


def test_the_calendar_moves_through_time(cast, client_of):
    rule = make.make_reporting_rule(starts_on=date(2020, 1, 1))
    make.make_report(cast.north_partner, rule=rule, starts_on=date(2020, 2, 1))
    page = client_of(cast.director)
    response = page.get(CALENDAR, {"until": "2020-03-05"})
    assert rows_of(response) == [(cast.north_partner, [None] * 11 + ["missing"])]
    later = response.context["calendar"].links["later"]
    assert page.get(CALENDAR + later).context["calendar"].periods[0] == "03/2020"
    earlier = response.context["calendar"].links["earlier"]
    assert page.get(CALENDAR + earlier).context["calendar"].periods[-1] == "02/2019"


@pytest.mark.parametrize("query", ["until=x", "rule=9999999", "page=0", "page=99", "state=x"])
def test_nonsense_in_the_address_of_the_calendar_is_survived(cast, client_of, query):
    last_month(cast.north_partner, make.make_reporting_rule())
    response = client_of(cast.director).get(f"{CALENDAR}?{query}")
    assert [row for row, _ in rows_of(response)] == [cast.north_partner]


def test_the_calendar_of_many_takes_as_many_queries_as_of_one(cast, client_of):
    rule, page = make.make_reporting_rule(), client_of(cast.director)

    def queries():
        with CaptureQueriesContext(connection) as captured:
            page.get(CALENDAR)
        return len(captured)

    last_month(cast.north_partner, rule)
    queries()
    one = queries()
    for _number in range(3):
        last_month(make.make_partner(), rule)
    assert queries() == one


def test_the_calendar_counts_the_reports_of_the_rule_that_it_shows(cast, client_of):
    rule, other = make.make_reporting_rule(name="A"), make.make_reporting_rule(name="B")
    last_month(cast.north_partner, rule)
    for partner in (cast.north_partner, cast.south_partner):
        last_month(partner, other)
    calendar = client_of(cast.director).get(CALENDAR).context["calendar"]
    assert (calendar.rule, calendar.found.owed) == (rule, 1)


def test_of_rules_one_is_told_those_of_the_reports_that_one_sees(cast, client_of):
    # A field of the declaration that somebody looked at is not the field of a request.
    assert ReportFilter.base_filters["rule"].field.queryset.count() == 0
    make.make_report(cast.north_partner, rule=make.make_reporting_rule(name="Rule of the north"))
    make.make_report(cast.south_partner, rule=make.make_reporting_rule(name="Rule of the south"))
    for user, seen in ((cast.north_person, False), (cast.director, True)):
        page = client_of(user).get(ReportView.url("filters")).content.decode()
        assert ("of the north" in page, "of the south" in page) == (True, seen)


def test_who_has_nothing_to_do_with_imports_is_told_no_file(cast, client_of):
    report, load = make.make_report(cast.north_partner), make.make_import(kind="sales")
    Report.objects.update(load=load)
    for user, told in ((cast.north_person, False), (cast.director, True)):
        page = client_of(user)
        page.post(ReportView.url("choose_columns"), {"columns": ["partner", "file"]})
        for url in (ReportView.url("detail", report.pk), ReportView.url("list")):
            assert ("partners.csv" in page.get(url).content.decode()) is told, (user, url)


def test_the_page_of_a_report_offers_what_can_be_done_with_it(cast, client_of):
    report = make.make_report(cast.north_partner)
    page, url = client_of(cast.north_manager), ReportView.url("detail", report.pk)

    def offered():
        return [action.name for action in page.get(url).context["actions"]]

    assert offered() == ["remind", "nothing"]
    data = {"action": "nothing", "pk": report.pk, "query": f"?partner={report.partner_id}"}
    assert str(report) in page.post(ReportView.url("bulk"), data).content.decode()
    page.post(ReportView.url("bulk"), {**data, "confirmed": "1"})
    assert offered() == ["withdraw"]
    assert client_of(cast.north_person).get(url).context["actions"] == []


def bulk(client, action, *reports):
    data = {"action": action, "pk": [report.pk for report in reports], "confirmed": "1"}
    return client.post(ReportView.url("bulk"), data, follow=True)


def test_managers_remind_and_confirm_for_their_partners_only(cast, client_of):
    mine, other = make.make_report(cast.north_partner), make.make_report(cast.south_partner)
    for report in (mine, other):
        make.make_contact(report.partner, email="somebody@example.com")
    manager = client_of(cast.north_manager)
    bulk(manager, "remind", mine, other)
    bulk(manager, "nothing", mine, other)
    rows = Report.objects.order_by("pk").values_list("reminders", "nothing_by")
    assert list(rows) == [(1, cast.north_manager.pk), (0, None)]
    bulk(manager, "withdraw", mine)
    assert not Report.objects.exclude(nothing_by=None).exists()


def test_who_may_only_see_reports_may_not_remind(cast, client_of):
    report = make.make_report(cast.north_partner)
    assert bulk(client_of(cast.north_person), "remind", report).status_code == 404
    assert Report.objects.get().reminders == 0


def test_what_has_come_is_left_alone_and_said(cast, client_of):
    report = make.make_report(cast.north_partner)
    make.make_fact(cast.north_partner, kind="sell_through")
    response = bulk(client_of(cast.director), "remind", report)
    assert [str(message) for message in response.context["messages"]] == [
        f"{report}: It has come already."
    ]


def test_a_month_is_closed_on_its_page(cast, client_of):
    make.make_fact(occurred_on=MONTH.start, amount=7)
    last_month(cast.north_partner, make.make_reporting_rule())
    page, url = client_of(cast.finance), reverse("sales:close_month")
    rows = page.get(url).context["rows"]
    assert [(row["net"], row["lines"], row["missing"]) for row in rows] == [
        (7, 1, 0),
        (0, 0, 1),
        (0, 0, 0),
    ]
    data = {"month": MONTH.start.isoformat(), "kinds": ["sell_in", "sell_through"]}
    assert page.post(url, data).status_code == 302
    assert [row["closed"] for row in page.get(url).context["rows"]] == [True, True, False]
    response = page.post(url, data)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["kinds"]
    for month in ("x", "0001-01-01", "9999-12-31"):
        assert page.post(url, {"month": month, "kinds": ["sell_in"]}).status_code == 422
        assert page.get(url, {"month": month}).context["month"] == MONTH.start
    assert ClosedPeriod.objects.count() == 2


def test_the_page_of_a_closed_month_adds_up(cast, client_of):
    make.make_adjustment(cast.north_partner)
    make.make_fact(occurred_on=Adjustment.objects.get().month, amount=-30)
    page = client_of(cast.director)
    response = page.get(ClosedPeriodView.url("detail", ClosedPeriod.objects.get().pk))
    assert [figure.value for figure in response.context["figures"]] == ["0.00", "70.00", "70.00"]
    assert [(count, total) for _cause, count, total in response.context["causes"]] == [
        (1, 100),
        (1, -30),
    ]
    assert "70.00" in page.get(ClosedPeriodView.url("list")).content.decode()


def test_a_grade_stands_beside_the_figures_that_rest_on_reports(cast, client_of):
    rule = make.make_reporting_rule(kind="sell_in")
    for partner in (cast.north_partner, cast.south_partner):
        make.make_report(partner, rule=rule)
    make.make_fact(cast.north_partner)
    page, query = client_of(cast.director), {"period": "2026Q1"}
    words = "Data confidence {}: {} reports are in, 1 late"
    html = page.get("/", query).content.decode()
    assert words.format("C", "1 of 2") in html
    html = page.get(f"/partners/{cast.north_partner.pk}/", query).content.decode()
    assert words.format("A", "1 of 1") in html
    evaluation = services.evaluate(
        scheme_code="quarterly-basic", period="2026Q1", by=None, on=date(2026, 4, 5)
    )
    score = evaluation.scores.get(partner=cast.north_partner)
    html = page.get(f"/performance/scores/{score.pk}/").content.decode()
    assert html.count(f'title="{words.format("A", "1 of 1")}"') == len(score.items)
    html = page.get(f"/performance/evaluations/{evaluation.pk}/").content.decode()
    assert words.format("C", "1 of 2") in html
