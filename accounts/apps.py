from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Users and territories")

    def ready(self) -> None:
        from accounts.roles import sync_groups
        from core.events import register

        register("accounts.territory.divisions_loaded", _("Divisions loaded"), "map")
        register("accounts.apiclient.secret_renewed", _("New secret made"), "key")
        register("accounts.apiclient.switch_off", _("Switched off"), "player-pause")
        register("accounts.apiclient.switch_on", _("Switched on"), "player-play")
        post_migrate.connect(sync_groups, dispatch_uid="accounts.sync_groups")
        self.register_navigation()
        self.register_tabs()

    def register_navigation(self) -> None:
        """Settings stand last in the navigation."""
        from core.navigation import Item, register

        register(
            Item(
                "territories",
                _("Territories"),
                "map-2",
                "accounts:territory_list",
                80,
                "accounts.view_territory",
                group=4,
            ),
            Item(
                "users",
                _("Users"),
                "users",
                "accounts:user_list",
                85,
                "accounts.view_user",
                group=4,
            ),
            Item(
                "api_clients",
                _("API clients"),
                "plug-connected",
                "accounts:apiclient_list",
                86,
                "accounts.view_apiclient",
                group=4,
            ),
        )

    def register_tabs(self) -> None:
        """The page of an API client."""
        from accounts.client_pages import client_calls, client_terms
        from core.tabs import Tab, register

        register(
            "accounts.apiclient",
            Tab("overview", _("Overview"), "accounts/_client.html", client_terms, order=0),
        )
        register(
            "accounts.apiclient",
            Tab(
                "calls",
                _("Calls"),
                "accounts/_calls.html",
                client_calls,
                permission="accounts.view_apicall",
                order=10,
            ),
        )
