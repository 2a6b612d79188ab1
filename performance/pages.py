"""What the tab of an evaluation reads."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from statistics import median
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from core.charts import Chart, Series
from core.figures import Figure
from partners.models import Partner
from performance import measures
from performance.models import Evaluation, Score
from sales.completeness import completeness
from sales.grades import grade_badge
from sales.models import SalesKind, TargetKind

TOP = 20


def evaluation_page(request: HttpRequest, evaluation: Evaluation) -> dict[str, Any]:
    """Figures, distribution and the best, of the partners that the user may see."""
    seen = Score.objects.visible_to(request.user).filter(evaluation=evaluation)
    totals = [total for total in seen.values_list("total", flat=True) if total is not None]
    best = (
        seen.exclude(rank=None).select_related("partner__territory", "level").order_by("rank", "pk")
    )
    ranking = reverse("performance:score_list") + f"?evaluation={evaluation.pk}&sort=rank"
    scored = Partner.objects.filter(pk__in=seen.order_by().values("partner"))
    reports = completeness(scored, evaluation.starts_on, evaluation.ends_before)
    return {
        "figures": _figures(evaluation, totals, ranking),
        "distribution": _distribution(totals),
        "levels": _levels(seen),
        "best": best[:TOP],
        "ranking": ranking,
        "may_see": request.user.has_perm("performance.view_score"),
        "watermark": [
            (seen_label(kind), seen, grade_badge(reports.get(kind)))
            for kind, seen in evaluation.watermark.get("kinds", {}).items()
        ],
    }


def _figures(evaluation: Evaluation, totals: list[Decimal], ranking: str) -> list[Figure]:
    middle = median(totals) if totals else None
    return [
        Figure(_("Partners"), f"{evaluation.partner_count:,}", href=ranking),
        Figure(_("Median total"), "—" if middle is None else f"{middle:.2f}"),
        Figure(_("Highest"), f"{max(totals):.2f}" if totals else "—"),
        Figure(_("Lowest"), f"{min(totals):.2f}" if totals else "—"),
    ]


def _distribution(totals: list[Decimal]) -> Chart:
    """How many partners have a total from 0 up to 10, from 10 up to 20 …"""
    counts = Counter(int(total // 10) for total in totals)
    top = max([9, *counts])
    labels = [f"{step * 10}–{step * 10 + 10}" for step in range(top + 1)]
    values = [counts.get(step, 0) for step in range(top + 1)]
    return Chart(_("Distribution of totals"), labels, [Series(_("Partners"), values)], height=240)


def _levels(seen: Any) -> list[dict[str, Any]]:
    counts: Counter[Any] = Counter()
    names = {}
    for score in seen.select_related("level").only("level"):
        names[score.level_id] = score.level
        counts[score.level_id] += 1
    rows = [{"level": names[pk], "count": count} for pk, count in counts.items()]
    return sorted(rows, key=lambda row: -(row["level"].rank if row["level"] else -1))


def seen_label(name: str) -> str:
    """What an entry of the watermark counts: “sell_in”, “collection”, “reports.sell_through”, and
    “sell_in.year_to_date” from the first day of the fiscal year."""
    labels: dict[str, Any] = dict([*SalesKind.choices, *TargetKind.choices])
    labels |= {"reports": _("Reports"), measures.DEDUCTIONS: _("Decided deductions")}
    labels |= measures.SPAN_SUFFIXES
    return " · ".join(str(labels.get(part, part)) for part in name.split("."))
