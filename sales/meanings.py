"""What cells of a sales file mean: in SQL where every row differs, else by distinct texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models.functions import Upper

from catalog.models import Product
from core.importing.values import ValueProblem, choice_words, parse_date
from core.text import normalise_code
from partners.models import Partner
from sales.models import SalesKind

# The rule of core.importing.values.parse_number in SQL. numeric also reads NaN (which has no
# scale), 1e5 and 0x1F: what PostgreSQL would write differently may hold none of their letters.
_NUMERIC = "CASE WHEN pg_input_is_valid({text}, 'numeric(18,4)') THEN {text}::numeric END"
_NUMBER = """CASE WHEN min_scale({value}) <= 4
    AND ({value}::text = {text} OR translate({text}, 'xXoObB_eEnN', '') = {text})
    THEN {value} END"""
_NUMERIC_BEFORE_16 = r"""CASE
    WHEN {text} ~ '^\s*[-+]?(\d{{1,14}}(\.\d{{0,4}}0*)?|\.\d{{1,4}}0*)\s*$'
    THEN {text}::numeric END"""
_WORD = """CASE WHEN length({text}) BETWEEN 1 AND {length}
    AND strpos({text}, U&'\\FFFD') = 0 THEN {text} END"""


def numeric(text: str, server_version: int) -> str:
    """The SQL of what the SQL `text` is as numeric; null where the server cannot read it so."""
    rule = _NUMERIC if server_version >= 160000 else _NUMERIC_BEFORE_16
    return rule.format(text=text)


def number(value: str, text: str, server_version: int) -> str:
    """The SQL of `numeric`'s value when its text is a number as people write it; else null."""
    return value if server_version < 160000 else _NUMBER.format(value=value, text=text)


def word(text: str, length: int) -> str:
    """The SQL of a trimmed text of 1 to `length` characters, all of them readable; else null."""
    return f'({_WORD.format(text=text, length=length)})::text COLLATE "C"'


def _keys(queryset: Any, texts: list[str]) -> dict[str, int]:
    """Codes → primary keys: width, invisible marks and case do not matter."""
    codes = {text: normalise_code(text).upper() for text in texts}
    found = dict(
        queryset.annotate(_code=Upper("code"))
        .filter(_code__in=set(codes.values()))
        .values_list("_code", "pk")
    )
    return {text: found[code] for text, code in codes.items() if code in found}


def _partners(texts: list[str], by: Any) -> dict[str, int]:
    return _keys(Partner.objects.all() if by is None else Partner.objects.visible_to(by), texts)


def _products(texts: list[str], by: Any) -> dict[str, int]:
    return _keys(Product.objects.all(), texts)


def _dates(texts: list[str], by: Any) -> dict[str, Any]:
    found = {}
    for text in texts:
        try:
            found[text] = parse_date(text)
        except ValueProblem:
            continue
    return found


def _kinds(texts: list[str], by: Any) -> dict[str, str]:
    words = choice_words(SalesKind.choices)
    codes = {text: normalise_code(text).casefold() for text in texts}
    return {text: words[code] for text, code in codes.items() if code in words}


# {field: (SQL type, texts → {text: value} for those that mean something)}
LOOKED_UP: dict[str, tuple[str, Callable[[list[str], Any], dict[str, Any]]]] = {
    "partner": ("bigint", _partners),
    "product": ("bigint", _products),
    "occurred_on": ("date", _dates),
    "kind": ("text", _kinds),
}
