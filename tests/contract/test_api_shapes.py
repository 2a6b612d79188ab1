"""Every resource of the API: sparse fields, ETag, CSV and changes mean the same everywhere."""

import csv
import io
import json
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channel_crm.api import router
from core import audit
from core.models import Model
from tests.contract.samples import SAMPLES

RESOURCES = {name: view for name, view, _base in router.registry}
CHANGING = [name for name, view in RESOURCES.items() if view.changed_at]


def url_of(name, key=None, query=""):
    return f"/api/v1/{name}/" + ("" if key is None else f"{key}/") + query


@pytest.fixture
def row(cast):
    """Makes a row of a resource."""

    def make_row(name):
        label = RESOURCES[name].model._meta.label_lower
        if label == "core.event":
            return audit.record("partners.partner.updated", cast.north_partner, by=None)
        return SAMPLES[label].row(cast.north_partner)

    return make_row


@pytest.mark.parametrize("name", RESOURCES)
def test_each_field_alone_is_what_it_is_among_all(name, cast, sign_in, row):
    key = row(name).pk
    time.sleep(1.1 if name == "events" else 0)
    client = sign_in(cast.director)
    whole = client.get(url_of(name, key)).json()
    listed = client.get(url_of(name)).json()["results"]
    for shape, known in (
        (RESOURCES[name].row_class, listed),
        (RESOURCES[name].detail_class, whole),
    ):
        for field in shape.Meta.fields:
            query = f"?fields={field}"
            if known is whole:
                assert client.get(url_of(name, key, query)).json() == {field: whole[field]}
            else:
                found = client.get(url_of(name, query=query)).json()["results"]
                assert found == [{field: each[field]} for each in listed]
    for url in (url_of(name, key), url_of(name)):
        refused = client.get(f"{url}?fields=id,nothing,x%00").json()
        assert refused["status"] == 400
        assert refused["errors"][0]["field"] == "fields"


def test_fewer_fields_read_fewer_columns(cast, sign_in):
    client = sign_in(cast.director)
    with CaptureQueriesContext(connection) as queries:
        client.get(url_of("partners", query="?fields=code"))
    (read,) = [q["sql"] for q in queries if '"code"' in q["sql"]]
    assert "territory" not in read and '"name"' not in read
    unknown = client.get(url_of("partners", query="?fields=code,nmae")).json()
    assert "nmae" in unknown["detail"]


@pytest.mark.parametrize("name", RESOURCES)
def test_a_tag_holds_until_something_changes(name, cast, sign_in, row):
    key = row(name).pk
    client = sign_in(cast.director)
    first = client.get(url_of(name, key))
    again = client.get(url_of(name, key), headers={"If-None-Match": first["ETag"]})
    assert (first.status_code, again.status_code, again["ETag"]) == (200, 304, first["ETag"])
    other = client.get(url_of(name, key), headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.content) == (200, first.content)


@pytest.mark.parametrize("name", RESOURCES)
def test_csv_says_what_json_says(name, cast, sign_in, row):
    for _number in range(3):
        row(name)
    time.sleep(1.1 if name == "events" else 0)
    client = sign_in(cast.director)
    url = url_of(name, query="?page_size=2")
    page = client.get(url).json()
    answer = client.get(url, headers={"Accept": "text/csv"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Link"] == f'<{page["next"]}>; rel="next"'
    header, *lines = csv.reader(io.StringIO(answer.content.decode()))
    assert header == list(RESOURCES[name].row_class.Meta.fields)
    assert lines == [[text(each[field]) for field in header] for each in page["results"]]
    refused = client.get(url, headers={"Accept": "application/xml"})
    assert (refused.status_code, refused["Content-Type"]) == (406, "application/problem+json")
    one = client.get(url_of(name, page["results"][0]["id"]), headers={"Accept": "text/csv"})
    assert one.status_code == 406


def text(value):
    """A value of JSON as it stands in a cell."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)


def test_csv_disarms_what_a_spreadsheet_would_run(cast, sign_in):
    cast.north_partner.name = "=1+1"
    cast.north_partner.save()
    query = f"?fields=name&territory={cast.north.pk}"
    answer = sign_in(cast.director).get(
        url_of("partners", query=query), headers={"Accept": "text/csv"}
    )
    assert answer.content == b"name\r\n'=1+1\r\n"


def test_changes_are_exactly_the_rows_that_changed(cast, sign_in, row):
    """Of every resource three rows, of which one changes and one is new after the first poll."""
    client = sign_in(cast.director)
    rows = {name: [row(name) for _number in range(3)] for name in CHANGING}
    time.sleep(1.1)
    cursors = {}
    for name in CHANGING:
        begin = "?since=2000-01-01" if name == "events" else "?updated_since=2000-01-01"
        answer = client.get(url_of(name, query=begin)).json()
        assert {each.pk for each in rows[name]} <= {each["id"] for each in answer["results"]}
        cursors[name] = answer["cursor"]
    expected = {name: [] for name in CHANGING}
    for name in CHANGING:
        changed = rows[name][0]
        if issubclass(RESOURCES[name].model, Model):
            touch(changed)
            expected[name].append(changed.pk)
    time.sleep(1.1)
    for name in CHANGING:
        parameter = "after" if name == "events" else "cursor"
        query = f"?{parameter}={cursors[name]}"
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(url_of(name, query=query)).json()
        assert [each["id"] for each in answer["results"]] == expected[name], name
        assert len(queries) <= 8, name
        assert set(answer) == {"next", "cursor", "results"}


def touch(obj):
    """Change a column of a row on a path that knows nothing of `updated_at`."""
    table = obj._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET created_at = created_at - interval '1 day' WHERE id = %s", [obj.pk]
        )


def test_every_core_model_knows_when_it_changed():
    models = {view.model for view in RESOURCES.values() if issubclass(view.model, Model)}
    assert len(models) > 10
    for model in models:
        names = [one.name for one in model._meta.triggers]
        assert "changed_at" in names, model
