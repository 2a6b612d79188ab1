"""Pages of the frame: search, the user's choices, jobs, errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.csrf import requires_csrf_token
from django.views.decorators.http import require_GET, require_POST

from core import filters, jobs, navigation, tables
from core.errors import DomainError
from core.models import Job
from core.views.base import ModelPages, is_partial, registry

HITS = 6
AMOUNT_UNITS = ("", "wan")
_may_see_jobs = permission_required("core.view_job", raise_exception=True)


@dataclass(frozen=True)
class Hit:
    """One line of the command palette."""

    text: str
    href: str
    icon: str
    note: str = ""


@login_required
@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """Partners, products and pages that match `q`, as options of the command palette."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    groups = [(_("Pages"), _pages(request.user, text))]
    if text:
        groups = [*(_rows(request, view, text) for view in registry.values()), *groups]
    context = {"groups": [(label, hits) for label, hits in groups if hits]}
    return render(request, "core/_palette.html", context)


def _rows(request: HttpRequest, view: type[ModelPages], text: str) -> tuple[str, list[Hit]]:
    label = str(view.model._meta.verbose_name_plural)
    if not view.in_palette or not view.allows(request.user, "view"):
        return label, []
    queryset = view.model._default_manager.visible_to(request.user)
    found = filters.search(queryset, view.search_fields, text)
    terms = tables.order_by(view.ordering, view.model, descending=False)
    rows = found.order_by(*terms, "pk")[:HITS]
    note = view.palette_note
    return label, [
        Hit(str(row), view.url("detail", row.pk), view.icon, str(getattr(row, note)))
        for row in rows
    ]


def _pages(user: Any, text: str) -> list[Hit]:
    found = [
        Hit(str(item.label), reverse(item.url_name), item.icon)
        for item in navigation.items_for(user)
    ]
    found += [
        Hit(
            _("New: %(what)s") % {"what": view.model._meta.verbose_name}, view.url("create"), "plus"
        )
        for view in registry.values()
        if view.in_palette and "create" not in view.exclude and view.allows(user, "add")
    ]
    return [hit for hit in found if text.lower() in hit.text.lower()]


@login_required
@require_POST
def preference(request: HttpRequest) -> HttpResponse:
    """Keep the language or the unit of amounts, then go back to the page."""
    user: Any = request.user
    post = request.POST
    if post.get("language") in dict(settings.LANGUAGES):
        user.language = request.session["language"] = post["language"]
        user.save(update_fields=["language"])
    if post.get("amount_unit") in AMOUNT_UNITS and "amount_unit" in post:
        user.amount_unit = post["amount_unit"]
        user.save(update_fields=["amount_unit"])
    target = post.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
    return redirect(target if safe else "/")


@login_required
@_may_see_jobs
@require_GET
def job_list(request: HttpRequest) -> HttpResponse:
    """The long work that the user may see, newest first."""
    queryset = Job.objects.visible_to(request.user).select_related("created_by").order_by("-pk")
    page = Paginator(queryset, 50).get_page(request.GET.get("page"))
    return render(request, "core/jobs.html", {"page_obj": page, "section": "jobs"})


@login_required
@_may_see_jobs
@require_GET
def job_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One job with its bar; the bar asks for itself every second while the job is open."""
    visible = Job.objects.visible_to(request.user).select_related("created_by")
    job = get_object_or_404(visible, pk=pk)
    context = {"job": job, "progress": jobs.progress_of(job), "section": "jobs"}
    context["crumbs"] = [(_("Jobs"), reverse("core:job_list")), (job.title, "")]
    return render(request, "core/_job.html" if is_partial(request) else "core/job.html", context)


@login_required
@_may_see_jobs
@require_POST
def job_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a job to stop."""
    job = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
    try:
        jobs.cancel(job, by=request.user)
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect("core:job_detail", pk=pk)


# --- Errors --------------------------------------------------------------------------------------


def _error(
    request: HttpRequest, status: int, title: str, message: str, icon_name: str
) -> HttpResponse:
    user = getattr(request, "user", None)
    template = "core/error.html" if user and user.is_authenticated else "core/error_plain.html"
    context = {"title": title, "message": message, "icon_name": icon_name}
    return render(request, template, context, status=status)


@requires_csrf_token
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400."""
    message = _("The server did not understand this request. Nothing was changed.")
    return _error(request, 400, _("Bad request"), message, "alert-triangle")


@requires_csrf_token
def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: the row is seen, the action is not allowed."""
    message = _("Your role does not allow this. Nothing was changed.")
    return _error(request, 403, _("Not allowed"), message, "lock")


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form is too old or came from elsewhere."""
    message = _("The page was open for too long. Go back, reload it and send the form again.")
    return _error(request, 403, _("Please reload the page"), message, "refresh")


@requires_csrf_token
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: it does not exist, or not for this user."""
    message = _("There is nothing at this address, or you may not see it.")
    return _error(request, 404, _("Not found"), message, "search")


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """500: without database and context, which may be what broke."""
    return HttpResponse(render_to_string("500.html"), status=500)
