"""The error file read again, some rows at a time."""

from __future__ import annotations

import csv
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from core.importing import errorfile


@dataclass
class RejectedRow:
    """A row with the text of its cells by column, and each (field, reason) of its rejection."""

    row: int
    values: dict[str, str]
    problems: list[tuple[str, str]]


def read(stream: IO[bytes], place: int, most: int) -> tuple[list[RejectedRow], int | None]:
    """At most `most` rows from a place in an error file (0: its beginning), and the place of the
    next, None after the last. ValueError where no row begins at the place."""
    columns = next(_lines(stream, 0))[1][: -errorfile.WIDTH]
    if place:
        stream.seek(place - 1)
        if stream.read(1) != b"\n":
            raise ValueError(place)
    else:
        place = stream.tell()
    found: list[RejectedRow] = []
    for at, line in _lines(stream, place):
        if len(found) == most:
            return found, at
        values = dict(zip(columns, line, strict=False))
        number, names, reasons = line[len(columns) :][: errorfile.WIDTH]
        found.append(
            RejectedRow(errorfile.row_of(number), values, errorfile.parted(names, reasons))
        )
    return found, None


def _lines(stream: IO[bytes], at: int) -> Iterator[tuple[int, list[str]]]:
    """(place, cells) of each line; the stream stands at the place `at`."""
    read = at

    def text() -> Iterator[str]:
        nonlocal read
        while line := stream.readline():
            read += len(line)
            yield line.removeprefix(BOM_UTF8).decode()

    for cells in csv.reader(text()):
        yield at, cells
        at = read
