"""The start page: of the vendor's people, and of a partner's."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.utils import timezone

from insights import selectors
from partners.models import Partner
from tests import factories as make

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 31)


@pytest.fixture(autouse=True)
def fresh_data_day():
    cache.delete("data-day")
    yield
    cache.delete("data-day")


def sell(partner, days_ago, amount=100, **fields):
    day = DAY - timedelta(days=days_ago)
    make.make_fact(partner, occurred_on=day, amount=Decimal(amount), **fields)


def test_silent_are_those_that_bought_within_a_year_but_not_lately(cast):
    buys, quiet, larger, gone = (make.make_partner(name) for name in ("A", "B", "C", "D"))
    sell(buys, 5)
    sell(buys, 100)
    sell(quiet, 61, 50)
    sell(quiet, 300, 30)
    sell(larger, 90, 500)
    sell(gone, 400)
    sell(quiet, 3, -20)  # a return is no purchase
    count, shown = selectors.silent(Partner.objects.all(), DAY, 60, 1)
    assert count == 2
    assert [(row.partner, row.last, row.amount) for row in shown] == [
        (larger, DAY - timedelta(days=90), Decimal(500))
    ]
    _count, shown = selectors.silent(Partner.objects.all(), DAY, 60, 5)
    assert (shown[1].partner, shown[1].last, shown[1].amount) == (
        quiet,
        DAY - timedelta(days=61),
        Decimal(80),
    )


def test_now_and_a_year_ago(cast):
    sell(cast.north_partner, 0, 70)
    sell(cast.south_partner, 365, 50)
    span = (date(2026, 1, 1), date(2026, 4, 1), date(2025, 1, 1), date(2025, 4, 1))
    assert selectors.net_and_ago(None, span) == [Decimal(70), Decimal(50)]
    north = Partner.objects.filter(pk=cast.north_partner.pk)
    assert selectors.net_and_ago(north, span) == [Decimal(70), Decimal(0)]


def test_a_partner_sees_its_own_figures_and_nobody_else(client, cast):
    day = timezone.localdate()
    make.make_fact(cast.north_partner, occurred_on=day, amount=Decimal(1234))
    make.make_fact(cast.south_partner, occurred_on=day, amount=Decimal(98765))
    client.force_login(cast.north_person)
    page = client.get("/").content.decode()
    assert "1,234" in page and "Northern Trading" in page
    assert "98,765" not in page and "99,999" not in page and "Southern" not in page
    assert 'name="territory"' not in page
    client.force_login(cast.director)
    assert "99,999" in client.get("/").content.decode()


def test_a_member_without_a_company_is_told_whom_to_ask(client, cast):
    client.force_login(make.make_user("partner_member", username="loose"))
    assert client.get("/").status_code == 200


def test_the_list_of_partners_tells_sell_in_and_its_change(client, cast):
    day = timezone.localdate()
    make.make_fact(cast.north_partner, occurred_on=day, amount=Decimal(150))
    make.make_fact(cast.north_partner, occurred_on=day - timedelta(days=365), amount=Decimal(100))
    client.force_login(cast.director)
    client.post("/partners/columns/", {"columns": ["name", "sell_in", "year_on_year"]})
    page = client.get("/partners/").content.decode()
    assert ">150<" in page and "+50.0" in page
    client.force_login(make.make_user("trainer", username="trainer"))
    assert "year_on_year" not in client.get("/partners/columns/").content.decode()


def test_the_cockpit_takes_few_queries(client, cast, django_assert_max_num_queries):
    sell(cast.north_partner, 5)
    client.force_login(cast.director)
    client.get("/")
    with django_assert_max_num_queries(17):
        client.get("/")
