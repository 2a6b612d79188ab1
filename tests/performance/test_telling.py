"""What people of a partner are told of a scorecard: nothing that gives away what others sold."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from performance.models import Evaluation, Score
from performance.results import document
from performance.telling import resting_on_others, told
from tests import factories as make
from tests.performance.test_scorecard import evaluate_published

pytestmark = pytest.mark.django_db
D = Decimal
NEIGHBOURS = {"measure": "territory_potential_share"}
MEDIAN = {"measure": "sell_in_net", "target_source": "peer_median"}
SECRETS = ("71.23", "68.1234", "0.454545", "11000", "5000.5", "61.17", "34.0617", "6,000.5")
NOTE = "Not shown, as it would tell others’ sales."


def _row(code, **fields):
    row = {"code": code, "weight": "50", "value": "0.9", "target": None, "points": "74.3366"}
    row |= {"x": "0.9", "status": "scored", "step": 0, "numerator": "9", "denominator": "10"}
    return row | {"lines": 2} | fields


def _secret(**fields):
    """An item whose every figure is one of SECRETS."""
    told_by = {"value": "0.454545", "x": "0.454545", "points": "68.1234"}
    return _row("one", **told_by, numerator="5000.5", denominator="11000", **fields)


def _evaluation(item, period="2013Q3", **fields):
    version = fields.pop("version", None) or make.make_scheme_version(**fields)
    if not version.items.exists():
        make.make_scheme_item(version, code="own", measure="growth_yoy", weight=50)
        make.make_scheme_item(version, code="one", weight=50, **item)
    return make.make_evaluation(version=version, period=period)


def _scores(evaluation, values):
    for value in values:
        make.make_score(evaluation=evaluation, items=[_row("own"), _row("one", value=value)])


@pytest.fixture
def score(cast):
    """The scorecard of North on a share of its territory's potential, published."""
    evaluation = _evaluation(NEIGHBOURS)
    level = make.make_level(code="lofty", name="高", name_en="Lofty", rank=7001)
    above = make.make_level(code="peak", name="顶", name_en="Peak", rank=7002)
    for each, total in ((level, 60), (above, 95)):
        make.make_scheme_level(evaluation.scheme_version, level=each, min_total=total)
    found = make.make_score(
        cast.north_partner,
        evaluation=evaluation,
        total=D("71.23"),
        base=D("61.17"),
        bonus=D("10.06"),
        rank=4321,
        level=level,
        items=[_row("own"), _secret()],
    )
    evaluate_published(evaluation)
    return found


# --- which items -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "values", "hidden"),
    [
        (NEIGHBOURS, ["0.5"] * 99, True),
        ({"measure": "through"}, ["0.5"] * 99, True),  # made of it
        ({"measure": "line_breadth"}, ["2"], False),
        (MEDIAN, ["7"] * 5, True),
        (MEDIAN, ["7"] * 6, False),
        (MEDIAN, ["7"] * 5 + ["0", "-3", None], True),  # nobody else has a value above 0
        (MEDIAN, ["7"] * 5 + ["0", "0.0001"], False),
    ],
)
def test_which_items_rest_on_others(item, values, hidden):
    make.make_derived_measure(code="through", expression="territory_potential_share", unit="ratio")
    evaluation = _evaluation(item)
    _scores(evaluation, values)
    expected = {evaluation.pk: {"one"}} if hidden else {}
    assert resting_on_others([evaluation.pk]) == expected


def test_an_item_without_a_median_rests_on_nobody():
    evaluation = _evaluation(MEDIAN)
    _scores(evaluation, ["0"] * 3)
    assert resting_on_others([evaluation.pk]) == {evaluation.pk: {"one"}}  # nobody knows
    for benchmark, hidden in (("7", {"one"}), (None, None)):
        Evaluation.objects.filter(pk=evaluation.pk).update(peers={"one": {"benchmark": benchmark}})
        expected = {evaluation.pk: hidden} if hidden else {}
        assert resting_on_others([evaluation.pk]) == expected


def _annual(source, period="2013"):
    version = make.make_scheme_version()
    linear = {"kind": "linear", "points": [["0", "0"], ["100", "100"]]}
    fields = {"basis": "scores", "measure": "", "source_scheme": source.scheme, "curve": linear}
    make.make_scheme_item(version, code="quarters", **fields)
    return make.make_evaluation(version=version, period=period)


def test_results_of_such_a_scheme_rest_on_others_too():
    quarter = _evaluation(NEIGHBOURS)
    year, other = _annual(quarter), _annual(quarter, period="2014")
    over = _annual(year)
    keys = [year.pk, other.pk, over.pk]
    assert resting_on_others(keys) == {}  # nothing is published
    evaluate_published(quarter)
    assert resting_on_others(keys) == {year.pk: {"quarters"}}
    evaluate_published(year)
    assert resting_on_others(keys) == {year.pk: {"quarters"}, over.pk: {"quarters"}}


