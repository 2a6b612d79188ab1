"""What partners sell and pay, what they call it, and what they are expected to reach."""

from sales.models.aliases import ProductAlias
from sales.models.before import FactBefore
from sales.models.facts import SalesDaily, SalesFact, SalesKind
from sales.models.payments import Payment
from sales.models.targets import Target, TargetKind

__all__ = [
    "FactBefore",
    "Payment",
    "ProductAlias",
    "SalesDaily",
    "SalesFact",
    "SalesKind",
    "Target",
    "TargetKind",
]
