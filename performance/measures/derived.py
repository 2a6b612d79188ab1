"""Measures that users make of others by an expression (performance.expressions)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.utils.translation import get_language, gettext as _, gettext_lazy

from core.errors import Problem
from performance import expressions
from performance.expressions import ExpressionError, Node, Operation
from performance.measures.declaring import (
    ANY,
    MONTH,
    NOT_APPLICABLE,
    OWN,
    PERIOD,
    PREVIOUS,
    QUARTER,
    TARGETS,
    UNIT_LABELS,
    ZERO_COUNTS,
    Measure,
    to_date,
    whole,
)

_NOTHING = Decimal(0)
_GRAINS = (ANY, MONTH, QUARTER)
DEEPEST = 3  # derived measures, one in another


@dataclass(frozen=True)
class Derived(Measure):
    """A measure over others: `parts` are those that its expression names."""

    node: Node | None = None
    parts: tuple[Measure, ...] = ()
    places: int = 6

    def leaves(self) -> Iterator[Measure]:
        """The measures declared in code on which it rests, each once."""
        if not self.parts:  # it cannot be read
            yield self
        yield from {leaf.code: leaf for part in self.parts for leaf in part.leaves()}.values()

    def combine(self, values: Mapping[str, Decimal | None]) -> Decimal | None:
        """Its value from those of its parts, rounded to its places; None: it does not apply."""
        assert self.node is not None  # it is not absent
        value = expressions.evaluate(self.node, values)
        counts = self.zero_policy == ZERO_COUNTS
        return expressions.rounded(value, self.places, zero_counts=counts)

    def fraction(self, values: Mapping[str, Decimal | None]) -> tuple[Decimal, Decimal | None]:
        """What stands above and below the line, where the expression is one division; else the
        value and None."""
        if isinstance(self.node, Operation) and self.node.sign == "/":
            above, below = (
                expressions.rounded(expressions.evaluate(each, values), 6, zero_counts=False)
                for each in (self.node.left, self.node.right)
            )
            return above or _NOTHING, below
        return self.combine(values) or _NOTHING, None

    def derive(self, told: Mapping[str, Any]) -> str:
        """The expression with the names and values of its parts, and what it gives: `told` has the
        value as people read it, and `parts`."""
        assert self.node is not None  # it is not absent
        labels = {part.code: part for part in self.parts}
        values = dict(told["parts"])
        text = expressions.write(
            self.node, lambda code: f"{labels[code].label} {_told(labels[code], values[code])}"
        )
        return f"{text} = {told['value']}"


def _told(part: Measure, value: Any) -> str:
    from performance.explain import shown

    return shown(value, part.unit)


Rows = Mapping[str, Any]  # every DerivedMeasure, by code
Registry = Mapping[str, Measure]


def derived_from(row: Any, rows: Rows, registry: Registry) -> Derived:
    """The measure of a DerivedMeasure `row`. What cannot be read any more (which the database
    prevents) is absent, and says why."""
    try:
        return _build(row, rows, registry, ())
    except ExpressionError as error:
        return _measure(row, None, [], in_words(error))


def _build(row: Any, rows: Rows, registry: Registry, above: tuple[str, ...]) -> Derived:
    node = expressions.parse(row.expression)
    parts = [
        _over(_part(code, rows, registry, (*above, row.code)), row.span)
        for code in expressions.names(node)
    ]
    missing = [part for part in parts if part.absent]
    return _measure(row, node, parts, missing[0].absent if missing else "")


def _part(code: str, rows: Rows, registry: Registry, above: tuple[str, ...]) -> Measure:
    if code in above:
        raise ExpressionError("cycle", text=" → ".join([*above, code]))
    if code in registry:
        return registry[code]
    if code not in rows:
        raise ExpressionError("unknown", text=code)
    if len(above) >= DEEPEST:
        raise ExpressionError("nested", limit=DEEPEST)
    return _build(rows[code], rows, registry, above)


def _over(part: Measure, span: str) -> Measure:
    """A part read over the span of the whole, where it has none of its own. ExpressionError
    no_to_date for one that compares with the period before."""
    if span == PERIOD or part.span != PERIOD:
        return part
    if isinstance(part, Derived):
        parts = tuple(_over(each, span) for each in part.parts)
        label = to_date(part, span).label
        return replace(part, label=label, span=span, parts=parts)
    if PREVIOUS in part.needs:
        raise ExpressionError("no_to_date", text=part.label)
    return to_date(part, span)


def _measure(row: Any, node: Node | None, parts: list[Measure], why: Any) -> Derived:
    leaves = [leaf for part in parts for leaf in part.leaves()]
    kinds = {leaf.kind for leaf in leaves}
    english = get_language() == "en"
    return Derived(
        code=row.code,
        label=row.name_en if english and row.name_en else row.name,
        definition=row.definition_en if english and row.definition_en else row.definition,
        unit=row.unit,
        numerator=None,
        value=whole,
        derivation="",
        zero_policy=row.zero if node and expressions.divides(node) else "",
        higher=row.higher,
        kind=kinds.pop() if len(kinds) == 1 else None,
        # The targets of a part are not the target of the whole.
        needs=frozenset(need for leaf in leaves for need in leaf.needs) - {TARGETS},
        source=OWN,
        grain=max((leaf.grain for leaf in leaves), key=_GRAINS.index, default=ANY),
        graded=any(leaf.graded for leaf in leaves),
        by_line=any(leaf.by_line for leaf in leaves),
        span=row.span,
        absent=why,
        node=node,
        parts=tuple(parts),
        places=row.places,
    )


def expression_problems(row: Any, rows: Rows, registry: Registry) -> list[Problem]:
    """What is wrong with the expression of a DerivedMeasure `row` that is being written: names,
    circles, denominators that are never positive, units; and what would be wrong with those that
    are made of it."""
    found = _own_problems(row, rows, registry)
    written = {**rows, row.code: row}
    for other in rows.values() if not found else ():
        if row.code in expressions.names(expressions.parse(other.expression)):
            for problem in _own_problems(other, written, registry):
                error = ExpressionError("used_otherwise", text=other.name, why=problem.message)
                found.append(Problem(error.code, in_words(error), problem.field))
    return found


def _own_problems(row: Any, rows: Rows, registry: Registry) -> list[Problem]:
    try:
        node = expressions.parse(row.expression)
        if len(expressions.write(node)) > expressions.MAX_LENGTH:
            raise ExpressionError("too_long", limit=expressions.MAX_LENGTH)
        parts = {
            code: _over(_part(code, {**rows, row.code: row}, registry, (row.code,)), row.span)
            for code in expressions.names(node)
        }
        for part in parts.values():
            if part.absent:
                raise ExpressionError("absent", text=part.label, why=part.absent)
        expressions.check_denominators(node)
        unit = expressions.unit_of(node, {code: part.unit for code, part in parts.items()})
    except ExpressionError as error:
        return [Problem(error.code, in_words(error), "expression")]
    fits = {unit, expressions.NUMBER} if unit == expressions.RATIO else {unit}
    if row.unit not in fits:
        message = _("The expression gives: %(unit)s. Choose that as its unit.")
        return [Problem("unit_differs", message % {"unit": UNIT_LABELS[unit]}, "unit")]
    return []


def frozen(row: Any, rows: Rows, registry: Registry) -> dict[str, Any]:
    """Everything of a derived measure that decides its value, for the digest of a version: the
    expression, and those of derived measures in it."""
    node = expressions.parse(row.expression)
    return {
        "expression": expressions.write(node),
        "unit": row.unit,
        "higher": row.higher,
        "places": row.places,
        "zero": row.zero,
        "span": row.span,
        "uses": {
            code: frozen(rows[code], rows, registry)
            for code in sorted(expressions.names(node))
            if code not in registry
        },
    }


# --- words ---------------------------------------------------------------------------------

_WORDS = {
    "empty": gettext_lazy("Write an expression, such as “sell_through_net ÷ sell_in_net”."),
    "too_long": gettext_lazy("It is longer than %(limit)s characters."),
    "character": gettext_lazy("“%(text)s” cannot stand in an expression."),
    "syntax": gettext_lazy(
        "It cannot be read. Use codes of measures, numbers, + − × ÷, parentheses and functions."
    ),
    "power": gettext_lazy("Powers are not possible."),
    "operator": gettext_lazy("Only + − × ÷ are possible."),
    "call": gettext_lazy("“%(text)s” is no function. There are min, max, abs, nullif, coalesce."),
    "arguments": gettext_lazy("“%(text)s” has too few or too many values in its parentheses."),
    "number": gettext_lazy("“%(text)s” is not a number that can be used here."),
    "too_complex": gettext_lazy("It is too long or too deep. Make two measures of it."),
    "cycle": gettext_lazy("It goes round in a circle: %(text)s."),
    "unknown": gettext_lazy("There is no measure “%(text)s”."),
    "absent": gettext_lazy("“%(text)s” cannot be used: %(why)s"),
    "zero_denominator": gettext_lazy("“%(text)s” is not positive: nothing can be divided by it."),
    "units_differ": gettext_lazy(
        "%(left)s and %(right)s cannot be added, subtracted or compared with each other."
    ),
    "no_unit": gettext_lazy("What it gives has no unit that could be shown."),
    "no_measure": gettext_lazy("It names no measure."),
    "nested": gettext_lazy("No more than %(limit)s derived measures can stand one in another."),
    "used_otherwise": gettext_lazy("“%(text)s” is made of it. %(why)s"),
    "no_to_date": gettext_lazy(
        "“%(text)s” compares with the period before, and cannot be read to date."
    ),
}


def in_words(error: ExpressionError) -> str:
    """What is wrong with an expression, for people."""
    values = {
        name: " × ".join(str(UNIT_LABELS[unit]) for unit in value)
        if isinstance(value, list)
        else value
        for name, value in error.values.items()
    }
    return str(_WORDS[error.code]) % values


ZERO_CHOICES = [
    (NOT_APPLICABLE, gettext_lazy("The item does not apply.")),
    (ZERO_COUNTS, gettext_lazy("The value is 0.")),
]
