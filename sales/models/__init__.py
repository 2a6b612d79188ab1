"""What partners sell, and what they are expected to."""

from sales.models.facts import (
    SalesDaily,
    SalesFact,
    SalesFactBefore,
    SalesKind,
)
from sales.models.targets import Target, TargetKind

__all__ = [
    "SalesDaily",
    "SalesFact",
    "SalesFactBefore",
    "SalesKind",
    "Target",
    "TargetKind",
]
