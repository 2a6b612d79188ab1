"""The scorecard: quarters of the peers, what the next level takes, the trend, where to look."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse
from hypothesis import given, settings, strategies as st

from performance import scoring
from performance.definitions import compile_card, definition
from performance.models import Score
from performance.results import peers
from performance.results.ahead import ahead, least
from performance.results.periods import periods
from performance.services import evaluate
from tests import factories as make
from tests.performance.network import LINEAR, TODAY, make_network, make_scheme

D = Decimal


# --- quarters of the peers ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "quarter"),
    [("10", 4), ("19.9999", 4), ("20", 3), ("40", 2), ("59", 2), ("60", 1), ("100", 1)],
)
def test_quarters(points, quarter):
    cuts = peers.Cuts(6, D(20), D(40), D(60))
    assert cuts.quartile(D(points)) == quarter


def test_no_quarter_with_fewer_than_five_peers():
    assert peers.Cuts(5, D(20), D(40), D(60)).quartile(D(60)) is None
    assert peers.Cuts(6, D(20), D(40), D(60)).quartile(D(60)) == 1
    assert peers.Cuts(6, D(20), D(40), D(60)).quartile(None) is None
    shared = peers.Cuts(6, D(60), D(60), D(60))
    assert [shared.quartile(D(points)) for points in (59, 60, 61)] == [4, None, 1]


def _item(points, code="one"):
    names = ("target", "x", "numerator", "denominator")
    row = dict.fromkeys(names) | {"value": points, "status": "scored", "step": 0, "lines": 0}
    return {"code": code, "weight": "100", "points": points, **row}


def make_scores(evaluation, totals):
    return [
        make.make_score(
            make.make_partner(), evaluation=evaluation, total=total, items=[_item(str(total))]
        )
        for total in totals
    ]


@pytest.mark.django_db
def test_cuts_are_read_from_all_scores():
    evaluation = make.make_evaluation()
    make_scores(evaluation, [D(n) for n in (10, 20, 30, 40, 50, 60, 70, 80)])
    make.make_score(make.make_partner(), evaluation=evaluation, total=None, items=[_item(None)])
    found = peers.cuts(evaluation)
    assert found == {
        "": peers.Cuts(8, D(20), D(40), D(60)),
        "one": peers.Cuts(8, D(20), D(40), D(60)),
    }


@pytest.mark.django_db
def test_cuts_of_a_run_are_kept_with_it(cast):
    make_network()
    make_scheme()
    evaluation = evaluate(scheme_code="seven", period="2013Q3", by=None, on=TODAY)
    kept = peers.cuts(evaluation)
    for row in evaluation.peers.values():
        del row["quarters"]
    assert kept == peers.cuts(evaluation) and len(kept) == 8


@given(st.lists(st.integers(0, 50), min_size=1))
def test_quarters_hold_at_least_a_quarter_each(values):
    """At least three quarters are no better than the upper bound, and so on."""
    ordered = sorted(map(D, values))
    for bound, share in zip(peers.quarters(ordered), (1, 2, 3), strict=True):
        assert sum(value <= bound for value in ordered) * 4 >= share * len(ordered)
        assert sum(value < bound for value in ordered) * 4 < share * len(ordered)


@pytest.mark.django_db
def test_cuts_of_nothing():
    assert peers.cuts(make.make_evaluation()) == {}


@pytest.mark.django_db
@pytest.mark.parametrize(("others", "shown"), [(4, False), (5, True)])
def test_the_page_tells_a_quarter_only_among_five_peers(client, cast, others, shown):
    version = make.make_scheme_version()
    make.make_scheme_item(version, code="one")
    evaluation = make.make_evaluation(version=version)
    mine = make.make_score(cast.north_partner, evaluation=evaluation, items=[_item("80.0000")])
    make_scores(evaluation, [D(n) for n in range(others)])
    client.force_login(cast.director)
    text = client.get(reverse("performance:score_detail", args=[mine.pk])).content.decode()
    assert ("Among the best quarter of all partners" in text) == shown
    assert ("Median of the peers" in text) == shown


# --- what the next level takes -----------------------------------------------------------------


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_least(bound, most):
    expected = bound if bound <= most else None
    assert least(lambda steps: steps >= bound, most) == expected


@pytest.fixture
def levels(db):
    return [
        make.make_level(code=code, name=code.title(), rank=rank)
        for rank, code in enumerate(("low", "middle", "high"), start=2001)
    ]


@pytest.fixture
def evaluation(cast, levels):
    make_network()
    make_scheme(levels=zip(levels, (30, 60, 90), strict=True))
    return evaluate(scheme_code="seven", period="2013Q3", by=None, on=TODAY, publish=True)


def test_no_way_leads_past_and_none_short_of_the_next_level(evaluation):
    """Each way is tried with the engine: it reaches the level, one step less does not."""
    card = compile_card(definition(evaluation.scheme_version))
    tried = 0
    for score in evaluation.scores.select_related("level"):
        found = ahead(score)
        if found is None:
            continue
        stored = score.items
        for way in found.ways:
            at = next(n for n, row in enumerate(stored) if row["code"] == way.code)
            for points, there in ((way.points, True), (way.points - scoring.POINTS, False)):
                scores = [
                    scoring.ItemScore(row["points"] and D(row["points"]), None, "", 0)
                    for row in stored
                ]
                scores[at] = scores[at]._replace(points=points)
                assert (card.judge(scores).total >= found.needed) == there
            target = stored[at]["target"] if card.items[at].compares else None
            got = scoring.score_item(card.items[at], way.value, target and D(target))
            assert got.points >= way.points
            tried += 1
    assert tried > 5


def test_a_way_says_how_much_more_sales(levels):
    """20 sold against a target of 40 are 50 %; the level takes 4 more, to the cent."""
    low, middle, _high = levels
    evaluation = simple([(low, 30, None), (middle, 60, None)], measure="target_attainment")
    row = _item("50.0000") | {"value": "0.5", "numerator": "20", "denominator": "40"}
    score = make.make_score(
        evaluation=evaluation, total=D(50), base=D(50), level=low, items=[row | {"target": "40"}]
    )
    (way,) = ahead(score).ways
    assert (way.points, way.value, way.more) == (D("59.995"), D("0.59995"), D("4.00"))


def test_at_the_top_nothing_is_missing(evaluation, levels):
    score = evaluation.scores.order_by("rank").first()
    score.level, score.total = levels[-1], D(95)
    assert ahead(score) is None
    score.total = None
    assert ahead(score) is None


def simple(levels, measure="sell_in_net", **fields):
    """A version with one item of 100 that is read 1 : 1, a ratio in per cent."""
    full = "1" if measure == "target_attainment" else "100"
    version = make.make_scheme_version(**fields)
    make.make_scheme_item(
        version,
        code="one",
        measure=measure,
        curve={"kind": "linear", "points": [["0", "0"], [full, "100"]]},
    )
    for level, least_total, keep in levels:
        make.make_scheme_level(version, level=level, min_total=least_total, keep_total=keep)
    return make.make_evaluation(version=version)


def scored(evaluation, total, **fields):
    return make.make_score(
        evaluation=evaluation,
        total=D(total),
        base=D(total),
        items=[_item(f"{D(total):.4f}")],
        **fields,
    )


def test_a_level_that_was_lost_is_regained_by_what_keeps_it(levels):
    low, middle, high = levels
    evaluation = simple([(low, 30, None), (middle, 60, 55), (high, 90, 85)])
    fallen = scored(evaluation, "84.99", level=middle, level_before=high)
    assert (ahead(fallen).level, ahead(fallen).needed, ahead(fallen).points) == (
        high,
        D("85.00"),
        D("0.01"),
    )
    never = scored(evaluation, "84.99", level=middle, level_before=middle)
    assert (ahead(never).needed, ahead(never).points) == (D("90.00"), D("5.01"))


def test_a_level_kept_in_grace_looks_at_the_one_above(levels):
    low, middle, high = levels
    evaluation = simple([(low, 30, None), (middle, 60, None), (high, 90, None)], grace=1)
    kept = scored(evaluation, "40", level=middle, level_before=middle, held="grace")
    assert (ahead(kept).level, ahead(kept).needed) == (high, D("90.00"))


def test_few_steps_at_once_do_not_raise_what_is_needed(levels):
    low, middle, high = levels
    evaluation = simple([(low, 30, None), (middle, 60, None), (high, 90, None)], most_steps_up=1)
    held = scored(evaluation, "95", level=middle, level_before=low, held="steps")
    found = ahead(held)
    assert (found.level, found.needed, found.points) == (high, D("90.00"), D(0))
    assert found.obstacles == ["Not so many levels at once: the next evaluation starts from here."]


def test_obstacles_come_before_points(levels):
    low, middle, _high = levels
    evaluation = simple([(low, 30, None), (middle, 60, None)])
    make.make_scheme_veto(evaluation.scheme_version, code="returns", name="Too many returns")
    blocked = scored(evaluation, "70", vetoes=["returns"], held="veto")
    found = ahead(blocked)
    assert (found.level, found.points, found.ways) == (middle, D(0), [])
    assert len(found.obstacles) == 1 and "Too many returns" in found.obstacles[0]


def test_what_somebody_changed_is_not_explained_by_the_engine(levels):
    low, middle, _high = levels
    evaluation = simple([(low, 30, None), (middle, 60, None)])
    changed = make.make_score(
        evaluation=evaluation, total=D(50), base=D(50), level=low, items=[_item("40.0000")]
    )
    found = ahead(changed)
    assert (found.points, found.ways) == (D("10.00"), [])


@settings(max_examples=60, deadline=None)
@given(
    total=st.integers(0, 12000),
    before=st.integers(0, 3),
    keeps=st.lists(st.integers(0, 10), min_size=3, max_size=3),
    up=st.sampled_from([None, 1, 2]),
    down=st.sampled_from([None, 1]),
    grace=st.integers(0, 1),
    forgiven=st.integers(0, 1),
)
def test_what_a_level_needs_is_the_least_total_that_gives_it(
    total, before, keeps, up, down, grace, forgiven
):
    """The assumption of performance.results.ahead: a higher total never gives a lower level, and
    how often somebody was forgiven does not change what is needed for the next."""
    from performance.results.ahead import _least_total

    reach = [D(30), D(60), D(90)]
    ladder = tuple(
        scoring.Rung(str(n), r, r - k) for n, (r, k) in enumerate(zip(reach, keeps, strict=True))
    )
    card = scoring.Card((), ladder, grace=grace, most_up=up, most_down=down)
    real = scoring.Standing(before, forgiven)
    place, held = card.step(D(total) / 100, real)
    if place == len(ladder):
        return
    taken = replace_standing(card, before, held)
    needed = _least_total(card, taken, place + 1)
    assert needed is not None
    assert card.step(needed, real)[0] > place
    assert card.step(needed - D("0.01"), real)[0] <= place
    assert needed > D(total) / 100


def replace_standing(card, before, held):
    return scoring.Standing(before, 0 if held == "grace" else card.grace)


# --- trend, and where to look ------------------------------------------------------------------


def test_periods_show_the_last_revision_of_each(evaluation):
    scheme = evaluation.scheme_version
    score = evaluation.scores.get(partner__code="A")
    for period, total in (("2013Q2", 50), ("2013Q1", 40)):
        earlier = make.make_evaluation(version=scheme, period=period)
        make.make_score(score.partner, evaluation=earlier, total=D(total), items=score.items)
        evaluate_published(earlier)
    found = periods(score)
    assert [each.evaluation.period_code for each in found.scores] == ["2013Q1", "2013Q2", "2013Q3"]
    assert [row.code for row in found.rows] == [item["code"] for item in score.items]
    assert {len(row.points) for row in found.rows} == {3}


def evaluate_published(evaluation):
    from core import workflow

    workflow.fire(evaluation, "publish", by=None, on=date(2026, 5, 1))


def test_the_trend_tab(client, cast, evaluation):
    score = evaluation.scores.get(partner__code="A")
    client.force_login(cast.director)
    url = reverse("performance:score_detail", args=[score.pk])
    text = client.get(url, {"tab": "periods"}).content.decode()
    assert "Points of each item" in text and "2013Q3" in text


def test_targets_and_deductions_can_be_looked_up(client, cast, evaluation):
    score = evaluation.scores.get(partner__code="A")
    client.force_login(cast.director)
    text = client.get(reverse("performance:score_detail", args=[score.pk])).content.decode()
    targets = reverse("sales:target_list")
    query = f"partner={score.partner_id}&amp;kind=sell_in&amp;month_after=2013-07-01"
    query += "&amp;month_before=2013-09-30"
    assert text.count(f"{targets}?{query}") == 1
    assert "See the deductions" not in text
    other = make.make_evaluation(version=evaluation.scheme_version, period="2013Q4")
    docked = make.make_score(evaluation=other, items=score.items, deducted=D(2), base=D(82))
    text = client.get(reverse("performance:score_detail", args=[docked.pk])).content.decode()
    assert f"{reverse('performance:deduction_list')}?partner={docked.partner_id}" in text


def test_results_of_another_scheme_lead_to_its_scorecards(client, cast, evaluation):
    version = make.make_scheme_version()
    make.make_scheme_item(
        version,
        code="year",
        basis="scores",
        measure="",
        source_scheme=evaluation.scheme,
        curve=LINEAR,
    )
    annual = make.make_evaluation(version=version, period="2013")
    source = evaluation.scores.get(partner=cast.north_partner)
    row = _item("50.0000", "year") | {"numerator": "50", "denominator": "1"}
    score = make.make_score(cast.north_partner, evaluation=annual, items=[row])
    client.force_login(cast.director)
    text = client.get(reverse("performance:score_detail", args=[score.pk])).content.decode()
    assert reverse("performance:score_detail", args=[source.pk]) in text
    assert Score.objects.get(pk=source.pk).total is not None


# --- the partner itself ------------------------------------------------------------------------


def test_a_partner_sees_its_own_published_scorecard_and_no_peer(client, cast, evaluation):
    other = make.make_evaluation(version=evaluation.scheme_version, period="2013Q4")
    mine = evaluation.scores.get(partner=cast.north_partner)
    peer = evaluation.scores.get(partner=cast.south_partner)
    unpublished = make.make_score(cast.north_partner, evaluation=other, items=mine.items)
    client.force_login(cast.north_person)
    for score, status in ((mine, 200), (peer, 404), (unpublished, 404)):
        for name in ("performance:score_detail", "performance:score_pdf"):
            assert client.get(reverse(name, args=[score.pk])).status_code == status
        assert client.get(f"/api/v1/scores/{score.pk}/").status_code == status
    text = client.get(reverse("performance:score_detail", args=[mine.pk])).content.decode()
    for name in ("evaluation_detail", "schemeversion_detail"):
        key = evaluation.pk if name == "evaluation_detail" else evaluation.scheme_version_id
        assert reverse(f"performance:{name}", args=[key]) not in text
    assert reverse("performance:evaluation_list") not in text
    listed = client.get(reverse("performance:score_list")).content.decode()
    assert "Northern Trading" in listed and "Southern Trading" not in listed
    assert listed.count("row-link") == 1
    for name in ("matrix_list", "evaluation_list", "consequence_list", "improvementplan_list"):
        assert client.get(reverse(f"performance:{name}")).status_code == 403
