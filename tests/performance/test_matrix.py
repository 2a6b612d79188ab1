"""The heat map: partners × items of one evaluation, to sort, filter, page and export."""

import csv
import io
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from performance.results.matrix import band, heat
from performance.services import evaluate
from tests import factories as make
from tests.performance.network import TODAY, make_network, make_scheme

pytestmark = pytest.mark.django_db
LIST, EXPORT = "performance:matrix_list", "performance:matrix_export"


@pytest.fixture
def evaluation(cast):
    make_network()
    make_scheme()
    return evaluate(scheme_code="seven", period="2013Q3", by=None, on=TODAY, publish=True)


def rows(client, user, evaluation, **query):
    """The exported rows as dicts."""
    client.force_login(user)
    response = client.get(reverse(EXPORT), {"evaluation": evaluation.pk, **query})
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def codes(found):
    return [row["code"] for row in found]


def test_every_partner_with_the_points_of_each_item(client, cast, evaluation):
    found = rows(client, cast.director, evaluation)
    assert sorted(codes(found)) == ["A", "B", "C", "D", "NORTH-1", "SOUTH-1"]
    for row in found:
        stored = evaluation.scores.get(partner__code=row["code"])
        points = [item["points"] or "" for item in stored.items]
        assert list(row.values())[5:] == points
        assert row["total"] == ("" if stored.total is None else str(stored.total))


def test_the_address_of_the_newest(client, cast, evaluation):
    client.force_login(cast.director)
    response = client.get(reverse(LIST))
    assert response.url == f"{reverse(LIST)}?evaluation={evaluation.pk}"
    assert client.get(reverse(LIST), {"evaluation": evaluation.pk + 1}).status_code == 404
    assert client.get(reverse(LIST), {"evaluation": "x"}).status_code == 404
    assert client.get(reverse(EXPORT), {"evaluation": "x"}).status_code == 404
    assert client.get(reverse(EXPORT)).url == reverse(LIST)


def test_without_any_evaluation_it_says_what_will_be_here(client, cast):
    client.force_login(cast.director)
    text = client.get(reverse(LIST)).content.decode()
    assert "No evaluation has been computed yet" in text
    assert reverse("performance:evaluation_run") in text


@pytest.mark.parametrize("item", range(7))
def test_sorted_by_the_points_of_an_item(client, cast, evaluation, item):
    name = evaluation.scheme_version.items.all()[item].code
    for sort, descending in ((f"item.{name}", False), (f"-item.{name}", True)):
        found = rows(client, cast.director, evaluation, sort=sort)
        points = [float(value) for row in found if (value := list(row.values())[5 + item])]
        assert points == sorted(points, reverse=descending)
        empty = [not list(row.values())[5 + item] for row in found]
        assert empty == sorted(empty), "what does not apply comes last"


def test_filtered_and_searched(client, cast, evaluation):
    only = rows(client, cast.director, evaluation, territory=cast.south.pk)
    assert "SOUTH-1" in codes(only) and "NORTH-1" not in codes(only)
    assert codes(rows(client, cast.director, evaluation, q="NORTH-1")) == ["NORTH-1"]
    best = evaluation.scores.order_by("rank").first()
    assert codes(rows(client, cast.director, evaluation, total_min=best.total)) == [
        best.partner.code
    ]
    assert rows(client, cast.director, evaluation, channel_type="agent") == []


def test_filters_keep_the_evaluation(client, cast, evaluation):
    client.force_login(cast.director)
    drawer = client.get(reverse("performance:matrix_filters"), {"evaluation": evaluation.pk})
    kept = f'<input type="hidden" name="evaluation" value="{evaluation.pk}">'
    assert kept in drawer.content.decode()
    page = client.get(reverse(LIST), {"evaluation": evaluation.pk, "total_min": "1", "size": 25})
    listing = page.context["listing"]
    assert listing.clear_url == f"?evaluation={evaluation.pk}&size=25"


def test_a_manager_sees_the_own_territory_only(client, cast, evaluation):
    found = codes(rows(client, cast.north_manager, evaluation))
    assert "NORTH-1" in found and "SOUTH-1" not in found
    page = client.get(reverse(LIST), {"evaluation": evaluation.pk}).content.decode()
    assert "Northern Trading" in page and "Southern Trading" not in page


def test_twelve_queries_whatever_the_number_of_rows(client, cast, evaluation):
    client.force_login(cast.director)
    address = reverse(LIST)

    def count(**query):
        client.get(address, {"evaluation": evaluation.pk})
        with CaptureQueriesContext(connection) as captured:
            client.get(address, {"evaluation": evaluation.pk, **query})
        return len(captured)

    before = count()
    other = make.make_evaluation(version=evaluation.scheme_version, period="2013Q2")
    one = evaluation.scores.get(partner__code="A")
    for _number in range(30):
        make.make_score(make.make_partner(), evaluation=other, items=one.items)
    with CaptureQueriesContext(connection) as captured:
        text = client.get(address, {"evaluation": other.pk}).content.decode()
    assert text.count("row-link") == 30
    assert len(captured) == before <= 12
    assert count(sort="item.growth_yoy", territory=cast.north.pk, total_min=1) <= 12


def test_pages(client, cast, evaluation):
    other = make.make_evaluation(version=evaluation.scheme_version, period="2013Q2")
    for number in range(30):
        make.make_score(make.make_partner(), evaluation=other, rank=number + 1)
    client.force_login(cast.director)
    query = {"evaluation": other.pk, "size": 25, "page": 2}
    part = client.get(reverse(LIST), query, headers={"HX-Request": "true"}).content.decode()
    assert part.count("row-link") == 5 and "26–30 of 30" in part and "<html" not in part


def test_who_may(client, cast, evaluation):
    for user, status in (
        (cast.finance, 200),
        (cast.north_manager, 200),
        (cast.north_person, 403),
        (cast.south_person, 403),
    ):
        client.force_login(user)
        for name in (LIST, EXPORT, "performance:matrix_filters"):
            response = client.get(reverse(name), {"evaluation": evaluation.pk})
            assert response.status_code == status, name


@pytest.mark.parametrize(
    ("points", "number"),
    [
        ("0", 0),
        ("39.9999", 0),
        ("40", 1),
        ("60", 2),
        ("75", 3),
        ("90", 4),
        ("100", 4),
        ("100.0001", 5),
    ],
)
def test_bands_of_colour(points, number):
    assert band(Decimal(points)) == number
    assert f'class="heat b{number}"' in heat(points)
