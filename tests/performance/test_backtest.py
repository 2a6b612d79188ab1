"""A draft beside the version in force on real rows: the same scores and digests as evaluations."""

import json
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command

from core.errors import Blocked, DomainError
from core.periods import Period
from partners.models import Partner
from performance import run, scoring
from performance.backtest import asking, services
from performance.backtest.report import points_of
from performance.definitions import definition
from performance.models import Evaluation, Score
from performance.services import draft_version, evaluate, publish_version
from tests import factories as make
from tests.performance.network import LINEAR, SEVEN, TODAY, make_network, make_scheme
from tests.performance.test_engine_split import make_ruled

pytestmark = pytest.mark.django_db
QUARTER = [Period.parse("2013Q3")]


def published(version, *codes):
    return [
        evaluate(scheme_code=version.scheme.code, period=code, by=None, on=TODAY, publish=True)
        for code in codes
    ]


def make_draft(version, **weights):
    draft = draft_version(scheme=version.scheme, by=None)
    for code, weight in weights.items():
        draft.items.filter(code=code).update(weight=Decimal(weight))
    return draft


def tried(draft, against, periods=QUARTER):
    return services.backtest(draft=draft, against=against, periods=periods)


def trails(report):
    return {
        row.code: [(draft._asdict(), against._asdict()) for _period, draft, against in row.trail]
        for row in report.rows
    }


@pytest.mark.parametrize("kind", ["plain", "ruled"])
def test_the_version_in_force_gives_exactly_what_was_published(kind):
    make_network()
    version = make_scheme() if kind == "plain" else make_ruled()
    codes = ["2013Q1", "2013Q2", "2013Q3", "2013Q4"]
    evaluations = published(version, *codes)
    scores = Score.objects.count()
    report = tried(version, version, asking.find_periods("2013Q1..2013Q4", TODAY))
    for place, evaluation in enumerate(evaluations):
        told = report.result["periods"][place]
        assert told["digests"] == {"draft": evaluation.digest, "against": evaluation.digest}
        assert told["published"] == {
            "evaluation": evaluation.pk,
            "revision": 1,
            "same_version": True,
            "same_digest": True,
        }
        found = {code: trail[place] for code, trail in trails(report).items()}
        for score in evaluation.scores.select_related("partner", "level"):
            expected = {
                "total": score.total,
                "rank": score.rank,
                "level": score.level and score.level.code,
            }
            assert found[score.partner.code] == (expected, expected)
        assert told["moves"]["total_up"] == told["moves"]["level_down"] == 0
    assert Score.objects.count() == scores
    assert Evaluation.objects.count() == len(codes)


def test_why_a_published_period_gives_other_figures_by_now():
    partners = make_network()
    version = make_scheme(
        [("sell_in_net", 100, "none", LINEAR | {"points": [["0", "0"], ["9999", "99"]]})]
    )
    [evaluation] = published(version, "2013Q3")

    def since():
        told = tried(version, version).result["periods"][0]["published"]
        return told["same_digest"], told.get("since")

    assert since() == (True, None)
    make.make_fact(partners["B"], occurred_on="2013-09-30", amount=Decimal(5000))
    make.make_fact(partners["B"], occurred_on="2013-10-01", amount=Decimal(5000))
    assert since() == (False, {"left": 0, "joined": 0, "changed": 1, "late_lines": 1})
    Partner.objects.filter(pk=partners["C"].pk).update(state="exited")
    make.make_partner(code="E")
    assert since() == (False, {"left": 1, "joined": 1, "changed": 1, "late_lines": 1})


