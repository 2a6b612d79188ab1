"""Make credentials for a machine at the API. They are printed once and cannot be shown again."""

from __future__ import annotations

from typing import Any

from accounts.api_clients import ApiClient, create_client
from core.commands import JsonCommand


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("name", help="what the client is called, such as erp")
        parser.add_argument("--scopes", nargs="+", choices=["read", "write"], default=["read"])
        parser.add_argument("--user", default="", help="an existing user of role integration")

    def run(self, **options: Any) -> dict[str, Any]:
        writes = "write" in options["scopes"]
        access = ApiClient.Access.READ_WRITE if writes else ApiClient.Access.READ
        made = create_client(name=options["name"], access=access, by=None, username=options["user"])
        return {
            "name": options["name"],
            "user": made.client.application.user.username,
            "scopes": made.client.scope_list,
            "client_id": made.client_id,
            "client_secret": made.client_secret,
            "token_url": "/api/token/",
        }
