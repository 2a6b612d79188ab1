"""A make-believe ERP: master data and a year of sales and payments, pushed over the API.

It knows what it has booked, so that what arrived can be compared. Against a running server:

    python -m tests.survival.erp http://localhost:8000 CLIENT_ID CLIENT_SECRET
"""

from __future__ import annotations

import base64
import gzip
import json
import random
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

FIRST, WEEKS = date(2025, 1, 6), 52
PARTNERS, PRODUCTS, LINES = 20, 30, 120
PATIENCE = 180  # seconds that one request is tried for


@dataclass
class Erp:
    """Its books, drawn from a seed: {reference: row as it is sent}."""

    seed: int = 7
    source: str = "fake-erp"
    sales: dict[str, dict[str, Any]] = field(default_factory=dict)
    payments: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)

    def partners(self) -> list[dict[str, Any]]:
        return [
            {"code": f"F{n:03}", "name": f"Fake Trading {n}", "territory": "LAND"}
            for n in range(PARTNERS)
        ]

    def products(self) -> list[dict[str, Any]]:
        return [
            {"code": f"X{n:03}", "name": f"Thing {n}", "product_line": "THINGS", "unit": "EA"}
            for n in range(PRODUCTS)
        ]

    def weeks(self) -> Iterator[tuple[date, list[dict[str, Any]], list[dict[str, Any]]]]:
        """(Monday, sales lines, payments) of each week. Each tenth line is a correction of one of
        an earlier week, under its reference."""
        for number in range(WEEKS):
            monday = FIRST + timedelta(days=7 * number)
            lines = [self._line(monday, number, place) for place in range(LINES)]
            payments = [self._payment(monday, number, place) for place in range(PARTNERS)]
            for row in lines:
                self.sales[row["reference"]] = row
            for row in payments:
                self.payments[row["reference"]] = row
            yield monday, lines, payments

    def _line(self, monday: date, week: int, place: int) -> dict[str, Any]:
        if week and place % 10 == 0:
            old = self.sales[f"W{week - 1}-{place + 1}"]
            return {**old, "amount": self._money()}
        return {
            "source": self.source,
            "reference": f"W{week}-{place}",
            "partner": f"F{self.draw.randrange(PARTNERS):03}",
            "product": f"X{self.draw.randrange(PRODUCTS):03}",
            "occurred_on": str(monday + timedelta(days=self.draw.randrange(7))),
            "quantity": self.draw.choice([1, 2, 5, -1]),
            "amount": self._money(),
        }

    def _payment(self, monday: date, week: int, place: int) -> dict[str, Any]:
        return {
            "source": self.source,
            "reference": f"Z{week}-{place}",
            "partner": f"F{place:03}",
            "paid_on": str(monday + timedelta(days=self.draw.randrange(7))),
            "due_on": str(monday),
            "amount": self._money(),
        }

    def _money(self) -> str:
        return str(Decimal(self.draw.randrange(-20_000, 200_000)) / 100)


class Connection:
    """Sends one request until it is answered, however often the other side is killed."""

    def __init__(self, base: str, client_id: str, secret: str) -> None:
        self.base, self.pair = base, base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        self.token = ""
        self.tries = 0

    def send(self, path: str, rows: Any, key: str) -> Any:
        """POST rows under an idempotency key; the same key and rows however often."""
        body = gzip.compress(json.dumps(rows).encode(), mtime=0)
        headers = {
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "Idempotency-Key": key,
        }
        return self._until_answered(path, body, headers)

    def post(self, path: str, data: Any) -> Any:
        """POST one thing that may be done twice."""
        return self._until_answered(
            path, json.dumps(data).encode(), {"Content-Type": "application/json"}
        )

    def get(self, path: str) -> Any:
        return self._until_answered(path, None, {})

    def _until_answered(self, path: str, body: bytes | None, headers: dict[str, str]) -> Any:
        end = time.monotonic() + PATIENCE
        while True:
            self.tries += 1
            try:
                return self._once(path, body, headers)
            except urllib.error.HTTPError as error:
                said = error.read().decode(errors="replace")
                if error.code == 401:
                    self.token = ""
                elif error.code not in (409, 429, 500, 502, 503, 504):
                    raise RuntimeError(f"{path}: {error.code} {said}") from error
                problem = f"{error.code} {said}"
            except OSError as error:
                problem = str(error)
            if time.monotonic() > end:
                raise RuntimeError(f"{path}: not answered; at last: {problem}")
            time.sleep(0.2)

    def _once(self, path: str, body: bytes | None, headers: dict[str, str]) -> Any:
        if not self.token:
            self.token = self._new_token()
        bearer = {"Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(self.base + path, body, {**bearer, **headers})
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)

    def _new_token(self) -> str:
        request = urllib.request.Request(
            self.base + "/api/token/",
            b"grant_type=client_credentials",
            {"Authorization": f"Basic {self.pair}"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            return str(json.load(response)["access_token"])


def push(erp: Erp, to: Connection, after_week: Callable[[int], None] = lambda week: None) -> None:
    """Push everything; `after_week` is called when a week has been sent, and may do anything."""
    for kind, rows in (("products", erp.products()), ("partners", erp.partners())):
        _all_in(to.send(f"/api/v1/{kind}/bulk/", rows, f"{kind}-{erp.seed}"), len(rows))
    for number, (_monday, lines, payments) in enumerate(erp.weeks()):
        for kind, rows in (("sales-facts", lines), ("payments", payments)):
            answer = to.send(f"/api/v1/{kind}/bulk/", rows, f"{kind}-{erp.seed}-{number}")
            _all_in(answer, len(rows))
        after_week(number)


def totals(erp: Erp) -> list[dict[str, Any]]:
    """The control totals of each month: sales and payments."""
    found: dict[tuple[str, str], list[Decimal]] = {}
    for kind, rows, day in (
        ("sell_in", erp.sales, "occurred_on"),
        ("payment", erp.payments, "paid_on"),
    ):
        for row in rows.values():
            found.setdefault((kind, row[day][:7]), []).append(Decimal(row["amount"]))
    return [
        {
            "source": erp.source,
            "kind": kind,
            "period": month,
            "rows": len(amounts),
            "amount": str(sum(amounts)),
        }
        for (kind, month), amounts in sorted(found.items())
    ]


def _all_in(answer: dict[str, Any], rows: int) -> None:
    refused = [one for one in answer["results"] if one["outcome"] == "rejected"]
    if refused or answer["rows"] != rows:
        raise RuntimeError(f"{answer['rows']} rows, {len(refused)} refused: {refused[:3]}")


if __name__ == "__main__":
    connection = Connection(*sys.argv[1:4])
    books = Erp()
    push(books, connection, lambda week: print(f"week {week + 1} of {WEEKS}", flush=True))
    for total in totals(books):
        print(connection.post("/api/v1/control-totals/", total))
