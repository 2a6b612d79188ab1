"""Pages of schemes, evaluations and scorecards."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.html import conditional_escape
from django.utils.translation import get_language, gettext as _, gettext_lazy
from django.views.decorators.http import require_POST

from core.errors import DomainError
from core.periods import Period
from core.tables import EMPTY, Column
from core.views import CRUDView
from partners.views import level_badge, level_name
from performance import services
from performance.filters import (
    EvaluationFilter,
    ScheduleFilter,
    SchemeVersionFilter,
    ScoreFilter,
)
from performance.forms import (
    RunForm,
    ScheduleForm,
    SchemeForm,
    SchemeItemForm,
    SchemeLevelForm,
    ScopeForm,
)
from performance.models import (
    Evaluation,
    EvaluationSchedule,
    Scheme,
    SchemeItem,
    SchemeLevel,
    SchemeVersion,
    Score,
)

STATE_COLORS = {
    "draft": "secondary",
    "published": "green",
    "retired": "secondary",
    "running": "blue",
    "computed": "yellow",
    "failed": "red",
}


def scheme_name(name: str | None, name_en: str | None) -> str:
    """The name of a scheme in the language of the page."""
    return (name_en if get_language() == "en" and name_en else name) or ""


def scheme_cell(name: str | None, name_en: str | None) -> str:
    """The name as a cell."""
    return conditional_escape(scheme_name(name, name_en))


def scheme_column(path: str, *, name: str = "scheme") -> Column:
    """The scheme behind `path`."""
    return Column(
        name,
        label=gettext_lazy("scheme"),
        source=(f"{path}__name", f"{path}__name_en"),
        render=scheme_cell,
        export=scheme_name,
    )


def period_name(code: str) -> str:
    """“2013Q3” as it is said."""
    return Period.parse(code, settings.FISCAL_YEAR_START).label if code else EMPTY


READ_ONLY = frozenset({"create", "edit", "delete", "bulk"})


class SchemeView(CRUDView):
    model = Scheme
    icon = "adjustments"
    section = "performance"
    parents = ("performance:evaluation_list",)
    columns = ("name", "name_en", "code", Column("created_at", shown=False))
    ordering = ("code",)
    search_fields = ("code", "name", "name_en")
    form_class = SchemeForm


class SchemeVersionView(CRUDView):
    model = SchemeVersion
    icon = "versions"
    section = "performance"
    parents = ("performance:evaluation_list", "performance:scheme_list")
    columns = (
        scheme_column("scheme"),
        "number",
        Column("state", kind="badge", colors=STATE_COLORS),
        "created_at",
    )
    ordering = ("scheme__name", "-number")
    search_fields = ("scheme__name", "scheme__code")
    filterset_class = SchemeVersionFilter
    form_class = ScopeForm
    exclude = frozenset({"create", "bulk"})
    detail_template = "performance/state_detail.html"

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("scheme")

    def detail_context(self, obj: SchemeVersion) -> dict[str, Any]:
        frozen = obj.state != SchemeVersion.State.DRAFT
        return {"state_color": STATE_COLORS[obj.state], "frozen": frozen}


class OfVersionView(CRUDView):
    """What belongs to a version is reached and changed from its page, by who may change that."""

    section = "performance"
    parents = ("performance:evaluation_list", "performance:schemeversion_list")
    exclude = frozenset({"detail", "bulk"})

    @classmethod
    def permission(cls, action: str) -> str:
        return f"performance.{'view' if action == 'view' else 'change'}_schemeversion"

    def back_url(self, obj: Any) -> str:
        if obj.version_id:
            return SchemeVersionView.url("detail", obj.version_id)
        return super().back_url(obj)

    def after_save(self, obj: Any) -> str:
        return SchemeVersionView.url("detail", obj.version_id)

    def delete(self, obj: Any) -> HttpResponse:
        if obj.version.state != SchemeVersion.State.DRAFT:
            messages.error(self.request, _("A published version cannot be changed."))
            return redirect(self.back_url(obj))
        response = super().delete(obj)
        posted = self.request.method == "POST"
        return redirect(SchemeVersionView.url("detail", obj.version_id)) if posted else response

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("version__scheme")


class SchemeItemView(OfVersionView):
    model = SchemeItem
    icon = "list-details"
    columns = (
        "code",
        scheme_column("version__scheme", name="version"),
        Column("number", label=gettext_lazy("version"), source="version__number"),
        "measure",
        "weight",
    )
    ordering = ("version", "position")
    form_class = SchemeItemForm


class SchemeLevelView(OfVersionView):
    model = SchemeLevel
    icon = "award"
    columns = (
        Column("level", label=gettext_lazy("level"), source="level__name"),
        scheme_column("version__scheme", name="version"),
        Column("number", label=gettext_lazy("version"), source="version__number"),
        "min_total",
    )
    ordering = ("version", "-min_total")
    form_class = SchemeLevelForm


class EvaluationView(CRUDView):
    model = Evaluation
    icon = "clipboard-check"
    section = "performance"
    columns = (
        scheme_column("scheme"),
        Column("period_code", sort=("starts_on", "ends_before"), render=period_name),
        "revision",
        Column("state", kind="badge", colors=STATE_COLORS),
        "partner_count",
        "computed_at",
        "published_at",
        Column("digest", shown=False),
    )
    ordering = ("-starts_on", "-pk")
    search_fields = ("scheme__name", "scheme__code", "period_code")
    filterset_class = EvaluationFilter
    exclude = READ_ONLY
    detail_template = "performance/state_detail.html"
    list_actions_template = "performance/_evaluation_actions.html"
    empty_text = gettext_lazy("Evaluate a scheme over a period to see every partner scored.")

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("scheme", "scheme_version__scheme", "job")

    def detail_context(self, obj: Evaluation) -> dict[str, Any]:
        return {"state_color": STATE_COLORS[obj.state]}


class ScoreView(CRUDView):
    model = Score
    icon = "clipboard-list"
    section = "performance"
    parents = ("performance:evaluation_list",)
    columns = (
        Column(
            "partner",
            label=gettext_lazy("partner"),
            source="partner__name",
            sort=("partner__pinyin",),
        ),
        Column("code", label=gettext_lazy("code"), source="partner__code"),
        Column("territory", label=gettext_lazy("territory"), source="partner__territory__name"),
        scheme_column("evaluation__scheme"),
        Column(
            "period",
            label=gettext_lazy("period"),
            source="evaluation__period_code",
            sort=("evaluation__starts_on",),
            render=period_name,
        ),
        Column("rank", kind="number"),
        Column("total", kind="money"),
        Column(
            "level",
            label=gettext_lazy("level"),
            source=("level__name", "level__name_en", "level__color"),
            sort=("level__rank",),
            render=level_badge,
            export=level_name,
        ),
    )
    ordering = ("-evaluation_id", "rank")
    search_fields = ("partner__name", "partner__code", "partner__pinyin")
    filterset_class = ScoreFilter
    exclude = READ_ONLY | {"history"}
    detail_template = "performance/score_detail.html"

    def detail_queryset(self) -> Any:
        related = ("evaluation__scheme", "evaluation__scheme_version__scheme", "partner", "level")
        return self.get_queryset().select_related(*related)

    def detail_context(self, obj: Score) -> dict[str, Any]:
        return {"state_color": STATE_COLORS[obj.evaluation.state]}


class ScheduleView(CRUDView):
    model = EvaluationSchedule
    icon = "calendar-repeat"
    section = "performance"
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
def run_evaluation(request: HttpRequest) -> HttpResponse:
    """Choose scheme and period; a worker computes and its job shows the progress."""
    if not request.user.has_perm("performance.add_evaluation"):
        raise PermissionDenied
    form = RunForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            job = services.request_evaluation(
                scheme=form.cleaned_data["scheme"],
                period=form.cleaned_data["period"],
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


@login_required
@require_POST
def draft_version(request: HttpRequest, pk: int) -> HttpResponse:
    """Open the draft of a scheme; make it from the newest version where there is none."""
    scheme = get_object_or_404(Scheme.objects.visible_to(request.user), pk=pk)
    if not request.user.has_perm("performance.add_schemeversion"):
        raise PermissionDenied
    version = services.draft_version(scheme=scheme, by=request.user)
    return redirect(SchemeVersionView.url("detail", version.pk))
