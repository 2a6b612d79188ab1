from django.urls import include, path

from sales.views import (
    AdjustmentView,
    ClosedPeriodView,
    PaymentView,
    ProductAliasView,
    ReportingRuleView,
    ReportView,
    SalesFactView,
    TargetView,
    close_month,
    reporting_calendar,
)

app_name = "sales"
urlpatterns = [
    path("lines/", include(SalesFactView.urls())),
    path("targets/", include(TargetView.urls())),
    path("payments/", include(PaymentView.urls())),
    path("aliases/", include(ProductAliasView.urls())),
    path("calendar/", reporting_calendar, name="reporting_calendar"),
    path("reports/", include(ReportView.urls())),
    path("reporting-rules/", include(ReportingRuleView.urls())),
    path("closed-months/close/", close_month, name="close_month"),
    path("closed-months/", include(ClosedPeriodView.urls())),
    path("adjustments/", include(AdjustmentView.urls())),
]
