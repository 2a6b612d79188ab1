"""Words put together as the active language does it: Chinese has marks and blanks of its own."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _, pgettext


def listed(words: Iterable[str]) -> str:
    """What stands side by side: “Gold, Silver”."""
    return pgettext("between words", ", ").join(words)


def clauses(parts: Iterable[str]) -> str:
    """Parts of one sentence: “a is b; c is d”."""
    return pgettext("between clauses", "; ").join(parts)


def per_cent(number: str) -> str:
    """A number that is already a percentage, with its sign: “18.2 %”."""
    return _("%(number)s\u00a0%%") % {"number": number}
