"""Pages of imports. What a user may not see is 404; files are served here and nowhere else."""

from __future__ import annotations

import itertools
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from core import jobs
from core.errors import DomainError, add_to_form
from core.importing import correcting, profiles, registry, reports, services
from core.importing.forms import MappingForm, UploadForm
from core.importing.models import Import, ImportProfile
from core.tables import Column
from core.views import CRUDView

PREVIEW = 5
STATE_COLORS = {"applied": "green", "failed": "red", "checked": "blue", "undone": "yellow"}
may_import = permission_required("core.add_import", raise_exception=True)
_may_look = permission_required("core.view_import", raise_exception=True)


def kind_name(kind: str) -> str:
    """The kind in words."""
    importer = registry.importers().get(kind)
    return str(importer.label) if importer else kind


class ImportView(CRUDView):
    """List and page of imports; they are made by `upload` and never edited."""

    model = Import
    icon = "file-import"
    section = "imports"
    columns = (
        "file_name",
        Column("kind", label=gettext_lazy("kind"), render=kind_name, export=kind_name),
        Column("state", kind="badge", colors=STATE_COLORS),
        Column("rows", kind="qty"),
        Column("created", kind="qty"),
        Column("updated", kind="qty"),
        Column("unchanged", kind="qty"),
        Column("rejected", kind="qty"),
        Column("created_by", label=gettext_lazy("uploaded by"), source="created_by__username"),
        Column("profile", source="profile__name", sort=(), shown=False),
        "created_at",
        "applied_at",
    )
    ordering = ("-created_at",)
    exclude = frozenset({"create", "edit", "delete", "bulk", "history"})
    list_actions_template = "core/_import_actions.html"
    detail_template = "core/import_detail.html"
    empty_text = gettext_lazy("Upload a file of partners, products, targets or sales.")

    def detail_context(self, obj: Import) -> dict[str, Any]:
        if obj.is_running and obj.job and not obj.job.is_open:
            obj.refresh_from_db()  # the job has ended since the row was read
        labels = {field.name: field.label for field in registry.get(obj.kind).fields}
        rejects = obj.report.get("rejects", [])
        return {
            "rejects": [(row, labels.get(name, name), reason) for row, name, reason in rejects],
            **reports.of(obj, self.request.user),
            "kind_name": kind_name(obj.kind),
            "may_change": _may_go_on(obj, self.request.user),
            "may_undo": _may_undo(obj, self.request.user),
            "job": obj.job,
            "progress": jobs.progress_of(obj.job) if obj.job else None,
            "same_file": _earlier(obj, self.request.user),
            **correction_context(obj, self.request.user),
        }

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("job", "created_by", "undone_by", "profile")


def correction_context(load: Import, user: Any) -> dict[str, Any]:
    """What the page of an import says of corrections, as far as the user sees them."""
    rows = Import.objects.visible_to(user)
    corrections = list(rows.filter(corrects=load).order_by("pk")) if load.rejected else []
    return {
        "corrects": rows.filter(pk=load.corrects_id).first() if load.corrects_id else None,
        "corrections": corrections,
        "still_rejected": correcting.still_rejected(load) if corrections else None,
        "may_correct": correcting.can_correct(load) and _may_change(load, user),
    }


def _earlier(load: Import, user: Any) -> Import | None:
    """The import that applied the same bytes before, if this user may see it."""
    key = load.report.get("same_file")
    return Import.objects.visible_to(user).filter(pk=key).first() if key else None


def _may_change(load: Import, user: Any) -> bool:
    return load.created_by_id == user.pk and registry.get(load.kind).may(user)


def _may_go_on(load: Import, user: Any) -> bool:
    """Choose columns and apply. What came over the API has none to choose."""
    return _may_change(load, user) and not load.options.get("json")


def _may_undo(load: Import, user: Any) -> bool:
    """Who loaded it, or who answers for all imports, while it is applied and can be taken back."""
    return load.state == Import.State.APPLIED and (
        user.has_perm("core.change_import") or _may_change(load, user)
    )


def own_import(request: HttpRequest, pk: int) -> Import:
    """An import that the user started and may still go on with."""
    load = get_object_or_404(Import.objects.visible_to(request.user), pk=pk)
    if not _may_go_on(load, request.user):
        raise PermissionDenied
    return load


