"""A scheme version is checked whole before it is published: every problem, all at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Territory
from core.errors import Problem
from partners.models import Level, Partner
from performance import measures, scoring
from performance.definitions import Definition, definition
from performance.models import SchemeVersion, TargetSource

HUNDRED = Decimal(100)
MAX_CAP = Decimal(200)


def problems(version: SchemeVersion) -> list[Problem]:
    """Everything that forbids publishing this version; empty when it can be published."""
    return list(check(definition(version)))


def check(found: Definition) -> Iterator[Problem]:
    """The problems of a definition. `field` is items, items.<code>, levels or scope."""
    items = found["items"]
    if not items:
        yield Problem("no_items", _("The scheme has no items."), "items")
    else:
        yield from _weights(items)
    for code, count in Counter(item["code"] for item in items).items():
        if count > 1:
            message = _("The code “%(code)s” is used by %(count)d items.")
            yield Problem("duplicate_code", message % {"code": code, "count": count}, "items")
    for item in items:
        for code, message in _item(item):
            text = _("Item “%(item)s”: %(problem)s") % {"item": item["code"], "problem": message}
            yield Problem(code, text, f"items.{item['code']}")
    yield from _levels(found)
    yield from _scope(found["scope"])


def _weights(items: list[Definition]) -> Iterator[Problem]:
    total = sum((Decimal(item["weight"]) for item in items), Decimal(0))
    if total != HUNDRED:
        message = _("The weights sum to %(total)s; they must sum to 100.") % {"total": f"{total:f}"}
        yield Problem("weights_sum", message, "items")


Found = Iterator[tuple[str, str]]


def _item(item: Definition) -> Found:
    if Decimal(item["weight"]) <= 0:
        yield "weight_not_positive", _("its weight must be more than 0.")
    if not 0 < Decimal(item["cap"]) <= MAX_CAP:
        yield "cap_out_of_range", _("its cap must be more than 0 and at most 200.")
    yield from _target(item)
    measure = measures.REGISTRY.get(item["measure"])
    if measure is None:
        message = _("there is no measure “%(measure)s”.") % {"measure": item["measure"]}
        yield "unknown_measure", message
        return
    yield from _kind(item, measure)
    yield from _gate(item, measure)
    yield from curve_problems(item, measure)


def _target(item: Definition) -> Found:
    fixed = item["target_source"] == TargetSource.FIXED
    if fixed and (item["target"] is None or Decimal(item["target"]) <= 0):
        yield "target_missing", _("a fixed target must be more than 0.")
    if not fixed and item["target"] is not None:
        yield "target_unused", _("it has a fixed target that its target source does not use.")


def _kind(item: Definition, measure: measures.Measure) -> Found:
    if measure.kind and item["kind"] not in ("", measure.kind):
        yield "kind_contradicts", _("its kind of sales is not the one that its measure reads.")
    kind = measure.kind_for(item["kind"])
    if measures.TARGETS in measure.needs and not measures.has_targets(kind):
        yield "kind_without_targets", _("there are no targets for its kind of sales.")


def _gate(item: Definition, measure: measures.Measure) -> Found:
    if item["gate"] is None or measure.lowest is None:
        return
    gate = Decimal(item["gate"])
    if gate <= measure.lowest if measure.higher else gate < measure.lowest:
        yield (
            "gate_out_of_range",
            _("its gate %(gate)s never or always bites.") % {"gate": item["gate"]},
        )


# --- curves --------------------------------------------------------------------------------


def curve_problems(item: Definition, measure: measures.Measure) -> Found:
    """(code, message) of what is wrong with the curve of an item that is read by `measure`."""
    curve = item["curve"]
    kind = curve.get("kind") if isinstance(curve, dict) else None
    if kind not in scoring.CURVE_KINDS:
        yield "curve_unknown", _("its curve is none of linear, bands, proportional, pass.")
        return
    try:
        yield from _CHECKS[kind](item, measure)
    except (KeyError, TypeError, ValueError, InvalidOperation):
        yield "curve_malformed", _("its curve cannot be read: a number or a part is missing.")


def _number(value: Any) -> Decimal:
    """A finite number; text, because binary fractions are not exact."""
    number = Decimal(value) if isinstance(value, str | int) else Decimal("NaN")
    if not number.is_finite():
        raise ValueError(value)
    return number


def _linear(item: Definition, measure: measures.Measure) -> Found:
    points = [(_number(x), _number(y)) for x, y in item["curve"]["points"]]
    if len(points) < 2:
        yield "curve_too_short", _("a linear curve needs at least two points.")
        return
    if any(x1 <= x0 for (x0, _y0), (x1, _y1) in pairwise(points)):
        yield "curve_not_increasing", _("the x of its points must rise from one to the next.")
    yield from _heights(item, measure, [y for _x, y in points])
    if measure.lowest is not None and any(x1 <= measure.lowest for x1, _y in points[1:]):
        yield "unreachable", _("a part of its curve lies below every possible value.")


def _bands(item: Definition, measure: measures.Measure) -> Found:
    bands = item["curve"]["bands"]
    heights = [_number(points) for _bound, points in bands]
    if len(bands) < 2:
        yield "curve_too_short", _("there must be at least two bands.")
        return
    if bands[0][0] is not None:
        yield "band_gap", _("the first band must have no lower bound, or low values have no band.")
    bounds = [_number(bound) for bound, _points in bands[1:]]
    if any(after <= before for before, after in pairwise(bounds)):
        yield "bands_overlap", _("the lower bounds of its bands must rise from one to the next.")
    yield from _heights(item, measure, heights)
    if measure.lowest is not None and any(bound <= measure.lowest for bound in bounds):
        yield "unreachable", _("a band lies below every possible value.")


def _heights(item: Definition, measure: measures.Measure, heights: list[Decimal]) -> Found:
    if any(not 0 <= points <= Decimal(item["cap"]) for points in heights):
        yield "points_out_of_range", _("its points must lie between 0 and its cap.")
    rises = pairwise(heights if measure.higher else heights[::-1])
    if any(after < before for before, after in rises):
        yield "curve_not_monotone", _("a better value must not score fewer points.")
    if len(set(heights)) == 1:
        yield "curve_flat", _("every value scores the same.")


def _proportional(item: Definition, measure: measures.Measure) -> Found:
    if not measure.higher:
        yield "curve_direction", _("a proportional curve needs a measure of which more is better.")
    if measure.unit != measures.RATIO and item["target_source"] == TargetSource.NONE:
        yield "target_needed", _("a proportional curve needs a target or a ratio.")


def _pass(item: Definition, measure: measures.Measure) -> Found:
    bounds = [name for name in ("at_least", "at_most") if name in item["curve"]]
    if len(bounds) != 1:
        yield "curve_malformed", _("pass or fail needs either at_least or at_most.")
        return
    bound = _number(item["curve"][bounds[0]])
    if (bounds[0] == "at_least") is not measure.higher:
        yield "curve_not_monotone", _("a better value must not score fewer points.")
    if measure.lowest is not None and (
        bound <= measure.lowest if measure.higher else bound < measure.lowest
    ):
        yield "unreachable", _("every value falls on the same side of its bound.")


_CHECKS = {
    scoring.LINEAR: _linear,
    scoring.BANDS: _bands,
    scoring.PROPORTIONAL: _proportional,
    scoring.PASS: _pass,
}


# --- levels and scope ----------------------------------------------------------------------


def _levels(found: Definition) -> Iterator[Problem]:
    levels = [(Decimal(row["min_total"]), row["level"]) for row in found["levels"]]
    best = sum((Decimal(i["weight"]) * Decimal(i["cap"]) for i in found["items"]), Decimal(0)) / 100
    ranks = dict(Level.objects.values_list("code", "rank"))
    for minimum, name in levels:
        if found["items"] and not 0 <= minimum <= best:
            message = _("Level “%(level)s” cannot be reached with a total of %(total)s.")
            values = {"level": name, "total": f"{minimum:f}"}
            yield Problem("level_unreachable", message % values, "levels")
    for (high, better), (low, lesser) in pairwise(sorted(levels, key=lambda row: -ranks[row[1]])):
        if high <= low:
            message = _("Level “%(better)s” must need a higher total than “%(lesser)s”.")
            values = {"better": better, "lesser": lesser}
            yield Problem("levels_unordered", message % values, "levels")


def _scope(scope: dict[str, Any]) -> Iterator[Problem]:
    known = {
        "states": set(Partner.State.values),
        "channel_types": set(Partner.ChannelType.values),
        "levels": set(Level.objects.values_list("code", flat=True)),
        "territories": set(
            Territory.objects.filter(code__in=scope.get("territories", [])).values_list(
                "code", flat=True
            )
        ),
    }
    if not scope.get("states"):
        yield Problem("scope_empty", _("The scope has no state: it contains no partner."), "scope")
    for name, codes in scope.items():
        for code in codes:
            if code not in known.get(name, set()):
                message = _("The scope names “%(code)s”, which does not exist.") % {"code": code}
                yield Problem("scope_unknown", message, "scope")
