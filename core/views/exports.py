"""Files out of a list: exactly the rows, columns and order that are seen."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Any

from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import get_language, gettext as _, override

from core.errors import DomainError
from core.tables import cell_value, exporter
from core.views.listing import Listing

# A workbook is built before the first byte leaves; beyond this the CSV, which streams, is the way.
XLSX_LIMIT = 100_000
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class _Echo:
    """A file for `csv.writer` that hands back what is written to it."""

    def write(self, value: str) -> str:
        return value


def rows(listing: Listing) -> Iterator[list[Any]]:
    """Header, then every row that matches, as plain values."""
    queryset, widths = listing.read(listing.ordered(listing.queryset))
    plan, at = [], 1
    for column, width in zip(listing.columns, widths, strict=True):
        plan.append((exporter(column), at, at + width))
        at += width
    yield [str(column.label) for column in listing.columns]
    for row in queryset.iterator(chunk_size=2000):
        yield [cell_value(value(*row[start:end])) for value, start, end in plan]


def csv_response(listing: Listing, name: str) -> StreamingHttpResponse:
    """UTF-8 with a byte order mark, so that Excel reads Chinese."""
    writer = csv.writer(_Echo())

    language = get_language()

    def lines() -> Iterator[str]:
        # It is read after the middleware has put the language of the request away.
        with override(language):
            yield "\ufeff"
            for row in rows(listing):
                yield writer.writerow(row)

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def xlsx_response(listing: Listing, name: str) -> FileResponse:
    """A workbook of one sheet. DomainError `too_many_rows` above XLSX_LIMIT."""
    if listing.total > XLSX_LIMIT - 1:
        raise DomainError(
            "too_many_rows", _("These are too many rows for a workbook. Export them as CSV.")
        )
    from openpyxl import Workbook  # large, and few processes ever write a workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet(str(listing.view.model._meta.verbose_name_plural)[:31])
    sheet.freeze_panes = "A2"
    for index, row in enumerate(rows(listing)):
        sheet.append([_bold(sheet, value) for value in row] if index == 0 else row)
    file = TemporaryFile()  # noqa: SIM115  the response closes it
    book.save(file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{name}.xlsx", content_type=XLSX_TYPE)


def _bold(sheet: Any, value: Any) -> Any:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    cell = WriteOnlyCell(sheet, value=value)
    cell.font = Font(bold=True)
    return cell


def respond(listing: Listing, kind: str) -> HttpResponse | StreamingHttpResponse | FileResponse:
    """The file of `kind` csv or xlsx."""
    name = f"{listing.view.model._meta.model_name}-{timezone.localdate():%Y%m%d}"
    return xlsx_response(listing, name) if kind == "xlsx" else csv_response(listing, name)
