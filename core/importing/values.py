"""Cells as people write them → values. Each function raises ValueProblem with a reason in words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

FIRST_YEAR, LAST_YEAR = 1990, 2100
_DATE = re.compile(
    r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|\.(\d{1,2})\.(\d{1,2})"
    r"|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
)
_MONTH = re.compile(r"(\d{4})(?:[-/.](\d{1,2})|年(\d{1,2})月|(\d{2}))")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)")


class ValueProblem(Exception):
    """A cell that means nothing here; `message` says why, in the user's language."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def parse_date(text: str) -> date:
    """2026-01-05, 2026/1/5, 2026.1.5, 2026年1月5日 or 20260105, with or without a time of day."""
    found = _DATE.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if not found:
        raise ValueProblem("bad_date", _("“%s” is not a date such as 2026-01-05.") % text[:40])
    year, month, day = (int(part) for part in found.groups() if part is not None)
    return _checked(year, month, day, text)


def parse_month(text: str) -> date:
    """The first day of 2026-01, 2026/1, 2026年1月 or 202601, or of the month of a whole date."""
    clean = unicodedata.normalize("NFKC", text).strip()
    found = _MONTH.fullmatch(clean)
    if not found:
        if _DATE.fullmatch(clean):
            return parse_date(clean).replace(day=1)
        raise ValueProblem("bad_month", _("“%s” is not a month such as 2026-01.") % text[:40])
    year, month = (int(part) for part in found.groups() if part is not None)
    return _checked(year, month, 1, text)


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


def parse_number(text: str, *, digits: int = 18, places: int = 4) -> Decimal:
    """A plain number with at most `places` decimals and `digits - places` digits before the point.

    More decimals are refused, not rounded. sales.loading has the same rule in SQL.
    """
    clean = text.strip()
    if not _NUMBER.fullmatch(clean) or not clean.isascii():
        raise ValueProblem("bad_number", _("“%s” is not a number such as -1234.5.") % text[:40])
    value = Decimal(clean)
    whole = digits - places
    if abs(value) >= Decimal(10) ** whole:
        raise ValueProblem(
            "number_too_large",
            _("%(text)s is too large: at most %(whole)d digits stand before the point.")
            % {"text": clean[:40], "whole": whole},
        )
    if value != value.quantize(Decimal(1).scaleb(-places)):
        raise ValueProblem(
            "too_many_decimals",
            _("%(text)s has more than %(places)d decimals.")
            % {"text": clean[:40], "places": places},
        )
    return value


def choice_words(choices: Iterable[tuple[Any, Any]]) -> dict[str, str]:
    """{word in lower case: stored value}: the values themselves, their labels in every language."""
    pairs = [(str(value), label) for value, label in choices if value not in (None, "")]
    words: dict[str, str] = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            words |= {str(label).casefold(): value for value, label in pairs}
    return words | {value.casefold(): value for value, _label in pairs}
