"""Cells as people write them → values. Each function raises ValueProblem with a reason in words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

FIRST_YEAR, LAST_YEAR = 1990, 2100
# What people and programs write into a cell that holds nothing.
NOTHING = frozenset({"-", "--", "—", "–", "/", "\\n", "null", "none", "nil", "#n/a", "无", "空"})
_TOTAL = re.compile(
    r"(?:合\s*计|总\s*计|小\s*计|本页合计|本页小计|(?:grand\s|sub-?)?totals?)\s*:?", re.I
)
DAY_FIRST, MONTH_FIRST = "dmy", "mdy"
_TIME = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_DATE = re.compile(
    r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|\.(\d{1,2})\.(\d{1,2})"
    r"|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))" + _TIME
)
_SHORT_DATE = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})" + _TIME)
# Days since 1899-12-30, as Excel counts them, from 1990 to 2100: nothing else has five digits.
_SERIAL = re.compile(r"([3-7]\d{4})(?:\.\d+)?")
_EXCEL_BEGINS = date(1899, 12, 30)
_MONTH = re.compile(r"(\d{4})(?:[-/.](\d{1,2})|年(\d{1,2})月|(\d{2}))")
_PLAIN = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)", re.ASCII)
_GROUPED = re.compile(r"\d{1,3}(?:([,' ])\d{3})(?:\1\d{3})*(?:\.\d*)?", re.ASCII)
_CURRENCY = re.compile(
    r"^(?:¥|CN¥|RMB|CNY|USD|US\$|EUR|\$|€|£)\s*|\s*(?:元|RMB|CNY|USD|EUR|€)$", re.I
)
_SCALES = {"万": 4, "亿": 8}


class ValueProblem(Exception):
    """A cell that means nothing here; `message` says why, in the user's language."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def is_nothing(text: str) -> bool:
    """Whether a cell is empty, or holds a word that stands for nothing such as “-” or NULL."""
    return not text or text.casefold() in NOTHING


def is_total(cells: Iterable[str]) -> bool:
    """Whether a row says of itself that it is a total: 合计, 小计, Total."""
    return any(_TOTAL.fullmatch(_narrow(cell)) for cell in cells if cell)


def is_total_row(cells: Iterable[str], lacking: Collection[str]) -> bool:
    """Whether a row is the totals of the columns and no record: it says so, and the texts of the
    fields it is `lacking`, several of them, hold nothing else. What holds more is a mistake."""
    return (
        len(lacking) > 1
        and all(is_nothing(text.strip()) or is_total([text]) for text in lacking)
        and is_total(cells)
    )


def date_order(texts: Iterable[str]) -> str:
    """Which of day and month comes first in dates such as 5/16/1996: DAY_FIRST, MONTH_FIRST, or
    "" where the texts do not tell or contradict each other."""
    places = [_SHORT_DATE.fullmatch(_narrow(text)) for text in texts]
    day_first = any(found and int(found[1]) > 12 for found in places)
    month_first = any(found and int(found[3]) > 12 for found in places)
    if day_first == month_first:
        return ""
    return DAY_FIRST if day_first else MONTH_FIRST


def parse_date(text: str, order: str = "") -> date:
    """2026-01-05, 2026/1/5, 2026.1.5, 2026年1月5日 or 20260105, with or without a time of day; a
    day number of Excel; 5/1/2026 where `order` says which of day and month comes first."""
    clean = _narrow(text)
    if found := _DATE.fullmatch(clean):
        year, month, day = (int(part) for part in found.groups() if part is not None)
        return _checked(year, month, day, text)
    if found := _SERIAL.fullmatch(clean):
        day_on = _EXCEL_BEGINS + timedelta(int(found[1]))
        return _checked(day_on.year, day_on.month, day_on.day, text)
    if found := _SHORT_DATE.fullmatch(clean):
        first, second, year = int(found[1]), int(found[3]), int(found[4])
        if order or first == second:
            day, month = (first, second) if order == DAY_FIRST else (second, first)
            return _checked(year, month, day, text)
        raise ValueProblem(
            "date_order",
            _("“%s” does not tell which is the day and which the month. Say the order of dates.")
            % text[:40],
        )
    raise ValueProblem("bad_date", _("“%s” is not a date such as 2026-01-05.") % text[:40])


