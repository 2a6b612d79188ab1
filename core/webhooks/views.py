"""Pages of webhooks: endpoints, their secrets, and the log of what was sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial, wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from core import tabs
from core.errors import DomainError
from core.phrases import listed
from core.tables import Column
from core.views import BulkAction, CRUDView
from core.webhooks import delivery, services
from core.webhooks.filters import DeliveryFilter
from core.webhooks.forms import EndpointForm
from core.webhooks.models import WebhookDelivery, WebhookEndpoint

LATEST = 10
ENDPOINT_COLORS = {"active": "green", "paused": "yellow", "disabled": "red"}
COLORS = {"pending": "blue", "delivered": "green", "failed": "red", "cancelled": "secondary"}


class WebhookEndpointView(CRUDView):
    model = WebhookEndpoint
    icon = "webhook"
    section = "webhooks"
    columns = (
        "name",
        "url",
        Column("state", kind="badge", colors=ENDPOINT_COLORS),
        Column("event_types", sort=(), render=listed, export=listed),
        Column("owner", label=gettext_lazy("sees what"), source="owner__username"),
        Column(
            "failing_since", label=gettext_lazy("failing since"), source="progress__failing_since"
        ),
    )
    ordering = ("name",)
    form_class = EndpointForm
    exclude = frozenset({"bulk"})
    list_actions_template = "core/_webhook_actions.html"
    detail_template = "core/webhook.html"
    empty_text = gettext_lazy(
        "A webhook tells another program what happens here, the moment it happens."
    )

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("owner", "progress")

    def get_form(self, obj: Any, data: Any = None, files: Any = None) -> Any:
        # The owner's own choices are narrower than what the user may see.
        return EndpointForm(data, files, instance=obj, by=self.request.user)

    def save(self, form: Any) -> Any:
        if form.instance.pk:
            return super().save(form)
        return services.create(form, by=self.request.user, at=timezone.now())

    def detail_context(self, obj: WebhookEndpoint) -> dict[str, Any]:
        return {"state_color": ENDPOINT_COLORS[obj.state], "may_change": self.can_edit}

    def tab_context(self, obj: WebhookEndpoint, tab: tabs.Tab) -> dict[str, Any]:
        counts = dict(obj.deliveries.values_list("state").annotate(Count("pk")))
        latest = obj.deliveries.select_related("event").order_by("-pk")[:LATEST]
        return {
            "object": obj,
            "secret": obj.secrets.get(ends_at=None),
            "ending": obj.secrets.filter(ends_at__gt=timezone.now()).order_by("-ends_at").first(),
            "counts": [
                (label, counts.get(state, 0), f"{_log_of(obj)}&state={state}")
                for state, label in WebhookDelivery.State.choices
            ],
            "latest": [(row, COLORS[row.state]) for row in latest],
            "log_url": _log_of(obj),
            "may_change": self.can_edit,
        }


class WebhookDeliveryView(CRUDView):
    """The log. Rows come from the history; people only send them again."""

    model = WebhookDelivery
    icon = "send"
    section = "webhooks"
    parents = ("core:webhookendpoint_list",)
    columns = (
        Column("type", label=gettext_lazy("event type"), source="event__verb", sort=()),
        Column("object", label=gettext_lazy("object"), source="event__object_repr", sort=()),
        Column("endpoint", label=gettext_lazy("webhook"), source="endpoint__name"),
        Column("state", kind="badge", colors=COLORS),
        Column("attempts", kind="number"),
        Column("status", kind="text"),
        "error",
        Column("duration_ms", kind="number", shown=False),
        "created_at",
        Column("next_attempt_at", shown=False),
        Column("ended_at", shown=False),
    )
    ordering = ("-id",)
    filterset_class = DeliveryFilter
    exclude = frozenset({"create", "edit", "delete", "history"})
    bulk_actions = (
        BulkAction(
            name="again",
            label=gettext_lazy("Send again"),
            run=lambda obj, *, by, reason: services.send_again(obj, by=by, at=timezone.now()),
            permission="core.change_webhookdelivery",
            icon="refresh",
        ),
    )
    detail_template = "core/webhook_delivery.html"
    empty_text = gettext_lazy("What happens from now on is listed here as it is sent.")

    def detail_queryset(self) -> Any:
        return self.get_queryset().select_related("endpoint", "event__content_type")

    def detail_context(self, obj: WebhookDelivery) -> dict[str, Any]:
        text = json.dumps(delivery.payload(obj.event), ensure_ascii=False, indent=2)
        return {
            "payload": text,
            "attempts": [_attempt(entry) for entry in reversed(obj.log)],
            "state_color": COLORS[obj.state],
            "may_send": self.request.user.has_perm("core.change_webhookdelivery"),
        }


def _attempt(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry of the log for the page."""
    errors = dict(WebhookDelivery.Error.choices)
    error = entry.get("error")
    return {
        "at": parse_datetime(entry["at"]),
        "by": entry.get("by"),
        "status": entry.get("status"),
        "error": errors.get(str(error)),
        "detail": entry.get("detail"),
        "ms": entry.get("ms"),
    }


