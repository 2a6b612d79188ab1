"""The examples, number by number: the tables of docs/schemes.md, and the worked example of the
first scorecard through the engine itself."""

import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings

from partners.models import Level
from performance import measures, scoring
from performance.definitions import compile_card, compile_item, definition
from performance.models import Rating
from performance.schemes import examples, files
from performance.services import evaluate
from sales.models import Report
from tests import factories as make
from tests.performance.network import TODAY

PAGE = (Path(__file__).parents[2] / "docs/schemes.md").read_text()


def table(head):
    found = re.search(re.escape(f"| {head} |") + r"\n\|[-|]+\|\n((?:\|.*\|\n)+)", PAGE)
    return [
        [None if cell.strip() == "–" else cell.strip() for cell in row.strip("|").split("|")]
        for row in found[1].splitlines()
    ]


def numbers(cell):
    return [Decimal(each) for each in cell.split(", ")]


CURVES = table("example | item | weight | value | points")


@pytest.fixture
def levels(db):
    for rank, code in enumerate(("bronze", "silver", "gold", "platinum"), start=1):
        Level.objects.get_or_create(code=code, defaults={"name": code, "rank": 500 + rank})


def published(name):
    """The definition of an example that is loaded and published as it is."""
    if name == "annual":
        published("quarterly-distributor")
    document = examples.find(name).document
    return files.load(document, by=None, publish=True, on=TODAY).version


def test_the_page_tells_of_every_item_of_every_example():
    assert [(row[0], row[1], row[2]) for row in CURVES] == [
        (name, item["code"], item["weight"])
        for name in dict.fromkeys(row[0] for row in CURVES)
        for item in examples.find(name).document["items"]
    ]
    assert {row[0] for row in CURVES} == {example.name for example in examples.every()}


@pytest.mark.parametrize("name", [example.name for example in examples.every()])
def test_every_curve_at_every_boundary(levels, name):
    items = {item["code"]: compile_item(item) for item in definition(published(name))["items"]}
    for example, code, _weight, values, points in CURVES:
        if example == name:
            benchmark = Decimal(1) if items[code].compares else None
            found = [scoring.score_item(items[code], x, benchmark) for x in numbers(values)]
            assert [score.points for score in found] == numbers(points), code


def test_rates_that_are_measured_would_score_as_their_marks_do():
    bands = [[None, "100"], ["0.060001", "80"], ["0.180001", "60"], ["0.300001", "0"]]
    read = scoring.compile_curve({"kind": "bands", "bands": bands}, Decimal(100))
    item = scoring.Item("order_changes", Decimal(10), read, higher=False)
    for rate, points in table("rate | points"):
        assert scoring.score_item(item, Decimal(rate)).points == Decimal(points), rate


@pytest.mark.parametrize("row", table("example | points | total | level | held by"), ids=str)
def test_minima_and_levels_of_examples(levels, row):
    name, points, total, level, held = row
    card = compile_card(definition(published(name)))
    scores = [
        scoring.ItemScore(points=each, x=each, status="scored", step=0) for each in numbers(points)
    ]
    outcome = card.judge(scores, values=[None] * len(card.vetoes))
    assert (outcome.total, outcome.level, outcome.held or None) == (Decimal(total), level, held)


def test_people_rate_only_what_cannot_be_measured():
    """When one of these measures gets its source, the examples are to use it."""
    would_be = {
        ("first-use", "stock"): "days_of_cover_in_band",
        ("first-use", "certificates"): "certified_staff",
        ("quarterly-distributor", "order_changes"): "order_change_rate",
        ("quarterly-distributor", "forecast"): "forecast_deviation",
    }
    judged = {  # by people, whatever is measured
        ("first-use", "cooperation"),
        ("quarterly-distributor", "information"),
        ("capability", "service"),
    }
    rated = {
        (example.name, item["code"])
        for example in examples.every()
        for item in example.document["items"]
        if item.get("basis") == "rating"
    }
    assert rated == would_be.keys() | judged
    assert all(measures.REGISTRY[code].absent for code in would_be.values())


# --- the worked example ------------------------------------------------------------------------

RATED = {"stock": (15, 10), "certificates": (0, 25), "cooperation": (18, 7)}  # marks of 4 and 5


def make_worked():
    """The partner of the worked example: 98,600 sold of 100,000, 37,468 of it focus products, 7.5 %
    more than a year ago; 984 of 1,000 paid in time; one report, in time; 11 product lines, where
    the median of the peers is 8."""
    partner, wide, narrow = (make.make_partner(code=code) for code in ("WORKED", "P8", "P5"))
    lines = [make.make_product_line(role="focus" if n == 0 else "") for n in range(11)]
    products = [make.make_product(product_line=line) for line in lines]
    amounts = [37468, 7132, *[6000] * 9]
    for each, product in zip(amounts, products, strict=True):
        make.make_fact(partner, product=product, occurred_on="2013-08-01", amount=Decimal(each))
    last_year = Decimal("91720.93")
    make.make_fact(partner, product=products[1], occurred_on="2012-08-01", amount=last_year)
    for other, count in ((wide, 8), (narrow, 5)):
        for product in products[:count]:
            make.make_fact(other, product=product, occurred_on="2013-08-01", amount=Decimal(1))
    make.make_target(partner, month=date(2013, 7, 1), amount=Decimal(100_000))
    for amount, paid_on in ((984, "2013-08-15"), (16, "2013-08-16")):
        make.make_payment(partner, due_on="2013-08-15", paid_on=paid_on, amount=Decimal(amount))
    report = make.make_report(
        partner,
        rule=make.make_reporting_rule(kind="sell_through"),
        starts_on=date(2013, 7, 1),
        ends_before=date(2013, 8, 1),
        due_on=date(2013, 8, 10),
    )
    came = datetime(2013, 8, 9, 12, tzinfo=ZoneInfo(settings.TIME_ZONE))
    Report.objects.filter(pk=report.pk).update(received_at=came)
    return partner


def test_the_worked_example(levels):
    partner = make_worked()
    published("first-use")
    evaluation = evaluate(scheme_code="first-use", period="2013Q3", by=None, on=date(2013, 10, 5))
    assert evaluation.state == "rating"
    raters = [make.make_user("sales_manager") for _number in range(25)]
    Rating.objects.bulk_create(
        Rating(
            evaluation=evaluation,
            item_code=code,
            partner=partner,
            rater=rater,
            mark=4 if number < fours else 5,
            evidence="seen",
        )
        for code, (fours, _fives) in RATED.items()
        for number, rater in enumerate(raters)
    )
    make.make_deduction(
        partner,
        decided_on="2013-08-20",
        points=Decimal(6),
        entered_by=raters[0],
        decided_by=raters[1],
    )
    evaluation = evaluate(
        scheme_code="first-use", period="2013Q3", by=None, on=date(2013, 10, 20), publish=True
    )
    score = evaluation.scores.get(partner=partner)
    assert [(row["code"], row["points"]) for row in score.items] == [
        ("attainment", "96.5000"),
        ("focus", "110.0000"),
        ("growth", "80.0000"),
        ("payment", "92.0000"),
        ("stock", "85.0000"),
        ("reporting", "100.0000"),
        ("coverage", "75.0000"),
        ("certificates", "100.0000"),
        ("cooperation", "82.0000"),
    ]
    assert (score.base, score.bonus, score.deducted, score.total) == (
        Decimal("92.20"),
        0,
        Decimal("6.00"),
        Decimal("86.20"),
    )
    assert (score.level.code, score.held) == ("gold", "")
