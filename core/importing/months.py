"""Names of columns that are months: 2026-01, 202601, 2026年1月, Jan 2026; also 1月 and Jan."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from core.importing.mapping import bare_name
from core.importing.values import FIRST_YEAR, LAST_YEAR

_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONG = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_CHINESE = ("一月", "二月", "三月", "四月", "五月", "六月",
            "七月", "八月", "九月", "十月", "十一月", "十二月")  # fmt: skip
_MONTHS = {
    name: number
    for names in (_NAMES, _LONG, _CHINESE)
    for number, name in enumerate(names, start=1)
} | {"sept": 9}
# A spreadsheet keeps a month as its first day.
_NUMBERS = re.compile(r"(\d{4})(?:[-/.](\d{1,2})|-(\d{2})-01|年(\d{1,2})月份?|(\d{2}))", re.ASCII)
_ONLY_MONTH = re.compile(r"(\d{1,2})月份?", re.ASCII)
# Jan 2026, Jan-26 (as Excel writes it), January, 2026 Jan.
_NAMED = re.compile(r"(?:(\d{4})[\s-]*)?([a-z]+|[一-十]{1,2}月)\.?(?:[\s'-]*(\d{4}|\d{2}))?")


class Month(NamedTuple):
    """A month; `year` is 0 where the name does not tell it."""

    year: int
    month: int


def months_of(header: Sequence[str]) -> dict[int, Month]:
    """{place of the column: month} of the columns that are named by a month, with a unit or not."""
    found = ((place, month_of(name)) for place, name in enumerate(header))
    return {place: month for place, month in found if month}


def month_of(name: str) -> Month | None:
    """The month that the name of a column is, or None."""
    text = unicodedata.normalize("NFKC", bare_name(name)).strip().casefold()
    if found := _NUMBERS.fullmatch(text):
        year, month = (int(part) for part in found.groups() if part is not None)
    elif found := _ONLY_MONTH.fullmatch(text):
        year, month = 0, int(found[1])
    elif (found := _NAMED.fullmatch(text)) and not (found[1] and found[3]):
        written = found[1] or found[3] or "0"
        year = int(written) + (2000 if len(written) == 2 else 0)
        month = _MONTHS.get(found[2], 0)
    else:
        return None
    fits = 1 <= month <= 12 and (not year or FIRST_YEAR <= year <= LAST_YEAR)
    return Month(year, month) if fits else None
