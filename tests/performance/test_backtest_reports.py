"""Backtests that are kept: the job, stopping it, attaching to publishing, and that they freeze."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from core import jobs
from core.errors import Blocked, Conflict, DomainError
from core.models import Event, Job
from performance import tasks
from performance.backtest import asking, services
from performance.models import BacktestReport, BacktestResult, Evaluation, Score
from performance.services import draft_version, evaluate, publish_version
from tests import factories as make
from tests.performance.network import TODAY, make_network, make_scheme

pytestmark = pytest.mark.django_db


@pytest.fixture
def versions():
    """(draft with other weights, version in force)."""
    make_network()
    gold = make.make_level(code="g", rank=901)
    version = make_scheme(levels=[(gold, 50)])
    draft = draft_version(scheme=version.scheme, by=None)
    for code, weight in (("sell_in_net", 10), ("active_months", 30)):
        draft.items.filter(code=code).update(weight=Decimal(weight))
    return draft, version


def asked(draft, version, *, first="2013Q2", last="2013Q3", by=None):
    return services.request_backtest(
        draft=draft, against=version, first=first, last=last, by=by, on=TODAY
    )


def filled(row):
    tasks.run_backtest(row.job_id, row.pk)
    row.refresh_from_db()
    return row


def test_a_worker_fills_what_was_asked_for(versions):
    draft, version = versions
    director = make.make_user("director")
    row = filled(asked(draft, version, by=director))
    expected = services.backtest(
        draft=draft, against=version, periods=asking.find_periods("2013Q2..2013Q3", TODAY)
    )
    assert (row.state, row.digest, row.partner_count) == ("done", expected.digest, 4)
    assert row.result == expected.result
    assert row.requested_by == director
    rows = {each.partner.code: each for each in row.results.select_related("partner")}
    for told in expected.rows:
        found = rows[told.code]
        _period, after, before = told.trail[-1]
        assert (found.total_draft, found.total_against) == (after.total, before.total)
        assert (found.rank_draft, found.rank_against) == (after.rank, before.rank)
        assert found.change == told.change
        assert found.margin == told.margin
        levels = [each and each.code for each in (found.level_draft, found.level_against)]
        assert levels == [after.level, before.level]
        assert found.steps == (after.level is not None) - (before.level is not None)
        assert [(e["period"], e["total"]) for e in found.periods] == [
            (period, None if side.total is None else str(side.total))
            for period, side, _other in told.trail
        ]
    job = Job.objects.get(pk=row.job_id)
    assert (job.state, job.result) == ("done", {"partners": 4, "digest": row.digest})
    assert job.result_url == f"/performance/backtests/{row.pk}/"
    verbs = Event.objects.of(row).values_list("verb", flat=True)
    assert sorted(verbs) == [
        "performance.backtestreport.computed",
        "performance.backtestreport.created",
    ]


def test_it_writes_nothing_but_its_report(versions):
    draft, version = versions
    evaluate(scheme_code="seven", period="2013Q3", by=None, on=TODAY)
    before = sizes()
    filled(asked(draft, version))
    after = sizes()
    grown = {name for name in after if after[name] != before[name]}
    assert grown == {
        "performance_backtestreport",
        "performance_backtestresult",
        "core_event",
        "core_job",
    }


def sizes():
    """How many rows each table has."""
    found = {}
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{name}"')
            found[name] = cursor.fetchone()[0]
    return found


def test_delivered_twice_it_is_filled_once(versions):
    row = filled(asked(*versions))
    assert services.run_requested(row=row, by=None, progress=lambda *_: None).digest == row.digest
    with pytest.raises(Conflict):
        tasks.run_backtest(row.job_id, row.pk)
    assert BacktestResult.objects.count() == 4


def test_progress_rises_to_its_end(versions):
    draft, version = versions
    told = []
    periods = asking.find_periods("2013Q2..2013Q3", TODAY)
    services.backtest(
        draft=draft, against=version, periods=periods, progress=lambda *step: told.append(step)
    )
    assert [done for done, _total, _message in told] == [0, 1, 2, 3, 4, 5, 6]
    assert {total for _done, total, _message in told} == {7}
    assert told[0][2].startswith("2013Q2 · ")


def test_stopped_it_leaves_nothing(versions):
    row = asked(*versions)

    def stop(done, total, message):
        if done == 4:
            raise jobs.JobCancelled

    with pytest.raises(jobs.JobCancelled):
        services.run_requested(row=row, by=None, progress=stop)
    row.refresh_from_db()
    assert (row.state, row.result, BacktestResult.objects.count()) == ("running", {}, 0)


def test_a_job_that_was_cancelled_ends_so(versions):
    row = asked(*versions)
    Job.objects.filter(pk=row.job_id).update(cancel_requested=True)
    tasks.run_backtest(row.job_id, row.pk)
    assert Job.objects.get(pk=row.job_id).state == "cancelled"
    assert BacktestResult.objects.count() == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"against": "draft"}, "same_version"),
        ({"first": "2013Q3", "last": "2013Q1"}, "bad_periods"),
        ({"last": "2014Q1"}, "period_not_over"),
    ],
)
def test_what_is_refused(versions, change, code):
    draft, version = versions
    given = {"first": "2013Q2", "last": "2013Q3", **change}
    against = draft if given.pop("against", "") else version
    with pytest.raises(DomainError) as caught:
        asked(draft, against, **given)
    assert caught.value.code == code
    assert not BacktestReport.objects.exists()


def test_a_draft_is_nothing_to_compare_with(versions):
    draft, version = versions
    with pytest.raises(DomainError) as caught:
        asked(version, draft)
    assert caught.value.code == "not_in_force"


def test_a_draft_with_problems_is_refused(versions):
    draft, version = versions
    draft.items.filter(code="sell_in_net").update(weight=99)
    with pytest.raises(Blocked):
        asked(draft, version)


# --- attached to publishing ----------------------------------------------------------------


def test_publishing_attaches_the_backtest_of_what_is_published(versions):
    draft, version = versions
    older, row = filled(asked(draft, version)), filled(asked(draft, version, first="2013Q3"))
    assert services.matching(draft) == row
    published = publish_version(version=draft, by=None, on=TODAY)
    row.refresh_from_db()
    older.refresh_from_db()
    assert (row.state, older.state) == ("attached", "done")
    assert row.attached_at is not None
    assert services.matching(published) == row
    assert Event.objects.of(row).first().verb == "performance.backtestreport.attached"


def test_a_draft_that_was_changed_is_published_without(versions):
    draft, version = versions
    row = filled(asked(draft, version))
    draft.items.filter(code="sell_in_net").update(weight=Decimal(12))
    draft.items.filter(code="active_months").update(weight=Decimal(28))
    assert services.matching(draft) is None
    publish_version(version=draft, by=None, on=TODAY)
    row.refresh_from_db()
    assert row.state == "done"


INSERT = (
    "INSERT INTO performance_backtestresult (report_id, partner_id, steps, level_before, "
    "forgiven, trail) SELECT {r}, id, 0, '', 0, '[]' FROM partners_partner LIMIT 1"
)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE performance_backtestreport SET digest = 'x' WHERE id = {r}",
        "DELETE FROM performance_backtestreport WHERE id = {r}",
        "UPDATE performance_backtestresult SET change = 9 WHERE report_id = {r}",
        "DELETE FROM performance_backtestresult WHERE report_id = {r}",
        INSERT,
    ],
)
def test_attached_it_is_frozen_even_for_sql(versions, statement):
    draft, version = versions
    row = filled(asked(draft, version))
    publish_version(version=draft, by=None, on=TODAY)
    make.make_partner()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(r=row.pk))


def test_without_scores_or_evaluations(versions):
    draft, version = versions
    filled(asked(draft, version))
    assert (Evaluation.objects.count(), Score.objects.count()) == (0, 0)


# --- pages and API -------------------------------------------------------------------------


@pytest.fixture
def director(client):
    user = make.make_user("director", language="en")
    client.force_login(user)
    return client


def test_the_page_of_a_backtest(versions, director):
    row = filled(asked(*versions))
    page = director.get(f"/performance/backtests/{row.pk}/").content.decode()
    for told in ("Who would gain most", "Which weights matter", "Items that say the same"):
        assert told in page
    result = row.results.get(partner__code="A")
    assert f"/performance/backtests/partners/{result.pk}/" in page
    assert director.get(f"/performance/backtests/partners/{result.pk}/").status_code == 200


def test_asking_on_the_page(versions, director):
    draft, version = versions
    page = director.get(f"/performance/backtests/run/?version={draft.pk}").content.decode()
    assert f'<option value="{draft.pk}" selected>' in page
    assert f'<option value="{version.pk}" selected>' in page
    response = director.post(
        "/performance/backtests/run/",
        {"draft": draft.pk, "against": version.pk, "first": "2013Q2", "last": "2013Q3"},
    )
    row = BacktestReport.objects.get()
    assert response.url == f"/jobs/{row.job_id}/"
    wrong = director.post(
        "/performance/backtests/run/",
        {"draft": draft.pk, "against": version.pk, "first": "2013Q3", "last": "2013"},
    )
    assert wrong.status_code == 422
    assert "of one kind" in wrong.content.decode()


def test_the_tab_of_a_version_says_what_will_be_attached(versions, director):
    draft, version = versions
    address = f"/performance/versions/{draft.pk}/?tab=backtests"
    assert "Not tried yet" in director.get(address).content.decode()
    filled(asked(draft, version))
    assert "It is attached when the draft is published" in director.get(address).content.decode()
    draft.items.filter(code="sell_in_net").update(weight=Decimal(12))
    assert "has been changed since its last backtest" in director.get(address).content.decode()
    draft.items.filter(code="sell_in_net").update(weight=Decimal(10))
    publish_version(version=draft, by=None, on=TODAY)
    assert "Published with the backtest of" in director.get(address).content.decode()


def test_an_attached_one_is_not_deleted(versions, director):
    draft, version = versions
    row = filled(asked(draft, version))
    publish_version(version=draft, by=None, on=TODAY)
    director.post(f"/performance/backtests/{row.pk}/delete/")
    assert BacktestReport.objects.filter(pk=row.pk).exists()
    response = director.delete(f"/api/v1/backtests/{row.pk}/")
    assert (response.status_code, response.json()["code"]) == (409, "attached")


def test_the_api(versions, director):
    draft, version = versions
    body = {
        "version": draft.pk,
        "against": version.pk,
        "first_period": "2013Q2",
        "last_period": "2013Q3",
    }
    response = director.post("/api/v1/backtests/", body, content_type="application/json")
    assert (response.status_code, response.json()["state"]) == (202, "running")
    row = filled(BacktestReport.objects.get())
    found = director.get(f"/api/v1/backtests/{row.pk}/").json()
    assert found["result"] == row.result
    listed = director.get(f"/api/v1/backtest-results/?report={row.pk}&ordering=-change").json()
    changes = [Decimal(each["change"]) for each in listed["results"]]
    assert changes == sorted(changes, reverse=True)
    one = director.get(f"/api/v1/backtest-results/{listed['results'][0]['id']}/").json()
    assert [each[0] for each in one["trail"]] == ["2013Q2", "2013Q3"]
    assert director.delete(f"/api/v1/backtests/{row.pk}/").status_code == 204
    assert BacktestResult.objects.count() == 0
