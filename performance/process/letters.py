"""The letters to raters and about appeals, each in the language of who reads it."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.mail import EmailMessage
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _, ngettext

from accounts.models import User
from accounts.roles import Role, codenames
from core.letters import place, write
from performance.models import Appeal, Evaluation, Rater, Rating
from performance.selectors import item_names

# Why there is a letter about appeals.
NEW, SOON, LATE, ANSWERED = "new", "soon", "late", "answered"
DECIDE = "performance.decide_appeal"


def to_raters(keys: Iterable[int], *, reminder: bool) -> list[EmailMessage]:
    """One letter each to these raters, whose evaluation still takes ratings."""
    raters = (
        Rater.objects.filter(pk__in=list(keys), evaluation__state=Evaluation.State.RATING)
        .exclude(user__email="")
        .select_related("user", "evaluation__scheme")
        .order_by("pk")
    )
    return [_letter(rater, reminder) for rater in raters]


def _letter(rater: Rater, reminder: bool) -> EmailMessage:
    evaluation = rater.evaluation
    with translation.override(rater.user.language):
        said = {"name": rater.user.display_name}
        said["what"], said["day"] = str(evaluation), evaluation.last_day_of_ratings.isoformat()
        if reminder:
            subject = _("Marks are still missing: %(what)s") % said
            text = _("some of your marks for %(what)s are still missing.") % said
        else:
            subject = _("Please rate your partners: %(what)s") % said
            text = _("please rate the partners you look after for %(what)s.") % said
        page = reverse("performance:evaluation_detail", args=[evaluation.pk]) + "?tab=ratings"
        return write(
            rater.user.email,
            subject,
            _("Dear %(name)s,") % said,
            [text, _("The last day is %(day)s; after it the marks that are there count.") % said],
            place(_("You find the page under Performance → Evaluations → Ratings."), page),
        )


# --- appeals -----------------------------------------------------------------------------------


def about_appeals(keys: Iterable[int], kind: str) -> list[EmailMessage]:
    """One letter to everybody who has to do something about these appeals, as far as they wait for
    their answer still: to the owner; of those without one to all who may decide them. Of answered
    ones to who filed them."""
    if kind == ANSWERED:
        return _answers(keys)
    rows = Appeal.objects.undecided().filter(pk__in=list(keys))
    if kind == NEW:
        rows = rows.filter(owner=None)
    related = ("partner", "evaluation__scheme", "evaluation__scheme_version")
    found = list(rows.select_related(*related, "owner").order_by("due_on", "pk"))
    mine: dict[User, list[Appeal]] = {}
    for appeal in found:
        if appeal.owner is not None and appeal.owner.is_active:
            mine.setdefault(appeal.owner, []).append(appeal)
    for user, waiting in _for_deciders([row for row in found if row.owner_id is None]):
        mine.setdefault(user, []).extend(waiting)
    return [_about(user, mine[user], kind) for user in mine if user.email]


def _answers(keys: Iterable[int]) -> list[EmailMessage]:
    decided = (Appeal.State.ACCEPTED, Appeal.State.REJECTED)
    rows = Appeal.objects.filter(pk__in=list(keys), state__in=decided, filed_by__is_active=True)
    related = ("partner", "evaluation__scheme", "evaluation__scheme_version", "filed_by")
    found = rows.exclude(filed_by__email="").select_related(*related).order_by("pk")
    return [_answer(row) for row in found]


def _answer(row: Appeal) -> EmailMessage:
    user = row.filed_by
    with translation.override(user.language):
        said = {"name": user.display_name, "state": row.get_state_display()}
        said |= {"partner": str(row.partner), "evaluation": str(row.evaluation)}
        said["item"] = item_names([row], _("The whole result"))[row.pk]
        told = _("your appeal has its answer: %(partner)s, %(evaluation)s, %(item)s: %(state)s.")
        where = (
            _("You find it under Appeals.")
            if user.is_partner_user
            else _("You find the page under Performance → Appeals.")
        )
        return write(
            user.email,
            _("Your appeal has its answer"),
            _("Dear %(name)s,") % said,
            [told % said, row.answer],
            place(where, reverse("performance:appeal_detail", args=[row.pk])),
        )


def deciders() -> QuerySet:
    """People whose role may decide appeals."""
    roles = [role for role in Role if DECIDE in codenames(role)]
    return User.objects.filter(is_active=True, role__in=roles).order_by("pk")


def _for_deciders(rows: list[Appeal]) -> list[tuple[User, list[Appeal]]]:
    """Who may decide which of these: sees it, did not file it and gave no mark that it is about."""
    people = list(deciders().exclude(email=""))
    marks = set(
        Rating.objects.filter(
            rater__in=people, evaluation__in={row.evaluation_id for row in rows}
        ).values_list("rater", "evaluation", "partner", "item_code")
    )
    whole = {mark[:3] for mark in marks}
    found = []
    for user in people:
        seen = Appeal.objects.visible_to(user).filter(pk__in=[row.pk for row in rows])
        visible = set(seen.values_list("pk", flat=True))
        own = []
        for row in rows:
            rated = (user.pk, row.evaluation_id, row.partner_id)
            biased = (*rated, row.item_code) in marks if row.item_code else rated in whole
            if row.pk in visible and row.filed_by_id != user.pk and not biased:
                own.append(row)
        if own:
            found.append((user, own))
    return found


def _about(user: User, rows: list[Appeal], kind: str) -> EmailMessage:
    with translation.override(user.language):
        names = item_names(rows, _("The whole result"))
        said = {"name": user.display_name, "count": len(rows)}
        if kind == NEW:
            subject = _("A new appeal waits for somebody to take it on")
            text = _("an appeal was filed that nobody has taken on yet.")
        elif kind == SOON:
            subject = ngettext(
                "An appeal is soon due for an answer",
                "%(count)s appeals are soon due for an answer",
                len(rows),
            )
            text = _("these appeals are soon due for an answer.")
        else:
            subject = ngettext(
                "An appeal is overdue for an answer",
                "%(count)s appeals are overdue for an answer",
                len(rows),
            )
            text = _("the last day for an answer to these appeals has passed.")
        waiting = [
            _("%(partner)s, %(evaluation)s, %(item)s: answer due on %(day)s")
            % {
                "partner": row.partner,
                "evaluation": row.evaluation,
                "item": names[row.pk],
                "day": row.due_on.isoformat(),
            }
            for row in rows
        ]
        return write(
            user.email,
            subject % said,
            _("Dear %(name)s,") % said,
            text,
            waiting,
            place(
                _("You find the page under Performance → Appeals."),
                reverse("performance:appeal_list"),
            ),
        )
