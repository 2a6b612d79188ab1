"""The demo network in the database: valid rows, exact rollup, sensible histories, done once."""

import json
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.db import connection
from django.db.models import Count, Sum
from django.utils import timezone

from accounts.models import User
from channel_crm.demo import network, people
from core.models import Event
from partners import duplicates
from partners.models import Contact, Partner, Site
from performance.backtest.services import matching
from performance.models import (
    Appeal,
    BacktestReport,
    Deduction,
    Evaluation,
    EvaluationSchedule,
    SchemeVersion,
    Score,
)
from performance.schemes import differences
from performance.schemes.validation import problems
from sales.models import SalesFact, Target, TargetPlan

UNTIL = date(2026, 10, 31)
SMALL = {"scale": 0.12, "months": 18}
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def small(django_db_setup, django_db_blocker):
    """A small network, built once for the tests of this module and rolled back after them."""
    with django_db_blocker.unblock():
        from django.db import transaction

        atomic = transaction.atomic()
        atomic.__enter__()
        yield network.build(until=UNTIL, **SMALL)
        transaction.set_rollback(True)
        atomic.__exit__(None, None, None)


def test_counts_are_those_of_the_database(small):
    assert small["created"] is True
    assert small["until"] == UNTIL
    assert small["partners"] == Partner.objects.count() > 10
    assert small["facts"] == SalesFact.objects.count() > 2000
    assert small["targets"] == Target.objects.count() > 300
    assert small["events"] == Event.objects.count()


