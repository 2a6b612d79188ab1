"""When the demo network is built, when not, and that the same end date gives the same facts."""

import json
from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command

from channel_crm.demo import network, people, sales
from channel_crm.demo.plans import make_plans
from core.errors import Conflict
from partners.models import Partner
from performance.models import Evaluation
from sales.models import SalesFact
from tests import factories as make

UNTIL = date(2026, 10, 31)
TINY = {"scale": 0.06, "months": 6}
pytestmark = pytest.mark.django_db


def test_partners_of_others_are_respected(cast):
    with pytest.raises(Conflict, match="force") as refused:
        network.build(until=UNTIL)
    assert refused.value.code == "other_partners"
    assert not people.accounts()


def test_force_adds_it_to_a_database_in_use():
    make.make_partner(code="OWN-1")
    made = network.build(until=UNTIL, force=True, **TINY)
    assert made["created"] is True
    assert made["partners"] == 1 + Partner.objects.filter(note=network.NOTE).count()


def test_the_command_tells_of_a_refusal():
    make.make_partner(code="OWN-1")
    said = StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("demo", stdout=said)
    assert left.value.code == 1
    assert json.loads(said.getvalue())["error"] == "other_partners"


def test_the_same_end_gives_the_same_facts():
    built = network.build(until=UNTIL, **TINY)
    start = date(2026, 5, 1)
    facts = sales.make_facts(make_plans(start, UNTIL, TINY["scale"]), start, UNTIL)
    assert built["digest"] == sales.digest(facts)
    stored = SalesFact.objects.order_by("source", "reference").values_list(
        "source", "reference", "partner__code", "product__code", "occurred_on", "quantity", "amount"
    )
    expected = sorted(
        (f.source, f.reference, f.partner, f.product, f.day, f.quantity, Decimal(f.cents) / 100)
        for f in facts
    )
    assert list(stored) == expected


def test_an_end_just_after_a_quarter():
    """There the last quarter is evaluated and published on the same morning."""
    network.build(until=date(2026, 10, 2), **TINY)
    states = Evaluation.objects.filter(scheme__code="quarterly-basic").order_by("starts_on")
    assert [(row.period_code, row.state) for row in states][-2:] == [
        ("2026Q3", "published"),
        ("2026Q4", "computed"),
    ]


def test_an_end_in_the_future_is_refused():
    said = StringIO()
    with pytest.raises(SystemExit):
        call_command("demo", until=date(2100, 1, 1), stdout=said)
    assert json.loads(said.getvalue())["error"] == "until_in_future"
