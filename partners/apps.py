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
