"""The numbers of docs/algorithms/measures.md, read from the page itself."""

from decimal import Decimal

import pytest

from core.periods import Period
from performance import expressions, measures
from performance.expressions import ExpressionError
from performance.measuring import read_one
from tests import factories as make
from tests.performance.measures_page import make_books, table

QUARTER = Period.parse("2013Q3")
AUGUST = Period.parse("2013-08")


def number(text):
    return None if text is None else Decimal(text.replace("−", "-"))


@pytest.mark.django_db
def test_every_measure_has_the_value_that_the_page_says():
    partner = make_books()
    found = []
    for code, kind, *_numbers in table("measure"):
        measure = measures.REGISTRY[code]
        inputs = read_one(partner.pk, QUARTER, measure, kind=kind or "")
        value = inputs.values(measure)[0]
        found.append((code, kind, inputs.numerators[0], inputs.denominators[0], value))
    expected = [
        (code, kind, *(number(each) for each in numbers))
        for code, kind, *numbers in table("measure")
    ]
    assert found == expected


def test_the_page_tells_of_every_measure():
    told = {row[0] for row in table("measure")}
    assert told == {code for code, measure in measures.REGISTRY.items() if not measure.absent}


def test_the_page_has_the_formula_and_direction_of_every_measure():
    told = {
        code.strip(" `"): better == "yes"
        for codes, _formula, better in table("formula of")
        for code in codes.split(",")
    }
    assert told == {
        code: measure.higher
        for code, measure in measures.REGISTRY.items()
        if not measure.absent and not code.endswith("_ytd")
    }


def test_the_page_lists_what_is_absent():
    absent = [(each.code, each.source) for each in measures.REGISTRY.values() if each.absent]
    assert [tuple(row) for row in table("absent")] == absent


VALUES = {"a": Decimal(6), "b": Decimal(4), "z": Decimal(0), "n": Decimal(-2), "u": None}


@pytest.mark.parametrize(("text", "value", "counting"), table("expression"))
def test_values_of_expressions(text, value, counting):
    node = expressions.parse(text)
    found = expressions.evaluate(node, VALUES)
    told = [expressions.rounded(found, 6, zero_counts=counts) for counts in (False, True)]
    assert told == [number(value), number(counting)]


UNITS = {
    "amount": "currency",
    "amount2": "currency",
    "share": "ratio",
    "count": "count",
    "months": "months",
    "days": "days",
}


@pytest.mark.parametrize(("text", "unit"), table("checked"))
def test_units_of_expressions(text, unit):
    node = expressions.parse(text)
    if unit in expressions.UNITS:
        assert expressions.unit_of(node, UNITS) == unit
    else:
        with pytest.raises(ExpressionError) as error:
            expressions.unit_of(node, UNITS)
        assert error.value.code == unit


@pytest.mark.parametrize(("text", "code"), table("typed"))
def test_what_is_refused(text, code):
    with pytest.raises(ExpressionError) as error:
        expressions.check_denominators(expressions.parse(text))
    assert error.value.code == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a + " * 200 + "a", "too_long"),
        ("+".join("a" * 200), "too_complex"),
        ("(" * 30 + "a" + "+1)" * 30, "too_complex"),
        ("-" * 60 + "a", "too_complex"),
        ("1234567890123456789", "number"),
        ("ａ + 1", "character"),
        ("\u212a + 1", "character"),  # the sign of kelvin, which is “k” in lower case
        ("min(a=1, b=2)", "character"),
        ("lambda", "syntax"),
        ("not a", "syntax"),
        ("a if b else a", "syntax"),
        ("min(*a, b)", "syntax"),
        (".5", "number"),
        ("5.", "number"),
        ("1j", "number"),
        ("0x10", "number"),
    ],
)
def test_limits_of_expressions(text, code):
    with pytest.raises(ExpressionError) as error:
        expressions.parse(text)
    assert error.value.code == code


def test_what_is_typed_is_kept_in_one_way_of_writing():
    text = expressions.write(expressions.parse("MAX(sell_in_net-1000，0)/sell_in_net"))
    assert text == "max(sell_in_net − 1000, 0) ÷ sell_in_net"


@pytest.mark.django_db
def test_measures_to_date():
    partner = make_books()
    found = []
    for text, span, value in table("made of"):
        row = make.make_derived_measure(expression=text, span=span)
        row.unit = "ratio" if "÷" in text else "currency"
        measure = measures.drafted(row)
        found.append(read_one(partner.pk, AUGUST, measure).values(measure)[0] == number(value))
    assert found == [True] * 7
