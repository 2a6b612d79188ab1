"""Files → records of text cells, one at a time, however large the file is.

`open_table` decides by content, not by name, what a file is. Row numbers are those a spreadsheet
shows. The header is row 1, or below titles the row that has names of columns.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from django.utils.translation import gettext as _

from core.errors import DomainError
from core.importing import encodings, xlsx
from core.importing.mapping import same_name

MAX_COLUMNS = 500
MAX_HEADER = 1 << 20
MAX_BYTES = 20 * 1024**3
# What core.text calls invisible, but for line ends and tabs, which mean something in a file.
INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_DELIMITERS = ",;\t|"
# So many rows of titles may stand above the header.
TITLES = 30

csv.field_size_limit(1 << 20)

Row = tuple[int, list[str]]


@dataclass
class Table:
    """A file that has been looked at: its header, and how to read the rest of it."""

    path: Path
    header: list[str]
    encoding: str = ""
    delimiter: str = ","
    sheet: str | None = None
    is_gzip: bool = False
    is_workbook: bool = False
    header_row: int = 1
    # `rows` counts each row of the file so many times over (of wide files, a row for each cell).
    row_scale: int = 1

    def rows(self) -> Iterator[Row]:
        """(row number, cells) of every record below the header that is not empty.

        Cells are as many as the header's; a longer row keeps its surplus, for the loader to refuse.
        """
        width = len(self.header)
        records = islice(self._all(), self.header_row, None)
        for number, cells in enumerate(records, start=self.header_row + 1):
            if len(cells) < width:
                cells += [""] * (width - len(cells))
            elif len(cells) > width and not any(cells[width:]):
                del cells[width:]
            if any(cells):
                yield number, cells

    def plain_bytes(self) -> IO[bytes] | None:
        """The UTF-8 bytes below the header, or None when the file is something else."""
        if self.is_workbook or self.encoding not in ("utf-8", "utf-8-sig"):
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
        known = [sum(same_name(cell) in names for cell in row if cell) for row in first]
        at = max(range(len(first)), key=known.__getitem__, default=0)
        if known and (known[0] or known[at] < 2):
            at = 0
        self.header_row = at + 1
        self.header = _checked_header(first[at] if first else None)

    def _all(self) -> Iterator[list[str]]:
        return xlsx.rows(self.path, self.sheet) if self.is_workbook else self._records()

    def _open(self) -> IO[bytes]:
        if self.is_gzip:
            return gzip.open(self.path, "rb")  # type: ignore[return-value]
        return self.path.open("rb")

    def _records(self) -> Iterator[list[str]]:
        with self._open() as stream:
            text = io.TextIOWrapper(stream, encoding=self.encoding, newline="")
            lines = (INVISIBLE.sub("", line) for line in text)
            try:
                yield from csv.reader(lines, delimiter=self.delimiter)
            except csv.Error as error:
                raise DomainError(
                    "bad_csv", _("The file cannot be read as CSV: %s.") % error
                ) from error
            except UnicodeDecodeError as error:
                raise DomainError(
                    "unknown_encoding",
                    _("The text is not in the encoding %s.") % self.encoding,
                ) from error
            except (EOFError, gzip.BadGzipFile) as error:
                raise _damaged() from error


def open_table(
    path: Path, *, encoding: str = "", sheet: str | None = None, names: Collection[str] = ()
) -> Table:
    """Look at a CSV (also .gz), XLSX or XLS file; `names` are those by which its header is known.

    Raises DomainError: `empty_file`, `not_text`, `unknown_encoding`, `too_many_columns`,
    `damaged_file`, `no_sheet`, `too_large`.
    """
    with path.open("rb") as stream:
        magic = stream.read(8)
    if not magic:
        raise DomainError("empty_file", _("The file is empty."))
    if magic.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        if magic.startswith(b"PK"):
            xlsx.check_size(path, sheet, max_columns=MAX_COLUMNS)
        table = Table(path, [], sheet=sheet, is_workbook=True)
    else:
        table = _csv_table(path, encoding, is_gzip=magic.startswith(b"\x1f\x8b"))
    table.find_header(names)
    return table


def _csv_table(path: Path, encoding: str, *, is_gzip: bool) -> Table:
    """A text file with its encoding and delimiter."""
    table = Table(path, [], is_gzip=is_gzip)
    try:
        with table._open() as stream:
            table.encoding = encodings.check(encoding) if encoding else encodings.detect(stream)
            stream.seek(0)
            text = io.TextIOWrapper(stream, encoding=table.encoding, newline="")
            lines = [text.readline(MAX_HEADER) for _number in range(TITLES)]
    except (EOFError, OSError) as error:
        raise _damaged() from error
    except UnicodeDecodeError as error:
        raise DomainError(
            "unknown_encoding", _("The text is not in the encoding %s.") % table.encoding
        ) from error
    if any(len(line) == MAX_HEADER for line in lines):
        raise _too_many_columns(_("more than %d") % MAX_COLUMNS)
    table.delimiter = _delimiter(lines)
    return table


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
        raise _too_many_columns(str(len(header)))
    return [name.strip() or f"column {number}" for number, name in enumerate(header, start=1)]


def _too_many_columns(count: str) -> DomainError:
    return DomainError(
        "too_many_columns",
        _("The file has %(count)s columns; at most %(most)d can be read.")
        % {"count": count, "most": MAX_COLUMNS},
    )


def _damaged() -> DomainError:
    return DomainError("damaged_file", _("The file is damaged or was not sent whole."))
