"""Requests that are too large to wait for: kept as files, loaded by a worker, seen over the API."""

import csv
import gzip
import io
import json

import pytest
from django.db import connection
from django.urls import reverse

from accounts.api_clients import Rows, create_client
from core import jobs
from core.importing import registry
from core.importing.json_table import JsonFile
from core.importing.models import Import
from core.importing.tasks import apply_import
from sales.models import SalesDaily, SalesFact
from tests import factories as make
from tests.api.conftest import ROOT
from tests.api.test_bulk import counts, line, ok, send
from tests.api.test_machines import ask, bearer
from tests.api.test_problems import problem

IMPORTS = f"{ROOT}imports/"
BAD = line(2, partner="NOBODY", amount="ten")
ASYNC = {"prefer": "respond-async"}


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def begin(django_capture_on_commit_callbacks):
    """Sends rows, and does what a worker would do; returns (the answer, how the import ended)."""

    def ask(caller, body, query="", **headers):
        with django_capture_on_commit_callbacks(execute=True):
            response = send(caller, body, query, **headers)
        assert response.status_code == 202, response.content
        return response, caller.get(response["Location"]).json()

    return ask


def test_who_prefers_not_to_wait_is_told_where_to_look(caller, begin):
    response, ended = begin(caller, [line(1), BAD, line(3)], **ASYNC)
    began = response.json()
    assert response["Location"] == f"{IMPORTS}{began['id']}/"
    assert response["Preference-Applied"] == "respond-async"
    assert (began["state"], began["file_name"], began["rejects"]) == ("applying", "api.json", None)
    assert began["progress"] == {"percent": None, "message": ""}
    assert (ended["state"], counts(ended), ended["progress"]) == ("applied", (3, 2, 0, 0, 1), None)
    assert ended["first_rejects"] == [
        {
            "row": 2,
            "field": "partner",
            "message": "There is no partner with the code “NOBODY”.",
        },
        {"row": 2, "field": "amount", "message": "“ten” is not a number such as -1234.5."},
    ]
    assert SalesFact.objects.count() == 2
    assert SalesFact.objects.get(reference="R3").row_no == 3


@pytest.mark.parametrize("limit", ["MOST_ROWS", "MOST_BYTES"])
@pytest.mark.parametrize("lines", [False, True])
def test_what_is_too_large_to_wait_for_becomes_a_job(caller, begin, monkeypatch, limit, lines):
    monkeypatch.setattr(f"core.api.bulk.{limit}", 2)
    rows = [line(n) for n in range(3)]
    body = "\n".join(map(json.dumps, rows)).encode() if lines else rows
    content_type = "application/x-ndjson" if lines else "application/json"
    response, ended = begin(caller, body, content_type=content_type)
    assert "Preference-Applied" not in response
    assert (ended["state"], counts(ended)) == ("applied", (3, 3, 0, 0, 0))
    assert Import.objects.count() == 1


def test_a_job_leaves_what_an_answer_at_once_leaves(caller, begin):
    rows = [
        line(1),
        BAD,
        {"reference": "合计", "amount": "10.5"},
        line(4, colour="red"),
        ["R5"],
        line(6, reverses="R1", amount="-10.5"),
        line(7, reference="单7"),
        line(1),
    ]

    def books():
        fields = ("reference", "kind", "amount", "reverses__reference", "row_no")
        return list(SalesFact.objects.order_by("pk").values_list(*fields))

    at_once = ok(send(caller, rows, "?results=rejected"))
    first = books()
    SalesFact.objects.filter(reverses__isnull=False).delete()
    SalesFact.objects.all().delete()
    _response, ended = begin(caller, rows, **ASYNC)
    assert (counts(ended), books()) == (counts(at_once), first)
    page = caller.get(ended["rejects"]).json()
    assert page["next"] is None
    assert [(one["row"], one["problems"]) for one in page["results"]] == [
        (one["row"], one["problems"]) for one in at_once["results"]
    ]


