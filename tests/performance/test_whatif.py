"""What if: the same engine on supposed figures, and nothing of it stays."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from catalog.models import Product, ProductLine
from core.errors import DomainError
from performance import measures
from performance.backtest import services, whatif
from performance.backtest.whatif import FOCUS, Change, Scenario, what_if
from performance.models import Score
from performance.services import draft_version, evaluate, publish_version
from sales.models import SalesDaily, SalesFact
from tests import factories as make
from tests.performance.network import FALLING, LINEAR, SEVEN, TODAY, make_network, make_scheme
from tests.performance.test_engine_split import make_ruled

pytestmark = pytest.mark.django_db


def published(version, **again):
    code = version.scheme.code
    return evaluate(scheme_code=code, period="2013Q3", by=None, on=TODAY, publish=True, **again)


def score_of(evaluation, code):
    related = ("evaluation__scheme_version__scheme", "partner", "level")
    return evaluation.scores.select_related(*related).get(partner__code=code)


def supposed(score, *changes, **marks):
    scenario = Scenario(tuple(changes), {code: Decimal(mark) for code, mark in marks.items()})
    return what_if(base=whatif.base_of_score(score), scenario=scenario)


def daily():
    return sorted(
        SalesDaily.objects.values_list("partner", "day", "product_line", "net", "returns")
    )


@pytest.mark.parametrize("kind", ["plain", "ruled"])
@pytest.mark.parametrize("code", list("ABCD"))
def test_supposing_nothing_gives_the_published_score(kind, code):
    make_network()
    score = score_of(published(make_scheme() if kind == "plain" else make_ruled()), code)
    found = supposed(score)
    for outcome in (found.now, found.then):
        assert (outcome.total, outcome.base) == (score.total, score.base)
        assert outcome.level == (score.level and score.level.code)
        assert outcome.held == score.held
    assert (found.rank_now, found.rank_then) == (score.rank, score.rank)
    assert [item.now.points for item in found.items] == [
        None if row["points"] is None else Decimal(row["points"]) for row in score.items
    ]


def test_ten_per_cent_more_of_the_focus_lines():
    """A sells 1000.5001 of focus lines and 2500.4999 of others in the quarter."""
    make_network()
    score = score_of(published(make_scheme()), "A")
    before = daily()
    found = supposed(score, Change(Decimal(10), FOCUS))
    items = {item.definition["code"]: item for item in found.items}
    assert items["sell_in_net"].value_then == Decimal("3601.0500")
    assert items["focus_line_share"].value_then == Decimal("0.305619")
    assert items["target_attainment"].value_then == Decimal("1.440420")
    assert items["return_rate"].value_then == Decimal("0.121920")
    assert items["focus_line_share"].gain > 0
    assert items["active_months"].gain == 0
    assert daily() == before


def test_supposed_sales_score_as_real_ones_would():
    """Against the peers of before, the same as if the lines had been sold."""
    make_network()
    items = [row for row in SEVEN if row[2] == "none"]
    items[0] = (items[0][0], 70, *items[0][2:])
    items[1:] = [
        (name, weight, *rest)
        for (name, _w, *rest), weight in zip(items[1:], (10, 10, 5, 5), strict=True)
    ]
    version = make_scheme(items)
    first = published(version)
    found = supposed(score_of(first, "A"), Change(Decimal(50)))
    for fact in SalesFact.objects.filter(
        partner__code="A", occurred_on__gte="2013-07-01", occurred_on__lt="2013-10-01"
    ):
        SalesFact.objects.filter(pk=fact.pk).update(amount=fact.amount * Decimal("1.5"))
    again = score_of(published(version, reason="More was sold"), "A")
    assert again.evaluation.revision == 2
    assert found.then.total == again.total
    assert found.rank_then == again.rank


def test_a_line_and_all_below_it():
    make_network()
    score = score_of(published(make_scheme()), "A")
    all_of_it = supposed(score, Change(Decimal(10), FOCUS))
    by_code = supposed(score, Change(Decimal(10), "FOCUS"))
    assert by_code.then == all_of_it.then
    other_kind = supposed(score, Change(Decimal(10), "", "sell_out"))
    assert other_kind.then == other_kind.now


PAGE = (Path(__file__).parents[2] / "docs/algorithms/backtest.md").read_text()
SUPPOSED = [
    [cell.strip(" `") for cell in row.strip("|").split("|")]
    for row in PAGE.split("| measure | of the line | now | then |\n")[1].splitlines()[1:10]
]


def test_everything_that_rests_on_sales_moves_together():
    """The table of docs/algorithms/backtest.md: the lines of all product lines sum to the total."""
    partners = make_network()
    people = {"entered_by": make.make_user(), "decided_by": make.make_user()}
    make.make_deduction(partners["A"], decided_on="2013-09-01", **people)
    focus = Product.objects.get(product_line__code="BELOW")
    Product.objects.filter(pk=focus.pk).update(active_from=date(2013, 1, 1))
    version = make_scheme([], publish=False)
    lines = {line.code: line for line in ProductLine.objects.all()}
    for place, (measure, line, _now, _then) in enumerate(SUPPOSED):
        version.items.create(
            position=place,
            code=f"item{place}",
            measure=measure,
            product_line=lines.get(line),
            weight=20 if place == 0 else 10,
            curve=LINEAR if measures.REGISTRY[measure].higher else FALLING,
        )
    score = score_of(published(publish_version(version=version, by=None, on=TODAY)), "A")
    before = daily(), list(SalesFact.objects.order_by("pk").values())
    found = supposed(score, Change(Decimal(10), FOCUS))
    assert [
        (item.definition["measure"], item.value_now, item.value_then) for item in found.items
    ] == [(measure, Decimal(now), Decimal(then)) for measure, _line, now, then in SUPPOSED]
    total, *by_line = (item.value_then for item in found.items[:3])
    assert sum(by_line) == total
    assert (daily(), list(SalesFact.objects.order_by("pk").values())) == before
    assert [item.stays for item in found.items] == [
        *[""] * 4,
        *["Stays as it is: targets."] * 2,
        "",
        "Does not move with sales: the days, lines and products with sales.",
        "Does not move with sales: decided cases.",
    ]


@pytest.mark.parametrize(
    ("measure", "said"),
    [
        ("growth_yoy", "Stays as it is: sales of last year."),
        ("sell_in_net_ytd", "Stays as it is: the days before the period."),
        ("payment_timeliness", "Does not move with sales: payments."),
        ("collection_attainment", "Does not move with sales: payments, targets."),
        ("reporting_timeliness", "Does not move with sales: reports."),
        ("reporting_correctness", "Does not move with sales: reported and corrected lines."),
        ("territory_potential_share", "Stays as it is: what others sell."),
    ],
)
def test_what_cannot_be_supposed_is_said(measure, said):
    make_network()
    score = score_of(published(make_scheme([(measure, 100, "none", LINEAR)])), "A")
    [item] = supposed(score, Change(Decimal(10))).items
    assert item.stays == said
    if said.startswith("Does not move"):
        assert item.value_then == item.value_now


def test_marks():
    partners = make_network()
    version = make_scheme(SEVEN[:1], publish=False, rating_days=20)
    version.items.update(weight=60)
    version.items.create(
        code="service",
        name="Service",
        basis="rating",
        weight=40,
        raters=2,
        anchors={"1": "bad", "3": "fair", "5": "good"},
        curve={"kind": "linear", "points": [["1", "0"], ["5", "100"]]},
    )
    version = publish_version(version=version, by=None, on=TODAY)
    evaluation = published(version)
    score = score_of(evaluation, "A")
    assert partners["A"].pk == score.partner_id
    found = supposed(score, service="4.5")
    assert found.now.total == Decimal("100.00")  # nobody has rated it
    assert found.items[1].value_then == Decimal("4.5")
    assert found.then.total == Decimal("95.00")  # 60 × 100 + 40 × 87.5
    for marks, code in (({"none": "3"}, "unknown_item"), ({"service": "6"}, "bad_mark")):
        with pytest.raises(DomainError) as caught:
            supposed(score, **marks)
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (Change(Decimal(-101)), "bad_percent"),
        (Change(Decimal(1001)), "bad_percent"),
        (Change(Decimal(5), "NONE"), "unknown_line"),
    ],
)
def test_what_is_refused(change, code):
    make_network()
    before, score = daily(), score_of(published(make_scheme()), "A")
    with pytest.raises(DomainError) as caught:
        supposed(score, change)
    assert caught.value.code == code
    assert daily() == before


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(percents=st.lists(st.integers(0, 300), min_size=2, max_size=2).map(sorted))
def test_more_sales_never_score_less_where_more_is_better(percents, scored):
    less, more = (supposed(scored, Change(Decimal(percent))) for percent in percents)
    assert less.then.total <= more.then.total
    assert less.rank_then >= more.rank_then


@pytest.fixture
def scored(db):
    make_network()
    curve = {"kind": "linear", "points": [["0", "0"], ["9", "100"]]}
    version = make_scheme(
        [("target_attainment", 60, "none", curve), ("sell_in_net", 40, "peer_median", LINEAR)]
    )
    return score_of(published(version), "A")


def test_by_the_draft_of_a_backtest():
    make_network()
    version = make_scheme()
    draft = draft_version(scheme=version.scheme, by=None)
    row = services.request_backtest(
        draft=draft, against=version, first="2013Q2", last="2013Q3", by=None, on=TODAY
    )
    row = services.run_requested(row=row, by=None, progress=lambda *_: None)
    for result in row.results.select_related("partner", "report"):
        base = whatif.base_of_result(result)
        found = what_if(base=base, scenario=Scenario())
        assert (found.now.total, found.rank_now) == (result.total_draft, result.rank_draft)


def test_the_page(client):
    make_network()
    score = score_of(published(make_scheme()), "B")
    client.force_login(make.make_user("director", language="en"))
    address = f"/performance/scores/{score.pk}/what-if/"
    before = daily()
    page = client.get(address)
    assert page.status_code == 200
    part = client.get(f"{address}?focus=10", headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode()
    expected = supposed(score, Change(Decimal(10), FOCUS)).then.total
    assert f'<div class="v">{expected}</div>' in part.content.decode()
    wrong = client.get(f"{address}?focus=-200", headers={"HX-Request": "true"})
    assert "greater than or equal to -100" in wrong.content.decode()
    assert daily() == before
    assert Score.objects.count() == 4


def test_the_api(client):
    make_network()
    score = score_of(published(make_scheme()), "A")
    client.force_login(make.make_user("director"))
    address = f"/api/v1/scores/{score.pk}/what-if/"
    before = daily()
    body = {"sales": [{"percent": "10.00", "lines": "*focus"}]}
    found = client.post(address, body, content_type="application/json")
    expected = supposed(score, Change(Decimal(10), FOCUS))
    assert found.status_code == 200
    assert found.json()["then"] == {
        "total": str(expected.then.total),
        "rank": expected.rank_then,
        "level": None,
        "held": "",
    }
    assert [each["gain"] for each in found.json()["items"]] == [
        str(item.gain) for item in expected.items
    ]
    wrong = {"sales": [{"percent": "10", "lines": "NONE"}]}
    refused = client.post(address, wrong, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (400, "unknown_line")
    assert daily() == before


def test_a_partner_supposes_nothing(client, cast):
    """It would learn by what rank it passes the others."""
    make_network()
    make.make_fact(cast.north_partner, occurred_on=date(2013, 8, 1))
    score = score_of(published(make_scheme()), "NORTH-1")
    client.force_login(cast.north_person)
    assert client.get(f"/performance/scores/{score.pk}/").status_code == 200
    assert client.get(f"/performance/scores/{score.pk}/what-if/").status_code == 403
    address = f"/api/v1/scores/{score.pk}/what-if/"
    assert client.post(address, {}, content_type="application/json").status_code == 403