@login_required
@may_import
def upload(request: HttpRequest) -> HttpResponse:
    """Choose what the file holds, and the file."""
    initial = {"kind": request.GET.get("kind", "")}
    form = UploadForm(
        request.POST or None, request.FILES or None, user=request.user, initial=initial
    )
    if form.is_valid():
        try:
            load = services.upload(**form.cleaned_data, by=request.user)
        except DomainError as error:
            error.field = "file"
            add_to_form(form, error)
        else:
            return redirect("core:import_map", load.pk)
    context = {
        "form": form,
        "title": _("Import a file"),
        "back": reverse("core:import_list"),
        "crumbs": [(_("Imports"), reverse("core:import_list")), (_("Import a file"), "")],
        "section": "imports",
    }
    return render(request, "core/import_upload.html", context)


@login_required
@may_import
def choose_columns(request: HttpRequest, pk: int) -> HttpResponse:
    """Say which column is which field, then check."""
    load = own_import(request, pk)
    known = list(profiles.seen(load.kind, by=request.user))
    try:
        choice = _choice(request, load, known)
        load.options = choice.options
        table = services.table_of(load)
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect("core:import_detail", pk)
    form = MappingForm(load, table, request.POST or None)
    if form.is_valid():
        try:
            profile = _kept(form, load, request.user) or choice.profile
            services.start_check(
                load=load, options=form.options(), profile=profile, by=request.user
            )
        except DomainError as error:
            messages.error(request, str(error.message))
        return redirect("core:import_detail", pk)
    here = (load.file_name, reverse("core:import_detail", args=[pk]))
    context = {
        "form": form,
        "load": load,
        "kind_name": kind_name(load.kind),
        "choice": choice,
        "profiles": known,
        "own": [one.name for one in known if one.created_by_id == request.user.pk],
        "header": table.header,
        "is_error_file": table.has_reasons,
        "preview": [
            # A surplus cell has no column.
            list(itertools.zip_longest(table.header, cells, fillvalue=""))
            for _row, cells in itertools.islice(table.rows(), PREVIEW)
        ],
        "crumbs": [(_("Imports"), reverse("core:import_list")), here, (_("Columns"), "")],
        "section": "imports",
    }
    return render(request, "core/import_map.html", context)


NO_PROFILE = "none"


def _choice(request: HttpRequest, load: Import, known: list[ImportProfile]) -> profiles.Choice:
    """What the form begins with: what the address asks for, what was chosen before, or what fits.
    404 when the address asks for a profile that the user does not see."""
    wanted = request.GET.get("profile", "")
    if wanted == NO_PROFILE:
        return profiles.Choice()
    if wanted:
        profile = next((one for one in known if str(one.pk) == wanted), None)
        if profile is None:
            raise Http404
        return profiles.of(load, profile.options, profile=profile)
    if load.options:
        own = next((one for one in known if one.pk == load.profile_id), None)
        return profiles.Choice(load.options, own)
    return profiles.proposed(load, by=request.user)


def _kept(form: MappingForm, load: Import, user: Any) -> ImportProfile | None:
    """The profile as which the choices are to be kept."""
    name = form.cleaned_data["keep_as"]
    if not name:
        return None
    return profiles.keep(name, kind=load.kind, header=form.header, options=form.options(), by=user)


@login_required
@may_import
@require_POST
def apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Write what was checked."""
    load = own_import(request, pk)
    try:
        without = "without_suspicious" in request.POST
        services.start_apply(load=load, by=request.user, without_suspicious=without)
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect("core:import_detail", pk)


@login_required
@_may_look
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what undoing would do or what forbids it; begin on POST."""
    load = get_object_or_404(Import.objects.visible_to(request.user), pk=pk)
    if not _may_undo(load, request.user):
        raise PermissionDenied
    if request.method == "POST":
        try:
            services.start_undo(load=load, by=request.user)
        except DomainError as error:
            messages.error(request, str(error.message))
        return redirect("core:import_detail", pk)
    here = (load.file_name, reverse("core:import_detail", args=[pk]))
    context = {
        "load": load,
        "plan": registry.get(load.kind).undo_plan(load),
        "crumbs": [(_("Imports"), reverse("core:import_list")), here, (_("Undo"), "")],
        "section": "imports",
    }
    return render(request, "core/import_undo.html", context)


@login_required
@_may_look
@require_GET
def error_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The rejected rows with row, field and reason."""
    load = get_object_or_404(Import.objects.visible_to(request.user), pk=pk)
    return _send(load.error_file, f"{load.file_name.split('.')[0]}-errors.csv")


@login_required
@_may_look
@require_GET
def raw_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The file as it was uploaded."""
    load = get_object_or_404(Import.objects.visible_to(request.user), pk=pk)
    return _send(load.file, load.file_name)


def _send(file: Any, name: str) -> HttpResponseBase:
    if not file or not file.storage.exists(file.name):
        raise Http404
    return FileResponse(file.open("rb"), as_attachment=True, filename=name)
