"""The error file: the rejected rows in the user's own columns, then three that say what is wrong.

A row has one line, however many reasons there are. When the file comes back, corrected or not, the
three columns are known by their names and left out. What a row had beyond its last column stands
behind them, so that it is refused again until somebody puts it where it belongs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from string import ascii_uppercase

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from core.importing.mapping import same_name

WIDTH = 3
# More than a file may have columns: so far apart are the numbers of rows of which each cell counts.
ROW_SCALE = 512
_PLACE = re.compile(r"([A-Z]{0,2})(\d{1,9})", re.ASCII)
_JOINT = " | "


def names() -> list[str]:
    """The names of the three columns in the present language."""
    return [_("Row"), _("Field"), _("Reason")]


def is_header(header: Sequence[str]) -> bool:
    """Whether the last columns are those three, in any language, behind columns of the user."""
    last = tuple(same_name(name) for name in header[-WIDTH:])
    return len(header) > WIDTH and last in _in_all_languages()


def place_of(number: int, row_scale: int = 1) -> str:
    """How the first of the three columns names a record: by its row; where a row gives several, by
    its cell, as a spreadsheet does: C5."""
    row, column = divmod(number, row_scale)
    first, last = divmod(column, 26)
    letters = (chr(64 + first) if first else "") + chr(65 + last)
    return f"{letters if row_scale > 1 else ''}{row}"


def number_of(place: str) -> int | None:
    """The number of the record at a place, as `Table.rows` counts; None where it is no place."""
    found = _PLACE.fullmatch(place)
    if not found:
        return None
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - 64
    return int(found[2]) * ROW_SCALE + column - 1 if column else int(found[2])


def row_of(place: str) -> int:
    """The row of the file at a place."""
    return int(place.lstrip(ascii_uppercase))


def joined(problems: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """The cells of the (field, reason)s of one row."""
    fields, reasons = zip(*problems, strict=True)
    return _JOINT.join(fields), _JOINT.join(reasons)


def parted(fields: str, reasons: str) -> list[tuple[str, str]]:
    """What was `joined`. Where a user's text has the joint in it, all in one, of no field."""
    pairs = fields.split(_JOINT), reasons.split(_JOINT)
    if len(pairs[0]) != len(pairs[1]):
        return [("", reasons)]
    return list(zip(*pairs, strict=True))


@cache
def _in_all_languages() -> frozenset[tuple[str, ...]]:
    found = set()
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            found.add(tuple(same_name(name) for name in names()))
    return frozenset(found)
