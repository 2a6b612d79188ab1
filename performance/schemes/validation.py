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
from core.periods import KINDS
from core.phrases import listed
from core.templatetags.fmt import exact
from partners.models import Level, Partner
from performance import bases, measures, scoring
from performance.definitions import Definition, definition
from performance.models import (
    Basis,
    EvaluationSchedule,
    MinimumRule,
    Role,
    SchemeItem,
    SchemeVersion,
    TargetSource,
    VetoSide,
)

HUNDRED = Decimal(100)
MAX_CAP = Decimal(200)


def problems(version: SchemeVersion) -> list[Problem]:
    """Everything that forbids publishing this version; empty when it can be published."""
    with measures.at_once():
        found = definition(version)
        return [*check(found), *_windows(version, found)]


def check(found: Definition) -> Iterator[Problem]:
    """The problems of a definition. `field` is items, items.<code>, vetoes, vetoes.<code>, levels
    or scope."""
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
        for code, message in item_problems(item):
            text = _("Item “%(item)s”: %(problem)s") % {"item": item["code"], "problem": message}
            yield Problem(code, text, f"items.{item['code']}")
    yield from _sources(found)
    for veto in found.get("vetoes", []):
        for code, message in _veto(veto):
            text = _("Veto “%(veto)s”: %(problem)s") % {"veto": veto["code"], "problem": message}
            yield Problem(code, text, f"vetoes.{veto['code']}")
    yield from _levels(found)
    yield from _steps(found)
    yield from _scope(found["scope"])


def _weights(items: list[Definition]) -> Iterator[Problem]:
    weighted = [item for item in items if item.get("role") != Role.BONUS]
    if not weighted:
        yield Problem(
            "only_bonus", _("Every item is a bonus; there is nothing to add to."), "items"
        )
        return
    total = sum((Decimal(item["weight"]) for item in weighted), Decimal(0))
    if total != HUNDRED:
        message = _("The weights sum to %(total)s; they must sum to 100.") % {"total": f"{total:f}"}
        yield Problem("weights_sum", message, "items")


Found = Iterator[tuple[str, str]]


def item_problems(item: Definition) -> Found:
    """(code, message) of what is wrong with one item, whatever the others say."""
    if Decimal(item["weight"]) <= 0:
        yield "weight_not_positive", _("its weight must be more than 0.")
    if not 0 < Decimal(item["cap"]) <= MAX_CAP:
        yield "cap_out_of_range", _("its cap must be more than 0 and at most 200.")
    yield from _target(item)
    if bases.basis_of(item) == Basis.RATING:
        yield from _anchors(item)
    measure = bases.find(item)
    if measure is None:
        message = _("there is no measure “%(measure)s”.") % {"measure": item["measure"]}
        yield "unknown_measure", message
        return
    yield from _readable(item, measure)
    yield from _kind(item, measure)
    yield from _gate(item, measure)
    wrong = list(curve_problems(item, measure))
    yield from wrong
    if not wrong:
        yield from _minimum(item)


def _readable(item: Definition, measure: bases.Reads) -> Found:
    if measure.absent:
        values = {"measure": measure.label, "why": measure.absent}
        yield "measure_absent", _("“%(measure)s” cannot be read yet. %(why)s") % values
    if item["product_line"] and not measure.by_line:
        yield "line_unused", _("its measure knows no product lines.")


def _anchors(item: Definition) -> Found:
    """The extremes and the middle must be described, or marks mean what each rater likes."""
    anchors = item.get("anchors", {})
    if not isinstance(anchors, dict) or set(anchors) - {"1", "2", "3", "4", "5"}:
        yield "anchors_malformed", _("its anchors are not texts for the marks 1 to 5.")
        return
    lacking = [mark for mark in ("1", "3", "5") if not str(anchors.get(mark, "")).strip()]
    if lacking:
        message = _("the marks %(marks)s need an anchor: a sentence that says when to give them.")
        yield "anchors_missing", message % {"marks": listed(lacking)}


def _minimum(item: Definition) -> Found:
    """A minimum must be within reach, and must forbid something."""
    if "minimum" not in item:
        return
    minimum, most = Decimal(item["minimum"]), most_points(item)
    above = item["minimum_rule"] == MinimumRule.ABOVE
    if minimum >= most if above else minimum > most:
        message = _("its minimum cannot be reached: it gives at most %(most)s points.")
        yield "minimum_unreachable", message % {"most": exact(most)}
    if not above and minimum == 0:
        yield "minimum_idle", _("its minimum of 0 is always reached; say more than 0, or none.")


def most_points(item: Definition) -> Decimal:
    """The most points that an item with a checked curve can give."""
    curve, cap = item["curve"], Decimal(item["cap"])
    if curve["kind"] == scoring.BANDS:
        return min(cap, max(Decimal(points) for _bound, points in curve["bands"]))
    if curve["kind"] == scoring.PASS:
        return min(cap, HUNDRED)
    if curve["kind"] == scoring.LINEAR and not _still_rises(item):
        return min(cap, max(Decimal(points) for _x, points in curve["points"]))
    return cap


