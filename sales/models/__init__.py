"""What partners sell, pay and report, what they call it, what they are expected to reach, and which
months are closed."""

from sales.models.aliases import ProductAlias
from sales.models.before import FactBefore
from sales.models.closing import Adjustment, ClosedPeriod
from sales.models.control import Comparison, ControlKind, ControlReference, ControlTotal
from sales.models.facts import SalesDaily, SalesFact, SalesKind
from sales.models.payments import Payment
from sales.models.planning import TargetPlan, TargetPlanGrowth, TargetPlanHint, TargetPlanLine
from sales.models.reporting import Report, ReportingRule
from sales.models.targets import Target, TargetKind

__all__ = [
    "Adjustment",
    "ClosedPeriod",
    "Comparison",
    "ControlKind",
    "ControlReference",
    "ControlTotal",
    "FactBefore",
    "Payment",
    "ProductAlias",
    "Report",
    "ReportingRule",
    "SalesDaily",
    "SalesFact",
    "SalesKind",
    "Target",
    "TargetKind",
    "TargetPlan",
    "TargetPlanGrowth",
    "TargetPlanHint",
    "TargetPlanLine",
]
