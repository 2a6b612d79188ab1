"""Every kind that is taken by the thousand."""

import gzip
import json
from datetime import date
from decimal import Decimal

import pytest

from core.importing.models import Import
from core.models import Event
from partners.models import Contact, Partner
from sales.models import Target
from tests.api.conftest import ROOT
from tests.api.test_bulk import counts, line, ok, send
from tests.api.test_problems import problem

# A row that can be used, its key, and what changes it.
ROWS = {
    "sales-facts": (line(1), ("source", "reference"), {"amount": "11"}),
    "payments": (
        {
            "source": "erp",
            "reference": "PAY-1",
            "partner": "NORTH-1",
            "paid_on": "2026-01-05",
            "amount": "10.5",
        },
        ("source", "reference"),
        {"amount": 11},
    ),
    "products": (
        {"code": "P-9", "name": "Plug", "product_line": "CAB", "list_price": 12.50},
        ("code",),
        {"list_price": "12.75"},
    ),
    "partners": (
        {"code": "NEW-1", "name": "新伙伴", "territory": "N", "level": None},
        ("code",),
        {"name": "New"},
    ),
    "contacts": (
        {"partner": "NORTH-1", "name": "Li", "phone": "138"},
        ("partner", "name"),
        {"phone": "139"},
    ),
    "targets": (
        {"partner": "NORTH-1", "month": "2026-03-01", "amount": "1000.50"},
        ("partner", "month", "kind", "product_line"),
        {"amount": 2000},
    ),
}
every_kind = pytest.mark.parametrize("name", ROWS)


def post(caller, name, rows, query="", **headers):
    return send(caller, rows, query, url=f"{ROOT}{name}/bulk/", **headers)


def outcomes(answer):
    return [one["outcome"] for one in answer["results"]]


@every_kind
@pytest.mark.parametrize("lines", [False, True])
def test_rows_are_created_left_alone_and_updated(caller, name, lines):
    row, key, change = ROWS[name]

    def sent(*rows):
        if not lines:
            return ok(post(caller, name, rows))
        body = "\n".join(json.dumps(one, ensure_ascii=False) for one in rows).encode()
        return ok(post(caller, name, body, content_type="application/x-ndjson"))

    first = sent(row)
    assert first["results"] == [
        {
            "row": 1,
            "key": {field: row.get(field) for field in key},
            "outcome": "created",
            "problems": [],
        }
    ]
    load = Import.objects.get(pk=first["import"])
    assert (load.rows, load.created, load.state) == (1, 1, "applied")
    assert outcomes(sent(row)) == ["unchanged"]
    assert counts(sent(row | change)) == (1, 0, 1, 0, 0)
    assert outcomes(sent(row | change, row | change)) == {
        "sales-facts": ["unchanged", "rejected"],
        "payments": ["unchanged", "rejected"],
    }.get(name, ["unchanged", "unchanged"])


@every_kind
def test_checks_and_all_or_nothing_write_nothing(caller, name):
    row, key, _change = ROWS[name]
    bad = row | {key[0]: None, "colour": "red"}
    checked = ok(post(caller, name, [row, bad], "?dry_run=true&results=rejected"))
    assert (checked["import"], counts(checked)) == (None, (2, 1, 0, 0, 1))
    assert [(one["row"], one["outcome"]) for one in checked["results"]] == [(2, "rejected")]
    response = post(caller, name, [row, bad], "?all_or_nothing=true")
    assert (response.status_code, response.json()["code"]) == (422, "rejected_rows")
    assert counts(response.json()) == (2, 1, 0, 0, 1)
    assert Import.objects.count() == 0
    assert outcomes(ok(post(caller, name, [row]))) == ["created"]


@every_kind
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"[{}",
        b"\xff",
        gzip.compress(b"[{}]")[:-4],
        b'[{"code": "' + b"x" * 70_000 + b'"}]',
        b"[" * 70_000,
    ],
    ids=["empty", "no rows", "object", "cut", "no text", "cut gzip", "long", "deep"],
)
def test_bodies_that_are_no_rows(caller, name, body):
    encoding = {"content_encoding": "gzip"} if body.startswith(b"\x1f\x8b") else {}
    problem(post(caller, name, body, **encoding), 400, "parse_error")
    assert Import.objects.count() == 0


@every_kind
def test_another_type_is_not_read(caller, name):
    response = post(caller, name, b"code\n", content_type="text/csv")
    problem(response, 415, "unsupported_media_type")


@every_kind
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('"\\ud800"', "The text contains half of a surrogate pair."),
        ('"a\\u0000b"', "The text contains a NUL character."),
        ("NaN", "Not a string."),
        ("[[]]", "Not a string."),
        ("true", "Not a string."),
    ],
)
def test_strange_values_cost_their_row_only(caller, name, text, message):
    row, key, _change = ROWS[name]
    odd = json.dumps(row | {key[-1]: "?"}).replace('"?"', text)
    answer = ok(post(caller, name, f"[{json.dumps(row)}, {odd}]".encode()))
    if key[-1] not in row:  # the first row does not name it, but it is of the key
        assert name == "targets"
    assert outcomes(answer) == ["created", "rejected"]
    assert {"field": key[-1], "message": message} in answer["results"][1]["problems"]


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999999999", "1e400", "true", "{}"])
def test_numbers_that_are_none(caller, number):
    row = json.dumps(ROWS["products"][0] | {"list_price": "?"}).replace('"?"', number)
    answer = ok(post(caller, "products", f"[{row}]".encode()))
    assert [one["field"] for one in answer["results"][0]["problems"]] == ["list_price"]


