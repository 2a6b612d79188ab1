from django.urls import include, path

from sales.control import pages as control
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
    path("control/<int:pk>/check/", control.check, name="controltotal_check"),
    path("control/<int:pk>/request/", control.ask_again, name="controltotal_request"),
    path("control/<int:pk>/differences/", control.differences, name="controltotal_differences"),
    path("control/", include(control.ControlTotalView.urls())),
    path("aliases/", include(ProductAliasView.urls())),
    path("calendar/", reporting_calendar, name="reporting_calendar"),
    path("reports/", include(ReportView.urls())),
    path("reporting-rules/", include(ReportingRuleView.urls())),
    path("closed-months/close/", close_month, name="close_month"),
    path("closed-months/", include(ClosedPeriodView.urls())),
    path("adjustments/", include(AdjustmentView.urls())),
]
