"""Pages of sales."""

from sales.views.closing import AdjustmentView, ClosedPeriodView, close_month
from sales.views.facts import PaymentView, ProductAliasView, SalesFactView, TargetView
from sales.views.planning import TargetPlanView
from sales.views.reporting import ReportingRuleView, ReportView, reporting_calendar

__all__ = [
    "AdjustmentView",
    "ClosedPeriodView",
    "PaymentView",
    "ProductAliasView",
    "ReportView",
    "ReportingRuleView",
    "SalesFactView",
    "TargetPlanView",
    "TargetView",
    "close_month",
    "reporting_calendar",
]
