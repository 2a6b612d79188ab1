"""The demo network in the database: valid rows, exact rollup, sensible histories, done once."""

import json
from datetime import date
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
from performance.models import Evaluation, EvaluationSchedule, Score
from sales.models import SalesFact, Target

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
