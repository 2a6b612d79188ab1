from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PartnersConfig(AppConfig):
    name = "partners"
    verbose_name = _("Partners")

    def ready(self) -> None:
        from core.events import register

        register("partners.partner.onboard", _("Onboarding began"), "user-plus")
        register("partners.partner.activate", _("Cooperation began"), "player-play")
        register("partners.partner.suspend", _("Suspended"), "player-pause")
        register("partners.partner.resume", _("Resumed"), "player-play")
        register("partners.partner.leave", _("Exited"), "logout")
        register("partners.partner.reopen", _("Taken up again"), "refresh")
        register("partners.partner.merge", _("Merged into another partner"), "arrows-join")
        register("partners.partner.absorb", _("Another partner was merged into it"), "arrows-join")
        self.register_pages()
        from partners import own_moves

        own_moves.register()

    def register_pages(self) -> None:
        """Navigation, and the tabs of a partner's page that this app brings itself."""
        from core.navigation import Item, register as register_items
        from partners import page

        see = "partners.view_partner"
        register_items(
            Item("partners", _("Partners"), "building-store", "partners:partner_list", 20, see),
            Item(
                "contacts",
                _("Contacts"),
                "user",
                "partners:contact_list",
                21,
                "partners.view_contact",
                under="partners",
            ),
            Item(
                "levels", _("Levels"), "award", "partners:level_list", 81, "partners.view_level", 4
            ),
        )
        page.register_own_tabs()
