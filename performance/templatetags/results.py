"""How results read on pages."""

from __future__ import annotations

from typing import Any

from django import template

from performance.explain import shown

register = template.Library()


@register.filter
def measured(value: Any, unit: str) -> str:
    """A value in its unit: 0.9 of a ratio is 90 %."""
    return shown(value, unit)
