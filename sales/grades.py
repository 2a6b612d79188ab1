"""The grade A, B or C beside a figure."""

from __future__ import annotations

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from sales.completeness import Completeness

COLORS = {"A": "green", "B": "yellow", "C": "red"}


def in_words(found: Completeness) -> str:
    """What the grade says, for who points at it or has it read aloud."""
    words = _("Data confidence %(grade)s: %(received)s of %(owed)s reports are in, %(late)s late")
    return words % {
        "grade": found.grade,
        "received": f"{found.received:,}",
        "owed": f"{found.owed:,}",
        "late": f"{found.late:,}",
    }


def grade_badge(found: Completeness | None) -> SafeString:
    """The letter with its explanation; nothing where no report is owed."""
    if found is None:
        return mark_safe("")
    words = conditional_escape(in_words(found))
    return mark_safe(
        f'<span class="badge bg-{COLORS[found.grade]}-lt" role="img" title="{words}"'
        f' aria-label="{words}">{found.grade}</span>'
    )
