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
    assert [(r["row"], r["reference"]) for r in answer["results"]] == [
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
    monkeypatch.setattr("core.api.bulk.MOST_OF_A_ROW", 300)
    monkeypatch.setattr("core.api.bulk._WINDOW", 700)
    rows = [line(n, source="电商" * (n % 7 + 1)) for n in range(40)]
    body = json.dumps(rows, ensure_ascii=False, indent=1).encode()
    answer = ok(send(caller, body.replace(b"},", b"}" + b" " * 900 + b",")))
    assert [r["reference"] for r in answer["results"]] == [row["reference"] for row in rows]
    assert counts(answer) == (40, 40, 0, 0, 0)


def test_gzip(caller):
    packed = gzip.compress(json.dumps([line(1)]).encode())
    assert counts(ok(send(caller, packed, content_encoding="gzip"))) == (1, 1, 0, 0, 0)
    for bad in (packed[:-3], packed[:20], b"plain", packed + b"x", b""):
        problem(send(caller, bad, content_encoding="gzip"), 400, "parse_error")
    response = send(caller, packed, content_encoding="br")
    problem(response, 415, "unsupported_media_type")


def test_a_bomb_is_not_unpacked(caller):
    packed = gzip.compress(b"[" + b" " * (40 * 1024**2) + b"]")
    assert len(packed) < 100_000
    found = problem(send(caller, packed, content_encoding="gzip"), 413, "too_large")
    assert found["detail"] == "The request is larger than 32 MB. Send the rows in parts."
    problem(send(caller, b" " * (32 * 1024**2 + 1)), 413, "too_large")


@pytest.mark.parametrize("lines", [False, True])
def test_one_row_too_many(caller, lines):
    body = b"{}\n" * 50_001 if lines else b"[" + b"{}," * 50_000 + b"{}]"
    content_type = "application/x-ndjson" if lines else "application/json"
    found = problem(send(caller, body, content_type=content_type), 413, "too_many_rows")
    assert found["detail"] == "At most 50000 rows can be sent at once. Send them in parts."
    assert Import.objects.count() == 0
