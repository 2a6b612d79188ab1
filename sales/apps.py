from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SalesConfig(AppConfig):
    name = "sales"
    verbose_name = _("Sales")

    def ready(self) -> None:
        from core import events, navigation, tabs
        from partners.page import register_tab
        from sales import moves
        from sales.control.pages import total_page
        from sales.page import closing_page, partner_reports, partner_sales

        events.register("sales.report.reminded", _("Reminded of a report"), "bell")
        events.register("sales.report.nothing", _("Nothing to report: confirmed"), "circle-off")
        events.register("sales.report.withdrawn", _("Confirmation taken back"), "arrow-back-up")
        events.register("sales.closedperiod.reopen", _("Month reopened"), "lock-open")

        events.register(
            "sales.controltotal.requested", _("Rows asked for again"), "database-export"
        )
        may_see = "sales.view_salesfact"
        navigation.register(
            navigation.Item(
                "sales", _("Sales"), "receipt", "sales:salesfact_list", 50, may_see, group=2
            ),
            navigation.Item(
                "payments",
                _("Payments"),
                "cash",
                "sales:payment_list",
                52,
                "sales.view_payment",
                group=2,
                palette=True,
            ),
            navigation.Item(
                "control",
                _("Control totals"),
                "scale",
                "sales:controltotal_list",
                53,
                "sales.view_controltotal",
                group=2,
                palette=True,
            ),
            navigation.Item(
                "targets",
                _("Targets"),
                "target",
                "sales:target_list",
                51,
                "sales.view_target",
                group=2,
                palette=True,
            ),
            navigation.Item(
                "reporting",
                _("Reporting calendar"),
                "calendar-check",
                "sales:reporting_calendar",
                52,
                "sales.view_report",
                group=2,
            ),
            navigation.Item(
                "closing",
                _("Closed months"),
                "lock",
                "sales:closedperiod_list",
                53,
                "sales.view_closedperiod",
                group=2,
                palette=True,
            ),
            navigation.Item(
                "adjustments",
                _("Adjustments"),
                "adjustments",
                "sales:adjustment_list",
                54,
                "sales.view_adjustment",
                group=2,
                palette=True,
            ),
        )
        register_tab(
            tabs.Tab(
                "sales",
                _("Sales"),
                "sales/_partner_sales.html",
                partner_sales,
                permission=may_see,
                order=20,
            )
        )
        register_tab(
            tabs.Tab(
                "reporting",
                _("Reporting"),
                "sales/_partner_reports.html",
                partner_reports,
                permission="sales.view_report",
                order=25,
            )
        )
        tabs.register(
            "sales.closedperiod",
            tabs.Tab("overview", _("Overview"), "sales/_closing.html", closing_page, order=0),
        )
        moves.register()
        tabs.register(
            "sales.controltotal",
            tabs.Tab("overview", _("Overview"), "sales/_control_total.html", total_page, order=0),
        )
