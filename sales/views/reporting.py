"""Pages of the reporting calendar: rules, reports, and the matrix of partners and periods."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy

from core.tables import Column
from core.views import BulkAction, CRUDView
from partners.models import Partner
from sales import calendar, frequencies
from sales.filters import ReportFilter
from sales.forms import ReportingRuleForm
from sales.grades import grade_badge
from sales.models import Report, ReportingRule
from sales.models.reporting import state_on
from sales.services import reporting
from sales.views.facts import FILE, FromImport

STATE_COLORS = {
    Report.State.EXPECTED: "secondary",
    Report.State.RECEIVED: "green",
    Report.State.LATE: "yellow",
    Report.State.MISSING: "red",
    Report.State.NOTHING: "blue",
}


def channel_types(codes: list[str] | None) -> str:
    """The channel types of a rule in words."""
    return ", ".join(str(Partner.ChannelType(code).label) for code in codes or ())


class ReportingRuleView(CRUDView):
    model = ReportingRule
    icon = "calendar-cog"
    section = "reporting"
    parents = ("sales:report_list",)
    columns = (
        "name",
        "kind",
        "frequency",
        Column("due_days", kind="number"),
        "starts_on",
        "ends_before",
        Column("remind_before", kind="number", shown=False),
        Column("remind_after", kind="number", shown=False),
    )
    ordering = ("name",)
    search_fields = ("name",)
    form_class = ReportingRuleForm
    detail_fields = (
        "kind",
        "frequency",
        "due_days",
        "starts_on",
        "ends_before",
        "remind_before",
        "remind_after",
        Column("channel_types", render=channel_types),
        "levels",
        "territories",
        "partners",
    )
    empty_text = gettext_lazy("Say who reports what by when; the calendar follows from it.")

    def save(self, form: Any) -> ReportingRule:
        return reporting.save_rule(form=form, by=self.request.user, on=timezone.localdate())


def remind(reports: QuerySet, *, by: Any, reason: str) -> tuple[int, list[str]]:
    """The bulk action: one letter a partner, whatever the number of its reports."""
    reminded, left = reporting.remind(reports=reports, by=by, at=timezone.now())
    return len(reminded), [f"{report}: {why}" for report, why in left]


def confirm_nothing(report: Report, *, by: Any, reason: str) -> None:
    """The bulk action for one report."""
    reporting.confirm_nothing(report=report, by=by, at=timezone.now())


def withdraw_nothing(report: Report, *, by: Any, reason: str) -> None:
    """The bulk action for one report."""
    reporting.withdraw_nothing(report=report, by=by)


class ReportView(FromImport, CRUDView):
    """Reports follow from rules and lines: here one reminds, and confirms that there is nothing."""

    model = Report
    icon = "calendar-check"
    section = "reporting"
    columns = (
        Column(
            "partner", label=gettext_lazy("partner"), source="partner__name",
            sort=("partner__pinyin",),
        ),
        Column("territory", label=gettext_lazy("territory"), source="partner__territory__name"),
        "kind",
        Column(
            "period", label=gettext_lazy("period"), source=("starts_on", "ends_before"),
            render=frequencies.label, export=frequencies.label,
        ),
        "due_on",
        Column(
            "state",
            label=gettext_lazy("state"),
            source=lambda request: state_on(timezone.localdate()),
            kind="badge",
            choices=dict(Report.State.choices),
            colors=STATE_COLORS,
        ),
        "received_at",
        Column("reminders", kind="number"),
        "reminded_at",
        Column("rule", label=gettext_lazy("rule"), source="rule__name", shown=False),
        FILE,
        Column("nothing_at", shown=False),
    )  # fmt: skip
    ordering = ("-starts_on", "partner__pinyin")
    search_fields = ("partner__name", "partner__code", "partner__pinyin")
    filterset_class = ReportFilter
    exclude = frozenset({"create", "edit", "delete"})
    bulk_actions = (
        BulkAction(
            name="remind", label=gettext_lazy("Remind"), run=remind, icon="bell",
            permission="sales.remind_report", at_once=True,
        ),
        BulkAction(
            name="nothing", label=gettext_lazy("Nothing to report"), run=confirm_nothing,
            permission="sales.confirm_report", icon="circle-off",
        ),
        BulkAction(
            name="withdraw", label=gettext_lazy("Take the confirmation back"),
            run=withdraw_nothing, permission="sales.confirm_report", icon="arrow-back-up",
        ),
    )  # fmt: skip
    detail_fields = (
        "partner",
        "kind",
        "starts_on",
        "ends_before",
        "due_on",
        "received_at",
        "nothing_at",
        "nothing_by",
        "reminders",
        "reminded_at",
    )
    detail_template = "sales/report_detail.html"
    list_actions_template = "sales/_report_actions.html"
    empty_text = gettext_lazy("Reports are made from the rules when a period is over.")

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("partner")

    def detail_queryset(self) -> Any:
        on = timezone.localdate()
        return super().get_queryset().with_state(on).select_related("partner", "load", "nothing_by")

    def detail_context(self, obj: Any) -> dict[str, Any]:
        state = Report.State(obj.state)
        useful = (
            {"withdraw"} if obj.nothing_at else set() if obj.has_come() else {"remind", "nothing"}
        )
        return {
            "state_label": state.label,
            "state_color": STATE_COLORS[state],
            "actions": [one for one in self.allowed_bulk_actions() if one.name in useful],
        }


@login_required
def reporting_calendar(request: HttpRequest) -> HttpResponse:
    """Partners × periods of one rule: what has come, what is late, what is missing."""
    if not request.user.has_perm("sales.view_report"):
        raise PermissionDenied
    page = calendar.read(request.GET, request.user, timezone.localdate())
    context = {"section": "reporting", "calendar": page, "grade": grade_badge(page.found)}
    return render(request, "sales/calendar.html", context)
