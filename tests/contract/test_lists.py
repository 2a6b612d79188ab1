"""Lists: as many queries for three rows as for one, and every filter and sort answers."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.contract import routes
from tests.contract.samples import SAMPLES

LISTS = routes.with_action("list")


def add_row(pages, cast):
    return SAMPLES[pages.model._meta.label_lower].row(cast.north_partner)


def queries(client, url, **extra):
    with CaptureQueriesContext(connection) as captured:
        response = client.get(url, **extra)
        if response.streaming:
            b"".join(response.streaming_content)
    assert response.status_code == 200
    return [query["sql"] for query in captured]


@pytest.mark.parametrize("route", ["list", "export", "history", "detail"])
@pytest.mark.parametrize("pages", LISTS, ids=routes.label)
def test_three_rows_take_as_many_queries_as_one(pages, route, cast, sign_in):
    if route not in pages.routes():
        assert route in pages.exclude
        return
    client = sign_in(cast.administrator)
    first = add_row(pages, cast)
    url = pages.url(route, first.pk) if route in ("history", "detail") else pages.url(route)
    queries(client, url)  # content types, caches
    one = queries(client, url)
    add_row(pages, cast)
    add_row(pages, cast)
    three = queries(client, url)
    assert len(three) == len(one), "\n".join(sorted(set(three) - set(one)))


@pytest.mark.parametrize("pages", LISTS, ids=routes.label)
def test_a_list_takes_at_most_ten_queries(pages, cast, sign_in):
    client = sign_in(
        cast.north_manager if pages.allows(cast.north_manager, "view") else cast.administrator
    )
    for _ in range(3):
        add_row(pages, cast)
    queries(client, pages.url("list"))
    assert len(queries(client, pages.url("list"))) <= 10
    assert len(queries(client, pages.url("list"), headers={"HX-Request": "true"})) <= 10


@pytest.mark.parametrize("pages", LISTS, ids=routes.label)
def test_every_sort_answers(pages, cast, sign_in):
    client = sign_in(cast.administrator)
    for _ in range(3):
        add_row(pages, cast)
    for column in pages.all_columns():
        for sort in (column.name, f"-{column.name}"):
            assert client.get(pages.url("list"), {"sort": sort}).status_code == 200, sort


TABLE_ONLY = {"HX-Request": "true"}
VALUES = ["1", "x", "true", "2026-01-01", "999999999999999999999", "\x00", "，；", "-1"]
NONSENSE = ["page=999", "page=-1", "page=x", "size=7", "sort=nonsense", "q=%00", "q=" + "长" * 99]


@pytest.mark.parametrize("pages", [p for p in LISTS if p.filterset_class], ids=routes.label)
def test_every_filter_answers_whatever_it_is_given(pages, cast, sign_in):
    add_row(pages, cast)
    client = sign_in(cast.administrator)
    for name, each in pages.filterset_class.base_filters.items():
        # Of ranges. (`each.field` would be kept for all requests to come, its choices with it.)
        suffixes = getattr(each.field_class.widget, "suffixes", [])
        for key in (name, *(f"{name}_{suffix}" for suffix in suffixes)):
            for value in VALUES if key == name else VALUES[3:6]:
                answer = client.get(pages.url("list"), {key: value}, headers=TABLE_ONLY)
                assert answer.status_code == 200, (key, value)


@pytest.mark.parametrize("pages", LISTS, ids=routes.label)
def test_nonsense_in_the_address_is_survived(pages, cast, sign_in):
    add_row(pages, cast)
    client = sign_in(cast.administrator)
    for query in NONSENSE:
        assert client.get(f"{pages.url('list')}?{query}").status_code == 200, query


@pytest.mark.parametrize("pages", LISTS, ids=routes.label)
def test_both_kinds_of_file_open(pages, cast, sign_in):
    add_row(pages, cast)
    client = sign_in(cast.administrator)
    assert client.get(pages.url("export"), {"format": "csv"}).status_code == 200
    response = client.get(pages.url("export"), {"format": "xlsx"})
    assert b"".join(response.streaming_content)[:2] == b"PK"