def test_schemes_that_rest_on_each_other_come_to_an_end():
    one = _annual(make.make_evaluation())
    two = _annual(one)
    make.make_scheme_item(
        one.scheme_version,
        code="back",
        basis="scores",
        measure="",
        source_scheme=two.scheme,
        curve={"kind": "linear", "points": [["0", "0"], ["100", "100"]]},
    )
    for each in (one, two):
        evaluate_published(each)
    assert resting_on_others([one.pk, two.pk]) == {}


def test_many_evaluations_cost_what_one_costs(cast):
    keys = [_evaluation(MEDIAN).pk for _n in range(3)]
    with CaptureQueriesContext(connection) as one:
        assert len(resting_on_others(keys[:1])) == 1
    with CaptureQueriesContext(connection) as three:
        assert len(resting_on_others(keys)) == 3
    assert len(one) == len(three)


# --- what is told ------------------------------------------------------------------------------


def test_the_score_as_it_is_told(cast, score):
    ours = told([Score.objects.get(pk=score.pk)], cast.director)[0]
    assert (ours.total, ours.rank, ours.withheld, ours.outside) == (D("71.23"), 4321, set(), False)
    theirs = told([Score.objects.get(pk=score.pk)], cast.north_person)[0]
    assert (theirs.total, theirs.base, theirs.bonus, theirs.rank) == (None, None, None, None)
    assert (theirs.level, theirs.withheld, theirs.outside) == (score.level, {"one"}, True)
    own, hidden = theirs.items
    assert own == _row("own")
    nothing = dict.fromkeys(hidden) | {"code": "one", "weight": "50", "status": "withheld"}
    assert hidden == nothing | {"step": -1, "lines": 0}


def _addresses(score):
    page = reverse("performance:score_detail", args=[score.pk])
    partner = reverse("partners:partner_detail", args=[score.partner_id])
    return [
        *(page, f"{page}?tab=periods", reverse("performance:score_list")),
        *(reverse("performance:score_export") + f"?format={kind}" for kind in ("csv",)),
        *(partner, f"{partner}?tab=performance", "/"),
        *(f"/api/v1/scores/{score.pk}/", "/api/v1/scores/", "/api/v1/scores/?fields=total,rank"),
    ]


def _text(response):
    assert response.status_code == 200
    content = response.getvalue() if response.streaming else response.content
    return content.decode()


def test_no_page_no_list_and_no_answer_tells_it(client, cast, score):
    client.force_login(cast.north_person)
    for address in _addresses(score):
        text = _text(client.get(address))
        assert [secret for secret in (*SECRETS, "10.06", "4321") if secret in text] == [], address
    client.force_login(cast.director)
    texts = "".join(_text(client.get(address)) for address in _addresses(score))
    assert [secret for secret in ("71.23", "4321", "68.1234", "34.0617") if secret in texts] == [
        *("71.23", "4321", "68.1234", "34.0617")
    ]


def test_the_page_says_in_words_that_something_is_not_shown(client, cast, score):
    client.force_login(cast.north_person)
    text = _text(client.get(reverse("performance:score_detail", args=[score.pk])))
    assert "The total is not shown, as it would tell others’ sales." in text
    assert "Lofty" in text and "74.3" in text and text.count(NOTE) >= 2
    assert "Please ask your account manager." in text
    partner = reverse("partners:partner_detail", args=[score.partner_id])
    assert NOTE in _text(client.get(partner, {"tab": "performance"}))
    client.force_login(cast.director)
    text = _text(client.get(reverse("performance:score_detail", args=[score.pk])))
    assert NOTE not in text and "What Peak takes" in text


def test_the_document_says_so_too(client, cast, score):
    theirs = told([Score.objects.get(pk=score.pk)], cast.north_person)[0]
    values = document.scorecard_values(theirs)
    assert [secret for secret in (*SECRETS, "10.06", "4321") if secret in str(values)] == []
    assert [(each["label"], each["value"]) for each in values["figures"]] == [
        ("Total", "—"),
        ("Level", "Lofty"),
    ]
    assert values["figures"][0]["note"] == "not shown"
    assert [item["sentence"] == NOTE for item in values["items"]] == [False, True]
    assert (values["missing"], values["trend"]) == (None, [])
    client.force_login(cast.north_person)
    response = client.get(reverse("performance:score_pdf", args=[score.pk]))
    assert response.content == document.scorecard_pdf(theirs, "en")


