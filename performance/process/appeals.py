"""Filing appeals, reminding of them, deciding them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core import audit, crud, jobs, workflow
from core.errors import Conflict, DomainError, Problem
from partners.models import Membership, Partner
from performance.models import Appeal, Evaluation, Score
from performance.models.corrections import check_target
from performance.process import letters

REMIND_DAYS = 3  # before the last day for an answer


# --- filing ----------------------------------------------------------------------------------


def own_partner(user: Any) -> int | None:
    """The key of the partner whose people `user` belongs to; None for everybody else."""
    if not user.is_partner_user:
        return None
    return Membership.objects.filter(user=user).values_list("partner", flat=True).first()


def open_to(user: Any, on: date) -> QuerySet:
    """The evaluations against which `user` may file an appeal `on` a day. People of a partner file
    for the own one alone, also where they see the partners below it."""
    found = Evaluation.objects.in_force().filter(appeal_before__gt=on)
    if user.is_partner_user:
        own = Score.objects.visible_to(user).filter(partner=own_partner(user))
        found = found.filter(pk__in=own.order_by().values("evaluation"))
    return found


@transaction.atomic
def file_appeal(
    *,
    evaluation: Evaluation,
    partner: Partner,
    claim: str,
    by: Any,
    on: date,
    item_code: str = "",
    evidence: Any = None,
) -> Appeal:
    """Appeal against an item of a published result or (without `item_code`) the whole. It has its
    answer at the latest `answer_days` of the version after `on`; those who may decide it get a
    letter.

    Raises DomainError not_your_partner or no_score for people of a partner; Conflict appeal_open
    where one about the same waits for its answer; ValidationError outside of the window or for an
    item that the scheme does not have.
    """
    if by.is_partner_user:
        _check_own(evaluation, partner, by)
    same = Appeal.objects.filter(evaluation=evaluation, partner=partner, item_code=item_code)
    if same.undecided().exists():
        raise Conflict("appeal_open", _("There is an open appeal about that already."))
    row = Appeal(
        evaluation=evaluation,
        partner=partner,
        item_code=item_code,
        claim=claim,
        evidence=evidence or "",
        filed_by=by,
        by_partner=by.is_partner_user,
        due_on=on + timedelta(days=evaluation.scheme_version.answer_days),
    )
    crud.save(row, by=by)
    _write([row], letters.NEW)
    return row


def _check_own(evaluation: Evaluation, partner: Partner, by: Any) -> None:
    if partner.pk != own_partner(by):
        message = _("You can appeal for your own company only.")
        raise DomainError("not_your_partner", message, "partner")
    if not Score.objects.visible_to(by).filter(evaluation=evaluation, partner=partner).exists():
        message = _("This partner has no score in the evaluation.")
        raise DomainError("no_score", message, "evaluation")


# --- letters ---------------------------------------------------------------------------------


@transaction.atomic
def remind_when_due(*, on: date, at: datetime) -> list[Appeal]:
    """Remind who has to answer, once some days before the last day and once after it: the owner, or
    all who may decide while there is none. Nobody is reminded on the day of filing, of which there
    was a letter. Returns the appeals."""
    soon = Appeal.objects.due_soon(on, REMIND_DAYS).filter(created_at__date__lt=on)
    told = _remind(soon.filter(soon_reminded_at=None), letters.SOON, soon_reminded_at=at)
    late = Appeal.objects.overdue(on).filter(late_reminded_at=None)
    return told + _remind(late, letters.LATE, late_reminded_at=at)


def _remind(rows: QuerySet, kind: str, **when: datetime) -> list[Appeal]:
    # Who comes second waits for the row and finds it reminded.
    held = rows.select_related("partner", "evaluation__scheme").select_for_update(of=("self",))
    found = list(held.order_by("pk"))
    if found:
        Appeal.objects.filter(pk__in=[row.pk for row in found]).update(**when)
        entries: list[Any] = [("performance.appeal.reminded", row, {}) for row in found]
        audit.record_many(entries, by=None, data={"overdue": kind == letters.LATE})
        _write(found, kind)
    return found


def tell_answer(appeal: Appeal) -> None:
    """Write to who filed it, once its answer is there for good."""
    _write([appeal], letters.ANSWERED)


def _write(rows: list[Appeal], kind: str) -> None:
    from performance import tasks

    keys = [row.pk for row in rows]
    title = str(rows[0]) if len(rows) == 1 else str(len(rows))
    title = _("Letters about appeals: %(what)s") % {"what": title}
    jobs.enqueue(tasks.write_about_appeals, keys, kind, kind="letters", title=title, by=None)


# --- deciding --------------------------------------------------------------------------------


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
    accepted appeal takes effect by computing again. The effect comes with the next revision. Who
    filed it gets a letter.

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
