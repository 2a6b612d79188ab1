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
_NUMBER = """CASE WHEN pg_input_is_valid({x}, 'numeric(18,4)') AND min_scale({x}::numeric) <= 4
    AND ({x}::numeric::text = {x} OR translate({x}, 'xXoObB_eEnN', '') = {x})
    THEN {x}::numeric END"""
_NUMBER_BEFORE_16 = r"""CASE WHEN {x} ~ '^\s*[-+]?(\d{{1,14}}(\.\d{{0,4}}0*)?|\.\d{{1,4}}0*)\s*$'
    THEN {x}::numeric END"""
_WORD = """CASE WHEN length(btrim({x})) BETWEEN 1 AND {length}
    AND strpos({x}, U&'\\FFFD') = 0 THEN btrim({x}) END"""


def number(text: str, server_version: int) -> str:
    """The SQL of the number that the SQL `text` stands for; null where it is none."""
    rule = _NUMBER if server_version >= 160000 else _NUMBER_BEFORE_16
    return rule.format(x=text)


def word(text: str, length: int) -> str:
    """The SQL of a text of 1 to `length` characters, all of them readable; else null."""
    return f'({_WORD.format(x=text, length=length)})::text COLLATE "C"'


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
