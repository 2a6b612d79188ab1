"""XLSX, XLS and ODS files → rows of text, as a CSV of the same sheet would have them."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import IO, Any

from django.utils.translation import gettext as _
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from core.errors import DomainError
from core.importing import archives

MAX_UNPACKED = 2 * 1024**3
# The reader holds every cell of the sheet's rectangle, also the empty ones.
MAX_CELLS = 50_000_000
_ROW = re.compile(rb'<row [^>]*?r="(\d+)"')
_FAR_COLUMN = re.compile(rb' r="([A-Z]{2,3})\d')
Range = tuple[tuple[int, int], tuple[int, int]]


def open_sheet(stream: IO[bytes], sheet: str | None) -> CalamineSheet:
    """The sheet (the first one unless named) with all its cells. To read it is most of the work, so
    what reads it twice keeps it."""
    with _workbook(stream) as workbook:
        name = _sheet_name(workbook, sheet)
        try:
            return workbook.get_sheet_by_name(name)
        except (CalamineError, ValueError) as error:
            raise damaged() from error


def rows(
    sheet: CalamineSheet, merged: dict[str, list[Range]], held_once: Collection[int]
) -> Iterator[list[str]]:
    """Every row of the sheet, cells as text. `merged` are the ranges of sheets in formats whose
    reader does not tell them; in the columns `held_once` they have their value in the first row
    only."""
    # The reader gives the empty rows above the first cell, and leaves out the empty columns.
    left = sheet.start[1] if sheet.start else 0
    found = sheet.merged_cell_ranges or merged.get(sheet.name, [])
    ranges = _Merged([one for one in found if one[0][1] not in held_once])
    for number, row in enumerate(sheet.iter_rows()):
        cells = [""] * left + [c if c.__class__ is str else as_text(c) for c in row]
        for column, value in ranges.continued(number, cells):
            cells[column] = value
        yield cells


class _Merged:
    """Cells merged downwards: each row of such a range has the value of its first one."""

    def __init__(self, ranges: Sequence[Range]) -> None:
        self.last_of: dict[tuple[int, int], int] = {}  # (first row, column): last row
        for (top, left), (bottom, _right) in ranges:
            if bottom > top:
                self.last_of[top, left] = bottom
        self.open: dict[int, tuple[int, str]] = {}  # column: (last row, value)

    def continued(self, row: int, cells: list[str]) -> Iterator[tuple[int, str]]:
        """(column, value) of the empty cells of `row` that belong to a range begun above it."""
        if not self.last_of:
            return
        for column, cell in enumerate(cells):
            last = self.last_of.get((row, column))
            if last is not None:
                self.open[column] = (last, cell)
            elif not cell and column in self.open and row <= self.open[column][0]:
                yield column, self.open[column][1]


def sheet_names(stream: IO[bytes]) -> list[str]:
    """The names of the sheets, in order."""
    with _workbook(stream) as workbook:
        return list(workbook.sheet_names)


def as_text(cell: Any) -> str:
    """A cell as text: dates as ISO, whole numbers without a point, others to Excel's 15 digits."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int):
        return str(cell)
    if isinstance(cell, float):
        return _number(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell) if isinstance(cell, timedelta) else ""


def _number(value: float) -> str:
    """Binary noise beyond the 15 digits that Excel keeps is not the user's (0.1 + 0.2)."""
    text = f"{value:.15g}"
    return f"{value:.0f}" if "e+" in text else f"{value:.20f}".rstrip("0") if "e" in text else text


def check_size(stream: IO[bytes], *, max_columns: int) -> None:
    """Refuse what would fill the memory, before anything is unpacked into it."""
    try:
        with zipfile.ZipFile(stream) as archive:
            infos = archive.infolist()
            size, packed = sum(i.file_size for i in infos), sum(i.compress_size for i in infos)
            if size > min(MAX_UNPACKED, max(archives.SMALL, packed * archives.MAX_RATIO)):
                raise too_large()
            for info in infos:
                # Any part may be named as a sheet, and read to its end its size is known for true.
                if info.filename.lower().endswith(".xml"):
                    _check_part(archive, info, max_columns)
    except archives.UNREADABLE as error:
        raise damaged() from error


def _check_part(archive: zipfile.ZipFile, info: zipfile.ZipInfo, max_columns: int) -> None:
    """The declared dimension may lie, so the cells' own addresses count. No entities."""
    last_row, columns, tail = 1, {b"Z"}, b""
    with archive.open(info) as stream:
        while chunk := stream.read(1 << 20):
            block = tail + chunk
            if b"<!DOCTYPE" in block:  # no program writes one; it is there for its entities
                raise damaged()
            last_row = max([last_row, *(int(number[:9]) for number in _ROW.findall(block))])
            columns.update(_FAR_COLUMN.findall(block))
            tail = block[-200:]
    width = max(_column_number(letters) for letters in columns)
    if width > max_columns and width > 26:
        raise too_many_columns(width, max_columns)
    if last_row * width > MAX_CELLS:
        raise too_large()


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _workbook(stream: IO[bytes]) -> CalamineWorkbook:
    """By a stream, because of a path the reader believes the extension."""
    try:
        return CalamineWorkbook.from_filelike(stream)
    except PasswordError as error:
        raise archives.encrypted() from error
    except (CalamineError, OSError, ValueError) as error:
        raise damaged() from error


def _sheet_name(workbook: CalamineWorkbook, sheet: str | None) -> str:
    names = list(workbook.sheet_names)
    if sheet is None and names:
        return names[0]
    if sheet in names:
        return str(sheet)
    raise DomainError(
        "no_sheet",
        _("There is no sheet “%(sheet)s”; there are: %(names)s.")
        % {"sheet": sheet or "", "names": ", ".join(names)},
    )


def damaged() -> DomainError:
    """What a workbook is refused with that cannot be read, or that hides something."""
    return DomainError("damaged_file", _("The file is damaged or is no workbook."))


def too_large() -> DomainError:
    """What a workbook is refused with that would fill the memory."""
    return DomainError("too_large", _("The workbook is too large. Save the sheet as CSV."))


def too_many_columns(count: int | str, most: int) -> DomainError:
    """What a file of any format is refused with that has more columns than can be read."""
    return DomainError(
        "too_many_columns",
        _("The file has %(count)s columns; at most %(most)d can be read.")
        % {"count": count, "most": most},
    )
