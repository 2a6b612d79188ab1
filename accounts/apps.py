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
        post_migrate.connect(sync_groups, dispatch_uid="accounts.sync_groups")
        self.register_navigation()

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
        )
