"""Rows through the API and the same rows as a file leave the same facts and the same rollup."""

import csv
import io
import json

from django.core.management import call_command

from core.models import Import
from sales.models import FactBefore, SalesDaily, SalesFact
from tests import factories as make
from tests.api.test_bulk import BULK, COUNTS
from tests.importing.conftest import reasons

FIELDS = (
    "source", "reference", "kind", "partner", "product", "occurred_on", "quantity", "amount",
    "reverses",
)  # fmt: skip
ROWS = [
    ("erp", "R1", "sell_in", "NORTH-1", "A-1", "2026-01-05", "2", "10.1234", ""),
    ("erp", "R2", "sell_out", "north-1", "Ａ－１", "2026/1/6", "1", "+5", ""),
    ("erp", "R3", "sell_in", "SOUTH-1", "A-1", "20260107", "-2", "-10.1234", "R1"),
    ("erp", "R4", "sell_in", "NORTH-1", "A-1", "2026年1月8日", "-2", "-10.1234", "R1"),
    ("crm", "R1", "sell_through", "SOUTH-1", " A-1 ", "2026-01-05", ".5", "0", ""),
    ("erp", "R1", "sell_in", "NORTH-1", "A-1", "2026-01-05", "2", "10.1234", ""),
    ("erp", "R\u200b7", "sell_in", "NORTH-1", "A-1", "2026-02-05", "1e3", "١", ""),
    ("erp", "R8", "gift", "NOBODY", "NOTHING", "2026-02-30", "0x1F", "1.00005", "R99"),
    ("", "", "", "NORTH-1", "", "", "", "", ""),
    ("erp", '单,"9"\n', "sell_in", "NORTH-1", "A-1", "2026-03-01", "7", "70", ""),
]
CHANGED = [(*row[:7], "77", row[8]) if row[1] == "R2" else row for row in ROWS]


def by_file(path, rows):
    """(counts, rejects by the place of the row)."""
    buffer = io.StringIO()
    csv.writer(buffer).writerows([FIELDS, *rows])
    path.write_text(buffer.getvalue(), encoding="utf-8", newline="")
    out = io.StringIO()
    call_command("load", "sales", str(path), "--by", "director", stdout=out, language="en")
    result = json.loads(out.getvalue().splitlines()[-1])
    reworded = [(n - 1, f, r.replace("row 2", "row 1")) for n, f, r in reasons(result)]
    return [result[name] for name in COUNTS], reworded


def by_api(caller, rows):
    body = [dict(zip(FIELDS, row, strict=True)) for row in rows]
    answer = caller.post(BULK, body).json()
    told = [(r["row"], p["field"], p["message"]) for r in answer["results"] for p in r["problems"]]
    return [answer[name] for name in COUNTS], told


def books():
    facts = SalesFact.objects.order_by("source", "reference").values_list(
        "source",
        "reference",
        "kind",
        "partner__code",
        "product__code",
        "occurred_on",
        "quantity",
        "amount",
        "reverses__reference",
    )
    daily = SalesDaily.objects.order_by("partner", "day", "kind", "product_line")
    rollup = daily.values_list("partner", "product_line", "kind", "day", "net", "quantity")
    return list(facts), list(rollup)


def test_a_file_and_a_request_leave_the_same(cast, as_user, tmp_path, settings):
    settings.MEDIA_ROOT = str(tmp_path / "media")
    make.make_product("Cable", code="A-1", product_line=make.make_product_line(code="CAB"))
    found = []
    for send in (
        lambda rows: by_file(tmp_path / "rows.csv", rows),
        lambda rows: by_api(as_user(cast.director), rows),
    ):
        first, first_books = send(ROWS), books()
        found.append((first, first_books, send(CHANGED), books()))
        FactBefore.objects.all().delete()
        SalesFact.objects.filter(reverses__isnull=False).delete()
        SalesFact.objects.all().delete()
        assert not SalesDaily.objects.exists()
    assert found[0] == found[1]
    counts, told = found[0][0]
    assert counts == [10, 5, 0, 0, 5]
    assert {row for row, _field, _reason in told} == {3, 6, 7, 8, 9}
    assert set(Import.objects.values_list("file_name", flat=True)) == {"rows.csv", "api"}
