"""The letters about what follows from results, each in the language of who reads it: one a reader,
with a line for everything it is about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.roles import Role
from core.letters import place, write
from partners.models import Membership
from performance.models import Consequence, ConsequenceKind, ImprovementPlan, PlanAction

# What a letter is about; the tasks name these.
DECIDED, IN_FORCE = "decided", "in_force"
SOON, OVERDUE, RETEST = "soon", "overdue", "retest"

Lines = dict[Any, list[Any]]  # {reader: what it is told of}


def letters(about: str, keys: Iterable[int]) -> list[EmailMessage]:
    """The letters about these consequences (DECIDED, IN_FORCE), actions (SOON, OVERDUE) or plans
    (RETEST). Who has no address, or no access any more, gets none."""
    readers, line, words = _ABOUT[about]
    told: Lines = defaultdict(list)
    for reader, row in readers(list(keys)):
        if reader is not None and reader.is_active and reader.email:
            told[reader].append(row)
    return [_letter(reader, rows, line, words) for reader, rows in told.items()]


def _letter(
    reader: Any, rows: list[Any], line: Callable[[Any], str], words: Callable[[], tuple[str, str]]
) -> EmailMessage:
    with translation.override(reader.language):
        subject, text = words()
        return write(
            reader.email,
            subject,
            _("Dear %(name)s,") % {"name": reader.display_name},
            text,
            [f"- {line(row)}" for row in rows],
            _place(reader, rows[0]),
        )


def _place(reader: Any, row: Any) -> str:
    if not isinstance(row, Consequence):
        words = _("You find the page under Performance → Improvement plans.")
        return place(words, reverse("performance:improvementplan_list"))
    if reader.is_partner_user:
        page = reverse("partners:partner_detail", args=[row.partner_id]) + "?tab=performance"
        return place(_("You find your results on the page of your company."), page)
    words = _("You find the page under Performance → Consequences.")
    return place(words, reverse("performance:consequence_list"))


# --- who reads -----------------------------------------------------------------------------------


def _owners(keys: list[int]) -> list[tuple[Any, Any]]:
    """The people who look after the partners of these consequences."""
    rows = Consequence.objects.filter(pk__in=keys).order_by("effective_on", "pk")
    related = ("partner__owner", "partner__level", "level", "level_before")
    return [(row.partner.owner, row) for row in rows.select_related(*related)]


def _owners_and_partners(keys: list[int]) -> list[tuple[Any, Any]]:
    """These, and the administrators of the partners; of an elimination, which ends nothing by
    itself, a person tells the partner."""
    found = _owners(keys)
    theirs = [row for _owner, row in found if row.kind != ConsequenceKind.ELIMINATION]
    members = Membership.objects.filter(
        partner__in={row.partner_id for row in theirs}, user__role=Role.PARTNER_ADMIN
    )
    admins: dict[int, list[Any]] = defaultdict(list)
    for member in members.select_related("user").order_by("pk"):
        admins[member.partner_id].append(member.user)
    return found + [(user, row) for row in theirs for user in admins[row.partner_id]]


def _doers(keys: list[int]) -> list[tuple[Any, Any]]:
    rows = PlanAction.objects.filter(
        pk__in=keys, done_on=None, plan__state=ImprovementPlan.State.OPEN
    )
    found = rows.select_related("owner", "plan__partner").order_by("due_on", "pk")
    return [(row.owner, row) for row in found]


def _planners(keys: list[int]) -> list[tuple[Any, Any]]:
    rows = ImprovementPlan.objects.filter(pk__in=keys, state=ImprovementPlan.State.OPEN)
    found = rows.select_related("owner", "partner", "scheme").order_by("due_on", "pk")
    return [(row.owner, row) for row in found]


# --- what they read ------------------------------------------------------------------------------


def _consequence(row: Consequence) -> str:
    values = {"partner": row.partner, "what": row.get_kind_display()}
    values["day"] = row.effective_on.isoformat()
    if row.kind == ConsequenceKind.LEVEL:
        values["before"] = row.level_now or _("No level")
        values["after"] = row.level or _("No level")
        return _("%(partner)s: %(what)s, %(before)s → %(after)s, from %(day)s") % values
    return _("%(partner)s: %(what)s, from %(day)s") % values


def _action(row: PlanAction) -> str:
    values = {"partner": row.plan.partner, "what": row.what, "day": row.due_on.isoformat()}
    return _("%(partner)s: %(what)s, due on %(day)s") % values


def _plan(row: ImprovementPlan) -> str:
    values = {"partner": row.partner, "scheme": row.scheme, "period": row.retest_period}
    values["total"] = row.goal_total
    return _("%(partner)s: %(scheme)s, %(period)s, total to reach %(total)s") % values


def _decided() -> tuple[str, str]:
    return (
        _("Consequences were decided"),
        _("the following was decided and takes effect on its day."),
    )


def _in_force() -> tuple[str, str]:
    return _("Consequences are in force"), _("the following is in force now.")


def _soon() -> tuple[str, str]:
    return _("Actions are due soon"), _("these actions of improvement plans are due soon.")


def _overdue() -> tuple[str, str]:
    return (
        _("Actions are overdue"),
        _("these actions of improvement plans were to be done and are still open."),
    )


def _retest() -> tuple[str, str]:
    return (
        _("Re-tests are due"),
        _("these improvement plans have come to their re-test and can be closed."),
    )


_ABOUT: dict[str, tuple[Any, Any, Any]] = {
    DECIDED: (_owners, _consequence, _decided),
    IN_FORCE: (_owners_and_partners, _consequence, _in_force),
    SOON: (_doers, _action, _soon),
    OVERDUE: (_doers, _action, _overdue),
    RETEST: (_planners, _plan, _retest),
}
