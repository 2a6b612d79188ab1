"""The letters that ask for figures from below, each in the language of who reads it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.core.mail import EmailMessage
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _, ngettext

from accounts.models import User
from accounts.roles import GLOBAL_ROLES, MACHINE_ROLES, Role, codenames
from core.letters import place, write
from partners.models import Membership
from sales.models import TargetPlan

ENTER, PROPOSE = "sales.enter_targetplanline", "sales.propose_targetplanline"
NAMED = 10  # partners of a manager that a letter names


def people_of(partners: QuerySet) -> dict[int, list[User]]:
    """{partner: its people who may enter figures and can be written to}."""
    rows = (
        Membership.objects.filter(
            partner__in=partners.values("pk"), user__is_active=True, user__role__in=_roles(PROPOSE)
        )
        .exclude(user__email="")
        .select_related("user")
        .order_by("partner", "pk")
    )
    found: dict[int, list[User]] = defaultdict(list)
    for row in rows:
        found[row.partner_id].append(row.user)
    return dict(found)


def managers_of(partners: QuerySet) -> dict[int, list[str]]:
    """{manager who may enter figures and can be written to: the names of the partners}: the owner
    of the partner or, where there is none, everybody in whose territories it lies."""
    roles = set(_roles(ENTER)) - set(MACHINE_ROLES)
    users = User.objects.filter(is_active=True, role__in=roles).exclude(email="")
    owners = set(users.values_list("pk", flat=True))
    bounded = users.exclude(role__in=GLOBAL_ROLES).filter(territories__isnull=False)
    paths = list(bounded.values_list("pk", "territories__path"))
    found: dict[int, list[str]] = defaultdict(list)
    columns = ("name", "owner", "territory__path")
    for name, owner, path in partners.order_by("pinyin", "pk").values_list(*columns):
        if owner in owners:
            found[owner].append(name)
        elif owner is None:
            for user in sorted({user for user, above in paths if path.startswith(above)}):
                found[user].append(name)
    return dict(found)


def _roles(permission: str) -> list[str]:
    return [role for role in Role if permission in codenames(role)]


def reminders(
    plan: TargetPlan, partner_ids: Iterable[int], user_ids: Iterable[int]
) -> list[EmailMessage]:
    """One letter each to the people of these partners and to these managers, as far as their
    figures have still not come and the plan is still a draft."""
    from sales.planning.reminders import without_figure, without_proposal

    if not plan.is_draft:
        return []
    late = without_proposal(plan).filter(pk__in=list(partner_ids))
    names = dict(late.values_list("pk", "name"))
    written = [
        _to_partner(plan, user, names[partner])
        for partner, users in people_of(late).items()
        for user in users
    ]
    owned = managers_of(without_figure(plan))
    managers = User.objects.filter(pk__in=set(user_ids) & set(owned)).order_by("pk")
    return written + [_to_manager(plan, user, owned[user.pk]) for user in managers]


def _to_partner(plan: TargetPlan, user: User, partner: str) -> EmailMessage:
    with translation.override(user.language):
        said = _said(plan) | {"partner": partner}
        text = _("please enter what %(partner)s expects for “%(plan)s”.") % said
        return _letter(plan, user, _("Dear partner,"), text)


def _to_manager(plan: TargetPlan, user: User, partners: list[str]) -> EmailMessage:
    with translation.override(user.language):
        count = len(partners)
        text = ngettext(
            "for “%(plan)s” nobody has entered all figures of %(count)s partner of yours:",
            "for “%(plan)s” nobody has entered all figures of %(count)s partners of yours:",
            count,
        )
        names = [f"- {name}" for name in partners[:NAMED]]
        if count > NAMED:
            names.append(_("- and %(count)s more") % {"count": count - NAMED})
        dear = _("Dear %(name)s,") % {"name": user.display_name}
        return _letter(plan, user, dear, text % (_said(plan) | {"count": count}), names)


def _letter(plan: TargetPlan, user: User, *blocks: str | list[str]) -> EmailMessage:
    said = _said(plan)
    return write(
        user.email,
        _("Figures are still missing: %(plan)s") % said,
        *blocks,
        _("The last day for it is %(day)s.") % said if plan.due_on else "",
        place(
            _("You find the page under Sales → Target plans."),
            reverse("sales:targetplan_detail", args=[plan.pk]),
        ),
    )


def _said(plan: TargetPlan) -> dict[str, Any]:
    return {"plan": str(plan), "day": plan.due_on.isoformat() if plan.due_on else ""}
