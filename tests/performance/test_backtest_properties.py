"""What holds for backtests of any sales: the published scores again, whatever the order."""

from contextlib import contextmanager
from datetime import date
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings, strategies as st

from performance.backtest import asking, services
from performance.services import draft_version, evaluate
from tests import factories as make
from tests.performance.network import FALLING, GROWTH, LINEAR, TODAY, make_scheme

pytestmark = pytest.mark.django_db
DAYS = [date(2012, 5, 3), date(2012, 8, 9), date(2013, 4, 1), date(2013, 6, 30), date(2013, 7, 1)]
any_network = settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
amounts = st.lists(
    st.lists(st.integers(-900, 9000), min_size=len(DAYS), max_size=len(DAYS)),
    min_size=2,
    max_size=6,
)
weights = st.integers(5, 60)


@contextmanager
def undone():
    """Each example begins with an empty network."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def build(sales, weight, order=None):
    """Partners P0, P1 … with their sales, a version that remembers levels, and its draft."""
    product = make.make_product()
    places = list(range(len(sales)))
    if order is not None:
        order.shuffle(places)
    for place in places:
        partner = make.make_partner(code=f"P{place}")
        for day, amount in zip(DAYS, sales[place], strict=True):
            if amount:
                make.make_fact(partner, product=product, occurred_on=day, amount=Decimal(amount))
    low, high = (make.make_level(code=code, rank=rank) for code, rank in (("lo", 950), ("hi", 951)))
    version = make_scheme(
        [
            ("sell_in_net", weight, "peer_median", LINEAR),
            ("growth_yoy", 70 - weight, "none", GROWTH),
            ("return_rate", 30, "none", FALLING),
        ],
        publish=False,
        grace=1,
    )
    version.levels.create(level=low, min_total=Decimal(20), keep_total=Decimal(15))
    version.levels.create(level=high, min_total=Decimal(70), keep_total=Decimal(60))
    version.publish(by=None, on=TODAY)
    version.save()
    draft = draft_version(scheme=version.scheme, by=None)
    draft.items.filter(code="sell_in_net").update(weight=Decimal(35))
    draft.items.filter(code="growth_yoy").update(weight=Decimal(35))
    return version, draft


@any_network
@given(sales=amounts, weight=weights)
def test_the_version_in_force_gives_what_was_published(db, sales, weight):
    with undone():
        version, draft = build(sales, weight)
        codes = ("2013Q2", "2013Q3")
        evaluations = [
            evaluate(scheme_code="seven", period=code, by=None, on=TODAY, publish=True)
            for code in codes
        ]
        periods = asking.find_periods("2013Q2..2013Q3", TODAY)
        report = services.backtest(draft=draft, against=version, periods=periods)
        for place, (told, evaluation) in enumerate(
            zip(report.result["periods"], evaluations, strict=True)
        ):
            assert told["digests"]["against"] == evaluation.digest
            assert told["published"]["same_digest"] is True
            published = {
                (score.partner.code, score.total, score.rank, score.level and score.level.code)
                for score in evaluation.scores.select_related("partner", "level")
            }
            assert published == {(row.code, *row.trail[place][2]) for row in report.rows}


@any_network
@given(sales=amounts, weight=weights, order=st.randoms(use_true_random=False))
def test_the_order_of_partners_changes_nothing(db, sales, weight, order):
    found = []
    for shuffled in (None, order):
        with undone():
            version, draft = build(sales, weight, shuffled)
            periods = asking.find_periods("2013Q2..2013Q3", TODAY)
            report = services.backtest(draft=draft, against=version, periods=periods)
            rows = [(row.code, row.trail, row.near_level, row.margin) for row in report.rows]
            found.append((report.digest, report.result, rows))
    assert found[0] == found[1]