def test_the_api_says_what_is_withheld(client, cast, score):
    client.force_login(cast.north_person)
    found = client.get(f"/api/v1/scores/{score.pk}/").json()
    names = ("total", "base", "bonus", "rank", "quartile", "next_level")
    assert [found[name] for name in names] == [None] * 6
    assert (found["level_code"], found["trend"][0]["total"]) == ("lofty", None)
    assert [item["status"] for item in found["items"]] == ["scored", "withheld"]
    assert [item["weighted"] for item in found["items"]] == [None, None]
    assert found["items"][1]["sources"] == []
    assert client.post(f"/api/v1/scores/{score.pk}/what-if/", {}).status_code == 403
    assert client.get(reverse("performance:score_whatif", args=[score.pk])).status_code == 403


def test_a_total_is_not_found_out_by_asking_for_ranges_or_order(client, cast, score):
    client.force_login(cast.north_person)
    for address in ("/api/v1/scores/", reverse("performance:score_list")):
        for query in ({"total_min": "71"}, {"total_max": "72"}):
            assert str(score.partner) not in _rows(client.get(address, query))
    client.force_login(cast.director)
    found = client.get("/api/v1/scores/", {"total_min": "71.23", "total_max": "71.23"}).json()
    assert [row["id"] for row in found["results"]] == [score.pk]


def _rows(response):
    text = _text(response)
    return text.split("<tbody", 1)[1] if "<tbody" in text else text


def test_earlier_periods_are_told_by_their_own_rule(client, cast, score):
    """The version of the period before had no such item: its total is told, beside a gap."""
    version = make.make_scheme_version(scheme=score.evaluation.scheme, number=2)
    make.make_scheme_item(version, code="own", measure="growth_yoy", weight=100)
    before = make.make_evaluation(version=version, period="2013Q2")
    items = [_row("own")]
    make.make_score(score.partner, evaluation=before, total=D("55.55"), rank=4322, items=items)
    evaluate_published(before)
    client.force_login(cast.north_person)
    trend = client.get(f"/api/v1/scores/{score.pk}/").json()["trend"]
    assert [(row["period_code"], row["total"]) for row in trend] == [
        ("2013Q2", "55.55"),
        ("2013Q3", None),
    ]
    text = _text(
        client.get(reverse("performance:score_detail", args=[score.pk]), {"tab": "periods"})
    )
    assert "55.55" in text and NOTE in text and "4322" not in text


def test_no_partner_learns_how_many_there_are(client, cast):
    """Of a card of which everything is told, rank and number of partners are not."""
    version = make.make_scheme_version()
    make.make_scheme_item(version, code="own", measure="growth_yoy", weight=100)
    evaluation = make.make_evaluation(version=version)
    Evaluation.objects.filter(pk=evaluation.pk).update(partner_count=8765)
    mine = make.make_score(
        cast.north_partner, evaluation=evaluation, total=D("74.34"), rank=4321, items=[_row("own")]
    )
    evaluation.refresh_from_db()
    evaluate_published(evaluation)
    client.force_login(cast.north_person)
    for address in _addresses(mine):
        text = _text(client.get(address))
        assert [number for number in ("4321", "8765", "8,765") if number in text] == [], address
    theirs = told([Score.objects.get(pk=mine.pk)], cast.north_person)[0]
    figures = document.scorecard_values(theirs)["figures"]
    assert [figure["label"] for figure in figures] == ["Total", "Level"]
    client.force_login(cast.director)
    text = _text(client.get(reverse("performance:score_detail", args=[mine.pk])))
    assert "4321" in text and "8765" in text
    assert client.get(f"/api/v1/scores/{mine.pk}/").json()["rank"] == 4321


def test_of_an_item_that_applies_to_few_no_median_is_shown(client, cast):
    version = make.make_scheme_version()
    for code in ("own", "one"):
        make.make_scheme_item(version, code=code, measure="growth_yoy", weight=50)
    evaluation = make.make_evaluation(version=version)
    kept = {"median_points": "33.4455", "count": 2, "quarters": ["1", "2", "3"]}
    peers = {"own": kept | {"median_points": "44.5566", "count": 9}, "one": kept}
    Evaluation.objects.filter(pk=evaluation.pk).update(peers=peers)
    items = [_row("own"), _row("one")]
    first = make.make_score(cast.north_partner, evaluation=evaluation, total=D(0), items=items)
    for value in range(1, 8):
        make.make_score(evaluation=evaluation, total=D(value), items=items)
    client.force_login(cast.director)
    text = _text(client.get(reverse("performance:score_detail", args=[first.pk])))
    assert "44.5566" in text and "33.4455" not in text
