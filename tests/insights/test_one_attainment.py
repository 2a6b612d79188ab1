"""What a partner has reached of its target is one number wherever one looks, of what is signed."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.urls import reverse

from core import workflow
from core.periods import Period
from core.templatetags.fmt import percent
from insights import partner_page
from performance import measures
from performance.measuring import read_one
from performance.services import evaluate
from sales.attainment import attained
from sales.models import Target, TargetPlan
from sales.planning import services
from tests import factories as make
from tests.performance.network import LINEAR, make_scheme

pytestmark = pytest.mark.django_db
QUARTER, ON = Period.parse("2026Q1"), date(2026, 4, 10)
JANUARY, FEBRUARY, MARCH = (date(2026, month, 1) for month in (1, 2, 3))
EXACT = Decimal("0.000001")


@pytest.fixture(autouse=True)
def _in_april(settings, monkeypatch):
    settings.LANGUAGE_CODE = "en"
    monkeypatch.setattr("django.utils.timezone.localdate", lambda *_args: ON)
    cache.delete("data-day")
    yield
    cache.delete("data-day")


def sign(plan, cast):
    workflow.fire(plan, "submit", by=cast.director, on=ON)
    return workflow.fire(TargetPlan.objects.get(pk=plan.pk), "sign", by=cast.finance, on=ON)


def told(client, cast, plan, number):
    """The attainment of the northern partner as each place tells it."""
    partner = cast.north_partner
    client.force_login(cast.director)
    page = client.get(reverse("sales:targetplan_detail", args=[plan.pk]), {"show": "plan"})
    row = next(row for row in page.context["rows"] if row.partner == partner)
    measure = measures.REGISTRY["target_attainment"]
    query = {"partner": partner.pk, "period": QUARTER.code}
    answer = client.get("/api/v1/measures/target_attainment/value/", query).json()
    scheme = make_scheme([("target_attainment", 100, "none", LINEAR)], code=f"card-{number}").scheme
    evaluation = evaluate(scheme_code=scheme.code, period=QUARTER.code, by=None, on=ON)
    score = evaluation.scores.get(partner=partner)
    card = client.get(f"/api/v1/scores/{score.pk}/").json()
    figures = partner_page.sales_figures(partner, QUARTER, cast.director)
    tab = next(figure for figure in figures if figure.label == "Target attainment")
    targets = Target.objects.filter(partner=partner, month__gte=JANUARY, month__lte=MARCH)
    due = sum(targets.that_count().values_list("amount", flat=True))
    values = {
        "page of the plan": row.reached,
        "measure": read_one(partner.pk, QUARTER, measure).values(measure)[0],
        "API of the measure": Decimal(answer["value"]),
        "scorecard": Decimal(card["items"][0]["value"]),
        "targets": attained(Decimal(1300), due),
    }
    assert tab.value == percent(row.reached)
    return {place: value.quantize(EXACT) for place, value in values.items()}


def everywhere(value):
    places = ("page of the plan", "measure", "API of the measure", "scorecard", "targets")
    return dict.fromkeys(places, (Decimal(1300) / value).quantize(EXACT))


def test_attainment_is_one_number_through_amendments(client, cast):
    for day, amount in (("01-15", "1234.56"), ("02-03", "100"), ("03-31", "-34.56")):
        make.make_fact(
            cast.north_partner,
            occurred_on=date.fromisoformat(f"2026-{day}"),
            amount=Decimal(amount),
        )
    plan = make.make_plan(territory=cast.country)
    for partner in (cast.north_partner, cast.south_partner):
        for month, amount in ((JANUARY, 1000), (FEBRUARY, 400), (MARCH, 600)):
            make.make_plan_line(partner, plan=plan, month=month, amount=Decimal(amount))
    sign(plan, cast)
    plan = TargetPlan.objects.get(pk=plan.pk)
    assert told(client, cast, plan, 1) == everywhere(2000)

    # In the middle of the quarter, February is raised; until it is signed, nothing changes.
    new = services.amend_plan(plan=plan, reason="a shop opens", by=cast.director)
    february = new.lines.get(partner=cast.north_partner, month=FEBRUARY)
    services.enter(line=february, values={"amount": Decimal(600)}, by=cast.director)
    assert told(client, cast, plan, 2) == everywhere(2000)
    workflow.fire(new, "submit", by=cast.director, on=ON)
    assert told(client, cast, plan, 3) == everywhere(2000)
    workflow.fire(TargetPlan.objects.get(pk=new.pk), "sign", by=cast.finance, on=ON)
    new = TargetPlan.objects.get(pk=new.pk)
    assert told(client, cast, new, 4) == everywhere(2200)

    # A third version that nobody has signed changes nothing.
    third = services.amend_plan(plan=new, reason="too much", by=cast.director)
    third.lines.update(amount=Decimal(99999))
    assert told(client, cast, new, 5) == everywhere(2200)
