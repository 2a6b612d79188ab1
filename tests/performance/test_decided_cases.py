"""Decided cases as a measure: in schemes, vetoes, derived measures and backtests."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from core.periods import Period
from performance import measures
from performance.backtest import services as backtests
from performance.measuring import read_one
from performance.models import SchemeVersion
from performance.schemes.validation import problems
from performance.services import draft_version, evaluate, publish_version
from tests import factories as make
from tests.performance.measures_page import table
from tests.performance.network import LINEAR, TODAY, make_network, make_scheme

pytestmark = pytest.mark.django_db
CASES = {"kind": "bands", "bands": [[None, "100"], ["1", "50"], ["2", "0"]]}
QUARTER = Period.parse("2013Q3")


@pytest.fixture
def people():
    return {"entered_by": make.make_user(), "decided_by": make.make_user()}


def make_cased(cap, **fields):
    """Attainment 90, cases 10; deductions up to `cap`."""
    items = [("target_attainment", 90, "none", LINEAR), ("decided_cases", 10, "none", CASES)]
    return make_scheme(items, deduction_cap=Decimal(cap), **fields)


def scored(period="2013Q3"):
    evaluation = evaluate(scheme_code="seven", period=period, by=None, on=TODAY)
    return evaluation, {score.partner.code: score for score in evaluation.scores.all()}


@pytest.mark.parametrize(
    ("points", "cap", "base", "deducted", "total"), table("decided cases of points")
)
def test_a_case_may_cost_twice(people, points, cap, base, deducted, total):
    partner = make_network()["A"]
    make_cased(cap)
    for each in points.split(", ") if points else ():
        make.make_deduction(partner, decided_on="2013-08-01", points=Decimal(each), **people)
    _evaluation, scores = scored()
    found = scores["A"]
    assert [found.base, found.deducted, found.total] == [
        Decimal(each) for each in (base, deducted, total)
    ]


def test_half_open_and_none_is_zero(people):
    partners = make_network()
    version = make_cased(0)
    for day in ("2013-06-30", "2013-07-01", "2013-09-30", "2013-10-01"):
        make.make_deduction(partners["A"], decided_on=day, **people)
    evaluation, scores = scored()
    assert {
        code: [
            (row["value"], row["points"]) for row in score.items if row["code"] == "decided_cases"
        ]
        for code, score in scores.items()
    } == {"A": [("2", "0.0000")], **{code: [("0", "100.0000")] for code in "BCD"}}
    assert evaluation.watermark["kinds"]["deductions"] == {"lines": 2, "net": "4.00"}
    assert evaluation.scheme_version == version


def test_in_a_veto_and_a_derived_measure(people):
    partners = make_network()
    row = make.make_derived_measure(
        code="cases_a_month",
        expression="decided_cases ÷ active_months",
        unit="count",
        higher=False,
    )
    row.full_clean()
    version = make_scheme(publish=False)
    version.items.filter(measure="return_rate").update(measure="cases_a_month", curve=CASES)
    version.vetoes.create(
        code="cases", name="Cases", measure="decided_cases", side="above", bound=0, effect="zero"
    )
    assert problems(version) == []
    publish_version(version=version, by=None, on=TODAY)
    make.make_deduction(partners["A"], decided_on="2013-07-01", **people)
    _evaluation, scores = scored()
    assert (scores["A"].vetoes, scores["A"].total, scores["B"].vetoes) == (["cases"], 0, [])
    measure = measures.get("cases_a_month")
    inputs = read_one(partners["A"].pk, QUARTER, measure)
    assert (inputs.values(measure), inputs.lines) == ([Decimal("0.5")], [4])  # 3 lines and a case


def test_a_backtest_counts_them_in_each_period(people):
    partner = make_network()["A"]
    version = make_cased(0)
    draft = draft_version(scheme=version.scheme, by=None)
    draft.items.filter(measure="decided_cases").update(weight=20)
    draft.items.filter(measure="target_attainment").update(weight=80)
    make.make_deduction(partner, decided_on="2013-07-01", **people)
    periods = [Period.parse("2013Q2"), Period.parse("2013Q3")]
    draft = SchemeVersion.objects.get(pk=draft.pk)
    report = backtests.backtest(draft=draft, against=version, periods=periods)
    trail = next(row.trail for row in report.rows if row.code == "A")
    assert [(period, draft.total, against.total) for period, draft, against in trail] == [
        ("2013Q2", Decimal("100.00"), Decimal("100.00")),  # no target: cases alone
        ("2013Q3", Decimal("90.00"), Decimal("95.00")),
    ]


def test_a_partner_gets_no_link_to_what_it_may_not_see(client, cast, people):
    make.make_target(cast.north_partner, month=date(2013, 8, 1), amount=Decimal(100))
    make.make_fact(cast.north_partner, occurred_on=date(2013, 8, 1), amount=Decimal(50))
    make_cased(20)
    make.make_deduction(cast.north_partner, decided_on="2013-08-01", **people)
    evaluation = evaluate(scheme_code="seven", period="2013Q3", by=None, on=TODAY, publish=True)
    score = evaluation.scores.get(partner=cast.north_partner)
    cases = reverse("performance:deduction_list")
    sales = reverse("sales:salesfact_list")
    for user, listed in ((cast.director, True), (cast.north_person, False)):
        client.force_login(user)
        page = client.get(reverse("performance:score_detail", args=[score.pk])).content.decode()
        assert (f"{cases}?partner={score.partner_id}&amp;state=decided" in page) is listed
        assert f"{sales}?" in page
