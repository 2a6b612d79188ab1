"""The numbers of docs/algorithms/scoring.md, read from the page itself."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from performance import scoring
from performance.run import _benchmark

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
    assert len(list(examples())) == 42


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


def test_level_at_its_bound():
    ladder = tuple(
        scoring.Rung(name, Decimal(least), Decimal(least))
        for name, least in (("bronze", 40), ("gold", 75), ("platinum", 90))
    )
    card = scoring.Card(items=(), ladder=ladder)
    assert [card.reached(Decimal(t)) for t in ("90", "89.99", "75", "39.99")] == [3, 2, 2, 0]


# --- beyond weights --------------------------------------------------------------------------

PROPORTIONAL = scoring.compile_curve({"kind": "proportional"}, Decimal(200))
NONE = "–"


def table(*head):
    """The rows of the tables with that head, as dicts."""
    line = re.escape(f"| {' | '.join(head)} |")
    found = re.search(line + r"\n\|[-|]+\|\n((?:\|.*\|\n)+)", PAGE)
    return [dict(zip(head, row, strict=True)) for row in cells(found[1])]


def tables(*head):
    line = re.escape(f"| {' | '.join(head)} |")
    return [
        [dict(zip(head, row, strict=True)) for row in cells(found[1])]
        for found in re.finditer(line + r"\n\|[-|]+\|\n((?:\|.*\|\n)+)", PAGE)
    ]


def numbers(text):
    return [None if part == NONE else Decimal(part) for part in text.split(", ")]


def scored(item, points):
    """The score of an item that gives `points`."""
    return scoring.score_item(item, None if points is None else Decimal(points) / 100)


def item(weight, **more):
    return scoring.Item("a", Decimal(weight), PROPORTIONAL, **more)


def test_nine_items_less_six_points():
    items, scores = nine_items()
    card = scoring.Card(items=tuple(items), deduction_cap=Decimal(20))
    outcome = card.judge(scores, deductions=Decimal(6))
    told = re.search(r"Six points off .* \(cap 20\) leave \*\*(.+)\*\*", PAGE)[1]
    assert (outcome.base, outcome.total) == (Decimal("92.20"), Decimal(told))


def test_rounding():
    rows = table("number", "places", "rounded")
    for row in rows:
        unit = Decimal(1).scaleb(-int(row["places"]))
        assert scoring.quantize(Decimal(row["number"]), unit) == Decimal(row["rounded"]), row
    assert len(rows) == 7


def test_ranks():
    rows = table("totals", "ranks")
    for row in rows:
        assert scoring.rank(numbers(row["totals"])) == numbers(row["ranks"]), row
    assert len(rows) == 3


def test_targets():
    rows = table("value", "target", "x", "points")
    read = scoring.compile_curve({"kind": "proportional"}, Decimal(110))
    compared = scoring.Item("a", Decimal(1), read, compares=True)
    for row in rows:
        [value], [target], [x], [points] = (numbers(row[name]) for name in row)
        score = scoring.score_item(compared, value, target)
        assert (score.x, score.points) == (x, points), row
        assert (score.status == "missing") is (points is None)
    assert len(rows) == 6


def test_medians():
    rows = table("values of the peers", "median")
    for row in rows:
        found = _benchmark({"target_source": "peer_median"}, numbers(row["values of the peers"]))
        assert [found] == numbers(row["median"]), row
    assert len(rows) == 5
    assert scoring.median([]) is None


def test_gates():
    rows = table("better", "gate", "value", "points", "status")
    for row in rows:
        gated = item(1, gate=Decimal(row["gate"]), higher=row["better"] == "more")
        score = scoring.score_item(gated, Decimal(row["value"]))
        assert (score.points, score.status) == (Decimal(row["points"]), row["status"]), row
    assert len(rows) == 4


def test_what_people_rate():
    rows = table("marks", "raters asked for", "value")
    for row in rows:
        marks, least = numbers(row["marks"]), int(row["raters asked for"])
        value = (
            scoring.mean_of(sum(marks), Decimal(len(marks)), scoring.RATIO)
            if len(marks) >= least
            else None
        )
        assert value == (None if row["value"] == NONE else Decimal(row["value"])), row
    assert len(rows) == 4


def test_results_of_named_items():
    rows = table("weights", "points", "result")
    for row in rows:
        pairs = zip(numbers(row["weights"]), numbers(row["points"]), strict=True)
        applying = [(weight, points) for weight, points in pairs if points is not None]
        result = scoring.mean_of(
            sum(weight * points for weight, points in applying),
            sum(weight for weight, _points in applying),
            scoring.POINTS,
        )
        assert result == Decimal(row["result"]), row
    assert len(rows) == 3


def test_the_year():
    rows = table("attainment", "results of the quarters", "total")
    attainment = scoring.Item(
        "a", Decimal(70), scoring.compile_curve({"kind": "proportional"}, Decimal(120))
    )
    as_they_are = {"kind": "linear", "points": [["0", "0"], ["100", "100"]]}
    quarters = scoring.Item("q", Decimal(30), scoring.compile_curve(as_they_are))
    card = scoring.Card(items=(attainment, quarters))
    for row in rows:
        found = [each for each in numbers(row["results of the quarters"]) if each is not None]
        mean = scoring.mean_of(sum(found), Decimal(len(found)), scoring.POINTS) if found else None
        scores = [
            scoring.score_item(attainment, Decimal(row["attainment"])),
            scoring.score_item(quarters, mean),
        ]
        assert card.judge(scores).total == Decimal(row["total"]), row
    assert len(rows) == 4


def test_bonus_and_deductions():
    rows = table("base", "bonus", "points of decided cases", "cap", "deducted", "total")
    for row in rows:
        whole, extra = item(100), item(10, bonus=True)
        card = scoring.Card(items=(whole, extra), deduction_cap=Decimal(row["cap"]))
        scores = [scored(whole, Decimal(row["base"])), scored(extra, Decimal(row["bonus"]) * 10)]
        outcome = card.judge(scores, deductions=Decimal(row["points of decided cases"]))
        assert outcome[2:5] == tuple(Decimal(row[name]) for name in ("base", "bonus", "deducted"))
        assert outcome.total == Decimal(row["total"]), row
    assert len(rows) == 5


def test_only_a_bonus_applies():
    whole, extra = item(100), item(10, bonus=True)
    outcome = scoring.Card(items=(whole, extra)).judge([scored(whole, None), scored(extra, 90)])
    assert (outcome.total, outcome.base, outcome.bonus) == (None, None, Decimal("9.00"))


def test_vetoes():
    rows = table("side", "bound", "value", "bites")
    for row in rows:
        veto = scoring.Veto("v", row["side"] == "below", Decimal(row["bound"]))
        value = None if row["value"] == NONE else Decimal(row["value"])
        assert veto.bites(value) is (row["bites"] == "yes"), row
    assert len(rows) == 5


def rungs(*pairs):
    return tuple(
        scoring.Rung(name, Decimal(reach), Decimal(keep or reach)) for name, reach, keep in pairs
    )


@pytest.mark.parametrize(("zero", "total", "level"), [(False, "90.00", None), (True, "0.00", "z")])
def test_a_veto_takes_the_level_or_the_total(zero, total, level):
    whole = item(100)
    card = scoring.Card(
        items=(whole,),
        ladder=rungs(("z", 0, None), ("gold", 75, None)),
        vetoes=(scoring.Veto("v", True, Decimal(1), zero=zero),),
        grace=3,
    )
    before = scoring.Standing(2, 0)
    outcome = card.judge([scored(whole, 90)], values=[Decimal(0)], standing=before)
    assert (str(outcome.total), outcome.level, outcome.held) == (total, level, "veto")
    assert outcome.vetoes == ("v",)
    free = card.judge([scored(whole, 90)], values=[Decimal(1)], standing=before)
    assert (free.level, free.held, free.vetoes) == ("gold", "", ())


CAPABILITY = [item(w, minimum=Decimal(0), above=True) for w in (30, 20, 20, 15, 15)]
SOURCES = [
    item(60, minimum=Decimal(60)),
    item(20),
    item(20),
    item(10, bonus=True),
]


@pytest.mark.parametrize(
    ("at", "items", "ladder", "rows"),
    [
        (0, CAPABILITY, rungs(("silver", 70, None), ("gold", 85, None)), 5),
        (1, SOURCES, rungs(("bronze", 50, 0), ("silver", 70, None), ("gold", 85, None)), 3),
    ],
)
def test_minima(at, items, ladder, rows):
    card = scoring.Card(items=tuple(items), ladder=ladder)
    found = tables("points", "total", "level")[at]
    for row in found:
        pairs = zip(items, numbers(row["points"]), strict=True)
        outcome = card.judge([scored(*pair) for pair in pairs])
        expected = None if row["level"] == NONE else row["level"]
        assert (outcome.total, outcome.level) == (Decimal(row["total"]), expected), row
    assert len(found) == rows


def test_how_levels_change():
    ladder = rungs(("bronze", 40, None), ("silver", 60, 55), ("gold", 75, 70), ("platinum", 90, 85))
    place = {NONE: 0} | {rung.name: n for n, rung in enumerate(ladder, start=1)}
    whole = item(100)
    head = ("grace", "most up", "most down", "before", "forgiven", "total", "level", "held by")
    rows = table(*head)
    for row in rows:
        up, down = (numbers(row[name])[0] for name in ("most up", "most down"))
        card = scoring.Card(
            items=(whole,),
            ladder=ladder,
            grace=int(row["grace"]),
            most_up=up and int(up),
            most_down=down and int(down),
        )
        standing = scoring.Standing(place[row["before"]], int(row["forgiven"]))
        outcome = card.judge([scored(whole, Decimal(row["total"]))], standing=standing)
        level = None if row["level"] == NONE else row["level"]
        held = "" if row["held by"] == NONE else row["held by"]
        assert (outcome.level, outcome.held) == (level, held), row
    assert len(rows) == 16
