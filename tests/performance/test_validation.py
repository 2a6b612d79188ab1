"""A bad scheme hears everything that is wrong with it, at once."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import Blocked
from performance.models import Scheme
from performance.schemes import files
from performance.schemes.validation import problems
from performance.services import draft_version, publish_version
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


# --- beyond weights --------------------------------------------------------------------------

SERVICE = {
    "code": "service",
    "basis": "rating",
    "name": "Service",
    "weight": "100",
    "anchors": {"1": "bad", "3": "fair", "5": "good"},
    "curve": {"kind": "linear", "points": [["1", "0"], ["5", "100"]]},
}
NET = {"code": "net", "measure": "sell_in_net", "weight": "100", "curve": LINEAR}
VETO = {"code": "veto", "name": "Veto", "measure": "return_rate", "side": "above", "bound": "0.2"}
RATED = {"windows": {"rating_days": 5}}


def checked(*items, **more):
    """The problems of a draft that is loaded from a file."""
    document = {"format": files.FORMAT, "code": "card", "name": "Card", "items": items}
    loaded = files.load(files.parse(json.loads(json.dumps(document | more))), by=None)
    return [(problem.field, problem.code) for problem in loaded.problems]


def bands(*rows):
    return {"kind": "bands", "bands": [list(row) for row in rows]}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({}, []),
        ({"anchors": {"1": "bad", "5": "good"}}, ["anchors_missing"]),
        ({"anchors": {"1": "bad", "3": " ", "5": "good"}}, ["anchors_missing"]),
        ({"curve": {"kind": "linear", "points": [["0", "0"], ["1", "5"]]}}, ["unreachable"]),
        ({"curve": {"kind": "linear", "points": [["5", "0"], ["6", "5"]]}}, ["unreachable"]),
        ({"curve": bands([None, "0"], ["1", "50"], ["2", "60"])}, ["unreachable"]),
        ({"curve": bands([None, "0"], ["5", "50"])}, []),
        ({"curve": bands([None, "0"], ["5.000001", "50"])}, ["unreachable"]),
        ({"curve": {"kind": "pass", "at_least": "5.1"}}, ["unreachable"]),
        ({"curve": {"kind": "pass", "at_most": "3"}}, ["curve_not_monotone"]),
        ({"curve": {"kind": "proportional"}}, ["target_needed"]),
        ({"gate": "1"}, ["gate_out_of_range"]),
        ({"minimum": "100"}, []),
        ({"minimum": "100.0001"}, ["minimum_unreachable"]),
        ({"minimum": "100", "minimum_rule": "above"}, ["minimum_unreachable"]),
        ({"minimum": "0"}, ["minimum_idle"]),
        ({"minimum": "0", "minimum_rule": "above"}, []),
        ({"minimum": "61", "curve": bands([None, "0"], ["3", "60"])}, ["minimum_unreachable"]),
    ],
)
def test_what_people_rate(item, expected):
    assert checked(SERVICE | item, **RATED) == [("items.service", code) for code in expected]


def test_ratings_and_their_window_belong_together():
    assert checked(SERVICE) == [("windows", "rating_days_missing")]
    assert checked(NET, **RATED) == [("windows", "rating_days_unused")]


def test_a_bonus_is_not_among_the_hundred():
    bonus = NET | {"code": "extra", "role": "bonus", "weight": "10"}
    assert checked(NET, bonus) == []
    assert checked(bonus) == [("items", "only_bonus")]
    # The best total there is: 100 and 10.
    level = make.make_level(code="top", rank=990)
    reach = {"level": level.code, "min_total": "110"}
    assert checked(NET, bonus, levels=[reach]) == []
    assert checked(NET, bonus, levels=[reach | {"min_total": "110.01"}]) == [
        ("levels", "level_unreachable")
    ]


@pytest.mark.parametrize(
    ("veto", "expected"),
    [
        ({}, []),
        ({"bound": "-0.1"}, ["veto_always"]),
        ({"side": "below", "bound": "0"}, ["veto_never"]),
        ({"measure": "sell_out_net", "kind": "sell_in"}, ["kind_contradicts"]),
        ({"measure": "target_attainment", "kind": "sell_out"}, ["kind_without_targets"]),
    ],
)
def test_vetoes(veto, expected):
    assert checked(NET, vetoes=[VETO | veto]) == [("vetoes.veto", code) for code in expected]


def test_rules_of_levels_need_levels():
    assert checked(NET, grace=1) == [("levels", "rules_without_levels")]
    assert checked(NET, most_steps_down=1) == [("levels", "rules_without_levels")]


def test_other_schemes_must_be_there_and_not_lead_back():
    other = make_scheme(SEVEN, code="other", publish=False)
    item = {
        "code": "quarters",
        "basis": "scores",
        "source_scheme": "other",
        "weight": "100",
        "curve": {"kind": "linear", "points": [["0", "0"], ["100", "100"]]},
    }
    assert checked(item) == [("items.quarters", "source_unpublished")]
    publish_version(version=other, by=None, on=TODAY)
    assert checked(item) == []
    assert checked(item | {"source_items": ["growth_yoy", "smile"]}) == [
        ("items.quarters", "source_items_unknown")
    ]
    assert checked(item | {"source_scheme": "card"}) == [("items.quarters", "source_cycle")]
    make.make_schedule(other.scheme, every="year")
    make.make_schedule(Scheme.objects.get(code="card"), every="quarter")
    assert checked(item) == [("items.quarters", "source_period")]
    draft = draft_version(scheme=other.scheme, by=None)
    draft.items.create(
        code="back",
        basis="scores",
        source_scheme=Scheme.objects.get(code="card"),
        weight=Decimal(1),
        curve=LINEAR,
    )
    assert checked(item) == [("items.quarters", "source_cycle")]


def test_the_examples_of_the_documentation_have_no_problems():
    page = (Path(__file__).parents[2] / "docs/schemes.md").read_text()
    text, measure = re.findall(r"```json\n(.+?)```", page, re.DOTALL)
    document = json.loads(text)
    uses = {"code": "through", "name": "Through", "measure": json.loads(measure)["code"]}
    uses |= {"side": "below", "bound": "0.1"}
    document["vetoes"] = [*document.get("vetoes", []), uses]
    document["measures"] = [json.loads(measure)]
    assert files.load(files.parse(document), by=None).problems == []
    told = [*files._WHOLE, *files._ITEM, *files._VETO]
    assert [name for name in told if f"`{name}`" not in page and f'"{name}"' not in page] == []
