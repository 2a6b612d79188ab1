"""A bad scheme hears everything that is wrong with it, at once."""

from decimal import Decimal

import pytest

from core.errors import Blocked
from performance.services import publish_version
from performance.validation import problems
from tests import factories as make
from tests.performance.network import FALLING, LINEAR, SEVEN, TODAY, make_scheme

pytestmark = pytest.mark.django_db


def found(version):
    return [(problem.field, problem.code) for problem in problems(version)]


def item_problems(curve=None, measure="sell_in_net", target_source="none", **fields):
    version = make_scheme([(measure, 100, target_source, curve or LINEAR)], publish=False)
    version.items.update(**fields)
    return [code for _field, code in found(version)]


def test_a_good_scheme_has_none():
    assert found(make_scheme()) == []


def test_weights_that_sum_to_99():
    version = make_scheme([("sell_in_net", 99, "none", LINEAR)], publish=False)
    [problem] = problems(version)
    assert (problem.field, problem.code) == ("items", "weights_sum")
    assert "99" in str(problem.message)


def test_all_problems_at_once():
    version = make_scheme(
        [
            (
                "sell_in_net",
                50,
                "none",
                {"kind": "bands", "bands": [["1", "0"], ["1", "50"], ["0", "200"]]},
            ),
            ("sell_in_net", 40, "fixed", {"kind": "spline"}),
            ("happiness", 0, "none", LINEAR),
        ],
        publish=False,
        scope={"states": [], "territories": ["NOWHERE"]},
        levels=[(make.make_level(rank=902), 50), (make.make_level(rank=901), 60)],
    )
    assert found(version) == [
        ("items", "weights_sum"),
        ("items", "duplicate_code"),
        ("items.sell_in_net", "band_gap"),
        ("items.sell_in_net", "bands_overlap"),
        ("items.sell_in_net", "points_out_of_range"),
        ("items.sell_in_net", "target_missing"),
        ("items.sell_in_net", "curve_unknown"),
        ("items.happiness", "weight_not_positive"),
        ("items.happiness", "unknown_measure"),
        ("levels", "levels_unordered"),
        ("scope", "scope_empty"),
        ("scope", "scope_unknown"),
    ]
    with pytest.raises(Blocked) as blocked:
        publish_version(version=version, by=None, on=TODAY)
    assert len(blocked.value.problems) == 12
    version.refresh_from_db()
    assert version.state == "draft"


def linear(*points):
    return {"kind": "linear", "points": [list(point) for point in points]}


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        (linear(("0", "0")), ["curve_too_short"]),
        (linear(("1", "0"), ("1", "5")), ["curve_not_increasing"]),
        (linear(("0", "50"), ("1", "0")), ["curve_not_monotone"]),
        (linear(("0", "5"), ("1", "5")), ["curve_flat"]),
        (linear(("0", "0"), ("1", "101")), ["points_out_of_range"]),
        (linear(("0", "0"), ("1", "NaN")), ["curve_malformed"]),
        (linear(("0", "0"), ("1", 0.1)), ["curve_malformed"]),
        ({"kind": "linear"}, ["curve_malformed"]),
        (["linear"], ["curve_unknown"]),
        ({"kind": "bands", "bands": [[None, "0"]]}, ["curve_too_short"]),
        ({"kind": "pass"}, ["curve_malformed"]),
        ({"kind": "pass", "at_most": "3"}, ["curve_not_monotone"]),
        ({"kind": "proportional"}, ["target_needed"]),
    ],
)
def test_curves(curve, expected):
    assert item_problems(curve) == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"measure": "return_rate"}, ["curve_not_monotone"]),
        ({"measure": "return_rate", "curve": {"kind": "proportional"}}, ["curve_direction"]),
        (
            {"measure": "return_rate", "curve": FALLING, "gate": Decimal("-0.1")},
            ["gate_out_of_range"],
        ),
        ({"measure": "line_breadth", "gate": Decimal(0)}, ["gate_out_of_range"]),
        (
            {
                "measure": "line_breadth",
                "curve": {"kind": "bands", "bands": [[None, "0"], ["0", "50"], ["1", "60"]]},
            },
            ["unreachable"],
        ),
        ({"measure": "line_breadth", "curve": {"kind": "pass", "at_least": "0"}}, ["unreachable"]),
        ({"kind": "sell_out"}, ["kind_contradicts"]),
        ({"measure": "target_attainment", "kind": "sell_out"}, ["kind_without_targets"]),
        ({"target": Decimal(5)}, ["target_unused"]),
        ({"cap": Decimal(0)}, ["cap_out_of_range", "points_out_of_range"]),
        ({"cap": Decimal(201)}, ["cap_out_of_range"]),
    ],
)
def test_items(arguments, expected):
    assert item_problems(**arguments) == expected


def test_a_level_that_nobody_can_reach():
    version = make_scheme(SEVEN, publish=False, levels=[(make.make_level(), "100.01")])
    assert found(version) == [("levels", "level_unreachable")]


def test_no_items():
    assert found(make_scheme([], publish=False)) == [("items", "no_items")]
