"""`{% chart chart %}`: a drawing and its figures as a table."""

from __future__ import annotations

from itertools import count
from typing import Any

from django import template

from core.charts import Chart
from core.templatetags import fmt

register = template.Library()
_ids = count(1)


@register.inclusion_tag("core/_chart.html", takes_context=True)
def chart(context: template.Context, chart: Chart) -> dict[str, Any]:
    """Draw `chart`; the table beside it is for screen readers and for browsers without scripts."""
    unit = getattr(context.get("user"), "amount_unit", "")
    reads = {"percent": fmt.percent, "amount": lambda value: fmt.in_unit(value, unit)}
    read = reads.get(chart.unit, fmt.qty)
    table = [(label, [read(value) for value in values]) for label, values in chart.table()]
    return {
        "chart": chart,
        "table": table,
        "payload": chart.payload(amount_unit=unit),
        "id": f"chart-{next(_ids)}",
    }
