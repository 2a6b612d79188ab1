"""A figure: one number with its comparison and what it means, on a card of its own."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from core.templatetags.fmt import signed_percent


@dataclass(frozen=True)
class Figure:
    """`value` is ready to read. `tone` is better, worse or empty; `change` stands beside it. `mark`
    is HTML after the label: how far the figure can be trusted."""

    label: Any
    value: str
    change: str = ""
    tone: str = ""
    note: Any = ""
    href: str = ""
    order: int = 100
    mark: str = ""


def versus(now: Decimal | None, before: Decimal | None) -> tuple[str, str]:
    """(text, tone) of a comparison with the same period last year; empty when there was none."""
    if now is None or not before or before < 0:
        return "", ""
    ratio = (now - before) / before
    arrow, tone = ("↑", "better") if ratio > 0 else ("↓", "worse") if ratio < 0 else ("", "")
    change = signed_percent(ratio).lstrip("+\u2212")
    return _("%(arrow)s %(change)s on last year") % {"arrow": arrow, "change": change}, tone
