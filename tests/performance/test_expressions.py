"""What holds for every expression over measures."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import assume, given, strategies as st

from performance import expressions
from performance.expressions import (
    BY_ZERO,
    UNITS,
    Call,
    ExpressionError,
    Name,
    Negative,
    Number,
    Operation,
)

NAMES = ("a", "b", "c")
names = st.sampled_from(NAMES).map(Name)
numbers = (
    st.decimals(min_value=0, max_value=10**6, places=3)
    .map(lambda value: value.copy_abs())
    .map(Number)
)


def larger(parts):
    calls = st.one_of(
        st.tuples(st.sampled_from(["min", "max", "coalesce"]), st.tuples(parts, parts)),
        st.tuples(st.just("nullif"), st.tuples(parts, parts)),
        st.tuples(st.just("abs"), st.tuples(parts)),
    )
    return st.one_of(
        st.builds(Negative, parts),
        st.builds(Operation, st.sampled_from("+-*/"), parts, parts),
        calls.map(lambda each: Call(*each)),
    )


nodes = st.recursive(names | numbers, larger, max_leaves=12)
values = st.fixed_dictionaries(
    {name: st.none() | st.decimals(min_value=-1000, max_value=1000, places=4) for name in NAMES}
)


def parsed_again(node):
    try:
        return expressions.parse(expressions.write(node))
    except ExpressionError as error:
        assume(error.code not in ("too_long", "too_complex"))
        raise


@given(nodes)
def test_what_is_written_is_read_as_the_same(node):
    assert parsed_again(node) == node


@given(nodes)
def test_what_is_typed_plainly_is_the_same(node):
    text = expressions.write(node).translate(str.maketrans("×÷−", "*/-"))
    assume(len(text) <= expressions.MAX_LENGTH)
    parsed_again(node)
    assert expressions.parse(text) == expressions.parse(text.upper()) == node


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        node = expressions.parse(text)
    except ExpressionError as error:
        assert error.code
    else:
        assert expressions.parse(expressions.write(node)) == node


SIGNS = st.text(alphabet="ab1.()+-*/, min", max_size=40)


@given(SIGNS)
def test_any_row_of_signs_is_read_or_refused(text):
    try:
        node = expressions.parse(text)
    except ExpressionError as error:
        assert error.code
    else:
        assert expressions.parse(expressions.write(node)) == node


APPLY = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right if right > 0 else BY_ZERO,
    "nullif": lambda left, right: None if left == right else left,
    "min": min,
    "max": max,
    "abs": abs,
    "negative": lambda value: -value,
}


def children(node):
    if isinstance(node, Negative):
        return "negative", [node.operand]
    if isinstance(node, Operation):
        return node.sign, [node.left, node.right]
    return node.function, node.arguments


def exactly(node, known):
    """The value by exact fractions; None or BY_ZERO for what has none."""
    if isinstance(node, Number):
        return Fraction(node.value)
    if isinstance(node, Name):
        return None if known[node.code] is None else Fraction(known[node.code])
    name, parts = children(node)
    found = [exactly(part, known) for part in parts]
    there = [value for value in found if isinstance(value, Fraction)]
    if name == "coalesce" and there:
        return there[0]
    if len(there) < len(found):
        return None if None in found else BY_ZERO
    return APPLY[name](*found)


@given(nodes, values)
def test_values_are_those_of_exact_fractions(node, known):
    expected, found = exactly(node, known), expressions.evaluate(node, known)
    if isinstance(found, Decimal) is not isinstance(expected, Fraction):
        # A comparison of rounded numbers may go the other way than that of exact ones.
        assert sum(isinstance(each, Operation) for each in expressions._walk(node)) > 1
    elif not isinstance(found, Decimal):
        assert found is expected
    elif abs(expected) < 10**24:
        assert abs(Fraction(found) - expected) <= max(abs(expected), 1) * Fraction(1, 10**20)


@given(nodes, values, st.integers(0, 6), st.booleans())
def test_a_rounded_value_has_its_places(node, known, places, counts):
    value = expressions.rounded(expressions.evaluate(node, known), places, zero_counts=counts)
    if value is not None:
        assert -value.as_tuple().exponent == places
        assert not (value.is_signed() and value == 0)


@given(nodes, st.fixed_dictionaries({name: st.sampled_from(UNITS) for name in NAMES}))
def test_a_unit_is_found_or_refused(node, units):
    try:
        assert expressions.unit_of(node, units) in UNITS
    except ExpressionError as error:
        assert error.code in ("units_differ", "no_unit", "no_measure")


scales = st.fixed_dictionaries(
    {name: st.decimals(min_value=1, max_value=1000, places=2) for name in NAMES}
)


@given(nodes, scales)
def test_amounts_in_another_currency_give_the_same_share(node, known):
    """What has no unit does not depend on the one in which the amounts are counted."""
    assume(not any(isinstance(each, Number) for each in expressions._walk(node)))
    units = dict.fromkeys(NAMES, "currency")
    try:
        unit = expressions.unit_of(node, units)
    except ExpressionError:
        return
    factor = {"ratio": Decimal(1), "currency": Decimal(7)}[unit]
    first = expressions.evaluate(node, known)
    second = expressions.evaluate(node, {name: value * 7 for name, value in known.items()})
    if isinstance(first, Decimal) and isinstance(second, Decimal):
        with localcontext(prec=60):  # as the engine: fewer digits would be the test's own error
            error = abs(second - first * factor)
        assert error <= abs(first) * Decimal("1e-26") + Decimal("1e-40")
    else:
        assert first is second


@pytest.mark.parametrize("code", ["sell_in_net", "a", "x9_", "min_"])
def test_names_are_those_that_stand_there(code):
    node = expressions.parse(f"{code} + 2 × {code} ÷ b")
    assert expressions.names(node) == ([code, "b"] if code != "b" else ["b"])
