"""Attainment: which targets count, and what is reached of them. The one definition of both.

Measures, the cockpit and the partner page read the targets that count (`COUNTS` in SQL,
`Target.objects.that_count()` in Python) and divide by `attained`.
"""

from __future__ import annotations

from decimal import Decimal

# Of a partner's targets for a month and kind, the one for all product lines together counts where
# there is one; otherwise those by product line, summed. A condition on rows of `sales_target`.
COUNTS = (
    "(sales_target.product_line_id IS NULL OR NOT EXISTS ("
    "SELECT FROM sales_target AS whole WHERE whole.partner_id = sales_target.partner_id "
    "AND whole.month = sales_target.month AND whole.kind = sales_target.kind "
    "AND whole.product_line_id IS NULL))"
)


def attained(net: Decimal, target: Decimal | None) -> Decimal | None:
    """Net ÷ target, as a fraction; None without a target, or with one of 0."""
    return net / target if target else None
