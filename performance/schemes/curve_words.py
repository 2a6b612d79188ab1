"""Curves as people write them: one line a point, “60% → 0”.

    linear         60% → 0        bands   < 2 → 0       pass   ≥ 60%
                   100% → 100             2 → 60               (or ≤ 5%)
                                          3 → 100

Where an item is read as a share (of its target, or because the measure is a ratio), x is written
per cent. Arrows may be typed as ->, = or a colon.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from performance import bases, measures, scoring

_ARROW = re.compile(r"\s*(?:→|->|=>|＝|:|：|(?<![<>≤≥])=)\s*")
_LOWER = ("<", "＜")
_AT_LEAST, _AT_MOST = ("≥", ">=", "＞="), ("≤", "<=", "＜=")

Curve = dict[str, Any]


def is_share(reads: bases.Reads, target_source: str) -> bool:
    """Whether an item is read per cent: it compares with a target, or what it reads is a ratio."""
    return target_source != "none" or reads.unit == measures.RATIO


def write(curve: Curve, *, share: bool) -> str:
    """A stored curve as text that `read` understands."""
    if curve["kind"] == scoring.LINEAR:
        return "\n".join(f"{_shown(x, share)} → {_plain(y)}" for x, y in curve["points"])
    if curve["kind"] == scoring.BANDS:
        bands = curve["bands"]
        first = f"< {_shown(bands[1][0], share)} → {_plain(bands[0][1])}"
        return "\n".join([first, *(f"{_shown(x, share)} → {_plain(y)}" for x, y in bands[1:])])
    if curve["kind"] == scoring.PASS:
        sign, bound = ("≥", "at_least") if "at_least" in curve else ("≤", "at_most")
        return f"{sign} {_shown(curve[bound], share)}"
    return ""


def read(kind: str, text: str, *, share: bool) -> Curve:
    """The curve of `kind` that `text` says; ValidationError names the line that cannot be read."""
    if kind == scoring.PROPORTIONAL:
        return {"kind": kind}
    lines = [line.strip() for line in re.split(r"[\n;；]", text) if line.strip()]
    if not lines:
        raise ValidationError(_("Write at least one line."))
    if kind == scoring.PASS:
        return {"kind": kind, **_bound(lines, share)}
    if kind == scoring.BANDS:
        return {"kind": kind, "bands": _bands(lines, share)}
    return {"kind": kind, "points": [list(_pair(line, share)) for line in lines]}


def _bound(lines: list[str], share: bool) -> dict[str, str]:
    if len(lines) == 1:
        for name, signs in (("at_least", _AT_LEAST), ("at_most", _AT_MOST)):
            for sign in signs:
                if lines[0].startswith(sign):
                    return {name: _x(lines[0].removeprefix(sign), share)}
    raise ValidationError(_("Write one bound, such as “≥ 60%” or “≤ 5%”."))


def _bands(lines: list[str], share: bool) -> list[list[Any]]:
    """The band below the first bound scores 0 where no line says otherwise."""
    lowest: list[Any] = [None, "0"]
    if lines[0].startswith(_LOWER) and not lines[0].startswith(_AT_MOST):
        bound, points = _pair(lines[0][1:], share)
        lowest, lines = [None, points], lines[1:]
        if not lines or _pair(_without_sign(lines[0]), share)[0] != bound:
            message = _("The band after “< %(bound)s” must begin at %(bound)s.")
            raise ValidationError(message % {"bound": _shown(bound, share)})
    return [lowest, *(list(_pair(_without_sign(line), share)) for line in lines)]


def _without_sign(line: str) -> str:
    return next((line.removeprefix(s) for s in _AT_LEAST if line.startswith(s)), line)


def _pair(line: str, share: bool) -> tuple[str, str]:
    parts = _ARROW.split(line.strip())
    if len(parts) != 2:
        example = "60% → 0" if share else "3 → 60"
        message = _("“%(line)s” cannot be read. Write one line such as “%(example)s”.")
        raise ValidationError(message % {"line": line, "example": example})
    return _x(parts[0], share), f"{_number(parts[1], line):f}"


def _x(text: str, share: bool) -> str:
    text = text.strip().replace("％", "%")
    number = _number(text.removesuffix("%"), text)
    if text.endswith("%") != share and number:
        if share:
            message = _("“%(text)s”: this item is read as a share, so write per cent, “60%%”.")
        else:
            message = _("“%(text)s”: this item is no share, so write the number without per cent.")
        raise ValidationError(message % {"text": text})
    return f"{(number / 100 if share else number).normalize():f}"


def _number(text: str, shown: str) -> Decimal:
    try:
        number = Decimal(text.strip().replace(",", "").replace("\u2212", "-"))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ValidationError(_("“%(text)s” is not a number.") % {"text": shown})
    return number


def _plain(value: Any) -> str:
    return f"{Decimal(value).normalize():f}"


def _shown(value: Any, share: bool) -> str:
    return f"{_plain(Decimal(value) * 100)}%" if share else _plain(value)
