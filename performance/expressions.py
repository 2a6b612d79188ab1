"""The engine of derived measures: a small language over measures. Pure: no database, no clock.

    (sell_through_net − collection) ÷ nullif(sell_in_net, 0)

Names of measures, numbers, + − × ÷, parentheses, and the functions of `FUNCTIONS`; nothing else is
understood, so nothing else can be run. All numbers are `Decimal`. Rules and worked numbers are in
docs/algorithms/measures.md, whose examples are tests.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

MAX_LENGTH, MAX_NODES, MAX_DEPTH, MAX_DIGITS = 500, 100, 20, 18
# Least and most arguments of each function.
FUNCTIONS = {"min": (2, 10), "max": (2, 10), "abs": (1, 1), "nullif": (2, 2), "coalesce": (2, 10)}

CURRENCY, RATIO, NUMBER, COUNT, MONTHS, DAYS = UNITS = (
    "currency",
    "ratio",
    "number",
    "count",
    "months",
    "days",
)

_context = Context(prec=60, rounding=ROUND_HALF_UP)
_ZERO = Decimal(0)
# A value from here on is none: it cannot be meant, and could not be scored.
TOO_MUCH = Decimal(10) ** 24
_SIGNS = str.maketrans("×÷−（），＋－＊／", "*/-(),+-*/")
_SHOWN = {"+": "+", "-": "−", "*": "×", "/": "÷"}
_ALPHABET = re.compile(r"[A-Za-z0-9_.+\-*/(), ]*")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


class ExpressionError(ValueError):
    """An expression that is not understood: `code` says why, `values` fill in the words for it."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.code, self.values = code, values


class _ByZero:
    """What a division by zero (or less) gives: as none, but the policy for it is declared."""

    def __repr__(self) -> str:
        return "BY_ZERO"


BY_ZERO = _ByZero()
Value = Decimal | None | _ByZero


@dataclass(frozen=True, slots=True)
class Number:
    value: Decimal


@dataclass(frozen=True, slots=True)
class Name:
    code: str


@dataclass(frozen=True, slots=True)
class Negative:
    operand: Node


@dataclass(frozen=True, slots=True)
class Operation:
    sign: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple[Node, ...]


Node = Number | Name | Negative | Operation | Call


# --- reading -------------------------------------------------------------------------------


def parse(text: str) -> Node:
    """The tree of an expression. ExpressionError empty, too_long, character, syntax, power,
    operator, call, arguments, number, too_complex."""
    plain = " ".join(text.translate(_SIGNS).split())
    if not plain:
        raise ExpressionError("empty")
    if len(plain) > MAX_LENGTH:
        raise ExpressionError("too_long", limit=MAX_LENGTH)
    end = _ALPHABET.match(plain).end()  # type: ignore[union-attr]  # the empty text matches
    if end < len(plain):
        raise ExpressionError("character", text=plain[end])
    plain = plain.lower()
    try:
        tree = ast.parse(plain, mode="eval").body
        if sum(1 for _node in ast.walk(tree)) > MAX_NODES * 4:
            raise ExpressionError("too_complex")
        return _convert(tree, plain, 0)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, ExpressionError):
            raise
        raise ExpressionError("syntax") from error


_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


def _convert(node: ast.expr, text: str, depth: int) -> Node:
    if depth > MAX_DEPTH:
        raise ExpressionError("too_complex")
    if isinstance(node, ast.Name):
        return Name(node.id)
    if isinstance(node, ast.Constant):
        return _number(ast.get_source_segment(text, node) or "")
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return Negative(_convert(node.operand, text, depth + 1))
    if isinstance(node, ast.BinOp):
        return _operation(node, text, depth)
    if isinstance(node, ast.Call):
        return _call(node, text, depth)
    raise ExpressionError("syntax")


def _number(segment: str) -> Number:
    if not _NUMBER.fullmatch(segment) or len(segment) > MAX_DIGITS:
        raise ExpressionError("number", text=segment)
    return Number(Decimal(segment))


def _operation(node: ast.BinOp, text: str, depth: int) -> Operation:
    if isinstance(node.op, ast.Pow):
        raise ExpressionError("power")
    sign = _OPERATORS.get(type(node.op))
    if sign is None:
        raise ExpressionError("operator")
    left = _convert(node.left, text, depth + 1)
    return Operation(sign, left, _convert(node.right, text, depth + 1))


def _call(node: ast.Call, text: str, depth: int) -> Call:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name not in FUNCTIONS or node.keywords:
        raise ExpressionError("call", text=name or "?")
    least, most = FUNCTIONS[name]
    if not least <= len(node.args) <= most:
        raise ExpressionError("arguments", text=name)
    return Call(name, tuple(_convert(each, text, depth + 1) for each in node.args))


def _walk(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Negative):
        yield from _walk(node.operand)
    elif isinstance(node, Operation):
        yield from _walk(node.left)
        yield from _walk(node.right)
    elif isinstance(node, Call):
        for each in node.arguments:
            yield from _walk(each)


def names(node: Node) -> list[str]:
    """The measures that an expression names, each once, in the order in which they stand there."""
    return list(dict.fromkeys(each.code for each in _walk(node) if isinstance(each, Name)))


def check_denominators(node: Node) -> None:
    """ExpressionError zero_denominator where a number that is not positive divides."""
    for each in _walk(node):
        if isinstance(each, Operation) and each.sign == "/" and not names(each.right):
            value = evaluate(each.right, {})
            if not isinstance(value, Decimal) or value <= _ZERO:
                raise ExpressionError("zero_denominator", text=write(each.right))


