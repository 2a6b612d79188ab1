from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SalesConfig(AppConfig):
    name = "sales"
    verbose_name = _("Sales")

    def ready(self) -> None:
        from core import navigation, tabs
        from partners.page import register_tab
        from sales.page import partner_sales

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
                "targets",
                _("Targets"),
                "target",
                "sales:target_list",
                51,
                "sales.view_target",
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
