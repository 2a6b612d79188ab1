"""A second, richer scheme beside `quarterly-basic`, and the schedules of both."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from core import audit, crud
from core.periods import Period
from partners.models import Level
from performance import services
from performance.models import (
    EvaluationSchedule,
    Scheme,
    SchemeItem,
    SchemeLevel,
    SchemeVersion,
)

BASIC, RICH = "quarterly-basic", "channel-quarterly"

_ATTAINMENT = {"kind": "linear", "points": [["0.6", "0"], ["1", "100"]]}
_GROWTH = {"kind": "linear", "points": [["-0.1", "0"], ["0", "60"], ["0.15", "100"]]}
_BANDS_OF_MONTHS = {"kind": "bands", "bands": [[None, "0"], ["2", "60"], ["3", "100"]]}
_FEW_RETURNS = {
    "kind": "linear",
    "points": [["0", "100"], ["0.02", "90"], ["0.05", "60"], ["0.1", "0"]],
}
_FOCUS = {"kind": "linear", "points": [["0.05", "0"], ["0.2", "60"], ["0.35", "100"]]}
_TO_TWICE_THE_MEDIAN = {"kind": "linear", "points": [["0", "0"], ["1", "60"], ["2", "100"]]}

# code, measure, kind, weight, target source, curve, cap
_ITEMS: tuple[tuple[str, str, str, int, str, dict[str, Any], int], ...] = (
    ("attainment", "target_attainment", "", 30, "none", _ATTAINMENT, 120),
    ("sell_through", "target_attainment", "sell_through", 15, "none", _ATTAINMENT, 120),
    ("volume", "sell_in_net", "", 15, "peer_median", _TO_TWICE_THE_MEDIAN, 100),
    ("focus", "focus_line_share", "", 10, "none", _FOCUS, 100),
    ("growth", "growth_yoy", "", 10, "none", _GROWTH, 100),
    ("returns", "return_rate", "", 10, "none", _FEW_RETURNS, 100),
    ("regularity", "active_months", "", 5, "none", _BANDS_OF_MONTHS, 100),
    ("breadth", "line_breadth", "", 5, "peer_median", _TO_TWICE_THE_MEDIAN, 100),
)
_LEVELS = (("platinum", 95), ("gold", 85), ("silver", 70), ("bronze", 50))


def make_rich_scheme(*, by: Any, on: date) -> SchemeVersion:
    """Create and publish the scheme. Raises Blocked when its definition does not hold."""
    scheme = Scheme(code=RICH, name="渠道季度综合考核", name_en="Channel quarterly scorecard")
    crud.save(scheme, by=by)
    version = SchemeVersion(scheme=scheme, number=1, note="演示数据 / Generated demo data")
    version.save()
    audit.record("performance.schemeversion.created", version, by=by)
    SchemeItem.objects.bulk_create(_items(version))
    levels = {level.code: level for level in Level.objects.all()}
    SchemeLevel.objects.bulk_create(
        SchemeLevel(version=version, level=levels[code], min_total=Decimal(least))
        for code, least in _LEVELS
    )
    return services.publish_version(version=version, by=by, on=on)


def _items(version: SchemeVersion) -> list[SchemeItem]:
    return [
        SchemeItem(
            version=version,
            position=position,
            code=code,
            measure=measure,
            kind=kind,
            weight=Decimal(weight),
            target_source=source,
            curve=curve,
            cap=Decimal(cap),
        )
        for position, (code, measure, kind, weight, source, curve, cap) in enumerate(
            _ITEMS, start=1
        )
    ]


def make_schedules(last: Period, *, by: Any) -> None:
    """Both schemes quarterly; `last` is the quarter that has been evaluated already."""
    for scheme in Scheme.objects.filter(code__in=(BASIC, RICH)):
        schedule = EvaluationSchedule(
            scheme=scheme, every="quarter", days_after=5, last_period=last.code
        )
        crud.save(schedule, by=by)