def test_rejected_rows_come_in_pages_and_as_a_file(caller, begin):
    rows = [line(n, partner=f'"{n}\n，', amount="x") for n in range(1, 6)]
    _response, ended = begin(caller, rows, **ASYNC)
    found, url = [], f"{ended['rejects']}?page_size=2"
    for size in (2, 2, 1):
        page = caller.get(url).json()
        assert len(page["results"]) == size
        found += page["results"]
        url = page["next"]
    assert url is None
    assert [one["row"] for one in found] == [1, 2, 3, 4, 5]
    assert found[4]["values"]["partner"] == '"5\n，'
    assert [one["field"] for one in found[4]["problems"]] == ["partner", "amount"]
    file = caller.get(ended["rejects"], headers={"Accept": "text/csv"})
    assert file["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(file.streaming_content).decode("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(text)))) == 1 + 5
    for wrong in ("1", "999999", "x", "-1", str(2**63 - 1)):
        response = caller.get(f"{ended['rejects']}?after={wrong}")
        problem(response, 400, "invalid")


def test_no_rejected_rows_have_no_address(caller, begin):
    _response, ended = begin(caller, [line(1)], **ASYNC)
    assert ended["rejects"] is None
    assert caller.get(f"{IMPORTS}{ended['id']}/rejects/").status_code == 404


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"%b\n{oops\n", "Row 2 is not valid JSON, or longer than 65536 characters."),
        (b"%b\n\xff\n", "The text is not UTF-8."),
        (b"%b\n" * 4, "At most 3 rows can be sent at once. Send them in parts."),
        (b"\n \n", "There are no rows."),
    ],
)
def test_what_cannot_be_read_fails_and_writes_nothing(caller, begin, settings, body, why):
    settings.BULK_MAX_ROWS = 3
    body = body.replace(b"%b", json.dumps(line(1)).encode())
    headers = ASYNC | {"content_type": "application/x-ndjson"}
    _response, ended = begin(caller, body, **headers)
    assert (ended["state"], ended["error"]) == ("failed", why)
    assert (SalesFact.objects.count(), SalesDaily.objects.count()) == (0, 0)


def test_a_check_as_a_job_writes_nothing_and_has_no_columns_to_choose(caller, begin, client, cast):
    _response, ended = begin(caller, [line(1), BAD], "?dry_run=true", **ASYNC)
    assert (ended["state"], counts(ended)) == ("checked", (2, 1, 0, 0, 1))
    assert SalesFact.objects.count() == 0
    client.force_login(cast.director)
    assert client.get(reverse("core:import_detail", args=[ended["id"]])).status_code == 200
    assert client.get(reverse("core:import_map", args=[ended["id"]])).status_code == 403


def test_all_or_nothing_as_a_job_tells_what_was_rejected(caller, begin):
    _response, ended = begin(caller, [line(1), BAD], "?all_or_nothing=true", **ASYNC)
    assert (ended["state"], counts(ended)) == ("failed", (2, 0, 0, 0, 1))
    assert ended["error"] == "1 rows were rejected, so nothing was loaded."
    assert [one["row"] for one in caller.get(ended["rejects"]).json()["results"]] == [2]
    assert SalesFact.objects.count() == 0


def test_the_key_of_a_request_holds_for_a_job(caller, begin):
    first, _ended = begin(caller, [line(1)], idempotency_key="k", **ASYNC)
    again, _ended = begin(caller, [line(1)], idempotency_key="k", **ASYNC)
    assert again["Idempotency-Replayed"] == "true"
    for kept in ("Location", "Preference-Applied", "Content-Type"):
        assert again[kept] == first[kept]
    assert again.content == first.content
    problem(send(caller, [line(2)], idempotency_key="k"), 422, "idempotency_key_reused")
    assert Import.objects.count() == SalesFact.objects.count() == 1


