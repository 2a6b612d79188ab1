"""Files → records of text cells, one at a time, however large the file is.

`open_table` decides by content, not by name, what a file is. Row numbers are those a spreadsheet
shows. The header is row 1, or below titles the row that has names of columns.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import tempfile
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from shutil import copyfileobj
from typing import IO

from django.utils.translation import gettext as _

from core.errors import DomainError
from core.importing import archives, encodings, errorfile, ods, xlsx
from core.importing.mapping import is_named
from core.importing.months import months_of

MAX_COLUMNS = 500
MAX_HEADER = 1 << 20
# What core.text calls invisible, but for line ends and tabs, which mean something in a file.
INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_DELIMITERS = ",;\t|"
_GZIP, _OLD_EXCEL = b"\x1f\x8b", b"\xd0\xcf\x11\xe0"
_UNREADABLE = (gzip.BadGzipFile, *archives.UNREADABLE)
# So many rows of titles may stand above the header.
TITLES = 30

csv.field_size_limit(1 << 20)

Row = tuple[int, list[str]]


@dataclass
class Table:
    """A file that has been looked at: its header, and how to read the rest of it.

    `packed` is the name of the only file in an archive. `row_scale` is larger than 1 where a row of
    the file gives several records: their numbers are the row's times it, and a place.
    """

    path: Path
    header: list[str]
    encoding: str = ""
    delimiter: str = ","
    sheet: str | None = None
    is_gzip: bool = False
    packed: str = ""
    is_workbook: bool = False
    merged: dict[str, list[xlsx.Range]] = field(default_factory=dict)
    held_once: set[int] = field(default_factory=set)  # columns in which a merged cell counts once
    header_row: int = 1
    row_scale: int = 1
    has_reasons: bool = False  # it is an error file, and `header` is without its own three columns
    is_sheet: bool = True  # may have titles above and totals below
    refused: int = 0  # rows that are not handed on, because they are no cells
    refuse: Callable[[int, Sequence[str], str, str], None] | None = None
    # Of this sheet, so that `dataclasses.replace` begins without it.
    _open_sheet: xlsx.CalamineSheet | None = field(default=None, init=False, repr=False)

    @property
    def file_header(self) -> list[str]:
        """The columns as the file has them."""
        return self.header

    def rows(self) -> Iterator[Row]:
        """(row number, cells) of every record below the header that is not empty.

        Cells are as many as the header's; a longer row keeps its surplus, for the loader to refuse;
        of an error file only the user's own cells come, the surplus from behind the reasons.
        """
        width = len(self.header)
        records = islice(self._all(), self.header_row, None)
        for number, cells in enumerate(records, start=self.header_row + 1):
            if self.has_reasons:
                del cells[width : width + errorfile.WIDTH]
            if len(cells) < width:
                cells += [""] * (width - len(cells))
            elif len(cells) > width and not any(map(str.strip, cells[width:])):
                del cells[width:]
            if any(map(str.strip, cells)):
                yield number, cells

    def hold_once(self, columns: Iterable[int]) -> None:
        """In these columns a cell merged downwards has its value in its first row only."""
        self.held_once = set(columns)

    def rejected(self) -> Iterator[tuple[str, list[str], list[tuple[str, str]], list[str]]]:
        """(place in the file that was refused, cells, [(field, reason)], surplus) of an error file.
        Lines that tell no such place, because a person added them, are left out."""
        width = len(self.header)
        end = width + errorfile.WIDTH
        for cells in islice(self._all(), self.header_row, None):
            cells += [""] * (end - len(cells))
            place, fields, reasons = cells[width:end]
            if errorfile.number_of(place) is not None:
                yield place, cells[:width], errorfile.parted(fields, reasons), cells[end:]

    def expected_rows(self, read: int) -> int | None:
        """How many rows there are in all, by what is known after the first `read`."""
        return None

    def plain_bytes(self) -> IO[bytes] | None:
        """The UTF-8 bytes below the header, or None when the file is something else, or holds more
        than its header says."""
        if self.is_workbook or self.has_reasons or self.encoding not in ("utf-8", "utf-8-sig"):
            return None
        below = self._bytes_to_the_header()
        stream = self._open()
        stream.seek(below)
        return stream

    def _bytes_to_the_header(self) -> int:
        """How many bytes the header and what stands above it take, as csv reads them: what a
        quotation mark or the end of a line is, nobody else may decide."""
        taken = 0

        def counted(text: IO[str]) -> Iterator[str]:
            nonlocal taken
            for line in text:
                taken += len(line.encode())
                yield INVISIBLE.sub("", line)

        with self._open() as stream:
            # Without "-sig", so that the mark at the beginning counts too.
            lines = counted(io.TextIOWrapper(stream, encoding="utf-8", newline=""))
            for _record in islice(csv.reader(lines, delimiter=self.delimiter), self.header_row):
                pass
        return taken

    def find_header(self, names: Collection[str]) -> None:
        """Take the first row as header, or, where it names no column, the one of the first rows
        that has most `names`, at least two. Raises DomainError `empty_file`, `too_many_columns`."""
        first = list(islice(self._all(), TITLES))
        known = [_names_in(row, names) for row in first]
        at = max(range(len(first)), key=known.__getitem__, default=0)
        if known and (known[0] or known[at] < 2):
            at = 0
        self.header_row = at + 1
        self.header = _checked_header(first[at] if first else None)
        if errorfile.is_header(self.header):
            self.has_reasons = True
            del self.header[-errorfile.WIDTH :]

    def possible_headers(self) -> Iterator[list[str]]:
        """The first rows, each as the header that it would be."""
        for row in islice(self._all(), TITLES):
            if any(cell.strip() for cell in row) and len(row) <= MAX_COLUMNS:
                header = _checked_header(row)
                yield header[: -errorfile.WIDTH] if errorfile.is_header(header) else header

    def _all(self) -> Iterator[list[str]]:
        return self._cells() if self.is_workbook else self._records()

    def sheet_names(self) -> list[str]:
        """The names of the sheets of a workbook, in order."""
        with self.workbook() as stream:
            return xlsx.sheet_names(stream)

    @contextmanager
    def workbook(self) -> Iterator[IO[bytes]]:
        """The bytes of the workbook, to be read at any place. A packed one is unpacked to a file
        without a name, which is gone when it is closed and with this process."""
        with self._open() as stream:
            if not self.packed:
                yield stream
                return
            with tempfile.TemporaryFile() as unpacked:
                copyfileobj(stream, unpacked, 1 << 20)
                unpacked.seek(0)
                yield unpacked

    def _open(self) -> IO[bytes]:
        if self.packed:
            return archives.open_file(self.path, self.packed)
        if self.is_gzip:
            return gzip.open(self.path, "rb")  # type: ignore[return-value]
        return self.path.open("rb")

    def _cells(self) -> Iterator[list[str]]:
        if self._open_sheet is None:
            with self.workbook() as stream:
                self._open_sheet = xlsx.open_sheet(stream, self.sheet)
        for cells in xlsx.rows(self._open_sheet, self.merged, self.held_once):
            # What nobody sees means nothing here either; most cells can be printed.
            if not "".join(cells).isprintable():
                cells = [INVISIBLE.sub("", cell) for cell in cells]
            yield cells

    def _records(self) -> Iterator[list[str]]:
        with self._open() as stream:
            text = io.TextIOWrapper(stream, encoding=self.encoding, newline="")
            lines = (INVISIBLE.sub("", line) for line in text)
            try:
                yield from _csv_records(lines, self.delimiter)
            except csv.Error as error:
                raise DomainError(
                    "bad_csv", _("The file cannot be read as CSV: %s.") % error
                ) from error
            except UnicodeDecodeError as error:
                raise DomainError(
                    "unknown_encoding",
                    _("The text is not in the encoding %s.") % self.encoding,
                ) from error
            except _UNREADABLE as error:
                raise _damaged() from error


def open_table(
    path: Path, *, encoding: str = "", sheet: str | None = None, names: Collection[str] = ()
) -> Table:
    """Look at a CSV (also .gz), XLSX, XLS or ODS file, or at a .zip that holds one of them; `names`
    are those by which its header is known.

    Raises DomainError: `empty_file`, `not_text`, `unknown_encoding`, `too_many_columns`,
    `damaged_file`, `no_sheet`, `too_large`, `no_spreadsheet`, and those of archives.single_file.
    """
    table = Table(path, [], sheet=sheet)
    magic = _begin(table)
    if magic.startswith(archives.ZIP) and not archives.document(path):
        table.packed = archives.single_file(path)
        magic = _begin(table)
        if magic.startswith(_GZIP):
            raise archives.refuse_nested()
    if magic.startswith((*archives.ZIP, _OLD_EXCEL)):
        table.is_workbook = True
        _look_at_workbook(table, magic)
    else:
        table.is_gzip = magic.startswith(_GZIP)
        _look_at_text(table, encoding)
    table.find_header(names)
    return table


def _begin(table: Table) -> bytes:
    """The first bytes, which tell what it is."""
    try:
        with table._open() as stream:
            magic = stream.read(8)
    except _UNREADABLE as error:
        raise _damaged() from error
    if not magic:
        raise DomainError("empty_file", _("The file is empty."))
    return magic


def _look_at_workbook(table: Table, magic: bytes) -> None:
    """Refuse what must not be read; find the merged cells that the reader does not tell."""
    try:
        with table.workbook() as stream:
            if not magic.startswith(archives.ZIP):
                return
            document = archives.document(stream)
            if not document:
                raise archives.refuse_nested()
            xlsx.check_size(stream, max_columns=MAX_COLUMNS)
            if document == archives.ODS:
                table.merged = ods.look(stream, MAX_COLUMNS)
    except _UNREADABLE as error:
        raise _damaged() from error


def _look_at_text(table: Table, encoding: str) -> None:
    """Find the encoding and the delimiter."""
    try:
        with table._open() as stream:
            table.encoding = encodings.check(encoding) if encoding else encodings.detect(stream)
            while (table.packed or table.is_gzip) and stream.read(1 << 20):
                pass  # only at its end an archive shows that it is whole
            stream.seek(0)
            text = io.TextIOWrapper(stream, encoding=table.encoding, newline="")
            lines = [text.readline(MAX_HEADER) for _number in range(TITLES)]
    except (OSError, *_UNREADABLE) as error:
        raise _damaged() from error
    except UnicodeDecodeError as error:
        raise DomainError(
            "unknown_encoding", _("The text is not in the encoding %s.") % table.encoding
        ) from error
    if any(len(line) == MAX_HEADER for line in lines):
        raise xlsx.too_many_columns(_("more than %d") % MAX_COLUMNS, MAX_COLUMNS)
    table.delimiter = _delimiter(lines)


def _csv_records(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """The records of a CSV, its quotation marks read generously as long as a record is one line.

    One over several lines has to be quoted exactly: a mark that is opened and never closed would
    take the rows below it into its cell, where nobody misses them. DomainError `open_quotation`.
    """
    held: list[str] = []

    def noted() -> Iterator[str]:
        for line in lines:
            held.append(line)
            yield line

    row = 1
    try:
        for record in csv.reader(noted(), delimiter=delimiter):
            if len(held) > 1:
                deque(csv.reader(held, delimiter=delimiter, strict=True), maxlen=0)
            held.clear()
            yield record
            row += 1
    except csv.Error as error:
        if len(held) < 2:
            raise
        raise DomainError(
            "open_quotation",
            _(
                "A quotation mark in row %d is not closed in its cell, so the rows below would be"
                " taken into it. Take the mark away or write it twice."
            )
            % row,
        ) from error


def _delimiter(lines: list[str]) -> str:
    """The separator that gives the header most columns: the first line that has any, as titles
    have none. Quoted text does not count."""
    bare = (re.sub(r'"[^"]*"', "", line) for line in lines)
    first = next((line for line in bare if any(sign in line for sign in _DELIMITERS)), "")
    return max(_DELIMITERS, key=first.count)


def _checked_header(header: list[str] | None) -> list[str]:
    if not header or not any(cell.strip() for cell in header):
        raise DomainError("empty_file", _("The first row has no column names."))
    while not header[-1].strip():
        header.pop()
    if len(header) > MAX_COLUMNS:
        raise xlsx.too_many_columns(len(header), MAX_COLUMNS)
    return [name.strip() or f"column {number}" for number, name in enumerate(header, start=1)]


def _names_in(row: list[str], names: Collection[str]) -> int:
    """How many cells of a row are names of columns. Months are, beside one that is."""
    known = sum(is_named(cell, names) for cell in row if cell)
    months = len(months_of(row)) if known else 0
    return known + (months if months > 1 else 0)


def _damaged() -> DomainError:
    return DomainError("damaged_file", _("The file is damaged or was not sent whole."))
