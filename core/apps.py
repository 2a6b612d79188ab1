from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _, pgettext_lazy


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = _("Framework")

    def ready(self) -> None:
        from core import events, navigation, scoping, tabs  # noqa: F401  registers the system check

        for verb, sentence, icon in (
            ("pause", _("Paused"), "player-pause"),
            ("resume", pgettext_lazy("webhook", "Resumed"), "player-play"),
            ("disable", _("Disabled after failures"), "webhook-off"),
            ("tested", _("A test was sent"), "send"),
            ("rotated", _("A new secret was made"), "key"),
            ("secret_shown", _("The secret was shown"), "eye"),
        ):
            events.register(f"core.webhookendpoint.{verb}", sentence, icon)
        overview = tabs.Tab("overview", _("Overview"), "core/_webhook.html", order=0)
        tabs.register("core.webhookendpoint", overview)

        events.register("core.import.applied", _("Import applied"), "file-import")
        events.register("core.import.undone", _("Import undone"), "arrow-back-up")
        navigation.register(
            navigation.Item(
                "imports",
                _("Imports"),
                "file-import",
                "core:import_list",
                90,
                "core.view_import",
                group=4,
            ),
            navigation.Item(
                "webhooks",
                _("Webhooks"),
                "webhook",
                "core:webhookendpoint_list",
                92,
                "core.view_webhookendpoint",
                group=4,
            ),
            navigation.Item(
                "jobs", _("Jobs"), "list-check", "core:job_list", 95, "core.view_job", group=4
            ),
        )