def test_the_body_is_kept_as_it_came(caller, begin, client, cast):
    packed = gzip.compress(json.dumps([line(1)]).encode())
    response, ended = begin(caller, packed, content_encoding="gzip", **ASYNC)
    assert (ended["state"], ended["created"]) == ("applied", 1)
    client.force_login(cast.director)
    file = client.get(reverse("core:import_file", args=[ended["id"]]))
    assert b"".join(file.streaming_content) == packed
    assert 'filename="api.json.gz"' in file["Content-Disposition"]


def test_master_data_as_a_job(caller, begin):
    rows = [{"code": f"P{n}", "name": "Plug", "product_line": "CAB"} for n in range(3)]
    rows.append({"code": "P9", "name": "", "product_line": "?"})
    _response, ended = begin(caller, rows, url=f"{ROOT}products/bulk/", **ASYNC)
    assert (ended["kind"], ended["state"]) == ("products", "applied")
    assert counts(ended) == (4, 3, 0, 0, 1)


def test_how_many_rows_there_will_be_is_told_from_what_was_read(tmp_path, db):
    path = tmp_path / "rows"
    path.write_bytes(b'{"reference": "R"}\n' * 20_000)
    table = JsonFile(registry.get("sales"), path, lines=True, is_gzip=False)
    rows = table.rows()
    table.refuse = lambda *told: None
    for _time in range(10_000):
        next(rows)
    assert 18_000 < table.expected_rows(10_000) < 22_000
    rows.close()


# --- Who sees an import ---------------------------------------------------------------------------


def test_one_sees_ones_own_imports_and_the_network_sees_all(cast, as_user):
    mine = make.make_import(cast.north_person)
    other = make.make_import(cast.director)

    def seen(caller):
        return [one["id"] for one in caller.get(IMPORTS).json()["results"]]

    assert seen(as_user(cast.director)) == [other.pk, mine.pk]
    assert seen(as_user(cast.finance)) == [other.pk, mine.pk]
    assert seen(as_user(cast.north_manager)) == []
    person = as_user(cast.north_person)
    assert seen(person) == [mine.pk]
    for address in (f"{IMPORTS}{other.pk}/", f"{IMPORTS}{other.pk}/rejects/"):
        assert person.get(address).status_code == 404
        assert person.post(address).status_code in (404, 405)


def test_a_limited_machine_sees_what_it_sent_itself(caller, cast, begin):
    make.make_import(cast.director)
    rows = Rows(partners=frozenset({cast.north_partner}))
    made = create_client(name="writer", access="read write", by=None, rows=rows)
    machine = bearer(ask(made).json()["access_token"])
    response, ended = begin(machine, [line(1)], **ASYNC)
    assert (ended["state"], ended["created_by_username"]) == ("applied", "api-writer")
    assert [one["id"] for one in machine.get(IMPORTS).json()["results"]] == [ended["id"]]


def test_imports_are_filtered_by_kind_and_state(cast, as_user):
    caller = as_user(cast.director)
    load = make.make_import(cast.director)
    for query, found in (("kind=partners", 1), ("kind=sales", 0), ("state=failed", 0)):
        assert len(caller.get(f"{IMPORTS}?{query}").json()["results"]) == found
    assert caller.get(f"{IMPORTS}{load.pk}/").json()["rejects"] == f"{IMPORTS}{load.pk}/rejects/"


def test_a_worker_that_comes_second_leaves_the_import_to_the_first(caller, monkeypatch):
    assert send(caller, [line(1)], **ASYNC).status_code == 202
    load = Import.objects.get()
    monkeypatch.setattr(jobs, "is_worked_on", lambda job_id: False)  # it looked a moment too early
    first = connection.copy()
    with first.cursor() as cursor:
        name = f"core:job:{load.job_id}"
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
        apply_import(load.job_id, load.pk)
    first.close()
    load.refresh_from_db()
    assert (load.state, load.error) == ("applying", "")