def divides(node: Node) -> bool:
    """Whether anything is divided, so that a denominator may be zero."""
    return any(isinstance(each, Operation) and each.sign == "/" for each in _walk(node))


# --- writing -------------------------------------------------------------------------------


def write(node: Node, say: Callable[[str], str] = str) -> str:
    """An expression as people read it, the same for all ways to type it; `say` names a measure."""
    return _write(node, say, 0)


_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2}


def _write(node: Node, say: Callable[[str], str], around: int) -> str:
    if isinstance(node, Number):
        return f"{node.value:f}"
    if isinstance(node, Name):
        return say(node.code)
    if isinstance(node, Negative):
        inner = f"−{_write(node.operand, say, 3)}"
        return f"({inner})" if around > 1 else inner
    if isinstance(node, Call):
        listed = ", ".join(_write(each, say, 0) for each in node.arguments)
        return f"{node.function}({listed})"
    strength = _STRENGTH[node.sign]
    left = _write(node.left, say, strength)
    right = _write(node.right, say, strength + 1)  # a − (b − c), a ÷ (b × c)
    text = f"{left} {_SHOWN[node.sign]} {right}"
    return f"({text})" if strength < around else text


# --- values --------------------------------------------------------------------------------


def evaluate(node: Node, values: Mapping[str, Decimal | None]) -> Value:
    """The value of an expression, unrounded.

    What a measure without a value touches has none, except under coalesce, which takes the first
    that has one. A division by zero or by a negative number gives BY_ZERO, which goes the same way.
    """
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Name):
        return values[node.code]
    if isinstance(node, Negative):
        value = evaluate(node.operand, values)
        return _context.minus(value) if isinstance(value, Decimal) else value
    if isinstance(node, Operation):
        left, right = evaluate(node.left, values), evaluate(node.right, values)
        if isinstance(left, Decimal) and isinstance(right, Decimal):
            return _APPLY[node.sign](left, right)
        return None if left is None or right is None else BY_ZERO
    return _function(node.function, [evaluate(each, values) for each in node.arguments])


def _divide(left: Decimal, right: Decimal) -> Value:
    return BY_ZERO if right <= _ZERO else _context.divide(left, right)


_APPLY: dict[str, Callable[[Decimal, Decimal], Value]] = {
    "+": _context.add,
    "-": _context.subtract,
    "*": _context.multiply,
    "/": _divide,
}


def _function(name: str, arguments: list[Value]) -> Value:
    numbers = [each for each in arguments if isinstance(each, Decimal)]
    if name == "coalesce":
        return numbers[0] if numbers else _missing(arguments)
    if len(numbers) < len(arguments):
        return _missing(arguments)
    if name == "nullif":
        return None if numbers[0] == numbers[1] else numbers[0]
    if name == "abs":
        return abs(numbers[0])
    return min(numbers) if name == "min" else max(numbers)


def _missing(arguments: list[Value]) -> Value:
    return None if any(each is None for each in arguments) else BY_ZERO


def rounded(value: Value, places: int, *, zero_counts: bool) -> Decimal | None:
    """A value as it counts: half up to `places` (0 to 6); BY_ZERO is 0 or none, as declared. None
    too from 10²⁴ on."""
    if value is BY_ZERO:
        value = _ZERO if zero_counts else None
    if not isinstance(value, Decimal) or abs(value) >= TOO_MUCH:
        return None
    unit = Decimal(1).scaleb(-places)
    return _context.quantize(value, unit) or _ZERO.quantize(unit)  # never −0


# --- units ---------------------------------------------------------------------------------

Dimension = dict[str, int]  # unit → exponent; a share has none


def unit_of(node: Node, units: Mapping[str, str]) -> str:
    """The unit of an expression over measures of these units: currency, count, months or days (each
    also “per count, month or day”), or ratio for what has no unit.

    A bare number fits every unit. ExpressionError units_differ, no_unit, no_measure.
    """
    found = _dimension(node, units)
    if found is None:
        raise ExpressionError("no_measure")
    if not found:
        return RATIO
    above = [unit for unit, power in found.items() if power > 0]
    if len(above) != 1 or found[above[0]] != 1 or found.get(CURRENCY, 0) < 0:
        raise ExpressionError("no_unit")
    return above[0]


def _dimension(node: Node, units: Mapping[str, str]) -> Dimension | None:
    if isinstance(node, Number):
        return None
    if isinstance(node, Name):
        unit = units[node.code]
        return {} if unit in (RATIO, NUMBER) else {unit: 1}
    if isinstance(node, Negative):
        return _dimension(node.operand, units)
    if isinstance(node, Call):
        return _same([_dimension(each, units) for each in node.arguments])
    parts = [_dimension(node.left, units), _dimension(node.right, units)]
    if node.sign in "+-":
        return _same(parts)
    return _product(parts, 1 if node.sign == "*" else -1)


def _same(parts: list[Dimension | None]) -> Dimension | None:
    known = [part for part in parts if part is not None]
    for other in known[1:]:
        if other != known[0]:
            raise ExpressionError("units_differ", left=_names_of(known[0]), right=_names_of(other))
    return known[0] if known else None


def _product(parts: list[Dimension | None], sign: int) -> Dimension | None:
    left, right = parts
    if left is None and right is None:
        return None
    found = dict(left or {})
    for unit, power in (right or {}).items():
        found[unit] = found.get(unit, 0) + sign * power
    return {unit: power for unit, power in found.items() if power}


def _names_of(dimension: Dimension) -> list[str]:
    return sorted(dimension) or [RATIO]
