"""Clients of the API: a machine's credentials with the scopes it was given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import models, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _, gettext_lazy

from accounts.roles import Role
from core import audit
from core.errors import DomainError
from core.models import Model


class ApiClient(Model):
    """What our side knows of an OAuth2 application. Its user gives rows and permissions."""

    class Access(models.TextChoices):
        READ = "read", gettext_lazy("Read")
        READ_WRITE = "read write", gettext_lazy("Read and write")

    scope_path = None

    application = models.OneToOneField(
        "oauth2_provider.Application",
        verbose_name=gettext_lazy("OAuth2 application"),
        on_delete=models.CASCADE,
        related_name="api_client",
    )
    access = models.CharField(
        gettext_lazy("access"), max_length=20, choices=Access, default=Access.READ
    )

    class Meta:
        verbose_name = gettext_lazy("API client")
        verbose_name_plural = gettext_lazy("API clients")
        ordering = ["application__name"]

    def __str__(self) -> str:
        return self.application.name

    @property
    def scope_list(self) -> list[str]:
        """The OAuth2 scopes it may ask for."""
        return self.access.split()


@dataclass(frozen=True)
class Credentials:
    """The secret is known only now: the database keeps its hash."""

    client: ApiClient
    client_id: str
    client_secret: str


@transaction.atomic
def create_client(*, name: str, access: str, by: Any, username: str = "") -> Credentials:
    """Make a client and, unless `username` names one, its user of role integration.

    Raises DomainError client_exists, bad_name, not_an_integration_user.
    """
    from oauth2_provider.models import Application

    if Application.objects.filter(name=name).exists():
        message = _("There is an API client “%(name)s” already.") % {"name": name}
        raise DomainError("client_exists", message, "name")
    application = Application(
        name=name,
        user=_user_for(name, username, by),
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
    )
    secret = application.client_secret
    application.save()
    client = ApiClient.objects.create(application=application, access=access)
    audit.record("accounts.apiclient.created", client, by=by, data={"user": application.user_id})
    return Credentials(client, application.client_id, secret)


def _user_for(name: str, username: str, by: Any) -> Any:
    from accounts.models import User

    if username:
        user = User.objects.filter(username=username, role=Role.INTEGRATION, is_active=True).first()
        if user is None:
            message = _("“%(name)s” is no active user of role integration.") % {"name": username}
            raise DomainError("not_an_integration_user", message, "user")
        return user
    slug = slugify(name)
    if not slug:
        raise DomainError("bad_name", _("Give a name with Latin letters or digits."), "name")
    user, created = User.objects.get_or_create(
        username=f"api-{slug}"[:150], defaults={"role": Role.INTEGRATION, "last_name": name[:150]}
    )
    if not created:
        message = _("There is a user “%(name)s” already.") % {"name": user.username}
        raise DomainError("user_exists", message, "name")
    user.set_unusable_password()
    user.save()
    audit.record("accounts.user.created", user, by=by)
    return user
