"""An evaluation beside an earlier one: distribution, movers, levels gained and lost."""

import csv
import io
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from python_calamine import CalamineWorkbook

from performance.results.movements import compared, crossings, earlier, mainly
from tests import factories as make
from tests.performance.test_scorecard import evaluate_published, simple

pytestmark = pytest.mark.django_db
D = Decimal


def row(points, code="one", weight="100"):
    names = ("value", "target", "x", "numerator", "denominator")
    rest = {"status": "scored", "step": 0, "lines": 0}
    return dict.fromkeys(names) | rest | {"code": code, "weight": weight, "points": points}


@pytest.fixture
def two(cast):
    """2026Q1 and Q2: the northern partner rises and gains, the southern falls and loses, one is
    new, one is gone."""
    low, high = (make.make_level(rank=rank) for rank in (3001, 3002))
    first = simple([(low, 30, None), (high, 60, None)])
    second = make.make_evaluation(version=first.scheme_version, period="2026Q2")

    def score(evaluation, partner, total, rank, level):
        points = None if total is None else f"{D(total):.4f}"
        make.make_score(
            partner,
            evaluation=evaluation,
            total=None if total is None else D(total),
            rank=rank,
            level=level,
            items=[row(points)],
        )

    score(first, cast.north_partner, "50", 2, low)
    score(first, cast.south_partner, "70", 1, high)
    score(first, make.make_partner("Gone", territory=cast.south), "10", 3, None)
    score(second, cast.north_partner, "65.5", 1, high)
    score(second, cast.south_partner, "20", 3, None)
    score(second, make.make_partner("New", territory=cast.north), "40", 2, low)
    score(second, make.make_partner("Empty", territory=cast.north), None, None, None)
    evaluate_published(first)
    return first, second, low, high


def test_earlier_ones_are_the_last_published_revisions(two):
    first, second, _low, _high = two
    again = make.make_evaluation(version=first.scheme_version, period="2026Q1", revision=2)
    assert earlier(second) == [first]
    evaluate_published(again)
    assert earlier(second) == [again]
    assert earlier(first) == []


def test_change_and_level_of_each(two, cast):
    first, second, _low, _high = two
    found = {
        score.partner.code: (score.change, score.rank_now - score.rank_was)
        for score in compared(second, first, cast.director)
    }
    assert found["NORTH-1"] == (D("15.50"), 1)
    assert found["SOUTH-1"] == (D("-50.00"), -3003)
    assert len(found) == 2
    assert compared(second, first, cast.south_manager).get().partner == cast.south_partner


def test_crossings(two, cast):
    first, second, low, high = two
    found = crossings(compared(second, first, cast.director))
    assert found.levels == [high, low, None]
    assert found.rows == [(high, [0, 0, 1]), (low, [1, 0, 0]), (None, [0, 0, 0])]


def test_what_moved_the_total_mainly():
    before = [row("50", "a", "40"), row("80", "b", "60"), row(None, "c", "0")]
    now = [row("90", "a", "40"), row("70", "b", "60"), row("5", "c", "0")]
    labels = {"a": "Growth", "b": "Breadth"}
    assert mainly(before, now, D("10"), labels) == "Growth +16.00"
    assert mainly(before, now, D("-1"), labels) == "Breadth \u22126.00"
    assert mainly(before, before, D("1"), labels) == ""
    assert mainly(before, now, None, labels) == ""


def page(client, user, evaluation, **query):
    client.force_login(user)
    url = reverse("performance:evaluation_detail", args=[evaluation.pk])
    return client.get(url, {"tab": "movements", **query})


def test_the_page(client, two, cast):
    first, second, _low, _high = two
    response = page(client, cast.director, second)
    context = response.context
    assert [move.score.partner for move in context["rises"]] == [cast.north_partner]
    assert [move.score.partner for move in context["falls"]] == [cast.south_partner]
    assert [move.places for move in (*context["gains"], *context["losses"])] == [1, -2]
    expected = {"compared": 2, "rose": 1, "fell": 1, "gained": 1, "lost": 1, "new": 2, "gone": 1}
    assert context["counts"] == expected
    before, now = context["distribution"].series
    assert (before.name, before.values[1], before.values[5], before.values[7]) == (
        "2026Q1",
        1,
        1,
        1,
    )
    assert (now.name, now.values[2], now.values[4], now.values[6]) == ("2026Q2", 1, 1, 1)
    assert "Nothing to compare with yet" in page(client, cast.director, first).content.decode()


def test_another_territory_is_not_among_them(client, two, cast):
    _first, second, _low, _high = two
    text = page(client, cast.north_manager, second).content.decode()
    assert "Northern Trading" in text and "Southern Trading" not in text


def test_as_many_queries_for_many_partners(client, two, cast):
    first, second, low, high = two
    page(client, cast.director, second)
    with CaptureQueriesContext(connection) as few:
        page(client, cast.director, second)
    third = make.make_evaluation(version=first.scheme_version, period="2026Q3")
    fourth = make.make_evaluation(version=first.scheme_version, period="2026Q4")
    for number in range(20):
        partner = make.make_partner()
        make.make_score(partner, evaluation=third, total=D(number), level=low, items=[row("1")])
        make.make_score(partner, evaluation=fourth, total=D(20), level=high, items=[row("2")])
    evaluate_published(third)
    with CaptureQueriesContext(connection) as many:
        response = page(client, cast.director, fourth)
    assert response.context["counts"]["gained"] == 20
    assert len(many) <= len(few) + 1, "one more evaluation is offered, nothing else"


def movers(client, **query):
    response = client.get(reverse("performance:movers_export"), query)
    content = response.getvalue() if response.streaming else response.content
    return response.status_code, content


def test_everybody_who_moved_as_a_file(client, two, cast):
    first, second, low, high = two
    client.force_login(cast.director)
    status, content = movers(client, evaluation=second.pk, against=first.pk, format="csv")
    header, *lines = list(csv.reader(io.StringIO(content.decode().removeprefix("\ufeff"))))
    assert (status, header[3:6]) == (200, ["total before", "total", "change"])
    found = {line[1]: line[3:] for line in lines}
    assert list(found) == ["NORTH-1", "SOUTH-1"], "who rose most comes first"
    assert found["NORTH-1"][2] == "15.50" and found["SOUTH-1"][2] == "-50.00"
    assert found["NORTH-1"][5:7] == [str(low), str(high)]
    assert found["SOUTH-1"][5:7] == [str(high), ""]
    status, content = movers(client, evaluation=second.pk, format="xlsx")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    assert [row[1] for row in sheet.to_python()[1:]] == ["NORTH-1", "SOUTH-1"]
    assert movers(client, evaluation=first.pk)[0] == 404, "nothing to compare with"
    assert movers(client, evaluation="x")[0] == 404


def test_the_file_holds_only_partners_that_one_sees(client, two, cast):
    _first, second, _low, _high = two
    client.force_login(cast.north_manager)
    _status, content = movers(client, evaluation=second.pk)
    assert "NORTH-1" in content.decode() and "SOUTH-1" not in content.decode()
    client.force_login(cast.north_person)
    assert movers(client, evaluation=second.pk)[0] == 403
