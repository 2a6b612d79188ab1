"""Pages of control totals: what matches, what differs, and which rows do."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import conditional_escape
from django.utils.translation import get_language, gettext as _, gettext_lazy, override
from django.views.decorators.http import require_POST

from core.errors import DomainError
from core.money import round_money
from core.tables import Column, cell_value
from core.views import CRUDView
from sales.control import services
from sales.control.comparing import reconcile
from sales.control.differences import Differences
from sales.filters import ControlTotalFilter
from sales.forms import ControlTotalForm
from sales.models import Comparison, ControlKind, ControlTotal
from sales.models.control import COMPARISON, period_code
from sales.views.facts import PARTNER

PAGE = 50
COLORS = {
    Comparison.MATCHES: "green",
    Comparison.DIFFERS: "red",
    Comparison.REQUESTED: "blue",
    Comparison.NOT_COMPARED: "secondary",
}


def _partner(name: str | None) -> str:
    """The partner whose rows are counted."""
    return conditional_escape(name or _("All partners together"))


class ControlTotalView(CRUDView):
    model = ControlTotal
    icon = "scale"
    section = "control"
    parents = ("sales:salesfact_list",)
    columns = (
        Column(
            "period",
            label=gettext_lazy("Period"),
            source=("starts_on", "ends_before"),
            sort=("starts_on", "ends_before"),
            render=period_code,
            export=period_code,
        ),
        "source",
        "kind",
        replace(PARTNER, render=_partner),
        Column("rows", kind="qty"),
        Column("books_rows", kind="qty"),
        Column("amount", kind="money"),
        Column("books_amount", kind="money"),
        Column(
            "difference",
            label=gettext_lazy("Difference"),
            source=F("books_amount") - F("amount"),
            kind="money",
        ),
        Column(
            "comparison",
            label=gettext_lazy("Comparison"),
            source=COMPARISON,
            kind="badge",
            choices=dict(Comparison.choices),
            colors=COLORS,
        ),
        Column("checked_at", shown=False),
        Column("requested_at", shown=False),
    )
    ordering = ("-starts_on", "source", "kind")
    search_fields = ("source", "partner__name", "partner__code")
    filterset_class = ControlTotalFilter
    form_class = ControlTotalForm
    detail_template = "sales/control_detail.html"
    empty_text = gettext_lazy(
        "A source posts the rows and the sum of a month or a day to /api/v1/control-totals/, and "
        "sees what our books have. They can be typed in here too."
    )

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("partner", "requested_by")

    def detail_context(self, obj: ControlTotal) -> dict[str, Any]:
        return {"color": COLORS[obj.comparison]}

    def save(self, form: Any) -> Any:
        return services.save_form(form, by=self.request.user)


def total_page(request: HttpRequest, total: ControlTotal) -> dict[str, Any]:
    """Both sides of a total, and the rows in which they differ."""
    found = Differences(total)
    off = None if total.books_amount is None else total.books_amount - total.amount
    return {
        "rows_difference": None if total.books_rows is None else total.books_rows - total.rows,
        "amount_difference": off,
        # Where they differ by less than a cent, that cent would hide it.
        "places": 2 if off is None or off == round_money(off) else 4,
        "matches": total.comparison == Comparison.MATCHES,
        "known": found.known,
        "page_obj": Paginator(found, PAGE).get_page(request.GET.get("page")),
        "may_change": request.user.has_perm("sales.change_controltotal"),
        "books_url": _books_url(total) if _may_read_books(total, request.user) else "",
    }


def _may_read_books(total: ControlTotal, user: Any) -> bool:
    model = "payment" if total.kind == ControlKind.PAYMENT else "salesfact"
    return user.has_perm(f"sales.view_{model}")


def _books_url(total: ControlTotal) -> str:
    """Our rows of the same source, period and partner."""
    last: date = total.ends_before - timedelta(days=1)
    payments = total.kind == ControlKind.PAYMENT
    day = "paid_on" if payments else "occurred_on"
    asked: dict[str, Any] = {
        "source": total.source,
        f"{day}_after": total.starts_on,
        f"{day}_before": last,
    }
    if not payments:
        asked["kind"] = total.kind
    if total.partner_id:
        asked["partner"] = total.partner_id
    name = "sales:payment_list" if payments else "sales:salesfact_list"
    return f"{reverse(name)}?{urlencode(asked)}"


def _seen(request: HttpRequest, pk: int, action: str) -> ControlTotal:
    """The total, 404 when the user does not see it; PermissionDenied without the permission."""
    total = get_object_or_404(ControlTotal.objects.visible_to(request.user), pk=pk)
    if not request.user.has_perm(f"sales.{action}_controltotal"):
        raise PermissionDenied
    return total


@login_required
@require_POST
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """Compare once more."""
    total = _seen(request, pk, "change")
    reconcile([total.pk])
    messages.success(request, _("Compared with our books again."))
    return redirect("sales:controltotal_detail", pk)


@login_required
@require_POST
def ask_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the source for the rows."""
    total = _seen(request, pk, "change")
    try:
        services.ask_again(total, by=request.user, at=timezone.now())
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        text = _("Asked for. The source learns of it by a webhook or the list of events.")
        messages.success(request, text)
    return redirect("sales:controltotal_detail", pk)


class _Echo:
    def write(self, value: str) -> str:
        return value


@login_required
def differences(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The differing rows as CSV: UTF-8 with a byte order mark, so that Excel reads Chinese."""
    total = _seen(request, pk, "view")
    writer = csv.writer(_Echo())
    language = get_language()
    found = list(Differences(total))

    def lines() -> Iterator[str]:
        # It is read after the middleware has put the language of the request away.
        with override(language):
            yield "\ufeff"
            head = [_("Reference"), _("Difference"), _("Amount there"), _("Amount here")]
            yield writer.writerow(head)
            for one in found:
                cells = (
                    one.reference, one.get_status_display(), one.amount_there, one.amount_here
                )  # fmt: skip
                yield writer.writerow([cell_value(cell) for cell in cells])

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    name = f"controltotal-{total.pk}-differences.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
