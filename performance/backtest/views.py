"""Pages of backtests."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_GET

from core.errors import Conflict, DomainError, add_to_form
from core.tables import EMPTY, Column
from core.templatetags.fmt import money
from core.views import CRUDView
from core.views.base import is_partial
from partners.views import level_badge, level_name
from performance.backtest import pages, services, whatif
from performance.backtest.filters import BacktestReportFilter, BacktestResultFilter
from performance.backtest.forms import BacktestForm, WhatIfForm
from performance.models import BacktestReport, BacktestResult, SchemeVersion, Score
from performance.results.views import ScoreView
from performance.schemes.views import SchemeVersionView
from performance.tables import READ_ONLY, person_column, scheme_column
from performance.views import EvaluationView

STATE_COLORS = {"running": "blue", "done": "green", "attached": "purple"}


def change_cell(change: Any) -> str:
    """A change of a total with its sign; green and red for better and worse."""
    if change is None:
        return EMPTY
    tone = "better" if change > 0 else "worse" if change < 0 else ""
    sign = "+" if change > 0 else ""
    return format_html('<span class="{}">{}{}</span>', tone, sign, money(change))


def plain(change: Any) -> Any:
    """The change as it is exported."""
    return change


class BacktestReportView(CRUDView):
    model = BacktestReport
    icon = "flask"
    section = "performance.backtestreport"
    parents = ("performance:evaluation_list",)
    columns = (
        scheme_column("version__scheme"),
        Column("number", label=gettext_lazy("version"), source="version__number"),
        "first_period",
        "last_period",
        Column("state", kind="badge", colors=STATE_COLORS),
        "partner_count",
        "computed_at",
        person_column("requested_by", gettext_lazy("by")),
    )
    ordering = ("-pk",)
    search_fields = ("version__scheme__name", "version__scheme__code")
    filterset_class = BacktestReportFilter
    exclude = frozenset({"create", "edit", "bulk"})
    detail_template = "performance/backtest_detail.html"
    list_actions_template = "performance/_backtest_actions.html"
    empty_text = gettext_lazy("Try a draft on past periods to see who would move, and why.")

    def detail_queryset(self) -> Any:
        related = ("version__scheme", "against__scheme", "job", "requested_by")
        return self.get_queryset().select_related(*related)

    def detail_context(self, obj: BacktestReport) -> dict[str, Any]:
        return {
            "state_color": STATE_COLORS[obj.state],
            "frozen": obj.state == BacktestReport.State.ATTACHED,
        }

    def delete(self, obj: BacktestReport) -> HttpResponse:
        try:
            services.refuse_attached(obj)
        except Conflict as error:
            messages.error(self.request, str(error.message))
            return redirect(self.url("detail", obj.pk))
        return super().delete(obj)


def level_column(name: str, label: Any) -> Column:
    """A level of a result."""
    return Column(
        name,
        label=label,
        source=(f"{name}__name", f"{name}__name_en", f"{name}__color"),
        sort=(f"{name}__rank",),
        render=level_badge,
        export=level_name,
    )


class BacktestResultView(CRUDView):
    model = BacktestResult
    icon = "flask"
    section = "performance.backtestreport"
    parents = ("performance:evaluation_list", "performance:backtestreport_list")
    columns = (
        Column(
            "partner",
            label=gettext_lazy("partner"),
            source="partner__name",
            sort=("partner__pinyin",),
        ),
        Column("code", label=gettext_lazy("code"), source="partner__code"),
        Column(
            "territory",
            label=gettext_lazy("territory"),
            source="partner__territory__name",
            shown=False,
        ),
        Column("total_against", kind="money"),
        Column("total_draft", kind="money"),
        Column("change", kind="money", render=change_cell, export=plain),
        Column("rank_against", kind="number"),
        Column("rank_draft", kind="number"),
        level_column("level_against", gettext_lazy("level in force")),
        level_column("level_draft", gettext_lazy("level by the draft")),
        level_column("near_level", gettext_lazy("near level")),
        Column("margin", kind="money"),
    )
    ordering = ("-report_id", "pk")
    search_fields = ("partner__name", "partner__code", "partner__pinyin")
    filterset_class = BacktestResultFilter
    exclude = READ_ONLY | {"history"}
    detail_template = "performance/backtest_result.html"

    def detail_queryset(self) -> Any:
        related = (
            *("report__version__scheme", "report__against__scheme", "partner"),
            *("level_draft", "level_against", "near_level"),
        )
        return self.get_queryset().select_related(*related)


@login_required
def request_backtest(request: HttpRequest) -> HttpResponse:
    """Choose a draft, a version in force and periods; a worker tries it."""
    if not request.user.has_perm("performance.add_backtestreport"):
        raise PermissionDenied
    asked = request.GET.get("version", "")
    draft = (
        SchemeVersion.objects.select_related("scheme").filter(pk=asked).first()
        if asked.isdecimal()
        else None
    )
    form = BacktestForm(request.POST or None, draft=draft)
    if request.method == "POST" and form.is_valid():
        try:
            row = services.request_backtest(
                **form.cleaned_data, by=request.user, on=timezone.localdate()
            )
        except DomainError as error:
            add_to_form(form, error)
        else:
            return redirect("core:job_detail", pk=row.job_id)
    back = (
        f"{SchemeVersionView.url('detail', draft.pk)}?tab=backtests"
        if draft
        else BacktestReportView.url("list")
    )
    context = {
        "form": form,
        "title": _("Run a backtest"),
        "back": back,
        "section": "performance.backtestreport",
        "crumbs": [
            (_("Evaluations"), EvaluationView.url("list")),
            (_("Backtests"), BacktestReportView.url("list")),
            (_("Run a backtest"), ""),
        ],
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "performance/backtest_run.html", context, status=status)


# --- what if -------------------------------------------------------------------------------


@login_required
@require_GET
def what_if_of_score(request: HttpRequest, pk: int) -> HttpResponse:
    """What the partner of a score would get if it had sold more."""
    related = ("evaluation__scheme_version__scheme", "partner")
    seen = Score.objects.visible_to(request.user).select_related(*related)
    score = get_object_or_404(seen, pk=pk)
    if not request.user.has_perm("performance.view_evaluation"):
        raise PermissionDenied
    title = f"{score.evaluation.scheme_version} · {score.evaluation.period.label}"
    return _what_if(
        request, whatif.base_of_score(score), score, title, ScoreView.url("detail", score.pk)
    )


@login_required
@require_GET
def what_if_of_result(request: HttpRequest, pk: int) -> HttpResponse:
    """The same by the draft of a backtest, over its last period."""
    related = ("report__version__scheme", "partner")
    seen = BacktestResult.objects.visible_to(request.user).select_related(*related)
    row = get_object_or_404(seen, pk=pk)
    if not request.user.has_perm("performance.view_backtestresult"):
        raise PermissionDenied
    back = BacktestResultView.url("detail", row.pk)
    try:
        base = whatif.base_of_result(row)
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect(back)
    title = f"{row.report.version} · {row.report.period.label}"
    return _what_if(request, base, row, title, back)


def _what_if(
    request: HttpRequest, base: whatif.Base, row: Any, subtitle: str, back: str
) -> HttpResponse:
    """The page, or for HTMX only its outcome. Nothing is written, so the address can be sent."""
    form = WhatIfForm(request.GET or None, found=base.found)
    scenario = form.scenario() if form.is_valid() else whatif.Scenario()
    context: dict[str, Any] = {"form": form, "failed": bool(form.errors)}
    try:
        context |= pages.what_if_page(base, whatif.what_if(base=base, scenario=scenario))
    except DomainError as error:
        add_to_form(form, error)
        context["failed"] = True
    if is_partial(request):
        response = render(request, "performance/_whatif.html", context)
    else:
        title = _("What if")
        context |= {
            "partner": row.partner,
            "title": title,
            "subtitle": subtitle,
            "back": back,
            "section": "performance.backtestreport",
            "crumbs": [
                (_("Evaluations"), EvaluationView.url("list")),
                (str(row), back),
                (title, ""),
            ],
        }
        response = render(request, "performance/whatif.html", context)
    response["Vary"] = "HX-Request"
    return response
