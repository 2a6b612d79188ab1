"""Pages of API clients, for the administrator."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables

from accounts import api_calls, api_clients
from accounts.api_models import WARN_BEFORE, ApiClient
from accounts.filters import ApiClientFilter
from accounts.forms import ApiClientForm
from accounts.roles import Role
from core.errors import DomainError, add_to_form
from core.scoping import narrow_choices
from core.tables import Column, badge
from core.views import CRUDView
from core.widgets import use_lookups

CALLS_SHOWN = 50
MOST_PAGES = 200


def state_badge(state: str, expires_on: date | None) -> str:
    """On, off or expired; that it will expire soon is told beforehand."""
    days = (expires_on - timezone.localdate()).days if expires_on else None
    if state == ApiClient.State.OFF:
        return badge(ApiClient.State.OFF.label)
    if days is not None and days <= 0:
        return badge(_("Expired"), "red")
    if days is not None and days <= WARN_BEFORE.days:
        return badge(_("Expires in %(days)s days") % {"days": days}, "yellow")
    return badge(ApiClient.State.ACTIVE.label, "green")


def state_word(state: str, expires_on: date | None) -> str:
    """The same for a file."""
    expired = expires_on and expires_on <= timezone.localdate()
    return _("Expired") if expired else str(ApiClient.State(state).label)


def reach_word(role: str) -> str:
    """How far a client reaches, by the role of its user."""
    return _("Named rows") if role == Role.LIMITED_INTEGRATION else _("The whole network")


class ApiClientView(CRUDView):
    model = ApiClient
    icon = "plug-connected"
    section = "api_clients"
    columns = (
        Column("name", label=gettext_lazy("name"), source="application__name"),
        "access",
        Column(
            "reach",
            label=gettext_lazy("may touch"),
            source="application__user__role",
            kind="text",
            render=reach_word,
            export=reach_word,
        ),
        "last_used_at",
        "expires_on",
        Column("sandbox", label=gettext_lazy("sandbox")),
        Column("state", source=("state", "expires_on"), render=state_badge, export=state_word),
        Column("created_at", shown=False),
    )
    ordering = ("application__name",)
    search_fields = ("application__name", "application__client_id", "note")
    filterset_class = ApiClientFilter
    form_class = ApiClientForm
    # A new one shows its secret, so it is made on a page of its own.
    exclude = frozenset({"create", "bulk"})
    list_actions_template = "accounts/_client_list_actions.html"
    detail_template = "accounts/client_detail.html"
    empty_text = gettext_lazy("A client lets another system read and write through the API.")

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("application__user")

    def detail_context(self, obj: ApiClient) -> dict[str, Any]:
        return {"badge": state_badge(obj.state, obj.expires_on), "kept": api_clients.was_used(obj)}

    def save(self, form: Any) -> ApiClient:
        name = form.cleaned_data["name"]
        user = self.request.user
        return api_clients.change_client(form.instance, name=name, rows=form.rows, by=user)

    def delete(self, obj: ApiClient) -> HttpResponse:
        if self.request.method != "POST" and not api_clients.was_used(obj):
            return super().delete(obj)
        name = str(obj)
        try:
            api_clients.delete_client(obj, by=self.request.user)
        except DomainError as error:
            messages.error(self.request, str(error.message))
            return redirect(self.url("detail", obj.pk))
        messages.success(self.request, _("Deleted: %(what)s") % {"what": name})
        return redirect(self.url("list"))


def _page(request: HttpRequest) -> ApiClientView:
    page = ApiClientView()
    page.request = request
    return page


def _secret(page: ApiClientView, made: api_clients.Credentials, status: int) -> HttpResponse:
    """The one page that ever shows a secret: the answer to the request that made it."""
    context = {
        "made": made,
        "object": made.client,
        "crumbs": page.crumbs((str(made.client), page.url("detail", made.client.pk))),
        "token_url": page.request.build_absolute_uri(reverse("oauth2_token")),
    }
    return page.render("accounts/client_secret.html", context, status)


@never_cache
@login_required
@permission_required("accounts.add_apiclient", raise_exception=True)
@sensitive_variables("made")
def make_client(request: HttpRequest) -> HttpResponse:
    """A form for a new client; once it is made, its secret."""
    page = _page(request)
    form = ApiClientForm(request.POST or None)
    narrow_choices(form.fields, request.user)
    use_lookups(form)
    if request.method == "POST" and form.is_valid():
        try:
            made = api_clients.create_client(
                name=form.cleaned_data["name"], by=request.user, rows=form.rows, **form.terms
            )
        except DomainError as error:
            add_to_form(form, error)
        else:
            return _secret(page, made, 201)
    title = _("New: %(what)s") % {"what": ApiClient._meta.verbose_name}
    context = {"form": form, "title": title, "back": page.url("list"), "next": ""}
    context["crumbs"] = page.crumbs((title, ""))
    return page.render("core/form.html", context, 422 if request.method == "POST" else 200)


@never_cache
@login_required
@permission_required("accounts.change_apiclient", raise_exception=True)
@sensitive_variables("made")
def new_secret(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask whether to replace the secret; on POST do it and show the new one."""
    page = _page(request)
    client = get_object_or_404(page.detail_queryset(), pk=pk)
    if request.method == "POST":
        return _secret(page, api_clients.renew_secret(client, by=request.user), 200)
    context: dict[str, Any] = {"object": client, "back": page.url("detail", pk)}
    context["crumbs"] = page.crumbs((str(client), page.url("detail", pk)), (_("New secret"), ""))
    return page.render("accounts/client_new_secret.html", context)


# --- Tabs -----------------------------------------------------------------------------------------


def client_terms(request: HttpRequest, client: ApiClient) -> dict[str, Any]:
    """What is known of a client, for its overview."""
    rows = api_clients.rows_of(client.application.user)
    left = (client.expires_on - timezone.localdate()).days if client.expires_on else None
    return {
        "client": client,
        "rows": rows,
        "territories": sorted(str(row) for row in rows.territories) if rows else [],
        "named": sorted(rows.partners, key=str) if rows else [],
        "days_left": left if left is not None and left <= WARN_BEFORE.days else None,
        "token_url": request.build_absolute_uri(reverse("oauth2_token")),
    }


def client_calls(request: HttpRequest, client: ApiClient) -> dict[str, Any]:
    """The calls of a client: of the class of status and the day in the address, page by page."""
    given = request.GET
    hundreds = int(given["status"]) if given.get("status") in ("2", "3", "4", "5") else None
    day = _day(given.get("day", ""))
    text = given.get("page", "")
    number = min(max(int(text), 1), MOST_PAGES) if text.isdecimal() and len(text) < 4 else 1
    start = (number - 1) * CALLS_SHOWN
    found = api_calls.recent_calls(client, hundreds=hundreds, day=day)
    calls = list(found[start : start + CALLS_SHOWN + 1])
    query = {"tab": "calls", "status": hundreds or "", "day": day.isoformat() if day else ""}
    return {
        "calls": calls[:CALLS_SHOWN],
        "hundreds": hundreds,
        "day": query["day"],
        "narrowed": bool(hundreds or day),
        "newer": _query(query, number - 1) if number > 1 else "",
        "older": _query(query, number + 1) if len(calls) > CALLS_SHOWN else "",
    }


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _query(query: dict[str, Any], number: int) -> str:
    return "?" + urlencode({**query, "page": number})
