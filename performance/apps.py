from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PerformanceConfig(AppConfig):
    name = "performance"
    verbose_name = _("Performance")

    def ready(self) -> None:
        from core import events

        events.register("performance.schemeversion.publish", _("Scheme published"), "rosette")
        events.register("performance.schemeversion.retire", _("Scheme retired"), "archive")
        events.register("performance.evaluation.computed", _("Evaluation computed"), "calculator")
        events.register("performance.evaluation.failed", _("Evaluation failed"), "alert-triangle")
        events.register("performance.evaluation.publish", _("Evaluation published"), "rosette")
