"""The derived measures that a scheme file carries, so that it can be loaded where they are not.

A file has the definition of each derived measure that its items and vetoes use, also through
another one. What makes the value decides whether one of the same code here is the same; names and
words do not, and stay as they are here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from core import crud
from core.errors import Problem
from core.phrases import listed
from performance import expressions, measures
from performance.expressions import ExpressionError
from performance.models import DerivedMeasure

Row = dict[str, Any]

# What is left out of a file.
DEFAULTS: Row = {
    "name_en": "",
    "definition_en": "",
    "higher": True,
    "places": 6,
    "zero": measures.NOT_APPLICABLE,
    "span": measures.PERIOD,
}
# What decides a value, as performance.measures.frozen_derived has it.
_MEANING = ("expression", "unit", "higher", "places", "zero", "span")
_FIELDS = ("code", "name", "name_en", "definition", "definition_en", *_MEANING)


def rows_of(rows: Iterable[Row]) -> list[Row]:
    """The derived measures that `rows`, items and vetoes of a definition, use; in order of code."""
    codes = {
        code for row in rows if "derived" in row for code in _used(row["measure"], row["derived"])
    }
    if not codes:
        return []
    found = DerivedMeasure.objects.filter(code__in=codes).order_by("code")
    return [{name: getattr(row, name) for name in _FIELDS} for row in found]


def _used(code: str, frozen: Row) -> Iterator[str]:
    yield code
    for below, each in frozen["uses"].items():
        yield from _used(below, each)


def lean(rows: Iterable[Row]) -> list[Row]:
    """Without what is at its default, expressions in one way of writing them, in order of code."""
    return sorted(
        (
            {
                name: _written(row[name]) if name == "expression" else row[name]
                for name in _FIELDS
                if name in row and (name not in DEFAULTS or row[name] != DEFAULTS[name])
            }
            for row in rows
        ),
        key=lambda row: row["code"],
    )


def _written(expression: str) -> str:
    try:
        return expressions.write(expressions.parse(expression))
    except ExpressionError:  # told when it is loaded
        return expression


def make_missing(
    carried: list[Row], measured: Iterable[Row], *, by: Any
) -> tuple[list[DerivedMeasure], list[Problem]]:
    """Make those of the `carried` measures that are not here; `measured` are the items and vetoes.

    Returns what was made and what is wrong: a code that means something else here, what the measure
    itself finds, what nothing uses, no right to make any. Call it in a transaction, and roll that
    back when there are problems.
    """
    codes = [row["code"] for row in carried]
    places = {code: f"measures[{place}]" for place, code in enumerate(codes, start=1)}
    problems = []
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        message = _("measures: the code “%(code)s” is used twice.")
        problems.append(Problem("duplicate_code", message % {"code": code}, "file"))
    by_code = {row["code"]: DerivedMeasure(**DEFAULTS | row) for row in carried}
    for code in sorted(by_code.keys() - _reached(by_code, measured)):
        message = _("%(where)s: nothing in the file uses “%(code)s”.")
        values = {"where": places[code], "code": code}
        problems.append(Problem("measure_unused", message % values, "file"))
    here = DerivedMeasure.objects.select_for_update().filter(code__in=codes).order_by("code")
    for row in here:
        problems += _other_meaning(row, by_code.pop(row.code), places[row.code])
    if by_code and by is not None and not by.has_perm("performance.add_derivedmeasure"):
        message = _("You may not make measures, and these are not here: %(codes)s.")
        values = {"codes": listed(sorted(by_code))}
        return [], [*problems, Problem("may_not_make", message % values, "file")]
    made = []
    for row in _in_order(by_code, problems):
        wrong = _unclean(row, places[row.code])
        problems += wrong
        if not wrong:
            made.append(crud.save(row, by=by))
    return made, problems


def _names(row: DerivedMeasure) -> set[str]:
    """The codes that its expression names; none where it cannot be read."""
    try:
        return set(expressions.names(expressions.parse(row.expression)))
    except ExpressionError:
        return set()


def _reached(by_code: dict[str, DerivedMeasure], measured: Iterable[Row]) -> set[str]:
    """The carried measures that the items and vetoes use."""
    found: set[str] = set()
    waiting = {row.get("measure", "") for row in measured}
    while waiting:
        found |= waiting
        below = (_names(by_code[code]) for code in waiting if code in by_code)
        waiting = set().union(*below) - found
    return found


def _other_meaning(here: DerivedMeasure, told: DerivedMeasure, where: str) -> list[Problem]:
    differ = [name for name in _MEANING if getattr(here, name) != getattr(told, name)]
    if not differ:
        return []
    parts = [
        _("%(field)s “%(told)s” instead of “%(here)s”")
        % {
            "field": DerivedMeasure._meta.get_field(name).verbose_name,
            "told": getattr(told, name),
            "here": getattr(here, name),
        }
        for name in differ
    ]
    values = {"where": where, "code": here.code, "differences": listed(parts)}
    message = _("%(where)s: “%(code)s” means something else here: %(differences)s.") % values
    return [Problem("measure_differs", message, "file")]


def _in_order(
    by_code: dict[str, DerivedMeasure], problems: list[Problem]
) -> Iterator[DerivedMeasure]:
    """Each after those that it names; those in a circle are a problem."""
    waiting = dict(by_code)
    while waiting:
        ready = [row for row in waiting.values() if not _names(row) & waiting.keys()]
        if not ready:
            message = _("measures: %(codes)s are made of each other.")
            values = {"codes": listed(sorted(waiting))}
            problems.append(Problem("measure_circle", message % values, "file"))
            return
        for row in ready:
            del waiting[row.code]
        yield from ready


def _unclean(row: DerivedMeasure, where: str) -> list[Problem]:
    try:
        row.full_clean(validate_unique=False)
    except ValidationError as error:
        return [
            Problem("invalid", f"{where}.{name}: {said}", "file")
            for name, messages in error.message_dict.items()
            for said in messages
        ]
    return []