def test_the_rollup_equals_group_by(small):
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH grouped AS (
                SELECT f.partner_id, f.occurred_on, f.kind, p.product_line_id, count(*)::int,
                       sum(f.amount), coalesce(sum(f.amount) FILTER (WHERE f.amount < 0), 0),
                       sum(f.quantity)
                FROM sales_salesfact f JOIN catalog_product p ON p.id = f.product_id
                GROUP BY 1, 2, 3, 4
            ), kept AS (
                SELECT partner_id, day, kind, product_line_id, lines, net, returns, quantity
                FROM sales_salesdaily
            )
            SELECT (SELECT count(*) FROM (TABLE grouped EXCEPT TABLE kept) AS missing),
                   (SELECT count(*) FROM (TABLE kept EXCEPT TABLE grouped) AS surplus),
                   (SELECT count(*) FROM kept)
            """
        )
        missing, surplus, kept = cursor.fetchone()
    assert (missing, surplus) == (0, 0)
    assert kept > 1000


def test_every_row_is_valid(small):
    for model in (Partner, Contact, Site, Target, User):
        for row in model.objects.all()[:80]:
            row.full_clean(exclude=["password"])
    assert not Partner.objects.exclude(note=network.NOTE).exists()
    assert not Partner.objects.filter(credit_code=None).exists()


def test_returns_point_to_what_came_back(small):
    returned = SalesFact.objects.filter(amount__lt=0).select_related("reverses")
    assert returned.count() > 5
    for fact in returned:
        assert fact.reverses is not None
        assert (fact.reverses.partner_id, fact.reverses.product_id) == (
            fact.partner_id,
            fact.product_id,
        )


def test_evaluations_are_published_and_add_up(small):
    basic = Evaluation.objects.filter(scheme__code="quarterly-basic").order_by("starts_on")
    assert [(row.period_code, row.state) for row in basic] == [
        ("2025Q3", "published"),
        ("2025Q4", "published"),
        ("2026Q1", "published"),
        ("2026Q2", "published"),
        ("2026Q3", "published"),
        ("2026Q4", "computed"),
    ]
    assert Evaluation.objects.filter(scheme__code="channel-quarterly").count() == 3
    assert EvaluationSchedule.objects.count() == 2
    quarter = basic[4]
    score = Score.objects.filter(evaluation=quarter).order_by("rank").first()
    net = SalesFact.objects.filter(
        partner=score.partner, kind="sell_in", occurred_on__range=("2026-07-01", "2026-09-30")
    ).aggregate(net=Sum("amount"))["net"]
    item = next(item for item in score.items if item["code"] == "sell_in_net")
    assert Decimal(item["value"]) == net
    assert timezone.localtime(quarter.published_at).date() == date(2026, 10, 9)


def test_targets_are_planned(small):
    plans = TargetPlan.objects.order_by("year", "code", "version")
    assert list(plans.values_list("code", "version", "state")) == [
        ("SI-2026", 1, "superseded"),
        ("SI-2026", 2, "signed"),
        ("SI-2027", 1, "draft"),
        ("ST-2027-GD", 1, "draft"),
    ]
    signed, draft = plans[1], plans[2]
    totals = [
        rows.aggregate(total=Sum("amount"))["total"] for rows in (signed.lines, signed.targets)
    ]
    assert totals[0] == totals[1] > 0
    assert signed.submitted_by != signed.signed_by
    assert draft.lines.filter(manager__isnull=False).count() > 24
    assert set(
        draft.lines.filter(proposal__isnull=False).values_list("partner__memberships__user__role")
    ) >= {("partner_admin",)}
    assert not draft.lines.filter(amount__isnull=True).exists()


def test_an_evaluation_is_in_each_stage(small):
    found = Evaluation.objects.filter(scheme__code="partner-development").order_by("pk")
    today = timezone.localdate()
    assert [(row.period_code, row.revision, row.stage(today)) for row in found] == [
        ("2026Q1", 1, "final"),
        ("2026Q2", 1, "superseded"),
        ("2026Q2", 2, "appeal"),
        ("2026-10", 1, "review"),
        ("2026Q3", 1, "rating"),
    ]
    changed = found[2].changes.get()
    assert changed.items[0]["after"] == "90.0000"
    waiting = Appeal.objects.undecided().values_list("evaluation", "by_partner", "item_code")
    assert sorted(waiting) == [
        (found[2].pk, False, ""),
        (found[2].pk, False, ""),
        (found[2].pk, True, "attainment"),
    ]
    filed = Appeal.objects.get(by_partner=True)
    assert (filed.filed_by.username, filed.partner) == (
        people.PARTNER_ADMIN.username,
        filed.filed_by.membership.partner,
    )


def test_cases_cost_points_and_levels_do_not_jump(small):
    states = Deduction.objects.values_list("state").annotate(Count("pk")).order_by("state")
    assert dict(states) == {"decided": 5, "proposed": 2, "rejected": 1}
    decided = Deduction.objects.exclude(decided_by=None)
    assert {row.decided_by.username for row in decided} == {people.DIRECTOR}
    scores = Score.objects.filter(evaluation__scheme__code="channel-quarterly")
    deducted = scores.filter(deducted__gt=0).select_related("evaluation")
    assert deducted.count() > 0
    for score in deducted:
        span = (score.evaluation.starts_on, score.evaluation.ends_before - timedelta(days=1))
        counting = Deduction.objects.filter(
            partner=score.partner, state="decided", decided_on__range=span
        )
        assert score.deducted == counting.aggregate(points=Sum("points"))["points"]
    assert scores.filter(bonus__gt=0).exists()
    assert scores.filter(held__in=["keep", "steps", "veto"]).exists()


def test_the_card_of_the_examples_has_a_draft_beside_it(small):
    versions = SchemeVersion.objects.filter(scheme__code="quarterly-distributor")
    draft, published = versions.order_by("-number")
    assert (draft.state, published.state) == ("draft", "published")
    assert problems(draft) == []
    changed = {change.label for change in differences.between(published, draft)}
    assert len(changed) == 3


def test_a_draft_is_tried_on_the_quarters_before(small):
    row = BacktestReport.objects.select_related("version__scheme").get()
    assert (row.version.scheme.code, row.version.state) == ("channel-quarterly", "draft")
    assert (row.state, row.last_period) == ("done", "2026Q3")
    assert matching(row.version) == row
    assert row.results.count() == row.partner_count > 0
    published = {each["period"]: each["published"] for each in row.result["periods"]}
    assert published["2026Q3"]["same_version"] is True


def test_there_is_something_to_merge(small):
    director = User.objects.get(username="director")
    found = duplicates.with_partners(duplicates.pairs(director))
    assert {(pair.first.code + "-2", len(pair.reasons)) for pair in found} == {
        (pair.second.code, count) for pair, count in zip(found, (3, 2), strict=True)
    }


def test_histories_run_forward(small):
    at = list(Event.objects.order_by("id").values_list("created_at", flat=True))
    assert at == sorted(at)
    assert at[-1] < timezone.now()
    assert (at[-1] - at[0]).days > 300
    busiest = Event.objects.exclude(scope_id=None).values("scope_id").annotate(n=Count("id"))
    assert max(row["n"] for row in busiest) > 8
    assert Event.objects.filter(verb="partners.partner.activate").exists()


def test_managers_see_their_own_region(small):
    seen = [
        set(Partner.objects.visible_to(User.objects.get(username=person.username)))
        for person in people.STAFF
        if person.region
    ]
    assert sum(map(len, seen)) == len(set().union(*seen)) == Partner.objects.count()
    boss = User.objects.get(username=people.PARTNER_ADMIN.username)
    assert 1 <= Partner.objects.visible_to(boss).count() < 10


def test_the_accounts_open(small):
    user = authenticate(None, username="director", password=people.PASSWORD)
    assert user is not None
    assert {person.username for person in people.accounts()} == {
        person.username for person in people.EVERYBODY
    }
    said = StringIO()
    call_command("demo", accounts=True, stdout=said)
    lines = said.getvalue().splitlines()
    assert people.PASSWORD in lines[0]
    assert set(json.loads(lines[-1])["accounts"]) == {p.username for p in people.EVERYBODY}


def test_a_second_time_changes_nothing(small):
    again = network.build(until=date(2026, 9, 30), **SMALL)
    assert again["created"] is False
    unchanged = {name: small[name] for name in ("partners", "facts", "events", "scores")}
    assert {name: again[name] for name in unchanged} == unchanged
