from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InsightsConfig(AppConfig):
    name = "insights"
    verbose_name = _("Insights")

    def ready(self) -> None:
        from core import navigation
        from insights import partner_columns, partner_page, selectors

        navigation.register(
            navigation.Item("cockpit", _("Cockpit"), "layout-dashboard", "insights:cockpit", 10)
        )
        navigation.register_data_day(selectors.newest_day)
        partner_page.register()
        partner_columns.register()