def _still_rises(item: Definition) -> bool:
    """Whether a linear curve goes on to rise beyond its best point, up to the cap."""
    points = item["curve"]["points"]
    best, next_best = points[-1:] + points[-2:-1] if bases.of(item).higher else points[:2]
    return Decimal(best[1]) > Decimal(next_best[1])


# --- results of other schemes --------------------------------------------------------------


def _sources(found: Definition) -> Iterator[Problem]:
    """Schemes whose results are items: they must be there, not lead back here, and be evaluated
    often enough."""
    sourced = [item for item in found["items"] if item.get("source_scheme")]
    if not sourced:
        return
    graph = _graph()
    every = _cadences()
    for item in sourced:
        for code, message in _source(item, found["scheme"], graph, every):
            text = _("Item “%(item)s”: %(problem)s") % {"item": item["code"], "problem": message}
            yield Problem(code, text, f"items.{item['code']}")


def _source(
    item: Definition, scheme: str, graph: dict[str, set[str]], every: dict[str, set[int]]
) -> Found:
    source = item["source_scheme"]
    if scheme in _below(source, graph):
        yield "source_cycle", _("its other scheme rests on this scheme itself.")
        return
    published = SchemeVersion.objects.filter(
        scheme__code=source, state=SchemeVersion.State.PUBLISHED
    ).first()
    if published is None:
        yield "source_unpublished", _("its other scheme has no published version.")
        return
    known = set(published.items.values_list("code", flat=True))
    unknown = sorted(set(item.get("source_items", [])) - known)
    if unknown:
        message = _("its other scheme has no item %(items)s.") % {"items": listed(unknown)}
        yield "source_items_unknown", message
    if every.get(scheme) and every.get(source) and min(every[source]) > max(every[scheme]):
        yield (
            "source_period",
            _("its other scheme is evaluated over longer periods, which never lie inside one."),
        )


def _graph() -> dict[str, set[str]]:
    """{scheme: schemes whose results it uses}, over drafts and published versions."""
    graph: dict[str, set[str]] = {}
    rows = SchemeItem.objects.filter(source_scheme__isnull=False).exclude(
        version__state=SchemeVersion.State.RETIRED
    )
    for code, source in rows.order_by().values_list("version__scheme__code", "source_scheme__code"):
        graph.setdefault(code, set()).add(source)
    return graph


def _below(scheme: str, graph: dict[str, set[str]]) -> set[str]:
    """A scheme and all that it rests on."""
    seen: set[str] = set()
    waiting = [scheme]
    while waiting:
        each = waiting.pop()
        if each not in seen:
            seen.add(each)
            waiting += graph.get(each, ())
    return seen


def _cadences() -> dict[str, set[int]]:
    """{scheme: how long the periods are, by its active schedules: 0 month, 1 quarter, 2 year}."""
    found: dict[str, set[int]] = {}
    for code, kind in EvaluationSchedule.objects.filter(active=True).values_list(
        "scheme__code", "every"
    ):
        found.setdefault(code, set()).add(KINDS.index(kind))
    return found


# --- vetoes --------------------------------------------------------------------------------


def _veto(veto: Definition) -> Found:
    measure = measures.find(veto["measure"])
    if measure is None:
        message = _("there is no measure “%(measure)s”.") % {"measure": veto["measure"]}
        yield "unknown_measure", message
        return
    yield from _readable(veto, measure)
    yield from _kind(veto, measure)
    bound = Decimal(veto["bound"])
    if measure.lowest is None:
        return
    if veto["side"] == VetoSide.BELOW and bound <= measure.lowest:
        yield "veto_never", _("no value lies below its bound: it never bites.")
    if veto["side"] == VetoSide.ABOVE and bound < measure.lowest:
        yield "veto_always", _("every value lies above its bound: it always bites.")


def _target(item: Definition) -> Found:
    fixed = item["target_source"] == TargetSource.FIXED
    if fixed and (item["target"] is None or Decimal(item["target"]) <= 0):
        yield "target_missing", _("a fixed target must be more than 0.")
    if not fixed and item["target"] is not None:
        yield "target_unused", _("it has a fixed target that its target source does not use.")


def _kind(item: Definition, measure: bases.Reads) -> Found:
    if measure.kind and item["kind"] not in ("", measure.kind):
        yield "kind_contradicts", _("its kind of sales is not the one that its measure reads.")
    compared = [leaf for leaf in measure.leaves() if measures.TARGETS in leaf.needs]
    if not all(measures.has_targets(leaf.kind_for(item["kind"])) for leaf in compared):
        yield "kind_without_targets", _("there are no targets for its kind of sales.")


def _gate(item: Definition, measure: bases.Reads) -> Found:
    if item["gate"] is None or measure.lowest is None:
        return
    gate = Decimal(item["gate"])
    if gate <= measure.lowest if measure.higher else gate < measure.lowest:
        yield (
            "gate_out_of_range",
            _("its gate %(gate)s never or always bites.") % {"gate": item["gate"]},
        )


