"""Codes as files write them → rows: case, width and invisible marks do not matter, and zeros that a
spreadsheet took from the front are found again where only one code can be meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
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
    own, old = rows.by_code(field), rows.old_codes(field)
    found = {row._code: key(row) for row in own.filter(_code__in=set(codes.values()))}
    missing = set(codes.values()) - found.keys()
    if missing and old is not None:
        found |= {code: key(row) for code, row in _meant(rows, old.filter(_code__in=missing))}
    if lost_zeros:
        short = {code: _bare(code) for code in codes.values() if code not in found}
        short = {code: bare for code, bare in short.items() if bare}
        found |= _without_zeros(rows, own, old, short, key)
    return {text: found[code] for text, code in codes.items() if code in found}


def _meant(rows: Any, old: Any, column: str = "_code") -> Iterator[tuple[str, Any]]:
    """Each code in this column of `old` with the row that it means by now, of `rows` alone.

    Two queries, where a join would do: while a first file is read, the statistics still say that
    there are no rows, and the join was planned as a look at all codes for each row.
    """
    pairs = list(old.values_list(column, "_means"))
    known = rows.in_bulk({means for _code, means in pairs}) if pairs else {}
    return ((code, known[means]) for code, means in pairs if means in known)


def _bare(code: str) -> str:
    """A number without leading zeros and without the “.0” of a spreadsheet; else nothing."""
    number = _WHOLE.fullmatch(code)
    return number[1].lstrip("0") if number else ""


def _without_zeros(
    rows: Any, own: Any, old: Any, short: dict[str, str], key: Callable[[Any], Any]
) -> dict[str, Any]:
    if not short:
        return {}
    bare = Func(F("_code"), Value("0"), function="LTRIM")
    wanted = set(short.values())
    near: dict[str, set[Any]] = {}
    for row in own.annotate(_bare=bare).filter(_bare__in=wanted):
        near.setdefault(row._bare, set()).add(key(row))
    if old is not None:
        old = old.annotate(_bare=bare).filter(_bare__in=wanted)
        for code, row in _meant(rows, old, "_bare"):
            near.setdefault(code, set()).add(key(row))
    return {code: next(iter(near[b])) for code, b in short.items() if len(near.get(b, ())) == 1}