def test_levels_of_a_draft_start_from_its_own_results():
    """The first quarter lifts A; a draft that forgives once keeps that level in the second."""
    partners = make_network()
    levels = [make.make_level(code=code, rank=910 + n) for n, code in enumerate(("low", "high"))]
    item = [("sell_in_net", 100, "none", {"kind": "linear", "points": [["0", "0"], ["9", "90"]]})]
    version = make_scheme(item, levels=[(levels[0], 5), (levels[1], 80)])
    draft = make_draft(version)
    draft.grace = 1
    draft.save()
    assert partners["A"].level is None
    report = tried(draft, version, asking.find_periods("2013Q3..2014Q1", TODAY.replace(month=5)))
    assert [(d["level"], a["level"]) for d, a in trails(report)["A"]] == [
        ("high", "high"),
        ("high", "high"),
        ("high", None),  # forgiven once; without grace it falls
    ]
    assert report.result["periods"][2]["moves"]["level_up"] == 1


def test_movers_and_passages():
    make_network()
    gold = make.make_level(code="g", rank=901)
    version = make_scheme(levels=[(gold, 50)])
    draft = make_draft(version, sell_in_net=10, active_months=30)
    report = tried(draft, version)
    found = {code: trail[0] for code, trail in trails(report).items()}
    moves = report.result["periods"][0]["moves"]
    changes = [d["total"] - a["total"] for d, a in found.values() if d["total"] is not None]
    assert moves["total_up"] == sum(change > 0 for change in changes)
    assert moves["total_down"] == sum(change < 0 for change in changes)
    assert (moves["total_up"], moves["total_down"]) != (0, 0)
    assert Decimal(moves["highest_loss"]) == min(changes)
    assert {row.code: row.change for row in report.rows} == {
        code: d["total"] - a["total"] for code, (d, a) in found.items()
    }
    passed = {(each["from"], each["to"]): each["count"] for each in report.result["passages"]}
    pairs = [(a["level"], d["level"]) for d, a in found.values()]
    assert passed == {pair: pairs.count(pair) for pair in set(pairs) if pair[0] != pair[1]}


@pytest.mark.parametrize("kind", ["plain", "ruled"])
@pytest.mark.parametrize("by", [5, -5])
def test_sensitivity_equals_scoring_a_version_with_that_weight(kind, by):
    make_network()
    version = make_scheme() if kind == "plain" else make_ruled()
    draft = make_draft(version)
    told = {each["item"]: each for each in tried(draft, version).result["weights"]}
    before = run.score(definition(version), QUARTER[0], lambda *_: None)
    weighted = [item for item in definition(version)["items"] if item.get("role") != "bonus"]
    assert list(told) == [item["code"] for item in weighted]
    for moved in weighted:
        found = definition(version)
        for item in found["items"]:
            weight = Decimal(item["weight"])
            if item["code"] == moved["code"]:
                item["weight"] = str(weight + by)
            elif item.get("role") != "bonus":
                rest = 100 - Decimal(moved["weight"])
                # times `rest`, so that the share of each other item is a whole number
                item["weight"] = str(weight * (rest - by) / rest)
        after = run.score(found, QUARTER[0], lambda *_: None)
        pairs = list(zip(before.ranks, after.ranks, strict=True))
        (shift,) = [s for s in told[moved["code"]]["shifts"] if Decimal(s["by"]) == by]
        assert shift["ranks"] == sum(old != new for old, new in pairs)
        assert shift["most"] == max(abs(old - new) for old, new in pairs if old is not None)
        assert shift["levels"] == sum(
            old.outcome.level != new.outcome.level
            for old, new in zip(before.judged, after.judged, strict=True)
        )


def test_items_and_correlations_are_over_all_periods():
    make_network()
    version = make_scheme()
    draft = make_draft(version)
    periods = asking.find_periods("2013Q2..2013Q3", TODAY)
    result = tried(draft, version, periods).result
    scored = [run.score(definition(draft), period, lambda *_: None) for period in periods]
    for place, item in enumerate(result["items"]):
        points = [list(points_of(each.columns[place])) for each in scored]
        applying = [p for period in points for p in period if p >= 0]
        assert item["applies"] == len(applying)
        assert item["missing"] == 8 - len(applying)
        assert item["distinct"] == len(set(applying))
        assert item["never"] == all(len({p for p in each if p >= 0}) <= 1 for each in points)
    pairs = [tuple(each["items"]) for each in result["correlations"]]
    assert len(pairs) == 21
    assert ("sell_in_net", "target_attainment") in pairs


