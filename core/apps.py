from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = _("Framework")

    def ready(self) -> None:
        from core import navigation, scoping  # noqa: F401  registers the system check

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
                "jobs", _("Jobs"), "list-check", "core:job_list", 95, "core.view_job", group=4
            ),
        )
