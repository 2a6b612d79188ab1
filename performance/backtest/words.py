"""A report as lines of text, in the active language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from core.templatetags.fmt import NONE, exact
from performance.backtest.report import Report, Row

MOST = 10


def lines(report: Report) -> Iterator[str]:
    """What `manage.py backtest --format text` prints."""
    found = report.result
    yield _("Draft %(draft)s beside %(against)s") % {
        "draft": f"{found['draft']['scheme']}@{found['draft']['number']}",
        "against": f"{found['against']['scheme']}@{found['against']['number']}",
    }
    yield ""
    for period in found["periods"]:
        yield _period(period)
    yield ""
    yield from _movers(report.rows)
    yield from _sections(found)
    yield _("Digest: %(digest)s") % {"digest": report.digest}


def _period(period: dict[str, Any]) -> str:
    values = {
        "period": period["period"],
        "partners": period["partners"],
        "before": period["against"]["mean"] or NONE,
        "after": period["draft"]["mean"] or NONE,
        **period["moves"],
    }
    return (
        _(
            "%(period)s: %(partners)s partners; mean total %(before)s → %(after)s; "
            "totals up %(total_up)s, down %(total_down)s; levels up %(level_up)s, "
            "down %(level_down)s"
        )
        % values
    )


def _movers(rows: list[Row]) -> Iterator[str]:
    moved = sorted(
        (row for row in rows if row.change), key=lambda row: (-abs(row.change), row.code)
    )
    if moved:
        yield _("Largest changes of the total in the last period:")
        for row in moved[:MOST]:
            _code, draft, against = row.trail[-1]
            levels = f"{against.level or NONE} → {draft.level or NONE}"
            yield f"  {row.code}  {against.total} → {draft.total} ({row.change:+})  {levels}"
        yield ""


def _sections(found: dict[str, Any]) -> Iterator[str]:
    yield _("Weights (points of the total for a point of weight; ranks at ± 5 points):")
    for weight in found["weights"]:
        shifts = ", ".join(
            f"{shift['by']}: {shift['ranks']} / {shift['levels']}" for shift in weight["shifts"]
        )
        yield f"  {weight['item']}  {exact(weight['weight'])}  {weight['mean_size']}  {shifts}"
    never = [item["item"] for item in found["items"] if item["never"]]
    yield _("Items that never tell partners apart: %(items)s") % {"items": ", ".join(never) or NONE}
    yield _("Correlation between items (Pearson, Spearman):")
    for pair in found["correlations"]:
        first, second = pair["items"]
        yield f"  {first} – {second}  {pair['pearson'] or NONE}  {pair['spearman'] or NONE}"
    yield _("Within 2 points of a threshold:")
    for row in found["thresholds"]:
        yield f"  {row['level']} {row['total']}: −{row['below']} / +{row['above']}"
    yield ""