def test_thresholds():
    make_network()
    level = make.make_level(code="lvl", rank=902)
    version = make_scheme([("sell_in_net", 100, "none", LINEAR)], levels=[(level, 99)])
    version2 = draft_version(scheme=version.scheme, by=None)
    report = tried(version2, version)
    # A and B sell more than 1, so they have 100; the others 0
    assert report.result["thresholds"] == [{"level": "lvl", "total": "99", "below": 0, "above": 2}]
    assert {row.code: (row.near_level, row.margin) for row in report.rows} == {
        "A": ("lvl", Decimal("1.00")),
        "B": ("lvl", Decimal("1.00")),
        "C": (None, None),
        "D": (None, None),
    }


def test_another_scope():
    partners = make_network()
    version = make_scheme()
    draft = make_draft(version)
    Partner.objects.filter(pk=partners["D"].pk).update(state="suspended")
    draft.scope = {**draft.scope, "states": ["active"]}
    draft.save()
    report = tried(draft, version)
    draft_of_d, against_of_d = trails(report)["D"][0]
    assert (draft_of_d["total"], against_of_d["total"]) == (None, Decimal("0.00"))
    assert report.rows[-1].change is None
    assert report.result["periods"][0]["partners"] == 4
    assert report.result["periods"][0]["draft"]["count"] == 3
    moves = report.result["periods"][0]["moves"]
    assert (moves["only_draft"], moves["only_against"]) == (0, 1)
    assert (moves["level_up"], moves["level_down"]) == (0, 0)


def test_who_is_out_of_the_scope_of_the_draft_has_not_lost_a_level():
    partners = make_network()
    item = [("sell_in_net", 100, "none", {"kind": "linear", "points": [["0", "0"], ["9", "90"]]})]
    version = make_scheme(item, levels=[(make.make_level(code="any", rank=910), 0)])
    draft = make_draft(version)
    draft.scope = {**draft.scope, "levels": ["none-has-this"]}
    draft.save()
    Partner.objects.filter(pk=partners["A"].pk).update(
        level=make.make_level(code="none-has-this", rank=1)
    )
    row = services.request_backtest(
        draft=draft, against=version, first="2013Q3", last="2013Q3", by=None, on=TODAY
    )
    row = services.run_requested(row=row, by=None, progress=lambda *_: None)
    moves = row.last_moves
    assert (moves["only_draft"], moves["only_against"], moves["level_down"]) == (0, 3, 0)
    assert set(row.results.values_list("steps", flat=True)) == {0}


def test_ratings_are_those_of_the_published_evaluation():
    partners = make_network()
    version = make_scheme(SEVEN[:1], publish=False, rating_days=20)
    version.items.update(weight=60)
    version.items.create(
        code="service",
        name="Service",
        basis="rating",
        weight=40,
        raters=1,
        anchors={"1": "bad", "3": "fair", "5": "good"},
        curve={"kind": "linear", "points": [["1", "0"], ["5", "100"]]},
    )
    version = publish_version(version=version, by=None, on=TODAY)
    first = evaluate(scheme_code="seven", period="2013Q3", by=None, on=TODAY)
    make.make_rating(first, partners["A"], item_code="service", mark=4)
    (last,) = published(version, "2013Q3")
    draft = make_draft(version, sell_in_net=50, service=50)
    told = tried(draft, version)
    assert told.result["periods"][0]["digests"]["against"] == last.digest
    assert told.result["items"][1]["applies"] == 1
    # volume 100 (twice the median …), service 75
    draft_of_a = trails(told)["A"][0][0]
    assert draft_of_a["total"] == scoring.quantize((Decimal(100) + Decimal(75)) / 2, scoring.TOTAL)


