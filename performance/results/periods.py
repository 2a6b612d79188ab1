"""A partner over the periods of one scheme: total, level and the points of each item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from core.charts import Chart, Series
from performance import bases, selectors
from performance.definitions import Definition, definition
from performance.explain import item_label
from performance.models import Score
from performance.results.matrix import heat
from performance.telling import not_shown

PERIODS = 8
LINES = 6  # as many as the chart has colours


@dataclass(frozen=True)
class Row:
    """The points of one item in each period, and how they look; None where it did not apply, did
    not exist or is not told."""

    code: str
    label: str
    points: list[str | None]
    cells: list[SafeString]


@dataclass(frozen=True)
class Periods:
    """Scores from the oldest to the one that is looked at, and the items that any of them has, in
    the order of the newest."""

    scores: list[Score]
    rows: list[Row]


def periods(score: Score, count: int = PERIODS) -> Periods:
    """The last `count` published scores of the partner by this scheme, up to this one."""
    scores = selectors.trend(score, count)
    versions = {each.evaluation.scheme_version_id: each.evaluation for each in scores}
    labels: dict[str, str] = {}
    for evaluation in sorted(versions.values(), key=lambda one: one.starts_on, reverse=True):
        for item in definition(evaluation.scheme_version)["items"]:
            labels.setdefault(item["code"], _label(item))
    points = [{item["code"]: item["points"] for item in each.items} for each in scores]
    rows = []
    for code, text in labels.items():
        own = [each.get(code) for each in points]
        untold = [not_shown() if code in score.withheld else "" for score in scores]
        rows.append(Row(code, text, own, list(map(heat, own, untold))))
    return Periods(scores, rows)


def _label(item: Definition) -> str:
    return item_label(item) if bases.find(item) else item["code"]


def periods_page(request: HttpRequest, score: Score) -> dict[str, Any]:
    """The chart and the table of the tab “Trend”."""
    found = periods(score)
    labels = [each.evaluation.period_code for each in found.scores]
    series = [Series(_("Total"), [each.total for each in found.scores], "line")]
    rows = sorted(found.rows, key=_spread, reverse=True)
    moved = [row for row in rows if _spread(row)][: LINES - 1]
    series += [
        Series(row.label, [None if p is None else float(p) for p in row.points], "dashed")
        for row in moved
    ]
    return {
        "periods": found,
        "chart": Chart(_("Total and the items that moved most"), labels, series, height=320),
    }


def _spread(row: Row) -> float:
    """How far the points of an item went up and down."""
    points = [float(p) for p in row.points if p is not None]
    return max(points) - min(points) if points else 0