# --- curves --------------------------------------------------------------------------------


def curve_problems(item: Definition, measure: bases.Reads) -> Found:
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


def _linear(item: Definition, measure: bases.Reads) -> Found:
    points = [(_number(x), _number(y)) for x, y in item["curve"]["points"]]
    if len(points) < 2:
        yield "curve_too_short", _("a linear curve needs at least two points.")
        return
    if any(x1 <= x0 for (x0, _y0), (x1, _y1) in pairwise(points)):
        yield "curve_not_increasing", _("the x of its points must rise from one to the next.")
    yield from _heights(item, measure, [y for _x, y in points])
    if measure.lowest is not None and any(x1 <= measure.lowest for x1, _y in points[1:]):
        yield "unreachable", _("a part of its curve lies below every possible value.")
    if any(x0 >= highest for highest in _highest(item, measure) for x0, _y in points[:-1]):
        yield "unreachable", _("a part of its curve lies above every possible value.")


def _bands(item: Definition, measure: bases.Reads) -> Found:
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
    if any(bound > highest for highest in _highest(item, measure) for bound in bounds):
        yield "unreachable", _("a band lies above every possible value.")


def _highest(item: Definition, measure: bases.Reads) -> list[Decimal]:
    """The highest value where there is one: marks end at 5."""
    compared = item["target_source"] != TargetSource.NONE
    highest = None if compared else getattr(measure, "highest", None)
    return [] if highest is None else [highest]


def _heights(item: Definition, measure: bases.Reads, heights: list[Decimal]) -> Found:
    if any(not 0 <= points <= Decimal(item["cap"]) for points in heights):
        yield "points_out_of_range", _("its points must lie between 0 and its cap.")
    rises = pairwise(heights if measure.higher else heights[::-1])
    if any(after < before for before, after in rises):
        yield "curve_not_monotone", _("a better value must not score fewer points.")
    if len(set(heights)) == 1:
        yield "curve_flat", _("every value scores the same.")


def _proportional(item: Definition, measure: bases.Reads) -> Found:
    if not measure.higher:
        yield "curve_direction", _("a proportional curve needs a measure of which more is better.")
    if measure.unit != measures.RATIO and item["target_source"] == TargetSource.NONE:
        yield "target_needed", _("a proportional curve needs a target or a ratio.")


def _pass(item: Definition, measure: bases.Reads) -> Found:
    bounds = [name for name in ("at_least", "at_most") if name in item["curve"]]
    if len(bounds) != 1:
        yield "curve_malformed", _("pass or fail needs either at_least or at_most.")
        return
    bound = _number(item["curve"][bounds[0]])
    if (bounds[0] == "at_least") is not measure.higher:
        yield "curve_not_monotone", _("a better value must not score fewer points.")
    if (
        measure.lowest is not None
        and (bound <= measure.lowest if measure.higher else bound < measure.lowest)
        or any(bound > highest for highest in _highest(item, measure))
    ):
        yield "unreachable", _("every value falls on the same side of its bound.")


_CHECKS = {
    scoring.LINEAR: _linear,
    scoring.BANDS: _bands,
    scoring.PROPORTIONAL: _proportional,
    scoring.PASS: _pass,
}


# --- levels and scope ----------------------------------------------------------------------


def _best(items: list[Definition]) -> Decimal:
    """The highest total there can be, with every bonus."""
    return sum((Decimal(i["weight"]) * Decimal(i["cap"]) for i in items), Decimal(0)) / HUNDRED


def _levels(found: Definition) -> Iterator[Problem]:
    levels = [(Decimal(row["min_total"]), row["level"]) for row in found["levels"]]
    best = _best(found["items"])
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


def _steps(found: Definition) -> Iterator[Problem]:
    """Rules that hold a level make sense where there are levels, and keep_total below min_total."""
    for row in found["levels"]:
        keep = Decimal(row.get("keep_total", row["min_total"]))
        if not 0 <= keep <= Decimal(row["min_total"]):
            message = _("Level “%(level)s” is kept from a total that is above the one to reach it.")
            yield Problem("keep_above_reach", message % {"level": row["level"]}, "levels")
    rules = ("grace", "most_steps_up", "most_steps_down")
    if not found["levels"] and any(name in found for name in rules):
        message = _("Grace and limited steps need levels, and there are none.")
        yield Problem("rules_without_levels", message, "levels")


def _windows(version: SchemeVersion, found: Definition) -> Iterator[Problem]:
    """A window for ratings and items that are rated belong together."""
    rated = any(bases.basis_of(item) == Basis.RATING for item in found["items"])
    if rated and not version.rating_days:
        message = _("Some items are rated by people, but there are no days for ratings.")
        yield Problem("rating_days_missing", message, "windows")
    if version.rating_days and not rated:
        message = _("There are days for ratings, but no item is rated by people.")
        yield Problem("rating_days_unused", message, "windows")


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
