from core.admin import register
from sales.models import ControlTotal, Payment, ProductAlias, SalesFact, Target

register(SalesFact, "partner", "occurred_on", "kind", search=("reference",))
register(Payment, "partner", "paid_on", "amount", search=("reference",))
register(ProductAlias, "code", "unit", "product", "partner", search=("code",))
register(Target, "partner", "month", "kind")
register(ControlTotal, "starts_on", "partner", "rows", "books_rows", search=("source",))