def test_partners_in_any_order_give_the_same():
    make_network()
    version = make_scheme()
    draft = make_draft(version, sell_in_net=10, active_months=30)
    found = tried(draft, version)
    shared = run.share([definition(draft)], QUARTER[0])
    mixed = run.share([definition(draft)], QUARTER[0], sorted(shared.partners, reverse=True))
    one, other = (
        run.score(definition(draft), QUARTER[0], lambda *_: None, shared=each)
        for each in (shared, mixed)
    )
    assert dict(zip(one.partners, one.judged, strict=True)) == dict(
        zip(other.partners, other.judged, strict=True)
    )
    assert found.digest == tried(draft, version).digest


# --- what is asked for ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2013Q2..2013Q4", ["2013Q2", "2013Q3", "2013Q4"]),
        ("2013Q4", ["2013Q4"]),
        ("2012..2013", ["2012", "2013"]),
        ("2013-11..2014-01", ["2013-11", "2013-12", "2014-01"]),
    ],
)
def test_periods(text, expected):
    assert [period.code for period in asking.find_periods(text, TODAY)] == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2013Q3..2013Q1", "bad_periods"),
        ("2013Q1..2013", "bad_periods"),
        ("2013Q5", "bad_period"),
        ("2014Q1", "period_not_over"),
        ("2000-01..2013-01", "too_many_periods"),
    ],
)
def test_periods_that_are_refused(text, code):
    with pytest.raises(DomainError) as caught:
        asking.find_periods(text, TODAY)
    assert caught.value.code == code


def test_versions():
    version = make_scheme()
    with pytest.raises(DomainError) as caught:
        asking.find_version("seven", "draft", draft=True)
    assert caught.value.code == "no_draft"
    draft = draft_version(scheme=version.scheme, by=None)
    assert asking.find_version("seven", "draft", draft=True) == draft
    assert asking.find_version("seven", "against", draft=False) == version
    assert asking.find_version("seven@1", "draft", draft=True) == version
    for text, code in (("seven@9", "unknown_version"), ("none", "unknown_scheme")):
        with pytest.raises(DomainError) as caught:
            asking.find_version(text, "draft", draft=True)
        assert caught.value.code == code


def test_a_draft_with_problems_is_refused():
    make_network()
    version = make_scheme()
    draft = make_draft(version, sell_in_net=31)
    with pytest.raises(Blocked) as caught:
        tried(draft, version)
    assert caught.value.code == "draft_has_problems"


# --- the command ---------------------------------------------------------------------------


def printed(*arguments):
    out = StringIO()
    call_command("backtest", *arguments, "--language", "en", stdout=out)
    return out.getvalue()


def test_the_command_prints_json():
    make_network()
    version = make_scheme()
    draft = make_draft(version, sell_in_net=10, active_months=30)
    found = json.loads(printed("seven", "--against", "seven", "--periods", "2013Q2..2013Q3"))
    report = tried(draft, version, asking.find_periods("2013Q2..2013Q3", TODAY))
    assert found["digest"] == report.digest
    assert [each["period"] for each in found["periods"]] == ["2013Q2", "2013Q3"]
    assert [each["partner"] for each in found["partners"]] == ["A", "B", "C", "D"]
    assert found["partners"][0]["draft"]["total"] == str(report.rows[0].trail[-1][1].total)
    assert len(found["partners"][0]["trail"]) == 2


def test_the_command_prints_text():
    make_network()
    make_draft(make_scheme(), sell_in_net=10, active_months=30)
    text = printed("seven", "--against", "seven", "--periods", "2013Q3", "--format", "text")
    assert text.startswith("Draft seven@2 beside seven@1\n\n2013Q3: 4 partners; mean total ")
    assert "Items that never tell partners apart: —" in text


def test_the_command_says_what_is_wrong():
    with pytest.raises(SystemExit):
        printed("none", "--against", "none", "--periods", "2013Q3")
