"""Clients of the API, and what they called.

A client acts as a user, and that user's role and territories say which rows it sees: one of role
integration the whole network, one of role limited_machine the territories and partners that were
named to it. Access, addresses, expiry, rate and sandbox belong to the client.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy, pgettext_lazy
from django_fsm import transition

from accounts.roles import MACHINE_ROLES, Role
from core.addresses import is_within
from core.errors import Problem
from core.models import Model
from core.scoping import ScopedQuerySet
from core.workflow import StateField, StatefulModel

MOST_OF_A_PATH = 300
WARN_BEFORE = timedelta(days=30)  # that a client will expire


def may_act(user: Any) -> bool:
    """Whether a client may act as this user: a machine's account that is in force."""
    return user is not None and user.is_active and user.role in MACHINE_ROLES


class ApiClient(StatefulModel, Model):
    """What our side knows of an OAuth2 application. Its user gives rows and permissions."""

    class Access(models.TextChoices):
        READ = "read", gettext_lazy("Read")
        READ_WRITE = "read write", gettext_lazy("Read and write")

    class State(models.TextChoices):
        ACTIVE = "active", gettext_lazy("Switched on")
        OFF = "off", gettext_lazy("Switched off")

    scope_path = None

    application = models.OneToOneField(
        "oauth2_provider.Application",
        verbose_name=gettext_lazy("OAuth2 application"),
        on_delete=models.CASCADE,
        related_name="api_client",
    )
    access = models.CharField(
        pgettext_lazy("API client", "access"), max_length=20, choices=Access, default=Access.READ
    )
    state = StateField(gettext_lazy("state"), choices=State, default=State.ACTIVE, max_length=10)
    addresses = ArrayField(
        models.CharField(max_length=43),
        verbose_name=gettext_lazy("allowed addresses"),
        default=list,
        blank=True,
    )
    expires_on = models.DateField(
        gettext_lazy("expires on"),
        null=True,
        blank=True,
        help_text=gettext_lazy("From this day on it gets neither tokens nor answers."),
    )
    requests_per_minute = models.PositiveIntegerField(
        gettext_lazy("requests a minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=gettext_lazy("Empty: the usual limit."),
    )
    sandbox = models.BooleanField(gettext_lazy("sandbox"), default=False)
    note = models.TextField(gettext_lazy("note"), blank=True)
    # Written at most once a minute (accounts.api_calls).
    last_used_at = models.DateTimeField(gettext_lazy("last use"), null=True, editable=False)

    class Meta:
        verbose_name = gettext_lazy("API client")
        verbose_name_plural = gettext_lazy("API clients")
        ordering = ["application__name"]
        constraints = [
            models.CheckConstraint(
                name="api_client_state_known", condition=Q(state__in=["active", "off"])
            ),
            models.CheckConstraint(
                name="api_client_rate_positive", condition=Q(requests_per_minute__gte=1)
            ),
        ]

    def __str__(self) -> str:
        return self.application.name

    @property
    def scope_list(self) -> list[str]:
        """The OAuth2 scopes it may ask for."""
        return self.access.split()

    @property
    def is_limited(self) -> bool:
        """Whether it sees named territories and partners only."""
        return self.application.user.role == Role.LIMITED_INTEGRATION

    @property
    def rate(self) -> str:
        """How many requests it may make, as `API_RATE` is written."""
        own = self.requests_per_minute
        return f"{own}/min" if own else settings.API_RATE

    def refusal(self, *, address: str, on: date) -> Problem | None:
        """Why a request from `address` on the day `on` is not let in, if so."""
        user = self.application.user
        if self.state != self.State.ACTIVE or not may_act(user):
            return Problem("client_disabled", _("This client is switched off."))
        if self.expires_on and self.expires_on <= on:
            return Problem("client_expired", _("This client has expired. Ask for a new date."))
        if self.addresses and not is_within(address, self.addresses):
            message = _("This client may not call from the address %(address)s.")
            return Problem("address_not_allowed", message % {"address": address or "?"})
        return None

    _MAY = {"permission": "accounts.change_apiclient"}

    @transition(
        field=state,
        source=State.ACTIVE,
        target=State.OFF,
        custom={**_MAY, "label": gettext_lazy("Switch off"), "icon": "player-pause"},
    )
    def switch_off(self, *, by: Any, on: date) -> None:
        pass

    @transition(
        field=state,
        source=State.OFF,
        target=State.ACTIVE,
        custom={**_MAY, "label": gettext_lazy("Switch on"), "icon": "player-play"},
    )
    def switch_on(self, *, by: Any, on: date) -> None:
        pass


class ApiCall(models.Model):
    """What a client asked and what it was answered. It is kept for a month (accounts.api_calls).

    `rows` is how many rows were written, where the answer knows it; `code` that of the problem.
    """

    scope_path = None

    client = models.ForeignKey(
        ApiClient, on_delete=models.CASCADE, related_name="calls", db_index=False
    )
    at = models.DateTimeField(gettext_lazy("at"), default=timezone.now)
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=MOST_OF_A_PATH)
    status = models.PositiveSmallIntegerField()
    milliseconds = models.PositiveIntegerField()
    rows = models.PositiveIntegerField(null=True)
    request_id = models.CharField(max_length=64)
    address = models.GenericIPAddressField(null=True)
    code = models.CharField(max_length=60, blank=True)
    sandbox = models.BooleanField(default=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("API call")
        verbose_name_plural = gettext_lazy("API calls")
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["client", "-at", "-id"], name="api_call_newest"),
            models.Index(
                fields=["client", "-at", "-id"],
                condition=Q(status__gte=400),
                name="api_call_errors",
            ),
            # They come in the order of time and go by it.
            BrinIndex(fields=["at"], name="api_call_age"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"
