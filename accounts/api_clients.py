"""Making, changing and deleting clients of the API."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.api_models import ApiClient
from accounts.roles import MACHINE_ROLES, Role
from core import audit, crud
from core.addresses import network
from core.errors import Conflict, DomainError
from core.text import pinyin_of

# What `change_client` writes of the client itself.
TERMS = ("access", "addresses", "expires_on", "requests_per_minute", "sandbox", "note")


@dataclass(frozen=True)
class Rows:
    """The territories and partners that a limited client may touch."""

    territories: frozenset[Any] = frozenset()
    partners: frozenset[Any] = frozenset()


@dataclass(frozen=True)
class Credentials:
    """The secret is known only now: the database keeps its hash."""

    client: ApiClient
    client_id: str
    client_secret: str


def networks(texts: Iterable[str]) -> list[str]:
    """Addresses and networks as they are stored. DomainError bad_address."""
    found = []
    for text in texts:
        try:
            found.append(network(text))
        except ValueError as error:
            message = _("“%(text)s” is neither an address nor a network such as 10.0.0.0/8.")
            raise DomainError("bad_address", message % {"text": text[:60]}, "addresses") from error
    return list(dict.fromkeys(found))


@transaction.atomic
def create_client(
    *,
    name: str,
    access: str,
    by: Any,
    username: str = "",
    rows: Rows | None = None,
    **terms: Any,
) -> Credentials:
    """Make a client and, unless `username` names one, its user; `terms` are fields of the client.

    Without `rows` it may touch the whole network. Raises DomainError client_exists, bad_name,
    user_exists, not_an_integration_user, rows_of_user, no_rows, bad_address, or ValidationError.
    """
    from oauth2_provider.models import Application

    _check_name(name)
    user = _existing(username, rows) if username else _new_user(name, rows)
    application = Application(
        name=name,
        user=user,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
    )
    secret = application.client_secret
    application.save()
    terms["addresses"] = networks(terms.get("addresses", ()))
    client = ApiClient(application=application, access=access, **terms)
    client.full_clean()
    client.save()
    changes = audit.diff({}, _told(client))
    audit.record("accounts.apiclient.created", client, by=by, changes=changes)
    return Credentials(client, application.client_id, secret)


@transaction.atomic
def change_client(client: ApiClient, *, name: str, rows: Rows | None, by: Any) -> ApiClient:
    """Save the terms that were set on `client`, its name and its rows, with one event.

    Who loses access loses its tokens. Raises DomainError client_exists, no_rows; Conflict
    shared_user where another client acts as the same user and rows would change.
    """
    stored = ApiClient.objects.select_for_update(of=("self",)).get(pk=client.pk)
    before = _told(stored)
    application = client.application
    if name != application.name:
        _check_name(name)
        application.name = name
        application.save(update_fields=["name", "updated"])
    if rows_of(application.user) != rows:
        if application.user.oauth2_provider_application.exclude(pk=application.pk).exists():
            message = _("Another client acts as the same user: its rows would change, too.")
            raise Conflict("shared_user", message)
        _limit(application.user, rows)
    client.save(update_fields=[*TERMS, "updated_at"])
    changes = audit.diff(before, _told(client))
    if "access" in changes:
        application.accesstoken_set.all().delete()
    if changes:
        audit.record("accounts.apiclient.updated", client, by=by, changes=changes)
    return client


@transaction.atomic
def renew_secret(client: ApiClient, *, by: Any) -> Credentials:
    """Give a client a new secret; the old one and every token end now."""
    from oauth2_provider.generators import generate_client_secret

    application = client.application
    secret = generate_client_secret()
    application.client_secret = secret
    application.save(update_fields=["client_secret", "updated"])
    application.accesstoken_set.all().delete()
    audit.record("accounts.apiclient.secret_renewed", client, by=by)
    return Credentials(client, application.client_id, secret)


def was_used(client: ApiClient) -> bool:
    """Whether it ever called: then it can be switched off, but not deleted."""
    return client.last_used_at is not None or client.calls.exists()


@transaction.atomic
def delete_client(client: ApiClient, *, by: Any) -> None:
    """Delete a client that was never used, with its user where nobody else needs that.

    Raises Conflict client_used.
    """
    application = client.application
    user = application.user
    if was_used(client):
        message = _("It has been used, so it can only be switched off.")
        raise Conflict("client_used", message)
    crud.delete(client, by=by)
    application.delete()
    alone = not user.oauth2_provider_application.exists() and not user.has_usable_password()
    if alone and not crud.delete_plan(user).protected:
        user.delete()


def _check_name(name: str) -> None:
    from oauth2_provider.models import Application

    if Application.objects.filter(name=name).exists():
        message = _("There is an API client “%(name)s” already.") % {"name": name}
        raise DomainError("client_exists", message, "name")


def _existing(username: str, rows: Rows | None) -> Any:
    from accounts.models import User

    user = User.objects.filter(username=username, role__in=MACHINE_ROLES, is_active=True).first()
    if user is None:
        message = _("“%(name)s” is no active user of role integration.") % {"name": username}
        raise DomainError("not_an_integration_user", message, "user")
    if rows is not None:
        message = _("What a user that exists may touch is set on that user.")
        raise DomainError("rows_of_user", message, "user")
    return user


def _new_user(name: str, rows: Rows | None) -> Any:
    from accounts.models import User

    slug = slugify(name) or slugify(pinyin_of(name).partition(" ")[0])
    if not slug:
        raise DomainError("bad_name", _("Give a name with letters or digits."), "name")
    user = User(username=f"api-{slug}"[:150], role=Role.INTEGRATION, last_name=name[:150])
    if User.objects.filter(username=user.username).exists():
        message = _("There is a user “%(name)s” already.") % {"name": user.username}
        raise DomainError("user_exists", message, "name")
    user.set_unusable_password()
    user.save()
    _limit(user, rows)
    return user


def rows_of(user: Any) -> Rows | None:
    """What a machine's user may touch; None: the whole network."""
    if user.role != Role.LIMITED_INTEGRATION:
        return None
    return Rows(frozenset(user.territories.all()), frozenset(user.named_partners.all()))


def _limit(user: Any, rows: Rows | None) -> None:
    """Give a machine its rows. `named_partners` is the side of the scope root (the partner)."""
    if rows is not None and not (rows.territories or rows.partners):
        message = _("Name at least one territory or partner.")
        raise DomainError("no_rows", message, "territories")
    rows, user.role = (
        (Rows(), Role.INTEGRATION) if rows is None else (rows, Role.LIMITED_INTEGRATION)
    )
    user.save()
    user.territories.set(rows.territories)
    user.named_partners.set(rows.partners)


def _told(client: ApiClient) -> audit.Snapshot:
    """What the history tells of a client."""
    found = audit.snapshot(client)
    for name in ("application", "state", "last_used_at"):
        del found[name]
    rows = rows_of(client.application.user) or Rows()
    return found | {
        "name": client.application.name,
        "territories": sorted(str(one) for one in rows.territories),
        "partners": sorted(str(one) for one in rows.partners),
    }
