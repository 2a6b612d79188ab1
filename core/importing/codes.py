"""Codes as files write them → rows: case, width and invisible marks do not matter, and zeros that a
spreadsheet took from the front are found again where only one code can be meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import F, Func, Value

from core.text import normalise_code

_WHOLE = re.compile(r"(\d+)(?:\.0+)?", re.ASCII)


def find(
    rows: Any,
    texts: Iterable[str],
    *,
    field: str = "code",
    key: Callable[[Any], Any] = lambda row: row,
    lost_zeros: bool = True,
) -> dict[str, Any]:
    """{text: what `key` makes of the row of `rows` whose `field` it names}; unknown texts are left
    out, and so are shortened ones that fit several codes. One query, more where codes are old or
    have lost their zeros."""
    codes = {text: normalise_code(text).upper() for text in texts}
    places = rows.by_code(field)
    found: dict[str, Any] = {}
    for wanted in places:
        missing = set(codes.values()) - found.keys()
        if missing:
            found |= {row._code: key(row) for row in wanted.filter(_code__in=missing)}
    if lost_zeros:
        short = {code: _bare(code) for code in codes.values() if code not in found}
        found |= _without_zeros(places, {code: bare for code, bare in short.items() if bare}, key)
    return {text: found[code] for text, code in codes.items() if code in found}


def _bare(code: str) -> str:
    """A number without leading zeros and without the “.0” of a spreadsheet; else nothing."""
    number = _WHOLE.fullmatch(code)
    return number[1].lstrip("0") if number else ""


def _without_zeros(
    places: list[Any], short: dict[str, str], key: Callable[[Any], Any]
) -> dict[str, Any]:
    if not short:
        return {}
    bare = Func(F("_code"), Value("0"), function="LTRIM")
    near: dict[str, set[Any]] = {}
    for wanted in places:
        for row in wanted.annotate(_bare=bare).filter(_bare__in=set(short.values())):
            near.setdefault(row._bare, set()).add(key(row))
    return {code: next(iter(near[b])) for code, b in short.items() if len(near.get(b, ())) == 1}
