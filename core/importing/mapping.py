"""Which column, or which columns and words joined, give which field."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from core.errors import DomainError

if TYPE_CHECKING:
    from core.importing.registry import Field

Part = int | str
"""A column by its place, or a literal."""


@dataclass(frozen=True)
class Expression:
    """Columns and literals joined. A row in which all its columns are empty gives nothing."""

    parts: tuple[Part, ...]

    @property
    def columns(self) -> list[int]:
        return [part for part in self.parts if isinstance(part, int)]

    @property
    def constant(self) -> str | None:
        """The text that every row gets, if no column is involved."""
        return None if self.columns else "".join(str(part) for part in self.parts)

    def value(self, cells: Sequence[str]) -> str:
        """The text of one row."""
        columns = self.columns
        if len(columns) == len(self.parts) == 1:
            return cells[columns[0]]
        if columns and not any(cells[column] for column in columns):
            return ""
        return "".join(part if isinstance(part, str) else cells[part] for part in self.parts)


def same_name(text: str) -> str:
    """Column names that differ in case, blanks, dashes, dots and the like are the same."""
    return re.sub(r"[\s_\-./#:*]+", "", text).casefold() or text.casefold()


_NUMBER = re.compile(r"(?<=.)(?:id|no|nr|num|number|code|key|编码|编号|代码|号)$")


def _numbered(text: str) -> str:
    """“customer” of CustomerID and customer code; empty where a name says of no number."""
    name = same_name(text)
    noun = _NUMBER.sub("", name)
    return "" if noun == name else noun


_UNIT = re.compile(r"\s*[(（\[【]([^()（）\[\]【】]*)[)）\]】]\s*$")


def bare_name(column: str) -> str:
    """A column name without the unit or remark in brackets behind it: 金额(元), Qty (pcs)."""
    bare = column
    while found := _UNIT.search(bare):
        bare = bare[: found.start()]
    return bare if bare.strip() else column


def units_in(column: str) -> list[str]:
    """What stands in brackets behind a column name, from the last one."""
    units = []
    while found := _UNIT.search(column):
        units.append(found[1])
        column = column[: found.start()]
    return units


def is_named(column: str, names: Collection[str]) -> bool:
    """Whether a column has one of the names (as `same_name` has them), with a unit or not."""
    return same_name(column) in names or same_name(bare_name(column)) in names


def columns_of(header: Iterable[str]) -> list[str]:
    """The column names of a file, by which files of one source are known again: in order of the
    alphabet, each once."""
    return sorted({same_name(name) for name in header})


def resolve(
    fields: Iterable[Field],
    header: Sequence[str],
    maps: Mapping[str, str],
    constants: Mapping[str, str],
) -> dict[str, Expression]:
    """{field: expression} from what the user said and, for the rest, from names that are equal.

    Raises DomainError: `unknown_field`, `unknown_column`, `ambiguous_column`, `missing_field`.
    """
    known = {field.name: field for field in fields}
    for name in [*maps, *constants]:
        if name not in known:
            raise DomainError(
                "unknown_field",
                _("There is no field “%(name)s”; there are: %(names)s.")
                % {"name": name, "names": ", ".join(known)},
                name,
            )
    found = {name: Expression((text,)) for name, text in constants.items()}
    found |= {name: parse(text, header) for name, text in maps.items()}
    columns = {same_name(column) for column in header}
    by_name = {name for name in known.keys() - found.keys() if same_name(name) in columns}
    given = found.keys() | by_name
    missing = [name for name, field in known.items() if field.required and name not in given]
    if missing:
        raise DomainError(
            "missing_field",
            _("No column gives: %(fields)s. The columns are: %(columns)s.")
            % {"fields": ", ".join(missing), "columns": ", ".join(header)[:500]},
            missing[0],
        )
    # Of two columns of one name nobody knows which is meant.
    found |= {name: parse(name, header) for name in sorted(by_name)}
    return {name: found[name] for name in known if name in found}


def names(fields: Iterable[Field], maps: Mapping[str, str] | None = None) -> set[str]:
    """What the columns of a file may be called, as `same_name` has it: by this a header is known
    below titles. Names and synonyms of the fields, and the columns that `maps` speaks of."""
    found: set[str] = set()
    for field in fields:
        found |= {same_name(name) for name in (field.name, str(field.label), *field.synonyms)}
    for text in (maps or {}).values():
        found |= {same_name(part) for part in (text, *_tokens(text))}
    return found


def guess(fields: Iterable[Field], header: Sequence[str]) -> dict[str, str]:
    """{field: column name} by the field's name, label and synonyms; each column once.

    What no column is called exactly may be one with a unit, 金额(元), or with another word for
    number: CustomerID for customer code. Only if no other column is called so. A column that may
    be the line of a document or a field of its own is the line, unless only so nothing is lacking.
    """
    fields = list(fields)
    lines = _lines(fields, header)
    found = _guess(fields, [column for column in header if column not in lines.values()])
    if lines and not _complete(fields, found):
        other = _guess(fields, header)
        if _complete(fields, other):
            return other
    joined = {name: f'{found[name]}+"-"+{lines[name]}' for name in lines if name in found}
    return found | joined


def _lines(fields: list[Field], header: Sequence[str]) -> dict[str, str]:
    """{field: column} of the columns that number the lines of documents that the field names."""
    columns = {same_name(column): column for column in reversed(header)}
    found = {}
    for field in fields:
        line = next((columns[one] for one in map(same_name, field.lines) if one in columns), None)
        if line and field.name in _guess([field], [one for one in header if one != line]):
            found[field.name] = line
    return found


def _complete(fields: Iterable[Field], found: dict[str, str]) -> bool:
    return all(field.name in found for field in fields if field.required)


def _guess(fields: list[Field], header: Sequence[str]) -> dict[str, str]:
    free = {same_name(column): column for column in reversed(header)}
    found = _guessed(fields, free, same_name)
    for alike in (lambda name: same_name(bare_name(name)), _numbered):
        rest = [field for field in fields if field.name not in found]
        left = [column for column in free.values() if column not in found.values()]
        called: dict[str, list[str]] = {}
        for column in left:
            called.setdefault(alike(column), []).append(column)
        called.pop("", None)
        alone = {name: columns[0] for name, columns in called.items() if len(columns) == 1}
        found |= _guessed(rest, alone, alike)
    return found


def _guessed(
    fields: Iterable[Field], free: dict[str, str], alike: Callable[[str], str]
) -> dict[str, str]:
    """{field: column}; the columns that were found are taken out of `free`, where they stand under
    what `alike` makes of their names."""
    found = {}
    for field in fields:
        for name in (field.name, str(field.label), *field.synonyms):
            if column := free.pop(alike(name), None):
                found[field.name] = column
                break
    return found


def parse(text: str, header: Sequence[str]) -> Expression:
    """An expression: a column name, or column names and quoted literals joined by `+`.

    A whole string that is a column name is that column, also with a `+` in it. Shells eat quotes,
    so in a joined expression a word of up to three characters that is no column is taken as is.
    """
    whole = _column(text, header)
    if whole is not None:
        return Expression((whole,))
    tokens = _tokens(text)
    parts: list[Part] = []
    while tokens:
        part, used = _longest(tokens, header, alone=len(parts) + len(tokens) == 1)
        parts.append(part)
        tokens = tokens[used:]
    if not parts:
        raise _unknown(text, header)
    return Expression(tuple(parts))


def _tokens(text: str) -> list[str]:
    """The parts of an expression between the plus signs outside quotes."""
    return [token.strip() for token in re.findall(r'(?:"[^"]*"|\'[^\']*\'|[^+"\'])+', text)]


def _longest(tokens: list[str], header: Sequence[str], *, alone: bool) -> tuple[Part, int]:
    """The longest run of tokens that is one column (its name has a `+`), else a literal."""
    for used in range(len(tokens), 0, -1):
        column = _column("+".join(tokens[:used]), header)
        if column is not None:
            return column, used
    token = tokens[0]
    if len(token) >= 2 and token[0] == token[-1] and token[0] in "\"'":
        return token[1:-1], 1
    if not alone and len(token) <= 3:
        return token, 1
    raise _unknown(token, header)


def _column(name: str, header: Sequence[str]) -> int | None:
    exact = [i for i, column in enumerate(header) if column == name.strip()]
    loose = [i for i, column in enumerate(header) if same_name(column) == same_name(name)]
    places = exact or loose
    if len(places) > 1:
        raise DomainError(
            "ambiguous_column",
            _("The file has %(count)d columns “%(name)s”.") % {"count": len(places), "name": name},
        )
    return places[0] if places else None


def _unknown(name: str, header: Sequence[str]) -> DomainError:
    near = difflib.get_close_matches(name, header, n=3) or list(header)
    return DomainError(
        "unknown_column",
        _("There is no column “%(name)s”. Did you mean: %(near)s?")
        % {"name": name, "near": ", ".join(near)[:300]},
    )
