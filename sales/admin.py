from core.admin import register
from sales.models import (
    Adjustment,
    ClosedPeriod,
    ControlTotal,
    Payment,
    ProductAlias,
    Report,
    ReportingRule,
    SalesFact,
    Target,
    TargetPlan,
    TargetPlanLine,
)

register(SalesFact, "partner", "occurred_on", "kind", search=("reference",))
register(Payment, "partner", "paid_on", "amount", search=("reference",))
register(ProductAlias, "code", "unit", "product", "partner", search=("code",))
register(Target, "partner", "month", "kind")
register(TargetPlan, "name", "year", "kind", "version", "state", search=("code", "name"))
register(TargetPlanLine, "plan", "partner", "product_line", "month", "amount")
register(ReportingRule, "name", "kind", "frequency")
register(Report, "partner", "kind", "starts_on", "due_on", "received_at")
register(ClosedPeriod, "month", "kind", "state", "closed_at")
register(Adjustment, "partner", "month", "kind", "cause", "amount")
register(ControlTotal, "starts_on", "partner", "rows", "books_rows", search=("source",))