def parse_month(text: str) -> date:
    """The first day of 2026-01, 2026/1, 2026年1月 or 202601, or of the month of a whole date."""
    clean = _narrow(text)
    found = _MONTH.fullmatch(clean)
    if not found:
        if _DATE.fullmatch(clean) or _SERIAL.fullmatch(clean):
            return parse_date(clean).replace(day=1)
        raise ValueProblem("bad_month", _("“%s” is not a month such as 2026-01.") % text[:40])
    year, month = (int(part) for part in found.groups() if part is not None)
    return _checked(year, month, 1, text)


def _narrow(text: str) -> str:
    """Full-width digits and signs as ordinary ones, without outer blanks."""
    return text.strip() if text.isascii() else unicodedata.normalize("NFKC", text).strip()


def _checked(year: int, month: int, day: int, text: str) -> date:
    try:
        value = date(year, month, day)
    except ValueError as error:
        raise ValueProblem("bad_date", _("There is no such day as “%s”.") % text[:40]) from error
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueProblem(
            "bad_year",
            _("The year of “%(text)s” is not between %(first)d and %(last)d.")
            % {"text": text[:40], "first": FIRST_YEAR, "last": LAST_YEAR},
        )
    return value


def parse_number(
    text: str, *, digits: int = 18, places: int = 4, scale: Decimal | int = 1
) -> Decimal:
    """A number with at most `places` decimals and `digits - places` digits before the point.

    As people write them: -1234.5, 1,234.50, １２３４, ¥1,234, 1,234元, (1,234) and 1,234- for
    negatives, 12.5万. More decimals are refused, not rounded. The number is multiplied by `scale`;
    of 12.5万 in a column given in 万 nobody knows whether it is meant so, and it is refused.
    sales.loading.meanings reads plain ones in SQL.
    """
    clean = _narrow(text).replace("\u2212", "-").replace("\xa0", " ")
    value = _number(clean)
    if value is not None and scale != 1:
        if any(sign in clean for sign in _SCALES):
            raise ValueProblem(
                "scaled_twice",
                _("“%(text)s” has a unit of its own, and the column is multiplied by %(scale)s.")
                % {"text": text.strip()[:40], "scale": f"{scale:,}"},
            )
        value *= scale
    if value is None:
        raise ValueProblem("bad_number", _("“%s” is not a number such as -1234.5.") % text[:40])
    whole = digits - places
    if abs(value) >= Decimal(10) ** whole:
        raise ValueProblem(
            "number_too_large",
            _("%(text)s is too large: at most %(whole)d digits stand before the point.")
            % {"text": text.strip()[:40], "whole": whole},
        )
    if value != value.quantize(Decimal(1).scaleb(-places)):
        raise ValueProblem(
            "too_many_decimals",
            _("%(text)s has more than %(places)d decimals.")
            % {"text": text.strip()[:40], "places": places},
        )
    return value


def _number(text: str) -> Decimal | None:
    """The value of a text in which only the way of writing is open; None when it is no number."""
    if _PLAIN.fullmatch(text):
        return Decimal(text)
    bare = _CURRENCY.sub("", text).strip()
    negative = False
    for opening, closing in (("(", ")"), ("-", ""), ("", "-")):
        if bare.startswith(opening) and bare.endswith(closing) and len(bare) > 1:
            negative, bare = True, bare.removeprefix(opening).removesuffix(closing).strip()
            break
    bare = _CURRENCY.sub("", bare).strip()
    scale = _SCALES.get(bare[-1:], 0)
    if scale:
        bare = bare[:-1].strip()
    if _GROUPED.fullmatch(bare):
        bare = re.sub("[,' ]", "", bare)
    if not _PLAIN.fullmatch(bare) or (negative and bare[0] in "+-"):
        return None
    value = Decimal(bare).scaleb(scale)
    return -value if negative else value


def choice_words(choices: Iterable[tuple[Any, Any]]) -> dict[str, str]:
    """{word in lower case: stored value}: the values themselves, their labels in every language."""
    pairs = [(str(value), label) for value, label in choices if value not in (None, "")]
    words: dict[str, str] = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            words |= {str(label).casefold(): value for value, label in pairs}
    return words | {value.casefold(): value for value, _label in pairs}
