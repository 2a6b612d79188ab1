"""POST /sales-facts/bulk/: the same loader as files, row by row in the answer."""

import json
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from core.errors import Blocked
from core.importing import engine
from core.importing.models import Import
from sales.models import SalesDaily, SalesFact
from tests.api.conftest import ROOT
from tests.api.test_machines import bearer, token_for
from tests.api.test_problems import problem

BULK = f"{ROOT}sales-facts/bulk/"
COUNTS = ("rows", "created", "updated", "unchanged", "rejected")


def line(number=1, **other):
    return {
        "source": "erp",
        "reference": f"R{number}",
        "partner": "NORTH-1",
        "product": "A-1",
        "occurred_on": "2026-01-05",
        "quantity": 2,
        "amount": "10.5",
        **other,
    }


def counts(answer):
    return tuple(answer[name] for name in COUNTS)


def send(caller, body, query="", url=BULK, **headers):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    content_type = headers.pop("content_type", "application/json")
    return caller.post(f"{url}{query}", body, content_type=content_type, headers=headers)


def ok(response):
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "application/json"
    return response.json()


def result(row, reference, outcome, *problems, source="erp"):
    told = [{"field": field, "message": message} for field, message in problems]
    key = {"source": source, "reference": reference}
    return {"row": row, "key": key, "outcome": outcome, "problems": told}


def test_rows_are_created_updated_and_left_alone(caller, cast):
    first = ok(send(caller, [line(1), line(2)]))
    load = Import.objects.get()
    assert (load.kind, load.file_name, load.created_by, load.state) == (
        "sales",
        "api",
        cast.director,
        "applied",
    )
    assert (load.rows, load.created, load.rejected) == (2, 2, 0)
    assert first == {
        "import": load.pk,
        **dict(zip(COUNTS, (2, 2, 0, 0, 0), strict=True)),
        "results": [result(1, "R1", "created"), result(2, "R2", "created")],
    }
    second = ok(send(caller, [line(1), line(2, amount=11), line(3)]))
    assert counts(second) == (3, 1, 1, 1, 0)
    assert [r["outcome"] for r in second["results"]] == ["unchanged", "updated", "created"]
    fact = SalesFact.objects.get(reference="R2")
    assert (fact.amount, fact.row_no, fact.load_id) == (Decimal(11), 2, second["import"])
    assert SalesDaily.objects.get().net == Decimal(32)


def test_each_refused_row_tells_field_and_reason_in_order(caller):
    rows = [
        line(1),
        line(2, partner="NOBODY", amount="ten"),
        line(3, colour="red", quantity=True),
        ["R4"],
        line(5, partner=17, amount={"x": 1}),
        line(1),
        {},
        line(8, reference="a\0b"),
        dict.fromkeys([*line(), "kind"], ""),
        line(10, reverses="R1"),
        line(11, reverses="R99", amount=1.00005),
    ]
    answer = ok(send(caller, rows))
    assert counts(answer) == (11, 2, 0, 0, 9)
    empty = "The cell is empty."
    assert answer["results"] == [
        result(1, "R1", "created"),
        result(
            2,
            "R2",
            "rejected",
            ("partner", "There is no partner with the code “NOBODY”."),
            ("amount", "“ten” is not a number such as -1234.5."),
        ),
        result(
            3,
            "R3",
            "rejected",
            ("colour", "There is no such field."),
            ("quantity", "Not a number or a string."),
        ),
        result(4, None, "rejected", (None, "The row is not an object with fields."), source=None),
        result(
            5,
            "R5",
            "rejected",
            ("partner", "Not a string."),
            ("amount", "Not a number or a string."),
        ),
        result(6, "R1", "rejected", ("reference", "The reference repeats row 1.")),
        result(
            7,
            None,
            "rejected",
            *(
                (name, empty)
                for name in (
                    "partner",
                    "product",
                    "occurred_on",
                    "reference",
                    "quantity",
                    "amount",
                )
            ),
            source="file",
        ),
        result(8, "ab", "rejected", ("reference", "The text contains a NUL character.")),
        result(9, None, "rejected", (None, "The row is empty."), source=None),
        result(10, "R10", "created"),
        result(11, "R11", "rejected", ("amount", "1.00005 has more than 4 decimals.")),
    ]
    load = Import.objects.get()
    assert (load.rows, load.rejected, len(load.report["rejects"])) == (11, 9, 17)
    only = ok(send(caller, rows, "?results=rejected"))
    assert [r["row"] for r in only["results"]] == [2, 3, 4, 5, 6, 7, 8, 9, 11]


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        ('"amount": NaN', "amount", "“NaN” is not a number such as -1234.5."),
        ('"amount": -Infinity', "amount", "“-Infinity” is not a number such as -1234.5."),
        ('"amount": 1e999999999', "amount", "“1e999999999” is not a number such as -1234.5."),
        ('"amount": 1e99', "amount", f"{'1' + '0' * 39} is too large: at most 14 digits stand"),
        ('"amount": ' + "9" * 5000, "amount", f"{'9' * 40} is too large: at most 14 digits stand"),
        ('"product": NaN', "product", "Not a string."),
        ('"product": "\\ud800"', "product", "The text contains half of a surrogate pair."),
        ('"\\udc00": 1', "?", "There is no such field."),
        ('"amount": 1, "amount": 2', None, "The row names a field twice."),
        ('"amount": [[[[]]]]', "amount", "Not a number or a string."),
        ('"reference": "' + "R" * 101 + '"', "reference", "is too long"),
        ('"reference": "\\ufffd"', "reference", "characters that cannot be read"),
        ('"reference": null', "reference", "The cell is empty."),
        ('"kind": "gift"', "kind", "“gift” is none of"),
        ('"occurred_on": "05/01/2026"', "occurred_on", "which is the day and which the month"),
    ],
)
def test_strange_values_cost_their_row_only(caller, text, field, message):
    bad = json.dumps(line(1))[:-1] + ", " + text + "}"
    if '"amount": 1, "amount"' not in text and field not in ("?", None):
        row = line(1)
        row.pop(field, None)
        bad = json.dumps(row)[:-1] + ", " + text + "}"
    answer = ok(send(caller, f"[{bad}, {json.dumps(line(2))}]".encode()))
    assert counts(answer) == (2, 1, 0, 0, 1)
    [told] = answer["results"][0]["problems"]
    assert told["field"] == field
    assert message in told["message"]
    assert answer["results"][1]["outcome"] == "created"


