"""Pages of schemes, evaluations and scorecards."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Subquery
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.html import conditional_escape
from django.utils.translation import get_language, gettext as _, gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from core.errors import DomainError, add_to_form
from core.periods import Period
from core.tables import EMPTY, Column
from core.views import CRUDView
from partners.views import level_badge, level_name
from performance import differences, examples, measures, pages, scheme_files, services
from performance.filters import (
    DeductionFilter,
    EvaluationFilter,
    ScheduleFilter,
    SchemeVersionFilter,
    ScoreFilter,
)
from performance.forms import (
    DeductionForm,
    ExampleForm,
    RunForm,
    ScheduleForm,
    SchemeFileForm,
    SchemeForm,
    SchemeItemForm,
    SchemeLevelForm,
    SchemeVetoForm,
    VersionForm,
)
from performance.models import (
    Deduction,
    DerivedMeasure,
    Evaluation,
    EvaluationSchedule,
    Scheme,
    SchemeItem,
    SchemeLevel,
    SchemeVersion,
    SchemeVeto,
    Score,
)
from performance.process.pages import notices, score_actions

STATE_COLORS = {
    "draft": "secondary",
    "published": "green",
    "retired": "secondary",
    "running": "blue",
    "computed": "yellow",
    "rating": "yellow",
    "review": "yellow",
    "appeal": "green",
    "final": "green",
    "superseded": "secondary",
    "failed": "red",
    "proposed": "yellow",
    "decided": "red",
    "rejected": "secondary",
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
    list_actions_template = "performance/_scheme_actions.html"
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
    form_class = VersionForm
    form_template = "performance/version_form.html"
    exclude = frozenset({"create", "bulk"})
    detail_template = "performance/version_detail.html"

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
        version = str(obj.version_id or self.request.GET.get("version", ""))
        if version.isdecimal():
            return SchemeVersionView.url("detail", int(version))
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


def measure_column() -> Column:
    """The measure of an item by its name, which of a derived one is in its row."""
    made = DerivedMeasure.objects.filter(code=OuterRef("measure"))
    return Column(
        "measure",
        source=("measure", Subquery(made.values("name")), Subquery(made.values("name_en"))),
        sort=("measure",),
        render=lambda *named: conditional_escape(measure_name(*named)),
        export=measure_name,
    )


def measure_name(code: str, name: str | None, name_en: str | None) -> str:
    """The name of a measure in the language of the page."""
    declared = measures.REGISTRY.get(code)
    return str(declared.label) if declared else scheme_name(name, name_en) or code


class SchemeItemView(OfVersionView):
    model = SchemeItem
    icon = "list-details"
    columns = (
        "code",
        scheme_column("version__scheme", name="version"),
        Column("number", label=gettext_lazy("version"), source="version__number"),
        "basis",
        measure_column(),
        "weight",
    )
    ordering = ("version", "position")
    form_class = SchemeItemForm
    form_template = "performance/item_form.html"


class SchemeLevelView(OfVersionView):
    model = SchemeLevel
    icon = "award"
    columns = (
        Column("level", label=gettext_lazy("level"), source="level__name"),
        scheme_column("version__scheme", name="version"),
        Column("number", label=gettext_lazy("version"), source="version__number"),
        "min_total",
        "keep_total",
    )
    ordering = ("version", "-min_total")
    form_class = SchemeLevelForm


class SchemeVetoView(OfVersionView):
    model = SchemeVeto
    icon = "ban"
    columns = (
        Column(
            "name",
            source=("name", "name_en"),
            render=scheme_cell,
            export=scheme_name,
        ),
        scheme_column("version__scheme", name="version"),
        Column("number", label=gettext_lazy("version"), source="version__number"),
        "measure",
        "side",
        "bound",
        "effect",
    )
    ordering = ("version", "code")
    form_class = SchemeVetoForm


class DeductionView(CRUDView):
    """Points off for decided cases: proposed by one, decided by another."""

    model = Deduction
    icon = "circle-minus"
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
        "decided_on",
        Column("points", kind="qty"),
        "reason",
        Column("state", kind="badge", colors=STATE_COLORS),
        Column("entered_by", label=gettext_lazy("entered by"), source="entered_by__username"),
        Column("decided_by", label=gettext_lazy("decided by"), source="decided_by__username"),
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
    detail_template = "performance/evaluation_detail.html"
    list_actions_template = "performance/_evaluation_actions.html"
    empty_text = gettext_lazy("Evaluate a scheme over a period to see every partner scored.")

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("scheme", "scheme_version__scheme", "job")

    def detail_context(self, obj: Evaluation) -> dict[str, Any]:
        found = notices(self.request, obj)
        return {"state_color": STATE_COLORS[found["stage"]], **found}


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

    def crumbs(self, *more: tuple[str, str]) -> list[tuple[str, str]]:
        """Without the evaluations for who may see scores only, as a partner its own."""
        found = super().crumbs(*more)
        sees = self.request.user.has_perm("performance.view_evaluation")
        return found if sees else found[len(self.parents) :]

    def detail_queryset(self) -> Any:
        related = (
            *("evaluation__scheme", "evaluation__scheme_version__scheme"),
            *("partner", "level", "level_before"),
        )
        return self.get_queryset().select_related(*related)

    def detail_context(self, obj: Score) -> dict[str, Any]:
        color = STATE_COLORS[obj.evaluation.state]
        return {"state_color": color, **score_actions(self.request, obj)}


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
@require_POST
def preview_item(request: HttpRequest) -> HttpResponse:
    """What an item form says so far: its curve drawn, its problems, the sum of the weights."""
    if not request.user.has_perm("performance.change_schemeversion"):
        raise PermissionDenied
    key = request.POST.get("item", "")
    row = SchemeItem.objects.filter(pk=key).first() if key.isdecimal() else None
    form = SchemeItemForm(request.POST, instance=row or SchemeItem())
    return render(request, "performance/_item_preview.html", pages.item_preview(form))


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


# --- schemes as files, examples, differences ------------------------------------------------------


@login_required
@require_GET
def version_file(request: HttpRequest, pk: int) -> HttpResponse:
    """A version as a file to download."""
    version = _version(request, pk)
    text = scheme_files.dump(scheme_files.document(version))
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    name = f"{version.scheme.code}-v{version.number}.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _version(request: HttpRequest, pk: int) -> SchemeVersion:
    seen = SchemeVersion.objects.visible_to(request.user).select_related("scheme")
    version = get_object_or_404(seen, pk=pk)
    if not request.user.has_perm("performance.view_schemeversion"):
        raise PermissionDenied
    return version


def _may_draft(request: HttpRequest) -> None:
    needed = ("performance.add_scheme", "performance.add_schemeversion")
    if not request.user.has_perms(needed):
        raise PermissionDenied


@login_required
def upload_scheme(request: HttpRequest) -> HttpResponse:
    """Load a scheme file: a new draft, or the word that nothing has changed."""
    _may_draft(request)
    form = SchemeFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            wanted = scheme_files.parse(form.cleaned_data["file"].read())
            loaded = scheme_files.load(wanted, by=request.user)
        except DomainError as error:
            add_to_form(form, error)
        else:
            return _loaded(request, loaded)
    return _form_page(request, form, _("Load a scheme file"), "performance/upload.html")


def _loaded(request: HttpRequest, loaded: scheme_files.Loaded) -> HttpResponse:
    said = {
        scheme_files.UNCHANGED: _("Nothing has changed: %(version)s says the same."),
        scheme_files.CREATED: _("Loaded as a new draft: %(version)s."),
        scheme_files.REPLACED: _("Loaded into the open draft: %(version)s."),
    }[loaded.outcome]
    messages.success(request, said % {"version": loaded.version})
    return redirect(SchemeVersionView.url("detail", loaded.version.pk))


def _form_page(
    request: HttpRequest, form: Any, title: str, template: str, **more: Any
) -> HttpResponse:
    schemes = SchemeView.url("list")
    context = {
        "form": form,
        "title": title,
        "back": schemes,
        "section": "performance",
        "crumbs": [
            (_("Evaluations"), EvaluationView.url("list")),
            (_("Schemes"), schemes),
            (title, ""),
        ],
        **more,
    }
    return render(request, template, context, status=422 if request.method == "POST" else 200)


@login_required
@require_GET
def list_examples(request: HttpRequest) -> HttpResponse:
    """The schemes that come with the program, to read and to copy."""
    if not request.user.has_perm("performance.view_scheme"):
        raise PermissionDenied
    more = {
        "examples": [pages.example_summary(example) for example in examples.every()],
        "may_copy": request.user.has_perms(
            ("performance.add_scheme", "performance.add_schemeversion")
        ),
    }
    return _form_page(request, None, _("Examples"), "performance/examples.html", **more)


@login_required
def copy_example(request: HttpRequest, name: str) -> HttpResponse:
    """Copy an example as a new scheme with a draft."""
    _may_draft(request)
    example = examples.find(name)
    if example is None:
        raise Http404
    form = ExampleForm(request.POST or None, example=example)
    if request.method == "POST" and form.is_valid():
        try:
            loaded = scheme_files.load(form.document(), by=request.user)
        except DomainError as error:
            add_to_form(form, error)
        else:
            return _loaded(request, loaded)
    title = _("Copy: %(what)s") % {"what": example.title}
    return _form_page(request, form, title, "performance/copy.html")


@login_required
@require_GET
def version_difference(request: HttpRequest, pk: int) -> HttpResponse:
    """What a version says differently from another one of its scheme (`?from=`; else the one
    before it)."""
    version = _version(request, pk)
    others = version.scheme.versions.exclude(pk=version.pk).order_by("-number")
    asked = request.GET.get("from", "")
    before = others.filter(number__lt=version.number).first() or others.first()
    if asked.isdecimal():
        before = get_object_or_404(others, pk=asked)
    context = {
        "version": version,
        "before": before,
        "others": others,
        "changes": differences.between(before, version) if before else [],
        "section": "performance",
        "title": _("What has changed"),
        "crumbs": [
            (_("Evaluations"), EvaluationView.url("list")),
            (str(version.scheme), SchemeView.url("detail", version.scheme_id)),
            (str(version), SchemeVersionView.url("detail", version.pk)),
            (_("What has changed"), ""),
        ],
    }
    return render(request, "performance/difference.html", context)


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


@login_required
@require_POST
def draft_version(request: HttpRequest, pk: int) -> HttpResponse:
    """Open the draft of a scheme; make it from the newest version where there is none."""
    scheme = get_object_or_404(Scheme.objects.visible_to(request.user), pk=pk)
    if not request.user.has_perm("performance.add_schemeversion"):
        raise PermissionDenied
    version = services.draft_version(scheme=scheme, by=request.user)
    return redirect(SchemeVersionView.url("detail", version.pk))
