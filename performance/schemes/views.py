"""Pages of schemes, their versions, and what those are made of."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from core.errors import DomainError, add_to_form
from core.phrases import listed
from core.tables import Column
from core.views import CRUDView
from performance import services
from performance.filters import SchemeVersionFilter
from performance.models import (
    Evaluation,
    Scheme,
    SchemeItem,
    SchemeLevel,
    SchemeVersion,
    SchemeVeto,
)
from performance.schemes import differences, examples, files, pages
from performance.schemes.forms import (
    ExampleForm,
    SchemeFileForm,
    SchemeForm,
    SchemeItemForm,
    SchemeLevelForm,
    SchemeVetoForm,
    VersionForm,
)
from performance.tables import (
    STATE_COLORS,
    measure_column,
    period_name,
    scheme_cell,
    scheme_column,
    scheme_name,
)
from performance.views import EvaluationView


def _of_versions(state: str, field: str) -> Subquery:
    """A field of the one version of a scheme that is in this state."""
    versions = SchemeVersion.objects.filter(scheme=OuterRef("pk"), state=state)
    return Subquery(versions.values(field))


_NEWEST = Evaluation.objects.filter(scheme=OuterRef("pk")).order_by("-starts_on", "-pk")


class SchemeView(CRUDView):
    list_actions_template = "performance/_scheme_actions.html"
    model = Scheme
    icon = "adjustments"
    section = "performance.scheme"
    parents = ("performance:evaluation_list",)
    columns = (
        "name",
        Column("name_en", shown=False),
        "code",
        Column(
            "in_force",
            label=gettext_lazy("version in force"),
            kind="number",
            source=_of_versions(SchemeVersion.State.PUBLISHED, "number"),
        ),
        Column(
            "evaluated",
            label=gettext_lazy("last evaluated"),
            source=Subquery(_NEWEST.values("period_code")[:1]),
            render=period_name,
        ),
        Column(
            "draft",
            label=gettext_lazy("open draft"),
            kind="number",
            source=_of_versions(SchemeVersion.State.DRAFT, "number"),
        ),
        Column("created_at", shown=False),
    )
    ordering = ("code",)
    search_fields = ("code", "name", "name_en")
    form_class = SchemeForm


class SchemeVersionView(CRUDView):
    model = SchemeVersion
    icon = "versions"
    section = "performance.scheme"
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

    section = "performance.scheme"
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


# --- schemes as files, examples, differences ------------------------------------------------------


@login_required
@require_GET
def version_file(request: HttpRequest, pk: int) -> HttpResponse:
    """A version as a file to download."""
    version = _version(request, pk)
    text = files.dump(files.document(version))
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
            wanted = files.parse(form.cleaned_data["file"].read())
            loaded = files.load(wanted, by=request.user)
        except DomainError as error:
            add_to_form(form, error)
        else:
            return _loaded(request, loaded)
    return _form_page(request, form, _("Load a scheme file"), "performance/upload.html")


def _loaded(request: HttpRequest, loaded: files.Loaded) -> HttpResponse:
    said = {
        files.UNCHANGED: _("Nothing has changed: %(version)s says the same."),
        files.CREATED: _("Loaded as a new draft: %(version)s."),
        files.REPLACED: _("Loaded into the open draft: %(version)s."),
    }[loaded.outcome]
    messages.success(request, said % {"version": loaded.version})
    if loaded.measures:
        made = _("Measures made with it: %(codes)s.") % {"codes": listed(loaded.measures)}
        messages.success(request, made)
    return redirect(SchemeVersionView.url("detail", loaded.version.pk))


def _form_page(
    request: HttpRequest, form: Any, title: str, template: str, **more: Any
) -> HttpResponse:
    schemes = SchemeView.url("list")
    context = {
        "form": form,
        "title": title,
        "back": schemes,
        "section": "performance.scheme",
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
            loaded = files.load(form.document(), by=request.user)
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
        "section": "performance.scheme",
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
@require_POST
def draft_version(request: HttpRequest, pk: int) -> HttpResponse:
    """Open the draft of a scheme; make it from the newest version where there is none."""
    scheme = get_object_or_404(Scheme.objects.visible_to(request.user), pk=pk)
    if not request.user.has_perm("performance.add_schemeversion"):
        raise PermissionDenied
    version = services.draft_version(scheme=scheme, by=request.user)
    return redirect(SchemeVersionView.url("detail", version.pk))
