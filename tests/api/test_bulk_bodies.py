"""How rows come to /sales-facts/bulk/: JSON, NDJSON, gzip, and what is too much or broken."""

import gzip
import json

import pytest

from core.importing.models import Import
from tests.api.test_bulk import counts, line, ok, send
from tests.api.test_problems import problem


def test_ndjson(caller):
    text = "\n".join(json.dumps(line(n)) for n in (1, 2)) + "\r\n\n" + json.dumps(line(3)) + "\n"
    answer = ok(send(caller, text.encode(), content_type="application/x-ndjson"))
    assert [(r["row"], r["key"]["reference"]) for r in answer["results"]] == [
        (1, "R1"),
        (2, "R2"),
        (3, "R3"),
    ]


@pytest.mark.parametrize(
    ("body", "content_type", "detail"),
    [
        (b"{}", "application/json", "The body is not a JSON array of rows."),
        (b"[1] 2", "application/json", "The body is not a JSON array of rows."),
        (b"[]", "application/json", "There are no rows."),
        (b"", "application/json", "There are no rows."),
        (b"\n\n", "application/x-ndjson", "There are no rows."),
        (b'[{}, {"a": }]', "application/json", "Row 2 is not valid JSON"),
        (b"[{},]", "application/json", "Row 2 is not valid JSON"),
        (b"[{} {}]", "application/json", "Row 1 is not valid JSON"),
        (b"[{}", "application/json", "Row 1 is not valid JSON"),
        (b'["\0"]', "application/json", "Row 1 is not valid JSON"),
        (b"[" * 100_000, "application/json", "Row 1 is not valid JSON"),
        (b'["' + b"x" * 70_000 + b'"]', "application/json", "or longer than 65536 characters"),
        (b"{}\n{", "application/x-ndjson", "Row 2 is not valid JSON"),
        (b"{} {}", "application/x-ndjson", "Row 1 is not valid JSON"),
        (b'["\xff"]', "application/json", "The text is not UTF-8."),
    ],
)
def test_bodies_that_are_no_rows(caller, body, content_type, detail):
    found = problem(send(caller, body, content_type=content_type), 400, "parse_error")
    assert detail in found["detail"]


def test_rows_are_found_across_the_pieces_of_a_large_body(caller, monkeypatch):
    monkeypatch.setattr("core.importing.json_rows.MOST_OF_A_ROW", 300)
    monkeypatch.setattr("core.importing.json_rows._WINDOW", 700)
    rows = [line(n, source="电商" * (n % 7 + 1)) for n in range(40)]
    body = json.dumps(rows, ensure_ascii=False, indent=1).encode()
    answer = ok(send(caller, body.replace(b"},", b"}" + b" " * 900 + b",")))
    assert [r["key"]["reference"] for r in answer["results"]] == [row["reference"] for row in rows]
    assert counts(answer) == (40, 40, 0, 0, 0)


def test_gzip(caller):
    packed = gzip.compress(json.dumps([line(1)]).encode())
    assert counts(ok(send(caller, packed, content_encoding="gzip"))) == (1, 1, 0, 0, 0)
    for bad in (packed[:-3], packed[:20], b"plain", packed + b"x", b""):
        problem(send(caller, bad, content_encoding="gzip"), 400, "parse_error")
    response = send(caller, packed, content_encoding="br")
    problem(response, 415, "unsupported_media_type")


def test_a_bomb_is_not_unpacked(caller, settings):
    settings.IMPORT_MAX_BYTES = 2 * 1024**2
    packed = gzip.compress(b"[" + b" " * (40 * 1024**2) + b"]")
    assert len(packed) < 100_000
    found = problem(send(caller, packed, content_encoding="gzip"), 413, "too_large")
    assert found["detail"] == "The request is larger than 2 MB. Send the rows in parts."
    problem(send(caller, b" " * (2 * 1024**2 + 1)), 413, "too_large")
    assert Import.objects.count() == 0


def test_one_row_may_not_be_as_large_as_a_request(caller):
    for value in (b'"%b"' % (b"x" * 10 * 1024**2), b"[" * 10 * 1024**2):
        for content_type, text in (("json", b'[{"source": %b}]'), ("x-ndjson", b'{"source": %b}')):
            response = send(caller, text % value, content_type=f"application/{content_type}")
            assert "Row 1 is not valid JSON" in problem(response, 400, "parse_error")["detail"]


def test_a_row_of_thousands_of_names_tells_of_ten(caller):
    row = {f"f{n}": n for n in range(4_000)}
    answer = ok(send(caller, [line(1), row]))
    assert counts(answer) == (2, 1, 0, 0, 1)
    told = [one["field"] for one in answer["results"][1]["problems"]]
    assert told == [f"f{n}" for n in range(10)]


FIRST = (
    '{"source": "erp", "reference": "R1", "partner": "NORTH-1", "product": "A-1",'
    ' "occurred_on": "2026-01-05", "quantity": 2, "amount": "10.5"}'
)
NEXT = FIRST.replace(": ", ":").replace(", ", ",").replace("R1", "R2")


@pytest.mark.parametrize(
    ("old", "new", "outcome"),
    [
        ("2,", "2.5,", "created"),
        ("2,", "2.5e0,", "created"),
        ('"2026-01-05"', "20260105", "rejected"),
        ("2,", "NaN,", "rejected"),
        ("2,", "02,", None),
        ("2,", "2.,", None),
        ('"R2"', '"R\\u0032"', "created"),
        ('"R2"', '"R\\"2"', "created"),
        ('"R2"', '"R\t2"', None),
        ('"R2"', '"R\u200b2"', "created"),
        ('"R2"', '"单2"', "created"),
        ('"R2"', "null", "rejected"),
        ('"amount"', '"\\u0061mount"', "created"),
        ('"amount"', '"quantity"', "rejected"),
        ('{"source"', ' \t{"source"', "created"),
        ('"10.5"}', '"10.5"} \t\r', "created"),
        ('"10.5"}', '"10.5"},', None),
        ('"10.5"}', '"10.5"', None),
        ('"10.5"}', '"10.5"}{', None),
    ],
)
def test_a_line_that_is_written_unlike_the_one_before(caller, old, new, outcome):
    """A line is compared with the way the one before is written; if it differs, it is decoded."""
    assert old in NEXT
    text = f"{FIRST}\n{NEXT.replace(old, new)}\n"
    response = send(caller, text.encode(), content_type="application/x-ndjson")
    if outcome is None:
        assert "Row 2 is not valid JSON" in problem(response, 400, "parse_error")["detail"]
    else:
        assert [one["outcome"] for one in ok(response)["results"]] == ["created", outcome]
