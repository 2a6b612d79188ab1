"""Make credentials for a machine at the API. They are printed once and cannot be shown again."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models.functions import Upper
from django.utils.translation import gettext as _

from accounts.api_clients import ApiClient, Rows, create_client
from accounts.models import Territory
from core.commands import JsonCommand
from core.errors import DomainError
from core.scoping import scope_root


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("name", help="what the client is called, such as erp")
        parser.add_argument("--scopes", nargs="+", choices=["read", "write"], default=["read"])
        parser.add_argument("--user", default="", help="an existing user of role integration")
        parser.add_argument(
            "--territory", nargs="+", default=[], help="codes of the only territories it may touch"
        )
        parser.add_argument(
            "--partner", nargs="+", default=[], help="codes of the only partners it may touch"
        )
        parser.add_argument(
            "--address", nargs="+", default=[], help="addresses and networks it may call from"
        )
        parser.add_argument("--expires", type=date.fromisoformat, help="the day it ends")
        parser.add_argument("--rate", type=int, help="requests a minute; default: API_RATE")
        parser.add_argument("--sandbox", action="store_true", help="keep nothing that it writes")
        parser.add_argument("--note", default="")

    def run(self, **options: Any) -> dict[str, Any]:
        writes = "write" in options["scopes"]
        made = create_client(
            name=options["name"],
            access=ApiClient.Access.READ_WRITE if writes else ApiClient.Access.READ,
            by=None,
            username=options["user"],
            rows=_rows(options["territory"], options["partner"]),
            addresses=options["address"],
            expires_on=options["expires"],
            requests_per_minute=options["rate"],
            sandbox=options["sandbox"],
            note=options["note"],
        )
        return {
            "name": options["name"],
            "user": made.client.application.user.username,
            "scopes": made.client.scope_list,
            "client_id": made.client_id,
            "client_secret": made.client_secret,
            "token_url": "/api/token/",
        }


def _rows(territories: list[str], partners: list[str]) -> Rows | None:
    """What the codes name; None without any."""
    if not (territories or partners):
        return None
    return Rows(
        _coded(Territory, territories, "territory"), _coded(scope_root(), partners, "partner")
    )


def _coded(model: Any, codes: list[str], field: str) -> frozenset[Any]:
    upper = {code.upper() for code in codes}
    found = model.objects.alias(upper=Upper("code")).filter(upper__in=upper)
    rows = {row.code.upper(): row for row in found}
    for code in codes:
        if code.upper() not in rows:
            message = _("There is no “%(code)s”.") % {"code": code}
            raise DomainError("does_not_exist", message, field)
    return frozenset(rows.values())
