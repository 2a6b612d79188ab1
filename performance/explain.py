"""Why an item has its points: one sentence from the stored numbers, in the reader's language."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import get_language, gettext as _

from core.phrases import clauses, listed, per_cent
from core.templatetags.fmt import NONE, exact
from performance import bases, measures, scoring
from performance.definitions import Definition, compile_item
from performance.models import Basis, Held, MinimumRule, VetoEffect, VetoSide
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
    measure = bases.of(item)
    if stored["value"] is None:
        return _join(_why_none(item, stored), _consequence(item))
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


def _why_none(item: Definition, stored: Stored) -> str:
    """Why there is no value."""
    reason = str(bases.of(item).zero)
    if bases.basis_of(item) != Basis.RATING:
        return reason
    counted = {"count": exact(stored["denominator"]), "raters": item["raters"]}
    counted["reason"] = reason
    return _("%(reason)s Marks: %(count)s, needed: %(raters)s.") % counted


def _value(measure: bases.Reads, stored: Stored) -> str:
    told = {
        "numerator": exact(stored["numerator"]),
        "denominator": exact(stored["denominator"]),
        "value": shown(stored["value"], measure.unit),
        "lines": stored["lines"],
    }
    if isinstance(measure, measures.Derived):
        return measure.derive(told | {"parts": stored["parts"]})
    return str(measure.derivation) % told


def _x_unit(item: Definition) -> str:
    return measures.RATIO if item["target_source"] != "none" else bases.of(item).unit


def _reading(item: Definition, stored: Stored, unit: str) -> str:
    """How the curve was read at x."""
    points = exact(stored["points"])
    if stored["status"] == scoring.GATED:
        return _("the gate %(gate)s is not met: 0 points") % {
            "gate": shown(item["gate"], bases.of(item).unit)
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
    """What an item is called: its own name, else its measure with kind of sales and product line
    where it says so."""
    own = named(item)
    if own:
        return own
    read = bases.of(item)
    parts = [str(read.label)]
    if item["kind"] and not read.kind:
        parts.append(str(SalesKind(item["kind"]).label))
    if item["product_line"]:
        parts.append(item["product_line"])
    if bases.basis_of(item) == Basis.SCORES:
        parts.append(item["source_scheme"])
    return " · ".join(parts)


def named(row: Definition) -> str:
    """The name that an item or a veto has in the active language, if it has one."""
    english = get_language() == "en" and row.get("name_en")
    return str(english or row.get("name", ""))


def reads_text(item: Definition) -> str:
    """Where the value of an item comes from, in one sentence."""
    read = bases.of(item)
    if bases.basis_of(item) == Basis.RATING:
        asked = _("At least %(raters)s raters.") % {"raters": item["raters"]}
        return _join(str(read.definition), asked)
    if bases.basis_of(item) == Basis.SCORES and item.get("source_items"):
        codes = listed(item["source_items"])
        return _join(str(read.definition), _("Only its items %(items)s.") % {"items": codes})
    return str(read.definition)


def minimum_text(item: Definition) -> str:
    """The minimum of an item: “at least 60 points”, or "" without one."""
    if "minimum" not in item:
        return ""
    values = {"minimum": exact(item["minimum"])}
    if item["minimum_rule"] == MinimumRule.ABOVE:
        return _("more than %(minimum)s points") % values
    return _("at least %(minimum)s points") % values


def veto_text(veto: Definition) -> str:
    """A veto in words: “Return rate above 20 %: no level”."""
    measure = measures.get(veto["measure"])
    values = {
        "measure": item_label({**veto, "name": "", "name_en": ""}),
        "bound": shown(veto["bound"], measure.unit),
        "effect": str(VetoEffect(veto["effect"]).label),
    }
    if veto["side"] == VetoSide.BELOW:
        return _("%(measure)s below %(bound)s: %(effect)s") % values
    return _("%(measure)s above %(bound)s: %(effect)s") % values


# --- the whole -----------------------------------------------------------------------------


def outcome_sentences(found: Definition, score: Any, *, people: bool = True) -> list[str]:
    """What was applied between the items and the level, in order; nothing where the total of the
    items is the total and decides the level. Where the total is not told, only what it is not
    needed for. Without `people` nobody is named."""
    if score.withheld:
        figures = score.held in (Held.MINIMUM, Held.REVIEW)
        level = _level(found, score, people) if figures else []
        text = _("The total is not shown, as it would tell others’ sales.")
        return [text, *_vetoed(found, score), *level]
    if score.total is None or score.base is None:
        return []
    said = [*_beyond(found, score), *_level(found, score, people)]
    return (
        [_("The weighted items give %(base)s.") % {"base": exact(score.base)}, *said]
        if (said)
        else []
    )


def _beyond(found: Definition, score: Any) -> list[str]:
    said = []
    if score.bonus:
        said.append(_("Bonus: + %(points)s.") % {"points": exact(score.bonus)})
    if score.deducted:
        values = {"points": exact(score.deducted), "cap": exact(found.get("deduction_cap", 0))}
        said.append(_("Deductions: − %(points)s (at most %(cap)s count).") % values)
    if said:
        summed = score.base + score.bonus - score.deducted
        text = _("Total: %(total)s.") if summed >= 0 else _("Less than 0 counts as 0.")
        said.append(text % {"total": exact(max(summed, Decimal(0)))})
    return [*said, *_vetoed(found, score)]


def _vetoed(found: Definition, score: Any) -> list[str]:
    """The vetoes that bite."""
    return [
        _("Veto “%(name)s” — %(veto)s.") % {"name": named(veto), "veto": veto_text(veto)}
        for veto in found.get("vetoes", [])
        if veto["code"] in score.vetoes
    ]


def _level(found: Definition, score: Any, people: bool) -> list[str]:
    """Why the level is not simply the one of the total."""
    values = {
        "level": score.level or "",
        "before": score.level_before or "",
        "total": "" if score.total is None else exact(score.total),
        "grace": found.get("grace", 0),
        "up": found.get("most_steps_up", ""),
        "down": found.get("most_steps_down", ""),
    }
    if score.held == Held.REVIEW:
        return [_level_review(score, people)]
    if score.held == scoring.BY_MINIMUM:
        return [
            _("“%(item)s” has %(points)s and needs %(minimum)s, so there is no level.") % row
            for row in _short(found, score)
        ]
    if score.held == scoring.KEPT:
        return [_("%(level)s is kept: %(total)s is enough to keep it.") % values]
    if score.held == scoring.FORGIVEN:
        return [
            _("%(level)s is kept in grace: too low a total is forgiven %(grace)s times in a row.")
            % values
        ]
    if score.held == scoring.BY_STEPS and _went_up(score):
        return [_("Levels rise by at most %(up)s at once: from %(before)s to %(level)s.") % values]
    if score.held == scoring.BY_STEPS:
        return [
            _("Levels fall by at most %(down)s at once: from %(before)s to %(level)s.") % values
        ]
    return []


def _level_review(score: Any, people: bool) -> str:
    from performance.selectors import corrections

    found = corrections(score).get("")
    return review_sentence(found, people=people) if found else str(Held.REVIEW.label)


def review_sentence(changed: dict[str, Any], *, people: bool = True) -> str:
    """What the review made of the points of an item or of the level, with the reason and, unless
    for those outside, the two `people`: see selectors.corrections."""
    row, values = changed["row"], {}
    if changed["item"]:
        before, after = changed["computed"], changed["points"]
        values["before"] = NONE if before is None else exact(before)
        values["after"] = exact(after)
        text = _("changed in review from %(before)s to %(after)s: %(reason)s")
    else:
        values["before"], values["after"] = changed["computed"] or NONE, changed["level"] or NONE
        text = _("Level changed in review from %(before)s to %(after)s: %(reason)s")
    reason = row.reason
    if people:
        both = listed([str(row.proposed_by), str(row.decided_by)])
        reason = _("%(reason)s (%(people)s)") % {"reason": reason, "people": both}
    return text % {**values, "reason": reason}


def _went_up(score: Any) -> bool:
    return bool(score.level and score.level.rank > score.level_before.rank)


def _short(found: Definition, score: Any) -> list[dict[str, str]]:
    """The items whose minimum is not reached."""
    stored = {row["code"]: row["points"] for row in score.items}
    rows = []
    for item in found["items"]:
        points = stored.get(item["code"])
        if points is not None and compile_item(item).falls_short(Decimal(points)):
            rows.append(
                {
                    "item": item_label(item),
                    "points": exact(points),
                    "minimum": minimum_text(item),
                }
            )
    return rows


# --- curves in short -----------------------------------------------------------------------


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