def test_numbers_keep_every_digit(caller):
    body = b'[{"reference":"R1","partner":"NORTH-1","product":"A-1","occurred_on":"2026-01-05",'
    body += b'"quantity":1e2,"amount":12345678901234.0001}]'
    answer = ok(send(caller, body))
    assert answer["results"][0]["outcome"] == "created"
    fact = SalesFact.objects.get()
    assert (fact.quantity, fact.amount) == (Decimal(100), Decimal("12345678901234.0001"))
    assert (fact.source, fact.kind) == ("file", "sell_in")  # as a file without these columns


def test_a_dry_run_answers_the_same_and_writes_nothing(caller):
    rows = [line(1), line(2, partner="NOBODY")]
    checked = ok(send(caller, rows, "?dry_run=true"))
    assert (SalesFact.objects.count(), SalesDaily.objects.count(), Import.objects.count()) == (
        0,
        0,
        0,
    )
    assert checked["import"] is None
    done = ok(send(caller, rows))
    assert checked | {"import": done["import"]} == done


@pytest.mark.parametrize("query", ["?all_or_nothing=true", "?all_or_nothing=true&dry_run=true"])
def test_all_or_nothing(caller, query):
    response = send(caller, [line(1), line(2, partner="NOBODY")], query)
    assert (response.status_code, response["Content-Type"]) == (422, "application/problem+json")
    body = response.json()
    assert (body["code"], body["status"], body["import"]) == ("rejected_rows", 422, None)
    assert counts(body) == (2, 1, 0, 0, 1)
    assert [one["outcome"] for one in body["results"]] == ["created", "rejected"]
    assert (SalesFact.objects.count(), Import.objects.count()) == (0, 0)
    assert counts(ok(send(caller, [line(1)], query)))[4] == 0
    assert SalesFact.objects.count() == ("dry_run" not in query)


@pytest.mark.parametrize(
    "query", ["?dryrun=true", "?dry_run=1", "?dry_run=", "?results=none", "?dry_run=true&dry_run=x"]
)
def test_a_misspelt_parameter_writes_nothing(caller, query):
    problem(send(caller, [line(1)], query), 400, "invalid")
    assert SalesFact.objects.count() == 0


def test_partners_of_another_territory_are_unknown(caller, cast, as_user):
    ok(send(caller, [line(1, partner="SOUTH-1")]))
    manager = as_user(cast.north_manager)
    answer = ok(
        send(
            manager,
            [
                line(2, partner="SOUTH-1"),
                line(3, partner="NOWHERE"),
                line(4),
                line(5, reverses="R1"),
                line(6, reverses="R99"),
            ],
        )
    )
    told = [[one["message"] for one in r["problems"]] for r in answer["results"]]
    assert told == [
        ["There is no partner with the code “SOUTH-1”."],
        ["There is no partner with the code “NOWHERE”."],
        [],
        ["The line it reverses is not known."],
        ["The line it reverses is not known."],
    ]
    taken = ok(send(manager, [line(1, amount=99)]))
    assert taken["results"][0]["outcome"] == "rejected"
    assert SalesFact.objects.get(reference="R1").amount == Decimal("10.5")


def test_who_may(caller, cast, as_user):
    problem(send(as_user(cast.north_person), [line(1)]), 403, "permission_denied")
    assert send(APIClient(), [line(1)]).status_code == 401
    problem(send(bearer(token_for("read", name="reader")), [line(1)]), 403, "insufficient_scope")
    machine = bearer(token_for("read write", name="writer"))
    assert counts(ok(send(machine, [line(1)]))) == (1, 1, 0, 0, 0)
    assert Import.objects.get().created_by.username == "api-writer"


def test_three_rows_cost_as_many_queries_as_three_hundred(caller):
    found = []
    for source, count in (("warm", 1), ("few", 3), ("many", 300)):
        rows = [line(n, source=source) for n in range(count)]
        rows += [line(n + count, source=source, partner="NOBODY") for n in range(count)]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            ok(send(caller, rows, idempotency_key=source))
        found.append(len(queries))
    assert found[1] == found[2]


def test_a_row_that_calls_itself_a_total_is_answered_like_every_other(caller):
    rows = [line(1), {"reference": "合计", "amount": "10.5"}]
    answer = ok(send(caller, rows))
    assert counts(answer) == (2, 1, 0, 0, 1)
    assert [one["outcome"] for one in answer["results"]] == ["created", "rejected"]


def test_what_came_over_the_api_can_be_undone(caller):
    number = ok(send(caller, [line(1), line(2)]))["import"]
    ok(send(caller, [line(1, amount="11")]))
    with pytest.raises(Blocked):
        engine.undo(Import.objects.get(pk=number), by=None)
    for load in Import.objects.order_by("-pk"):
        engine.undo(load, by=None)
    assert SalesFact.objects.count() == SalesDaily.objects.count() == 0
