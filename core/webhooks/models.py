"""Whom to tell what, how far each is, and what became of each message."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _, pgettext_lazy
from django_fsm import transition

from core.models import Event, Model
from core.scoping import ScopedQuerySet, sees_everything
from core.webhooks.addresses import check_url
from core.workflow import StateField, StatefulModel


class WebhookQuerySet(ScopedQuerySet):
    """Endpoints tell of the whole network, so they are for global roles."""

    def visible_to(self, user: Any) -> QuerySet:
        seen = user.is_authenticated and user.is_active and sees_everything(user)
        return self.all() if seen else self.none()


class WebhookEndpoint(StatefulModel, Model):
    """An address that is told of events. `owner` decides which: those that this user may see.

    `event_types` holds verbs ("partners.partner.suspend") and prefixes ("partners.partner.*").
    While it is paused or disabled, what happens waits for it.
    """

    class State(models.TextChoices):
        ACTIVE = "active", pgettext_lazy("webhook", "Active")
        PAUSED = "paused", _("Paused")
        DISABLED = "disabled", _("Disabled after failures")

    scope_path = None

    name = models.CharField(_("name"), max_length=100)
    url = models.CharField(_("address"), max_length=500, validators=[check_url])
    event_types = ArrayField(models.CharField(max_length=100), verbose_name=_("event types"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("sees what this user sees"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    state = StateField(_("state"), max_length=10, choices=State, default=State.ACTIVE)

    objects = WebhookQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(
                name="webhook_has_event_types", condition=Q(event_types__len__gt=0)
            )
        ]

    def __str__(self) -> str:
        return self.name

    @transition(
        field=state,
        source=State.ACTIVE,
        target=State.PAUSED,
        custom={
            "label": _("Pause"),
            "permission": "core.change_webhookendpoint",
            "icon": "player-pause",
        },
    )
    def pause(self, *, by: Any, on: date) -> None:
        """Hold messages back until it is resumed."""

    @transition(
        field=state,
        source=[State.PAUSED, State.DISABLED],
        target=State.ACTIVE,
        custom={
            "label": pgettext_lazy("webhook", "Resume"),
            "permission": "core.change_webhookendpoint",
            "icon": "player-play",
        },
    )
    def resume(self, *, by: Any, on: date) -> None:
        """Send again, what waited first; earlier failures no longer count."""
        WebhookProgress.objects.filter(endpoint=self).update(failing_since=None)

    @transition(
        field=state,
        source=State.ACTIVE,
        target=State.DISABLED,
        custom={"label": _("Disable"), "permission": None},
    )
    def disable(self, *, by: Any, on: date) -> None:
        """Give up on an address that is gone or has only failed for days."""


class WebhookProgress(models.Model):
    """How far an endpoint is: what workers write, apart from what people edit.

    All events before (`event_at`, `event_id`) have been looked at. `failing_since` is the first
    failure after the last success.
    """

    scope_path = None

    endpoint = models.OneToOneField(
        WebhookEndpoint, primary_key=True, on_delete=models.CASCADE, related_name="progress"
    )
    event_at = models.DateTimeField()
    event_id = models.BigIntegerField(default=0)
    failing_since = models.DateTimeField(_("failing since"), null=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        verbose_name = _("progress of a webhook")
        verbose_name_plural = _("progress of webhooks")

    def __str__(self) -> str:
        return str(self.event_at)


class WebhookSecret(models.Model):
    """A key that signs, encrypted (core.webhooks.signing). The one without an end is current."""

    scope_path = None

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="secrets")
    sealed = models.TextField()
    created_at = models.DateTimeField(_("created at"))
    shown_at = models.DateTimeField(_("shown at"), null=True)
    ends_at = models.DateTimeField(_("valid until"), null=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        verbose_name = _("secret of a webhook")
        verbose_name_plural = _("secrets of webhooks")
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint"], condition=Q(ends_at=None), name="webhook_one_current_secret"
            )
        ]

    def __str__(self) -> str:
        return str(self.created_at)


class WebhookDelivery(models.Model):
    """One event on its way to one endpoint; there is never a second row for the same two.

    `attempts` counts those of this round: sending it again begins a new one. A worker that sends
    has the row until `leased_until`. `log` holds the last LOG_LIMIT things that happened to it:
    {at, status, error, detail, ms}, or {at, by} when somebody sent it again.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("On its way")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Given up")
        CANCELLED = "cancelled", _("Cancelled")

    class Error(models.TextChoices):
        STATUS = "status", _("It answered with an error.")
        REDIRECT = "redirect", _("It answered with another address; redirects are not followed.")
        GONE = "gone", _("It answered that it is gone for good (410).")
        TIMEOUT = "timeout", _("It did not answer in time.")
        CONNECTION = "connection", _("The connection failed.")
        TLS = "tls", _("Its certificate could not be trusted.")
        NAME = "name", _("Its host name is not known.")
        ADDRESS = "address", _("The address is not allowed.")
        SECRET = "secret", _("The secret cannot be read. Make a new one.")
        UNSEEN = "unseen", _("The user of the webhook may no longer see the event.")

    LOG_LIMIT = 20

    scope_path = None

    endpoint = models.ForeignKey(
        WebhookEndpoint,
        verbose_name=_("webhook"),
        on_delete=models.CASCADE,
        related_name="deliveries",
    )
    event = models.ForeignKey(
        Event, verbose_name=_("event"), on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"))
    leased_until = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(_("HTTP status"), null=True)
    error = models.CharField(_("error"), max_length=10, choices=Error, blank=True)
    response = models.TextField(_("answer"), blank=True)
    duration_ms = models.PositiveIntegerField(_("milliseconds"), null=True)
    log = models.JSONField(default=list)
    created_at = models.DateTimeField(_("created at"))
    ended_at = models.DateTimeField(_("ended at"), null=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event"], name="webhook_event_once"),
            models.CheckConstraint(
                name="webhook_ended_has_time",
                condition=Q(state="pending", ended_at=None)
                | (~Q(state="pending") & Q(ended_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                condition=Q(state="pending"),
                name="webhook_due",
            ),
            models.Index(fields=["ended_at"], name="webhook_ended"),
        ]

    def __str__(self) -> str:
        return self.message_id

    @property
    def message_id(self) -> str:
        """`webhook-id`: the same for every attempt, and for every endpoint that gets the event."""
        return f"evt_{self.event_id}"
