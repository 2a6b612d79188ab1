"""What the tabs of consequences and improvement plans read."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse

from performance.models import Consequence, ConsequenceKind, Evaluation, ImprovementPlan, Score
from performance.results.consequences import differing

SHOWN = 10


def consequences_page(request: HttpRequest, evaluation: Evaluation) -> dict[str, Any]:
    """What followed from an evaluation: how many of each kind and state, the newest, and how many
    partners have another level than their score says."""
    seen = Consequence.objects.visible_to(request.user).filter(evaluation=evaluation)
    counted = seen.order_by().values_list("kind", "state").annotate(Count("pk"))
    counts = {(kind, state): count for kind, state, count in counted}
    published = evaluation.state in Evaluation.PUBLIC
    may = request.user.has_perm("performance.add_consequence")
    return {
        "states": [label for _value, label in Consequence.State.choices],
        "table": [
            (label, [counts.get((kind, state), 0) for state in Consequence.State.values])
            for kind, label in ConsequenceKind.choices
        ],
        "any": bool(counts),
        "published": published,
        "may_propose": may and published,
        "differing": differing(evaluation, request.user).count() if published else 0,
        "newest": seen.select_related("partner__level", "level", "level_before").order_by("-pk")[
            :SHOWN
        ],
        "list": reverse("performance:consequence_list") + f"?evaluation={evaluation.pk}",
        "plans": ImprovementPlan.objects.visible_to(request.user)
        .filter(evaluation=evaluation)
        .select_related("partner", "owner")[:SHOWN],
    }


def plan_page(request: HttpRequest, plan: ImprovementPlan) -> dict[str, Any]:
    """A plan with its actions, the result it follows from and that of the re-test."""
    before = None
    if plan.evaluation_id:
        scores = Score.objects.visible_to(request.user).filter(partner=plan.partner_id)
        before = scores.filter(evaluation=plan.evaluation_id).first()
    return {
        "actions": plan.actions.select_related("owner"),
        "before": before,
        "retest": plan.result or plan.retest_score(),
        "may_change": request.user.has_perm("performance.change_planaction")
        and plan.state == ImprovementPlan.State.OPEN,
    }


def of_score(score: Score, user: Any) -> dict[str, Any]:
    """What followed from one scorecard, for its page."""
    if not user.has_perm("performance.view_consequence"):
        return {"consequences": [], "plans": []}
    same = {"partner": score.partner_id, "evaluation": score.evaluation_id}
    return {
        "consequences": Consequence.objects.visible_to(user)
        .filter(**same)
        .select_related("partner__level", "level", "level_before"),
        "plans": ImprovementPlan.objects.visible_to(user).filter(**same),
    }
