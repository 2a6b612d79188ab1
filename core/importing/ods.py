"""What is in an ODS file, before it is read: cells merged downwards, and nothing that would fill
the memory.

A cell or a row may say how often it is repeated, so a file of a kilobyte may mean a million rows.
"""

from __future__ import annotations

import zipfile
from typing import IO, Any
from xml.parsers import expat

from django.utils.translation import gettext as _

from core.errors import DomainError
from core.importing import archives, xlsx

MIMETYPE = b"application/vnd.oasis.opendocument.spreadsheet"
# The reader holds every cell of every sheet, each with its formula.
MAX_CELLS, MAX_TEXT = 5_000_000, 500 * 1024**2
_CELLS = ("table:table-cell", "table:covered-table-cell")


def look(stream: IO[bytes], max_columns: int) -> dict[str, list[xlsx.Range]]:
    """{sheet: merged ranges ((first row, first column), (last row, last column)), from 0}.

    Raises DomainError: `damaged_file`, `encrypted`, `no_spreadsheet`, `too_large`,
    `too_many_columns`.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            if archive.read("mimetype").strip() != MIMETYPE:
                raise DomainError(
                    "no_spreadsheet", _("The file is an office document, but no spreadsheet.")
                )
            if b"encryption-data" in archive.read("META-INF/manifest.xml"):
                raise archives.encrypted()
            content = _Content(max_columns)
            with archive.open("content.xml") as part:
                content.read(part)
    except (KeyError, expat.ExpatError, ValueError, *archives.UNREADABLE) as error:
        raise xlsx.damaged() from error
    return content.merged


class _Content:
    """Counts the cells that the reader will hold."""

    def __init__(self, max_columns: int) -> None:
        self.max_columns = max_columns
        self.merged: dict[str, list[xlsx.Range]] = {}
        self.cells = self.text = 0
        self.sheet = ""
        self.row = self.rows = self.column = self.repeat = self.length = 0
        self.width = self.height = self.row_width = self.row_text = 0
        self.filled = False

    def read(self, part: IO[bytes]) -> None:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._doctype
        parser.ParseFile(part)

    def _doctype(self, *_declaration: Any) -> None:
        raise xlsx.damaged()  # no program writes one; it is there for its entities

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name in _CELLS:
            self.repeat = _times(attributes, "table:number-columns-repeated")
            self.filled = "office:value-type" in attributes or "table:formula" in attributes
            self.length = len(attributes.get("office:string-value", ""))
            down = _times(attributes, "table:number-rows-spanned")
            if down > 1:
                right = _times(attributes, "table:number-columns-spanned")
                corner = (self.row + down - 1, self.column + right - 1)
                self.merged[self.sheet].append(((self.row, self.column), corner))
        elif name == "table:table-row":
            self.rows = _times(attributes, "table:number-rows-repeated")
            self.column = self.row_width = self.row_text = 0
        elif name == "table:table":
            self._begin_table(attributes.get("table:name", ""))

    def _characters(self, text: str) -> None:
        self.length += len(text)

    def _end(self, name: str) -> None:
        if name in _CELLS:
            self.column += self.repeat
            if self.filled:
                self.row_width = self.column
                self.row_text += self.length * self.repeat
        elif name == "table:table-row":
            self.row += self.rows
            self.text += self.row_text * self.rows
            if self.row_width:
                self.width, self.height = max(self.width, self.row_width), self.row
                self._check()
        elif name == "table:table":
            self.cells += self.width * self.height
            self._check()
            self.width = self.height = 0

    def _begin_table(self, name: str) -> None:
        self.sheet = name
        self.merged.setdefault(name, [])
        self.row = self.column = self.width = self.height = self.length = 0

    def _check(self) -> None:
        if self.width > self.max_columns:
            raise xlsx.too_many_columns(self.width, self.max_columns)
        if self.cells + self.width * self.height > MAX_CELLS or self.text > MAX_TEXT:
            raise xlsx.too_large()


def _times(attributes: dict[str, str], name: str) -> int:
    return int(attributes.get(name, "1")[:9])
