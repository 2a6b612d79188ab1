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
        from sales.views.planning import changes_page, plan_page

        events.register("sales.report.reminded", _("Reminded of a report"), "bell")
        events.register("sales.report.nothing", _("Nothing to report: confirmed"), "circle-off")
        events.register("sales.report.withdrawn", _("Confirmation taken back"), "arrow-back-up")
        events.register("sales.closedperiod.reopen", _("Month reopened"), "lock-open")

        events.register(
            "sales.controltotal.requested", _("Rows asked for again"), "database-export"
        )
        for verb, sentence, icon in (
            ("submit", _("Target plan submitted"), "send"),
            ("send_back", _("Target plan sent back"), "arrow-back-up"),
            ("sign", _("Target plan signed off"), "signature"),
            ("supersede", _("Target plan superseded"), "versions"),
            ("split", _("Amount split"), "arrows-split"),
            ("taken", _("Amounts taken over"), "arrow-merge"),
            ("given_back", _("Amounts given back"), "arrow-back-up"),
            ("reminded", _("Reminded of figures"), "bell"),
            ("amended", _("Amendment begun"), "pencil-plus"),
        ):
            events.register(f"sales.targetplan.{verb}", sentence, icon)
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
                under="sales",
            ),
            navigation.Item(
                "control",
                _("Control totals"),
                "scale",
                "sales:controltotal_list",
                53,
                "sales.view_controltotal",
                group=2,
                under="sales",
            ),
            navigation.Item(
                "targets",
                _("Targets"),
                "target",
                "sales:target_list",
                51,
                "sales.view_target",
                group=2,
                under="sales",
            ),
            navigation.Item(
                "plans",
                _("Target plans"),
                "target-arrow",
                "sales:targetplan_list",
                51,
                "sales.view_targetplan",
                group=2,
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
                under="sales",
            ),
            navigation.Item(
                "adjustments",
                _("Adjustments"),
                "adjustments",
                "sales:adjustment_list",
                54,
                "sales.view_adjustment",
                group=2,
                under="sales",
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
        tabs.register(
            "sales.targetplan",
            tabs.Tab("overview", _("Planning"), "sales/_plan.html", plan_page, order=0),
        )
        tabs.register(
            "sales.targetplan",
            tabs.Tab("changes", _("Changes"), "sales/_plan_changes.html", changes_page, order=10),
        )
        moves.register()
        tabs.register(
            "sales.controltotal",
            tabs.Tab("overview", _("Overview"), "sales/_control_total.html", total_page, order=0),
        )
