from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PerformanceConfig(AppConfig):
    name = "performance"
    verbose_name = _("Performance")

    def ready(self) -> None:
        from core import events, navigation, tabs
        from partners import moves
        from partners.page import register_tab
        from performance import pages
        from performance.partner_tab import partner_performance

        events.register("performance.schemeversion.publish", _("Scheme published"), "rosette")
        events.register("performance.schemeversion.retire", _("Scheme retired"), "archive")
        events.register("performance.evaluation.computed", _("Evaluation computed"), "calculator")
        events.register("performance.evaluation.failed", _("Evaluation failed"), "alert-triangle")
        events.register("performance.evaluation.publish", _("Evaluation published"), "rosette")
        navigation.register(
            navigation.Item(
                "performance",
                _("Performance"),
                "clipboard-check",
                "performance:evaluation_list",
                60,
                "performance.view_evaluation",
                group=2,
            )
        )
        register_tab(
            tabs.Tab(
                "performance",
                _("Performance"),
                "performance/_partner.html",
                partner_performance,
                permission="performance.view_score",
                order=30,
            )
        )
        for label, template, context in (
            ("scheme", "_scheme", pages.scheme_page),
            ("schemeversion", "_version", pages.version_page),
            ("evaluation", "_evaluation", pages.evaluation_page),
            ("score", "_score", pages.score_page),
        ):
            tabs.register(
                f"performance.{label}",
                tabs.Tab(
                    "overview", _("Overview"), f"performance/{template}.html", context, order=0
                ),
            )
        moves.stays(
            "performance.score.partner",
            _("Scores stay with the partner that got them; its page still shows them."),
        )
