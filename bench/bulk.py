"""How long 50,000 rows of NDJSON take through the API, over HTTP with an answer for every row,
against loading the same rows from CSV by the engine of the command. Both start with empty tables.
"""

from __future__ import annotations

import csv
import http.client
import json
import random
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from accounts.api_clients import ApiClient, create_client
from bench import data
from bench.common import Pairs, Result, seconds
from bench.load import clear
from bench.pages import server
from core.importing import engine
from core.importing.models import Import
from sales.models import SalesFact

FIELDS = ("source", "reference", "partner", "product", "occurred_on", "quantity", "amount")


def run(rows: int = 50_000, partners: int = 700, turns: int = 5) -> list[Result]:
    """New lines, then the same lines again."""
    if SalesFact.objects.exists():
        raise SystemExit("The database holds sales lines. Take a scratch database.")
    data.base()
    data.partners(partners)
    with tempfile.TemporaryDirectory() as folder, server() as port:
        path = Path(folder) / "lines.csv"
        body = _write(path, rows, partners)
        token = _token(port)
        new, known = Pairs(), Pairs()
        for turn in range(-1, turns):  # the first is not counted
            clear()
            reference = [seconds(lambda: _load(path)) for _time in range(2)]
            clear()
            work = [seconds(lambda: _send(port, token, body)) for _time in range(2)]
            if turn >= 0:
                for pairs, taken, against in zip((new, known), work, reference, strict=True):
                    pairs.work.append(taken)
                    pairs.reference.append(against)
    clear()
    return [
        new.result(f"API bulk, {rows:,} rows NDJSON", "`load` of the same rows in CSV", "≤ 1.5 ×"),
        known.result("the same request again", "`load` of the same file again", ""),
    ]


def _write(path: Path, rows: int, partners: int) -> bytes:
    """The lines as a file, and as the body of a request."""
    chance, first, lines = random.Random(7), date(2023, 1, 1), []
    for n in range(rows):
        values = (
            "bench",
            f"SO{n // 8:07}-{n % 8}",
            f"BC{chance.randrange(partners):06}",
            f"BP{chance.randrange(data.PRODUCTS):04}",
            str(first + timedelta(n * 1095 // rows)),
            chance.randrange(1, 50),
            chance.randrange(100, 9_999_999) / 100,
        )
        lines.append(values)
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([FIELDS, *lines])
    return "\n".join(json.dumps(dict(zip(FIELDS, one, strict=True))) for one in lines).encode()


def _load(path: Path) -> None:
    row = Import(kind="sales", file_name=path.name, sha256=engine.sha256_of(path))
    engine.run(path, row, engine.Options(), by=None, error_path=path.with_suffix(".errors"))


def _token(port: int) -> str:
    made = create_client(
        name=f"bench-{time.time_ns()}", access=ApiClient.Access.READ_WRITE, by=None
    )
    form = f"grant_type=client_credentials&client_id={made.client_id}"
    form += f"&client_secret={made.client_secret}"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    token: str = json.loads(_post(port, "/api/token/", form.encode(), headers))["access_token"]
    return token


def _send(port: int, token: str, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    answer = _post(port, "/api/v1/sales-facts/bulk/", body, headers)
    if b'"rejected":0,' not in answer or answer.count(b'"row":') <= body.count(b"\n"):
        raise RuntimeError(f"not all rows were taken: {answer[:300]!r}")


def _post(port: int, path: str, body: bytes, headers: dict[str, str]) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("POST", path, body, headers)
    response = connection.getresponse()
    answer = response.read()
    connection.close()
    if response.status != 200:
        raise RuntimeError(f"{path}: {response.status} {answer[:300]!r}")
    return answer
