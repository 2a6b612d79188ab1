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
    TargetPlanView,
    TargetView,
    close_month,
    planning,
    reporting_calendar,
)

app_name = "sales"
urlpatterns = [
    path("lines/", include(SalesFactView.urls())),
    path("plans/<int:pk>/split/", planning.split, name="targetplan_split"),
    path("plans/<int:pk>/growth/", planning.growth, name="targetplan_growth"),
    path("plans/<int:pk>/take/", planning.take, name="targetplan_take"),
    path("plans/<int:pk>/undo/", planning.undo, name="targetplan_undo"),
    path("plans/<int:pk>/remind/", planning.remind, name="targetplan_remind"),
    path("plans/<int:pk>/enter/", planning.enter, name="targetplan_enter"),
    path("plans/<int:pk>/sums/", planning.sums, name="targetplan_sums"),
    path("plans/<int:pk>/cells/", planning.cells, name="targetplan_cells"),
    path("plans/<int:pk>/amend/", planning.amend, name="targetplan_amend"),
    path("plans/<int:pk>/file/", planning.export, name="targetplan_file"),
    path("plans/", include(TargetPlanView.urls())),
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
