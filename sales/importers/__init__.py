"""What can be imported of sales, in the order in which a new network would load it."""

from sales.importers.aliases import ProductAliasImporter
from sales.importers.facts import PaymentImporter, SalesImporter
from sales.importers.planning import PlanAmountImporter, PlanEntryImporter
from sales.importers.targets import TargetImporter

__all__ = [
    "PaymentImporter",
    "PlanAmountImporter",
    "PlanEntryImporter",
    "ProductAliasImporter",
    "SalesImporter",
    "TargetImporter",
]
