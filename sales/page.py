"""What sales put on the page of a partner, and the page of a closed month."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.figures import Figure
from core.periods import Period
from core.templatetags.fmt import money
from partners.models import Partner
from sales import closing, selectors
from sales.completeness import completeness
from sales.grades import grade_badge
from sales.models import ClosedPeriod, Report, SalesKind
from sales.services.closing import sums

REPORTS = 36


def partner_sales(request: HttpRequest, partner: Partner) -> dict[str, Any]:
    """The twelve months up to the last line: by month, and sell-in by product line."""
    day = selectors.last_day(partner)
    if day is None:
        return {"months": []}
    end = Period.containing("month", day).end
    start = end.replace(year=end.year - 1)
    found = completeness(Partner.objects.filter(pk=partner.pk), start, end)
    return {
        "grades": [
            (SalesKind(kind).label, grade_badge(one)) for kind, one in sorted(found.items())
        ],
        "months": selectors.by_month(partner, start, end),
        "lines": selectors.by_line(partner, start, end, SalesKind.SELL_IN),
        "start": start,
        "last_day": day,
    }


def partner_reports(request: HttpRequest, partner: Partner) -> dict[str, Any]:
    """The latest reports that a partner owes or owed, with the grade of each kind among them."""
    rows = list(
        Report.objects.with_state(timezone.localdate())
        .filter(partner=partner)
        .order_by("-starts_on", "kind", "pk")[:REPORTS]
    )
    if not rows:
        return {"reports": []}
    span = rows[-1].starts_on, max(row.ends_before for row in rows)
    found = completeness(Partner.objects.filter(pk=partner.pk), *span)
    return {
        "reports": [{"row": row, "state": Report.State(row.state)} for row in rows],
        "grades": [
            (SalesKind(kind).label, one, grade_badge(one)) for kind, one in sorted(found.items())
        ],
        "list_url": f"{reverse('sales:report_list')}?partner={partner.pk}",
    }


def closing_page(request: HttpRequest, closed: ClosedPeriod) -> dict[str, Any]:
    """The sum at closing, what was adjusted since by cause, and the sum of today."""
    causes = closing.by_cause(closed)
    net, lines = sums(closed.month, [closed.kind])[closed.kind]
    adjustments = f"{reverse('sales:adjustment_list')}?closing={closed.pk}"
    count = sum(number for _cause, number, _amount in causes)
    return {
        "figures": [
            Figure(
                _("Net at closing"),
                money(closed.net),
                note=_("%(lines)s lines") % {"lines": f"{closed.lines:,}"},
            ),
            Figure(
                _("Adjustments"),
                money(sum(amount for _cause, _number, amount in causes)),
                note=_("%(lines)s lines") % {"lines": f"{count:,}"},
                href=adjustments,
            ),
            Figure(_("Net now"), money(net), note=_("%(lines)s lines") % {"lines": f"{lines:,}"}),
        ],
        "causes": causes,
        "adjustments": adjustments,
    }
