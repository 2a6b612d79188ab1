"""Why an item has its points: one sentence from the stored numbers, in the reader's language."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from core.phrases import clauses, listed, per_cent
from core.templatetags.fmt import NONE, exact
from performance import measures, scoring
from performance.definitions import Definition, compile_item
from sales.models import SalesKind

Stored = dict[str, Any]  # one entry of Score.items


def shown(value: Any, unit: str) -> str:
    """A value in its unit, with every decimal it has: ratios as per cent."""
    if value is None:
        return NONE
    if unit == measures.RATIO:
        return per_cent(exact(Decimal(value) * 100))
    return exact(value)


def explain_sentence(item: Definition, stored: Stored) -> str:
    """The derivation of the points of one item, from its source rows to the curve."""
    measure = measures.get(item["measure"])
    if stored["value"] is None:
        return _join(str(measure.zero), _consequence(item))
    parts = [_value(measure, stored)]
    if item["target_source"] != "none":
        if stored["x"] is None:
            parts.append(_("there is no target to compare with"))
            return _join(clauses(parts), _consequence(item))
        parts.append(
            _("%(value)s ÷ target %(target)s = %(x)s")
            % {
                "value": shown(stored["value"], measure.unit),
                "target": shown(stored["target"], measure.unit),
                "x": shown(stored["x"], measures.RATIO),
            }
        )
    parts.append(_reading(item, stored, _x_unit(item)))
    return clauses(parts)


def _join(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _consequence(item: Definition) -> str:
    if item["missing"] == scoring.AS_ZERO:
        return _("It counts as 0 points.")
    return _("Its weight is shared among the other items.")


def _value(measure: measures.Measure, stored: Stored) -> str:
    return str(measure.derivation) % {
        "numerator": exact(stored["numerator"]),
        "denominator": exact(stored["denominator"]),
        "value": shown(stored["value"], measure.unit),
        "lines": stored["lines"],
    }


def _x_unit(item: Definition) -> str:
    return measures.RATIO if item["target_source"] != "none" else measures.get(item["measure"]).unit


def _reading(item: Definition, stored: Stored, unit: str) -> str:
    """How the curve was read at x."""
    points = exact(stored["points"])
    if stored["status"] == scoring.GATED:
        return _("the gate %(gate)s is not met: 0 points") % {
            "gate": shown(item["gate"], measures.get(item["measure"]).unit)
        }
    text = _CURVES[item["curve"]["kind"]](item, stored, unit)
    if stored["status"] == scoring.CAPPED:
        return _("%(curve)s, capped at %(points)s") % {"curve": text, "points": points}
    if stored["status"] == scoring.FLOORED:
        return _("%(curve)s, at least 0") % {"curve": text}
    return text


def _linear(item: Definition, stored: Stored, unit: str) -> str:
    (x0, y0), (x1, y1) = item["curve"]["points"][stored["step"] : stored["step"] + 2]
    return _(
        "on the line from %(x0)s → %(y0)s to %(x1)s → %(y1)s: "
        "%(y0)s + (%(x)s − %(x0)s) ÷ (%(x1)s − %(x0)s) × (%(y1)s − %(y0)s) = %(points)s"
    ) % {
        "x0": shown(x0, unit),
        "y0": exact(y0),
        "x1": shown(x1, unit),
        "y1": exact(y1),
        "x": shown(stored["x"], unit),
        "points": _raw(item, stored),
    }


def _raw(item: Definition, stored: Stored) -> str:
    """What the curve gives before cap and floor, to the places of points."""
    open_ended = compile_item({**item, "cap": "Infinity"})
    if stored["status"] == scoring.SCORED:
        return exact(stored["points"])
    if stored["status"] == scoring.CAPPED:
        points, _status, _step = open_ended.read(Decimal(stored["x"]))
        return exact(scoring.quantize(points, scoring.POINTS))
    return _("less than 0")


def _bands(item: Definition, stored: Stored, unit: str) -> str:
    bands, step = item["curve"]["bands"], stored["step"]
    values = {
        "x": shown(stored["x"], unit),
        "low": shown(bands[step][0], unit),
        "high": shown(bands[step + 1][0], unit) if step + 1 < len(bands) else "",
        "points": exact(stored["points"]),
    }
    if step == 0:
        return _("%(x)s lies below %(high)s: %(points)s") % values
    if step + 1 == len(bands):
        return _("%(x)s is %(low)s or more: %(points)s") % values
    return _("%(x)s is %(low)s or more and below %(high)s: %(points)s") % values


def _proportional(item: Definition, stored: Stored, unit: str) -> str:
    values = {"x": exact(stored["x"]), "points": _raw(item, stored)}
    return _("%(x)s × 100 = %(points)s") % values


def _pass(item: Definition, stored: Stored, unit: str) -> str:
    curve = item["curve"]
    values = {
        "x": shown(stored["x"], unit),
        "bound": shown(curve.get("at_least", curve.get("at_most")), unit),
        "points": exact(stored["points"]),
    }
    if "at_least" in curve:
        return _("%(x)s, asked for at least %(bound)s: %(points)s") % values
    return _("%(x)s, asked for at most %(bound)s: %(points)s") % values


_CURVES = {
    scoring.LINEAR: _linear,
    scoring.BANDS: _bands,
    scoring.PROPORTIONAL: _proportional,
    scoring.PASS: _pass,
}


def item_label(item: Definition) -> str:
    """What an item measures: its measure, with kind of sales and product line where it says so."""
    measure = measures.get(item["measure"])
    parts = [str(measure.label)]
    if item["kind"] and not measure.kind:
        parts.append(str(SalesKind(item["kind"]).label))
    if item["product_line"]:
        parts.append(item["product_line"])
    return " · ".join(parts)


def curve_text(item: Definition) -> str:
    """A curve in short: “0 % → 0, 100 % → 60, 200 % → 100; cap 100”."""
    curve, unit = item["curve"], _x_unit(item)
    if curve["kind"] == scoring.LINEAR:
        text = listed(f"{shown(x, unit)} → {exact(y)}" for x, y in curve["points"])
    elif curve["kind"] == scoring.BANDS:
        first = f"< {shown(curve['bands'][1][0], unit)}"
        text = listed(
            f"{first if low is None else '≥ ' + shown(low, unit)} → {exact(y)}"
            for low, y in curve["bands"]
        )
    elif curve["kind"] == scoring.PROPORTIONAL:
        text = "× 100"
    else:
        sign = "≥" if "at_least" in curve else "≤"
        text = f"{sign} {shown(curve.get('at_least', curve.get('at_most')), unit)}"
    return _("%(curve)s; cap %(cap)s") % {"curve": text, "cap": exact(item["cap"])}
