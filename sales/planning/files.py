"""A plan as a file: a row a partner and product line, a column a month. What is exported can be
imported again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse, StreamingHttpResponse
from django.utils.translation import get_language, gettext as _, override

from core.errors import DomainError
from core.tables import cell_value
from core.views.exports import XLSX_LIMIT, XLSX_TYPE
from sales.models import TargetPlan

AMOUNTS = ("amount", "top_down", "manager", "proposal", "last_year")


def table(plan: TargetPlan, lines: QuerySet, what: str) -> Iterator[list[Any]]:
    """Header, then a row for each partner and product line among `lines`, with the amounts `what`
    (one of AMOUNTS); read as they are needed."""
    months = plan.months
    yield [
        _("Plan"),
        _("Partner code"),
        _("Name"),
        _("Product line"),
        *(f"{month:%Y-%m}" for month in months),
        _("Whole year"),
    ]
    place = {month: number for number, month in enumerate(months)}
    order = ("partner__code", "partner", "product_line__code", "product_line", "month")
    columns = ("partner__code", "partner__name", "product_line__code", "month", what)
    head: tuple[Any, ...] | None = None
    amounts: list[Any] = []
    rows = lines.order_by(*order).values_list(*columns)
    for code, name, line, month, amount in rows.iterator(chunk_size=2000):
        if head != (code, name, line):
            if head is not None:
                yield _row(plan, head, amounts)
            head, amounts = (code, name, line), [None] * len(months)
        amounts[place[month]] = amount
    if head is not None:
        yield _row(plan, head, amounts)


def _row(plan: TargetPlan, head: tuple[Any, ...], amounts: list[Any]) -> list[Any]:
    code, name, line = head
    known = [amount for amount in amounts if amount is not None]
    total = sum(known) if known else None
    texts = [cell_value(value or "") for value in (plan.code, code, name, line)]
    return [*texts, *amounts, total]


def csv_response(rows: Iterator[list[Any]], name: str) -> StreamingHttpResponse:
    """UTF-8 with a byte order mark, so that Excel reads Chinese."""
    language = get_language()

    def text() -> Iterator[str]:
        # It is read after the middleware has put the language of the request away.
        with override(language):
            yield "\ufeff"
            for row in rows:
                line = io.StringIO()
                csv.writer(line).writerow(row)
                yield line.getvalue()

    response = StreamingHttpResponse(text(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def xlsx_response(plan: TargetPlan, lines: QuerySet, what: str, name: str) -> FileResponse:
    """A workbook of one sheet. DomainError `too_many_rows` above XLSX_LIMIT."""
    from openpyxl import Workbook  # large, and few processes ever write a workbook

    if lines.order_by().values("partner", "product_line").distinct().count() >= XLSX_LIMIT:
        text = _("These are too many rows for a workbook. Export them as CSV.")
        raise DomainError("too_many_rows", text)
    book = Workbook(write_only=True)
    sheet = book.create_sheet(name[:31])
    sheet.freeze_panes = "E2"
    for row in table(plan, lines, what):
        sheet.append(row)
    file = TemporaryFile()  # noqa: SIM115  the response closes it
    book.save(file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{name}.xlsx", content_type=XLSX_TYPE)