def test_what_no_row_names_stays_and_null_empties_it(caller):
    row = {"code": "NORTH-1", "name": "Northern", "territory": "N"}
    ok(post(caller, "partners", [row | {"short_name": "NT"}]))
    ok(post(caller, "partners", [row | {"name": "Northern Trading"}]))
    partner = Partner.objects.get(code="NORTH-1")
    assert (partner.name, partner.short_name) == ("Northern Trading", "NT")
    ok(post(caller, "partners", [row | {"short_name": None}]))
    partner.refresh_from_db()
    assert partner.short_name == ""


def test_a_field_is_named_by_every_row_or_by_none(caller):
    row = {"code": "NORTH-1", "name": "Northern", "territory": "N", "short_name": "NT"}
    bare = {name: row[name] for name in ("code", "name", "territory")} | {"code": "N-2"}
    answer = ok(post(caller, "partners", [row, bare, bare | {"short_name": "x", "level": "gold"}]))
    told = [[(p["field"], p["message"]) for p in one["problems"]] for one in answer["results"]]
    missing = "The first row names this field. Give it in each row; null empties it."
    assert told == [
        [],
        [("short_name", missing)],
        [("level", "The first row does not name this field.")],
    ]


def test_targets_may_leave_out_what_has_a_meaning_of_its_own(caller):
    row = ROWS["targets"][0]
    ok(post(caller, "targets", [row, row | {"product_line": "CAB", "kind": "collection"}]))
    found = Target.objects.order_by("pk").values_list("product_line__code", "kind", "month")
    first = date(2026, 3, 1)
    assert list(found) == [(None, "sell_in", first), ("CAB", "collection", first)]


def test_a_parent_may_come_after_its_child(caller):
    row = {"code": "CHILD", "name": "Child", "territory": "N", "parent": "PARENT"}
    rows = [row, {"code": "PARENT", "name": "Parent", "territory": "N", "parent": None}]
    assert outcomes(ok(post(caller, "partners", rows))) == ["created", "created"]
    assert Partner.objects.get(code="CHILD").parent.code == "PARENT"


def test_rows_outside_the_callers_scope_are_unknown(cast, as_user):
    manager = as_user(cast.north_manager)
    rows = [{"partner": code, "name": "Li"} for code in ("NORTH-1", "SOUTH-1", "NOWHERE")]
    answer = ok(post(manager, "contacts", rows))
    told = [[one["message"] for one in r["problems"]] for r in answer["results"]]
    assert told == [[], ["“SOUTH-1” is not known."], ["“NOWHERE” is not known."]]
    own = as_user(cast.north_person)
    assert outcomes(ok(post(own, "contacts", rows))) == ["unchanged", "rejected", "rejected"]
    assert Contact.objects.get().partner == cast.north_partner


def test_each_change_leaves_one_event_with_its_import(caller, cast):
    row, _key, change = ROWS["products"]
    ok(post(caller, "products", [row]))
    number = ok(post(caller, "products", [row | change]))["import"]
    event = Event.objects.get(verb="catalog.product.updated")
    assert (event.actor, event.source, event.data) == (
        cast.director,
        "import",
        {"import": number},
    )
    assert [Decimal(price) for price in event.changes["list_price"]] == [
        Decimal("12.5"),
        Decimal("12.75"),
    ]


@every_kind
def test_the_key_of_a_request_holds_for_every_kind(caller, name):
    row = ROWS[name][0]
    first = post(caller, name, [row], idempotency_key="k")
    again = post(caller, name, [row], idempotency_key="k")
    assert (again.content, again["Idempotency-Replayed"]) == (first.content, "true")
    assert Import.objects.count() == 1


def test_the_schema_of_a_row_is_that_of_importer_and_model(caller):
    paths = caller.get(f"{ROOT}schema/").json()["paths"]
    body = paths[f"{ROOT}partners/bulk/"]["post"]["requestBody"]["content"]
    row = body["application/json"]["schema"]["items"]["anyOf"][0]
    assert row["required"] == ["code", "name", "territory"]
    fields = row["properties"]
    assert fields["code"] == {"title": "Code", "type": "string", "maxLength": 40}
    assert fields["channel_type"]["type"] == ["string", "null"]
    assert "distributor" in fields["channel_type"]["enum"]
    row = paths[f"{ROOT}targets/bulk/"]["post"]["requestBody"]["content"]["application/json"]
    fields = row["schema"]["items"]["anyOf"][0]["properties"]
    assert fields["month"] == {"title": "Month", "type": "string", "format": "date"}
    assert fields["amount"]["type"] == ["string", "number"]
