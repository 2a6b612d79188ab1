"""The letters that remind partners of reports, each in the language of who reads it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _, ngettext

from core.letters import place, write
from partners.models import Contact, Membership
from sales.models import Report


def reminders(keys: Iterable[int]) -> list[EmailMessage]:
    """One letter a reader for the reports with these keys that have still not come.

    Readers are the partner's people with portal access; where none has an address, its first
    contact that has one. A partner without any gets none.
    """
    open_reports = Report.objects.filter(
        pk__in=list(keys), received_at__isnull=True, nothing_at__isnull=True
    )
    by_partner: dict[int, list[Report]] = defaultdict(list)
    for report in open_reports.select_related("partner").order_by("starts_on", "kind", "pk"):
        by_partner[report.partner_id].append(report)
    return [
        _letter(address, language, by_partner[partner], may_sign_in)
        for partner, address, language, may_sign_in in _readers(by_partner)
    ]


def partners_with_readers(partners: Iterable[int]) -> set[int]:
    """Those of the partners to whom a letter would be written."""
    return {partner for partner, *_reader in _readers(partners)}


def _readers(partners: Iterable[int]) -> list[tuple[int, str, str, bool]]:
    """(partner, address, language, whether the reader has an account)."""
    keys = list(partners)
    members = (
        Membership.objects.filter(partner__in=keys, user__is_active=True)
        .exclude(user__email="")
        .order_by("partner", "pk")
        .values_list("partner", "user__email", "user__language")
    )
    found = [(*member, True) for member in members]
    known = {partner for partner, *_reader in found}
    contacts = Contact.objects.filter(partner__in=keys).exclude(email="")
    for partner, address in contacts.order_by("-is_primary", "pk").values_list("partner", "email"):
        if partner not in known:
            known.add(partner)
            found.append((partner, address, settings.LANGUAGE_CODE, False))
    return found


def _letter(address: str, language: str, reports: list[Report], may_sign_in: bool) -> EmailMessage:
    with translation.override(language):
        subject = ngettext(
            "%(count)s report is still to come", "%(count)s reports are still to come", len(reports)
        )
        return write(
            address,
            subject % {"count": len(reports)},
            _("Dear partner,"),
            _("we have not received these reports of %(partner)s yet:")
            % {"partner": reports[0].partner.name},
            [_line(report) for report in reports],
            _("If there were no sales in a period, please tell your contact person."),
            place(_("You find them under Reporting calendar."), reverse("sales:reporting_calendar"))
            if may_sign_in
            else "",
        )


def _line(report: Any) -> str:
    return _("- %(kind)s, %(period)s, due on %(day)s") % {
        "kind": report.get_kind_display(),
        "period": report.period_name,
        "day": report.due_on.isoformat(),
    }
