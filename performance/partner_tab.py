"""The tab of performance on the page of a partner."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from core.charts import Chart, Series
from partners.models import Partner
from performance import scoring, selectors
from performance.models import Evaluation, Score
from performance.results.ahead import ahead
from performance.telling import not_shown, told

SCORES = 24
COSTLY = 3
FULL = Decimal(100)


@dataclass(frozen=True)
class Cost:
    """An item and how many points of the total it falls short of 100 points for the item."""

    line: selectors.Line
    lost: Decimal


def partner_performance(request: HttpRequest, partner: Partner) -> dict[str, Any]:
    """Published scores by scheme: over time, what the next level takes, each scorecard."""
    scores = (
        Score.objects.visible_to(request.user)
        .filter(partner=partner, evaluation__in=Evaluation.objects.in_force())
        .select_related(
            "evaluation__scheme", "evaluation__scheme_version__scheme", "level", "level_before"
        )
        .order_by("-evaluation__ends_before", "-evaluation_id")[:SCORES]
    )
    schemes: dict[int, list[Score]] = {}
    for score in told(list(scores), request.user):
        schemes.setdefault(score.evaluation.scheme_id, []).append(score)
    people = not request.user.is_partner_user
    return {"schemes": [_scheme(found, people) for found in schemes.values()]}


def _scheme(scores: list[Score], people: bool) -> dict[str, Any]:
    newest, oldest_first = scores[0], scores[::-1]
    labels = [score.evaluation.period_code for score in oldest_first]
    series = Series(_("Total"), [score.total for score in oldest_first], "line")
    return {
        "scheme": newest.evaluation.scheme,
        "newest": newest,
        "scores": scores,
        "chart": Chart(_("Totals over time"), labels, [series], height=220)
        if any(score.total is not None for score in scores)
        else None,
        "next": ahead(newest),
        "costs": [] if newest.withheld else costs(newest, people=people),
        "not_shown": not_shown(),
    }


def costs(score: Score, *, people: bool = True) -> list[Cost]:
    """The weighted items that cost the most points of the total, the dearest first; see
    selectors.scorecard for `people`."""
    lines = [
        line
        for line in selectors.scorecard(score, people=people)
        if line.stored["points"] is not None and not line.bonus
    ]
    weights = sum((Decimal(line.stored["weight"]) for line in lines), Decimal(0))
    found = []
    for line in lines:
        short = FULL - Decimal(line.stored["points"])
        lost = scoring.weighted(line.stored["weight"], short, weights) if short > 0 else None
        if lost:
            found.append(Cost(line, scoring.quantize(lost, scoring.TOTAL)))
    return sorted(found, key=lambda cost: -cost.lost)[:COSTLY]
