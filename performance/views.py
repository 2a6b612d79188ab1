"""Pages of evaluations, their schedules and the deductions they count."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_GET

from core.errors import DomainError
from core.tables import Column
from core.views import CRUDView
from performance import services
from performance.filters import DeductionFilter, EvaluationFilter, ScheduleFilter
from performance.forms import DeductionForm, RunForm, ScheduleForm
from performance.models import Deduction, Evaluation, EvaluationSchedule
from performance.models.evaluations import stage_of
from performance.process.pages import notices
from performance.tables import (
    PARTNER,
    PARTNER_CODE,
    READ_ONLY,
    STATE_COLORS,
    period_name,
    person_column,
    scheme_column,
)


class DeductionView(CRUDView):
    """Points off for decided cases: proposed by one, decided by another."""

    model = Deduction
    icon = "circle-minus"
    section = "performance.deduction"
    parents = ("performance:evaluation_list",)
    columns = (
        PARTNER,
        PARTNER_CODE,
        "decided_on",
        Column("points", kind="qty"),
        "reason",
        Column("state", kind="badge", colors=STATE_COLORS),
        person_column("entered_by", gettext_lazy("entered by")),
        person_column("decided_by", gettext_lazy("decided by")),
    )
    ordering = ("-decided_on", "-pk")
    search_fields = ("partner__name", "partner__code", "partner__pinyin", "reason")
    filterset_class = DeductionFilter
    form_class = DeductionForm
    exclude = frozenset({"bulk"})
    detail_template = "performance/deduction_detail.html"
    detail_fields = ("partner", "decided_on", "points", "reason", "entered_by", "decided_by")
    empty_text = gettext_lazy("Points off for a case; a second person decides each of them.")

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("partner", "entered_by", "decided_by")

    def detail_context(self, obj: Deduction) -> dict[str, Any]:
        frozen = obj.state != Deduction.State.PROPOSED
        return {"state_color": STATE_COLORS[obj.state], "frozen": frozen}

    def save(self, form: Any) -> Any:
        if form.instance.pk is None:
            form.instance.entered_by = self.request.user
        return super().save(form)

    def edit(self, obj: Deduction) -> HttpResponse:
        return self._refused(obj) or super().edit(obj)

    def delete(self, obj: Deduction) -> HttpResponse:
        return self._refused(obj) or super().delete(obj)

    def _refused(self, obj: Deduction) -> HttpResponse | None:
        if obj.state == Deduction.State.PROPOSED:
            return None
        messages.error(self.request, _("What is decided cannot be changed any more."))
        return redirect(self.url("detail", obj.pk))


class EvaluationView(CRUDView):
    model = Evaluation
    icon = "clipboard-check"
    section = "performance"
    columns = (
        scheme_column("scheme"),
        Column("period_code", sort=("starts_on", "ends_before"), render=period_name),
        "revision",
        Column(
            "stage",
            label=gettext_lazy("stage"),
            source=lambda request: stage_of(timezone.localdate()),
            kind="badge",
            choices=dict([*Evaluation.State.choices, *Evaluation.Stage.choices]),
            colors=STATE_COLORS,
        ),
        Column("state", kind="badge", colors=STATE_COLORS, shown=False),
        "partner_count",
        "computed_at",
        "published_at",
        Column("digest", shown=False),
    )
    ordering = ("-starts_on", "-pk")
    search_fields = ("scheme__name", "scheme__code", "period_code")
    filterset_class = EvaluationFilter
    exclude = READ_ONLY
    detail_template = "performance/evaluation_detail.html"
    list_actions_template = "performance/_evaluation_actions.html"
    empty_text = gettext_lazy("Evaluate a scheme over a period to see every partner scored.")

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("scheme", "scheme_version__scheme", "job")

    def detail_context(self, obj: Evaluation) -> dict[str, Any]:
        found = notices(self.request, obj)
        return {"state_color": STATE_COLORS[found["stage"]], **found}


class ScheduleView(CRUDView):
    model = EvaluationSchedule
    icon = "calendar-repeat"
    section = "performance.evaluationschedule"
    parents = ("performance:evaluation_list",)
    columns = (
        scheme_column("scheme"),
        "every",
        "days_after",
        "active",
        Column("last_period", render=period_name),
    )
    ordering = ("scheme__name", "every")
    search_fields = ("scheme__name", "scheme__code")
    filterset_class = ScheduleFilter
    form_class = ScheduleForm
    detail_fields = ("scheme", "every", "days_after", "active", "last_period")
    empty_text = gettext_lazy(
        "A schedule evaluates a scheme by itself, some days after each period."
    )

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("scheme")


@login_required
@require_GET
def evidence_of_deduction(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The file that proves a deduction."""
    row = get_object_or_404(Deduction.objects.visible_to(request.user), pk=pk)
    if not request.user.has_perm("performance.view_deduction"):
        raise PermissionDenied
    file = row.evidence
    if not file or not file.storage.exists(file.name):
        raise Http404
    return FileResponse(file.open("rb"), as_attachment=True, filename=file.name.split("/")[-1])


@login_required
def run_evaluation(request: HttpRequest) -> HttpResponse:
    """Choose scheme and period; a worker computes and its job shows the progress."""
    if not request.user.has_perm("performance.add_evaluation"):
        raise PermissionDenied
    form = RunForm(request.POST or None, initial=request.GET.dict())
    if request.method == "POST" and form.is_valid():
        try:
            job = services.request_evaluation(
                scheme=form.cleaned_data["scheme"],
                period=form.cleaned_data["period"],
                reason=form.cleaned_data["reason"],
                by=request.user,
                on=timezone.localdate(),
            )
        except DomainError as error:
            form.refuse(error)
        else:
            return redirect("core:job_detail", pk=job.pk)
    evaluations = EvaluationView.url("list")
    context = {
        "form": form,
        "title": _("Run an evaluation"),
        "back": evaluations,
        "section": "performance",
        "crumbs": [(_("Evaluations"), evaluations), (_("Run an evaluation"), "")],
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "performance/run.html", context, status=status)
