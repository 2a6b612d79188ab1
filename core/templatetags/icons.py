"""`{% icon "search" %}`: a Tabler icon as inline SVG, read once a process."""

from __future__ import annotations

import re
from functools import lru_cache

from django import template
from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
_SHAPE = re.compile(r"<(?:path|circle|rect|line|polyline|ellipse)\b[^>]*/>")


@lru_cache(maxsize=512)
def svg(name: str) -> SafeString:
    """The icon, hidden from screen readers: the text beside it says what it means."""
    path = settings.ICONS_DIR / f"{name}.svg"
    shapes = ""
    if path.exists():
        found = _SHAPE.findall(path.read_text(encoding="utf-8"))
        shapes = "".join(shape for shape in found if 'stroke="none"' not in shape)
    return mark_safe(
        '<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
        'stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" '
        f'aria-hidden="true">{shapes}</svg>'
    )


@register.simple_tag
def icon(name: str) -> SafeString:
    """Inline the icon `name`."""
    return svg(name)