def _log_of(endpoint: WebhookEndpoint) -> str:
    return f"{reverse('core:webhookdelivery_list')}?endpoint={endpoint.pk}"


def _on(model: Any) -> Callable[..., Any]:
    """A page about one row of `model`: unseen is 404, without the permission to change it 403."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @login_required
        @wraps(view)
        def page(request: HttpRequest, pk: int) -> HttpResponse:
            row = get_object_or_404(model.objects.visible_to(request.user), pk=pk)
            if not request.user.has_perm(f"core.change_{model._meta.model_name}"):
                raise PermissionDenied
            return view(request, row)

        return page

    return decorate


def _attempted(request: HttpRequest, verb: Callable[..., Any]) -> Any:
    """What the verb returns; None, and a message, when it is refused."""
    try:
        return verb(by=request.user, at=timezone.now())
    except DomainError as error:
        messages.error(request, str(error.message))
        return None


@_on(WebhookEndpoint)
@require_POST
@never_cache
def show_secret(request: HttpRequest, endpoint: WebhookEndpoint) -> HttpResponse:
    """The secret, once."""
    secret = _attempted(request, partial(services.reveal, endpoint))
    if secret is None:
        return redirect("core:webhookendpoint_detail", endpoint.pk)
    context = {"endpoint": endpoint, "secret": secret} | _frame(endpoint, _("Secret"))
    return render(request, "core/webhook_secret.html", context)


@_on(WebhookEndpoint)
def rotate(request: HttpRequest, endpoint: WebhookEndpoint) -> HttpResponse:
    """Ask whether the old secret stays valid for a while; make a new one on POST."""
    if request.method == "POST":
        overlap = services.OVERLAP if request.POST.get("overlap") else timedelta()
        _attempted(request, partial(services.rotate, endpoint, overlap=overlap))
        return redirect("core:webhookendpoint_detail", endpoint.pk)
    context = {"endpoint": endpoint, "hours": services.OVERLAP // timedelta(hours=1)}
    return render(request, "core/webhook_rotate.html", context | _frame(endpoint, _("New secret")))


@_on(WebhookEndpoint)
@require_POST
def send_test(request: HttpRequest, endpoint: WebhookEndpoint) -> HttpResponse:
    """Queue a test and show its delivery."""
    queued = _attempted(request, partial(services.send_test, endpoint))
    if queued is None:
        return redirect("core:webhookendpoint_detail", endpoint.pk)
    messages.success(request, _("The test is on its way; reload this page in some seconds."))
    return redirect("core:webhookdelivery_detail", queued.pk)


@_on(WebhookDelivery)
@require_POST
def send_again(request: HttpRequest, row: WebhookDelivery) -> HttpResponse:
    """Begin a new round of attempts."""
    try:
        services.send_again(row, by=request.user, at=timezone.now())
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("It is sent again; reload this page in some seconds."))
    return redirect("core:webhookdelivery_detail", row.pk)


def _frame(endpoint: WebhookEndpoint, title: str) -> dict[str, Any]:
    here = (endpoint.name, reverse("core:webhookendpoint_detail", args=[endpoint.pk]))
    top = (_("Webhooks"), reverse("core:webhookendpoint_list"))
    return {"section": "webhooks", "title": title, "crumbs": [top, here, (title, "")]}
