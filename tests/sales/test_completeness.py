"""How complete the reports are, and the grade of it: docs/algorithms/completeness.md."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from partners.models import Partner
from sales.completeness import Completeness, completeness
from sales.models import Report
from sales.services import reporting
from tests import factories as make

pytestmark = pytest.mark.django_db
JANUARY, MARCH = date(2026, 1, 1), date(2026, 3, 1)


def through(partner, month, day, **fields):
    """A sell-through line that is recorded on a day."""
    recorded_at = datetime(2026, month, day, 12, tzinfo=UTC)
    return make.make_fact(partner, kind="sell_through", recorded_at=recorded_at, **fields)


@pytest.mark.parametrize(
    ("owed", "received", "grade"),
    [
        (100, 100, "A"),
        (100, 98, "A"),
        (10_000, 9_799, "B"),
        (50, 49, "A"),
        (49, 48, "B"),
        (10, 9, "B"),
        (1000, 899, "C"),
        (1, 1, "A"),
        (3, 0, "C"),
    ],
)
def test_grades_of_the_documentation(owed, received, grade):
    assert Completeness(owed, received, 0).grade == grade


def test_completeness_counts_what_is_in_and_what_was_late(cast, django_assert_num_queries):
    rule = make.make_reporting_rule()
    for partner in (cast.north_partner, cast.south_partner):
        for month in (1, 2, 3):
            make.make_report(partner, rule=rule, starts_on=date(2026, month, 1))
    through(cast.north_partner, 2, 1)
    through(cast.north_partner, 3, 15, occurred_on=date(2026, 2, 2))
    through(cast.south_partner, 2, 1)
    report = Report.objects.get(partner=cast.south_partner, starts_on=date(2026, 2, 1))
    reporting.confirm_nothing(report=report, by=cast.director, at=datetime(2026, 3, 5, tzinfo=UTC))
    with django_assert_num_queries(1):
        assert completeness(None, JANUARY, MARCH) == {"sell_through": Completeness(4, 4, 1)}
    north = Partner.objects.filter(pk=cast.north_partner.pk)
    assert completeness(north, JANUARY, date(2026, 4, 1)) == {"sell_through": Completeness(3, 2, 1)}
    assert completeness(None, date(2025, 1, 1), JANUARY) == {}


def test_a_figure_of_a_month_rests_on_the_report_of_its_quarter():
    rule = make.make_reporting_rule(frequency="quarter")
    make.make_report(rule=rule, ends_before=date(2026, 4, 1))
    found = completeness(None, date(2026, 2, 1), MARCH)["sell_through"]
    assert (found.owed, found.fraction, found.grade) == (1, Decimal(0), "C")
