"""What cells of a sales file mean: in SQL where every row differs, else by distinct texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from catalog.models import Product
from core.importing import codes
from core.importing.values import (
    NOTHING,
    ValueProblem,
    choice_words,
    date_order,
    parse_date,
    parse_number,
)
from core.text import normalise_code
from partners.models import Partner
from sales.models import SalesKind

# Numbers have at most so many digits before the point.
MOST = 10**14
# The rule of core.importing.values.parse_number in SQL. numeric also reads NaN (which has no
# scale), 1e5 and 0x1F: what PostgreSQL would write differently may hold none of their letters.
_NUMERIC = "CASE WHEN pg_input_is_valid({text}, 'numeric(18,4)') THEN {text}::numeric END"
_NUMBER = """CASE WHEN min_scale({scaled}) <= 4
    AND ({value}::text = {text} OR translate({text}, 'xXoObB_eEnN', '') = {text})
    THEN {scaled} END"""
_NUMERIC_BEFORE_16 = r"""CASE
    WHEN {text} ~ '^\s*[-+]?(\d{{1,14}}(\.\d{{0,4}}0*)?|\.\d{{1,4}}0*)\s*$'
    THEN {text}::numeric END"""
# Exports put tabs behind numbers, so that spreadsheets leave them alone.
_BLANKS = r"E' \t\r\n\u00a0\u3000'"
_NOTHING = ", ".join(f"'{word}'" for word in ("", *sorted(NOTHING)))
_LONGEST_NOTHING = max(map(len, NOTHING))
_WORD = f"""CASE WHEN length({{text}}) BETWEEN 1 AND {{length}}
    AND strpos({{text}}, U&'\\FFFD') = 0
    AND (length({{text}}) > {_LONGEST_NOTHING} OR lower({{text}}) NOT IN ({_NOTHING}))
    THEN {{text}} END"""


def numeric(text: str, server_version: int) -> str:
    """The SQL of what the SQL `text` is as numeric; null where the server cannot read it so."""
    rule = _NUMERIC if server_version >= 160000 else _NUMERIC_BEFORE_16
    return rule.format(text=text)


def number(value: str, text: str, server_version: int, scale: Decimal | int = 1) -> str:
    """The SQL of `numeric`'s value, times `scale`, when its text is a number as people write it and
    there is room for it; else null."""
    scaled = value if scale == 1 else f"trim_scale({value} * {scale})"
    found = (
        scaled if server_version < 160000 else _NUMBER.format(value=value, scaled=scaled, text=text)
    )
    return found if scale == 1 else f"CASE WHEN abs({scaled}) < {MOST} THEN {found} END"


def word(text: str, length: int) -> str:
    """The SQL of a trimmed text of 1 to `length` characters, all of them readable, that is no word
    for nothing; else null. Lines whose number is “-” or 无 would overwrite each other."""
    return f'({_WORD.format(text=text, length=length)})::text COLLATE "C"'


def trimmed(text: str) -> str:
    """The SQL of a text without the blanks around it."""
    return f"btrim({text}, {_BLANKS})"


def optional(text: str) -> str:
    """The SQL of a trimmed text; null where it is empty or a word for nothing."""
    bare = trimmed(text)
    return f"CASE WHEN lower({bare}) NOT IN ({_NOTHING}) THEN {bare} END"


Resolve = Callable[[list[str]], dict[str, Any]]


def looked_up(by: Any, dates: Mapping[str, Dates]) -> dict[str, tuple[str, Resolve]]:
    """{field: (SQL type, texts → {text: value} for those that mean something)}, as the user `by`
    sees partners (None: all); `dates` are those of the columns with dates."""
    partners = Partner.objects.all() if by is None else Partner.objects.visible_to(by)
    return {
        "partner": ("bigint", partial(_keys, partners)),
        "product": ("bigint", partial(_keys, Product.objects.all())),
        "kind": ("text", _kinds),
        **{name: ("date", column.read) for name, column in dates.items()},
    }


class Dates:
    """The dates of one column. In which order its days and months stand is said, or shown by a
    text that can only be read in one order."""

    def __init__(self, order: str = "") -> None:
        self.order = order

    def read(self, texts: list[str]) -> dict[str, Any]:
        """{text: date}; what is no date, or could be two, is left out."""
        self.order = self.order or date_order(texts)
        return _understood(texts, self.parse)

    def parse(self, text: str) -> date:
        """One date. Raises ValueProblem."""
        return parse_date(text, self.order)


def numbers(texts: list[str], scale: Decimal | int = 1) -> dict[str, Any]:
    """{text: number} for what is a number in the ways of people."""
    return _understood(texts, partial(parse_number, scale=scale))


def _understood(texts: list[str], parse: Callable[[str], Any]) -> dict[str, Any]:
    found = {}
    for text in texts:
        with suppress(ValueProblem):
            found[text] = parse(text)
    return found


def _keys(rows: Any, texts: list[str]) -> dict[str, int]:
    return codes.find(rows.only("pk"), texts, key=lambda row: row.pk)


def _kinds(texts: list[str]) -> dict[str, str]:
    words = choice_words(SalesKind.choices)
    known = {text: normalise_code(text).casefold() for text in texts}
    return {text: words[word] for text, word in known.items() if word in words}
