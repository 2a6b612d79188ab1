"""Pages of closed months and their adjustments."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import DecimalField, F, OuterRef, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy

from core.errors import DomainError, add_to_form
from core.periods import Period
from core.tables import Column
from core.views import CRUDView
from partners.views import person, person_cell
from sales.completeness import completeness
from sales.filters import AdjustmentFilter, ClosedPeriodFilter
from sales.forms import FIRST, LAST, ClosingForm, still_open
from sales.models import Adjustment, ClosedPeriod, SalesKind
from sales.services import closing as services
from sales.views.facts import FILE, FromImport

STATE_COLORS = {ClosedPeriod.State.CLOSED: "green", ClosedPeriod.State.REOPENED: "secondary"}
MONTH = Column("month", kind="month")
DAY = timedelta(days=1)


def adjusted() -> Coalesce:
    """The sum of the adjustments of a closed month."""
    rows = Adjustment.objects.filter(closing=OuterRef("pk")).order_by().values("closing")
    amount: Any = DecimalField(max_digits=24, decimal_places=4)
    return Coalesce(
        Subquery(rows.annotate(n=Sum("amount")).values("n")), Value(0), output_field=amount
    )


class ClosedPeriodView(CRUDView):
    model = ClosedPeriod
    icon = "lock"
    section = "closing"
    parents = ("sales:salesfact_list",)
    columns = (
        MONTH,
        "kind",
        Column("state", kind="badge", colors=STATE_COLORS),
        Column("net", kind="money"),
        Column(
            "adjusted",
            label=gettext_lazy("adjustments"),
            source=lambda request: adjusted(),
            kind="money",
            sort=(),
        ),
        Column(
            "now",
            label=gettext_lazy("with adjustments"),
            source=lambda request: F("net") + adjusted(),
            kind="money",
            sort=(),
        ),
        "closed_at",
        Column(
            "closed_by",
            label=gettext_lazy("closed by"),
            source=("closed_by__username", "closed_by__first_name", "closed_by__last_name"),
            sort=("closed_by__last_name", "closed_by__first_name"),
            render=person_cell,
            export=person,
        ),
    )
    ordering = ("-month", "kind")
    filterset_class = ClosedPeriodFilter
    exclude = frozenset({"create", "edit", "delete", "bulk"})
    detail_template = "sales/closing_detail.html"
    list_actions_template = "sales/_closing_actions.html"
    empty_text = gettext_lazy("Close a month; what comes later is listed as an adjustment.")

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("closed_by")

    def detail_context(self, obj: ClosedPeriod) -> dict[str, Any]:
        return {"state_color": STATE_COLORS[ClosedPeriod.State(obj.state)]}


class AdjustmentView(FromImport, CRUDView):
    """Written by triggers, read here."""

    model = Adjustment
    icon = "adjustments"
    section = "adjustments"
    parents = ("sales:salesfact_list",)
    columns = (
        MONTH,
        Column(
            "partner",
            label=gettext_lazy("partner"),
            source="partner__name",
            sort=("partner__pinyin",),
        ),
        Column(
            "product_line",
            label=gettext_lazy("product line"),
            source="product_line__name",
            sort=("product_line__code",),
        ),
        "kind",
        "cause",
        Column("quantity", kind="qty"),
        Column("amount", kind="money"),
        "occurred_on",
        "recorded_at",
        "reference",
        Column("source", shown=False),
        FILE,
    )
    ordering = ("-id",)
    filterset_class = AdjustmentFilter
    exclude = frozenset({"create", "edit", "delete", "bulk", "history"})
    detail_fields = (
        MONTH,
        "partner",
        "product_line",
        "kind",
        "cause",
        "quantity",
        "amount",
        "occurred_on",
        "recorded_at",
        "source",
        "reference",
    )
    empty_text = gettext_lazy("They appear when sales lines of a closed month come or change.")

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("partner", "product_line", "load")


@login_required
def close_month(request: HttpRequest) -> HttpResponse:
    """Choose a month and what of it to close; shows its sums, and warns of missing reports."""
    if not request.user.has_perm("sales.add_closedperiod"):
        raise PermissionDenied
    on = timezone.localdate()
    posted = request.method == "POST"
    form = ClosingForm(request.POST if posted else None, initial=_first_values(request, on))
    if posted and form.is_valid():
        try:
            rows = services.close_month(
                month=form.cleaned_data["month"],
                kinds=form.cleaned_data["kinds"],
                by=request.user,
                on=on,
                at=timezone.now(),
            )
        except DomainError as error:
            add_to_form(form, error)
        else:
            messages.success(request, _("Closed: %(what)s") % {"what": ", ".join(map(str, rows))})
            return redirect(ClosedPeriodView.url("list"))
    month = form.cleaned_data.get("month") if posted else form.initial["month"]
    months = ClosedPeriodView.url("list")
    context = {
        "form": form,
        "title": _("Close a month"),
        "back": months,
        "section": "closing",
        "crumbs": [(_("Closed months"), months), (_("Close a month"), "")],
        "month": month,
        "rows": _rows(month) if month else [],
        "before": Period.containing("month", month).previous().start if month else None,
    }
    return render(request, "sales/close_month.html", context, status=422 if posted else 200)


def _first_values(request: HttpRequest, on: date) -> dict[str, Any]:
    try:
        month = date.fromisoformat(request.GET.get("month", "")).replace(day=1)
    except ValueError:
        return ClosingForm.proposed(on)
    if not FIRST <= month <= LAST:
        return ClosingForm.proposed(on)
    return {"month": month, "kinds": still_open(month)}


def _rows(month: date) -> list[dict[str, Any]]:
    """What would be closed: sums by kind, and how many reports are still to come."""
    period = Period.containing("month", month)
    reports = completeness(None, period.start, period.end)
    open_kinds = still_open(period.start)
    rows = []
    for kind, (net, lines) in services.sums(period.start).items():
        found = reports.get(kind)
        waiting = [("kind", kind), ("state", "missing"), ("state", "expected")]
        span = [("starts_on_after", period.start), ("starts_on_before", period.end - DAY)]
        rows.append(
            {
                "kind": SalesKind(kind).label,
                "net": net,
                "lines": lines,
                "closed": kind not in open_kinds,
                "reports": found,
                "missing": found.owed - found.received if found else 0,
                "query": urlencode([*waiting, *span]),
            }
        )
    return rows
