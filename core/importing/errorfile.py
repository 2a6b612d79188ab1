"""The error file: the rejected rows in the user's own columns, then three that say what is wrong.

A row has one line, however many reasons there are. When the file comes back, corrected or not, the
three columns are known by their names and left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from core.importing.mapping import same_name

WIDTH = 3
_JOINT = " | "


def names() -> list[str]:
    """The names of the three columns in the present language."""
    return [_("Row"), _("Field"), _("Reason")]


def is_header(header: Sequence[str]) -> bool:
    """Whether the last columns are those three, in any language, behind columns of the user."""
    last = tuple(same_name(name) for name in header[-WIDTH:])
    return len(header) > WIDTH and last in _in_all_languages()


def joined(problems: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """The cells of the (field, reason)s of one row."""
    fields, reasons = zip(*problems, strict=True)
    return _JOINT.join(fields), _JOINT.join(reasons)


def parted(fields: str, reasons: str) -> list[tuple[str, str]]:
    """What was `joined`. Where a user's text has the joint in it, all in one, of no field."""
    pairs = fields.split(_JOINT), reasons.split(_JOINT)
    if len(pairs[0]) != len(pairs[1]):
        return [("", reasons)]
    return list(zip(*pairs, strict=True))


@cache
def _in_all_languages() -> frozenset[tuple[str, ...]]:
    found = set()
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            found.add(tuple(same_name(name) for name in names()))
    return frozenset(found)
