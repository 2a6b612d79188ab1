"""Deciding appeals."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction

from core import workflow
from core.errors import Problem
from performance.models import Appeal
from performance.models.corrections import check_target


@transaction.atomic
def decide_appeal(
    *,
    appeal: Appeal,
    accept: bool,
    by: Any,
    on: date,
    reason: str,
    points: Decimal | None = None,
    level: Any = None,
) -> Appeal:
    """The owner's answer. `points` (for its item) or `level` are granted with it; without either an
    accepted appeal takes effect by computing again. The effect comes with the next revision.

    Raises as `workflow.fire` does; ValidationError for points above the cap of the item.
    """
    if not accept:
        return workflow.fire(appeal, "reject", by=by, on=on, reason=reason)
    if points is not None:
        check_target(appeal.evaluation, appeal.partner_id, appeal.item_code, points)
    return workflow.fire(appeal, "accept", by=by, on=on, reason=reason, points=points, level=level)


def decision_problems(appeal: Appeal, by: Any) -> list[Problem]:
    """Why somebody cannot answer an appeal."""
    return appeal.decision_problems(by)


def simple_transitions(appeal: Appeal, user: Any) -> list[workflow.TransitionOption]:
    """The transitions that need no form: an answer has a page of its own, and whoever cannot be the
    judge is told so where the appeal waits for one."""
    found = workflow.options(appeal, user)
    hidden = {"accept", "reject"} | ({"take"} if appeal.owner_id == user.pk else set())
    return [option for option in found if option.name not in hidden]
