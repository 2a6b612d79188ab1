"""The numbers of docs/algorithms/scoring.md, read from the page itself."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from performance import scoring

PAGE = (Path(__file__).parents[2] / "docs/algorithms/scoring.md").read_text()
BLOCK = re.compile(
    r"```json\n(?P<curve>.+)\n```\n\n"
    r"\| x \| points \| status \|\n\|[-|]+\|\n(?P<rows>(?:\|.*\|\n)+)"
)


def cells(rows):
    return [[cell.strip() for cell in row.strip("|\n").split("|")] for row in rows.splitlines()]


def examples():
    for block in BLOCK.finditer(PAGE):
        curve = json.loads(block["curve"])
        for x, points, status in cells(block["rows"]):
            yield pytest.param(curve, x, points, status, id=f"{curve['kind']} {x}")


def test_the_page_has_every_kind_of_curve():
    assert {example.values[0]["kind"] for example in examples()} == set(scoring.CURVE_KINDS)
    assert len(list(examples())) == 37


@pytest.mark.parametrize(("curve", "x", "points", "status"), list(examples()))
def test_curve(curve, x, points, status):
    item = scoring.Item("a", Decimal(1), scoring.compile_curve(curve, Decimal(curve["cap"])))
    score = scoring.score_item(item, Decimal(x))
    assert (score.points, score.status) == (Decimal(points), status)


def nine_items():
    table = re.search(r"\| weight \| points \|\n\|[-|]+\|\n((?:\|.*\|\n)+)", PAGE)
    rows = cells(table[1])
    read = scoring.compile_curve({"kind": "proportional"}, Decimal(200))
    items = [scoring.Item(str(n), Decimal(weight), read) for n, (weight, _) in enumerate(rows)]
    return items, [
        scoring.score_item(item, Decimal(row[1]) / 100)
        for item, row in zip(items, rows, strict=True)
    ]


def test_total_of_the_domain_example():
    items, scores = nine_items()
    assert str(scoring.total(items, scores)) == "92.20"


def test_total_when_an_item_does_not_apply():
    items, scores = nine_items()
    scores[1] = scoring.score_item(items[1], None)
    assert str(scoring.total(items, scores)) == "90.22"


def test_total_when_an_item_counts_as_zero():
    items, scores = nine_items()
    zero = scoring.Item("1", items[1].weight, items[1].read, missing=scoring.AS_ZERO)
    scores[1] = scoring.score_item(zero, None)
    assert str(scoring.total(items, scores)) == "81.20"


def test_what_an_item_adds_to_the_total():
    assert scoring.weighted("30", "96.5", Decimal(100)) == Decimal("28.95")
    assert scoring.weighted("30", None, Decimal(100)) is None


def test_no_item_applies():
    items, scores = nine_items()
    assert scoring.total(items, [scoring.score_item(item, None) for item in items]) is None


def test_compared_with_a_target():
    read = scoring.compile_curve({"kind": "proportional"})
    item = scoring.Item("a", Decimal(1), read, compares=True)
    score = scoring.score_item(item, Decimal(2), Decimal(3))
    assert (score.x, score.points) == (Decimal("0.666667"), Decimal("66.6667"))
    for target in (None, Decimal(0), Decimal(-1)):
        assert scoring.score_item(item, Decimal(2), target).status == "missing"


@pytest.mark.parametrize(
    ("higher", "value", "points"),
    [(True, "0.79", 0), (True, "0.8", 80), (False, "0.8", 80), (False, "0.81", 0)],
)
def test_gate(higher, value, points):
    read = scoring.compile_curve({"kind": "proportional"})
    item = scoring.Item("a", Decimal(1), read, gate=Decimal("0.8"), higher=higher)
    assert scoring.score_item(item, Decimal(value)).points == points


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [
        ("1", "3", "0.333333"),
        ("2", "3", "0.666667"),
        ("1", "2000000", "0.000001"),  # 0.0000005 is half: up
        ("-1", "2000000", "-0.000001"),
        ("-1", "9000000", "0.000000"),  # never −0
        ("5", "0", "None"),
        ("5", "-1", "None"),
        ("99999999999999.9999", "0.0001", "999999999999999999.000000"),
    ],
)
def test_ratio(numerator, denominator, expected):
    assert str(scoring.ratio(Decimal(numerator), Decimal(denominator))) == expected


def test_median():
    assert scoring.median([]) is None
    assert scoring.median([Decimal(3), Decimal(1), Decimal(2)]) == 2
    assert scoring.median([Decimal("0.0001"), Decimal("0.0002")]) == Decimal("0.0002")


def test_rank_is_shared_and_then_skipped():
    totals = [Decimal("70.00"), None, Decimal(80), Decimal("70.0"), Decimal(10)]
    assert scoring.rank(totals) == [2, None, 1, 2, 4]


def test_level_at_its_bound():
    levels = [(Decimal(90), "platinum"), (Decimal(40), "bronze"), (Decimal(75), "gold")]
    assert [scoring.level(levels, Decimal(t)) for t in ("90", "89.99", "75", "39.99")] == [
        "platinum",
        "gold",
        "gold",
        None,
    ]
    assert scoring.level(levels, None) is None
