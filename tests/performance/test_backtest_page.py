"""The numbers of docs/algorithms/backtest.md, read from the page itself."""

import re
from array import array
from decimal import Decimal
from pathlib import Path

import pytest

from performance.backtest import figures

PAGE = (Path(__file__).parents[2] / "docs/algorithms/backtest.md").read_text()
WEIGHTS = [3000, 5000, 2000]


def table(header, count):
    """The rows of the table with that header, of which there are so many."""
    found = re.search(re.escape(f"| {header} |") + r"\n\|[-|]+\|\n((?:\|.*\|\n)+)", PAGE)
    rows = [[cell.strip() for cell in row.strip("|\n").split("|")] for row in found[1].splitlines()]
    assert len(rows) == count
    return rows


def points(cell):
    """“90, –, 100” in ten-thousandths."""
    return [
        figures.NONE if each == "–" else int(Decimal(each) * figures.POINT)
        for each in cell.split(", ")
    ]


def hundredths(cell):
    return int(Decimal(cell) * 100)


def none_or(cell):
    return None if cell == "–" else Decimal(cell)


def test_quartiles():
    rows = table("quartile | total", 3)
    totals = figures.summary([1000, 2000, 3000, 9999, 10500])
    assert [hundredths(total) for _name, total in rows] == list(totals.quartiles)


@pytest.mark.parametrize("row", table("weight | asked | moves by", 4), ids=" ".join)
def test_how_far_a_weight_moves(row):
    weight, asked, moves = map(hundredths, row)
    assert figures.moved([weight, 10000 - weight], 0, asked) == moves


@pytest.mark.parametrize(
    "row", table("points | total | item | derivative | at +5 | at −5", 9), ids=" ".join
)
def test_a_weight(row):
    case, at = figures.Case(points(row[0])), int(row[2]) - 1
    sums = figures.sums_of(WEIGHTS, case)
    assert figures.total_of(sums.weighted, sums.weights, case) == hundredths(row[1])
    slope = figures.quotient(figures.slope(WEIGHTS, at, case, sums), 1)
    assert slope == Decimal(row[3])
    moved = [figures.total_at(WEIGHTS, at, by, case, sums) for by in (500, -500)]
    assert moved == [hundredths(row[4]), hundredths(row[5])]


def test_parts_of_the_differences():
    rows = table("weight | part", 3)
    cases = [figures.Case(points(each)) for each in ("90, 60, 100", "60, 60, 100", "30, 60, 40")]
    weights = [hundredths(weight) for weight, _part in rows]
    parts = figures.spread(weights, cases, [figures.sums_of(weights, case) for case in cases])
    assert parts == [Decimal(part) for _weight, part in rows]


@pytest.mark.parametrize(
    "row",
    table(
        "points in period 1 | points in period 2 | never | different | most alike | deviation", 2
    ),
    ids=" ".join,
)
def test_an_item(row):
    found = figures.discrimination([points(row[0]), points(row[1])])
    assert found.never == (row[2] == "yes")
    assert found.distinct == int(row[3])
    assert (found.most_alike, found.deviation) == (Decimal(row[4]), Decimal(row[5]))


@pytest.mark.parametrize(
    "row", table("first | second | Pearson | Spearman", 4), ids=lambda row: " ".join(row)
)
def test_a_correlation(row):
    columns = [array("i", points(row[0])), array("i", points(row[1]))]
    (found,) = figures.correlations(columns)
    assert (found.pearson, found.spearman) == (none_or(row[2]), none_or(row[3]))


@pytest.mark.parametrize("row", table("total | thresholds | nearest | distance", 5), ids=" ".join)
def test_a_threshold(row):
    bounds = [hundredths(each) for each in row[1].split(", ")]
    found = figures.margin(hundredths(row[0]), bounds)
    if row[2] == "–":
        assert found is None
    else:
        assert found == (bounds.index(hundredths(row[2])), hundredths(row[3]))
