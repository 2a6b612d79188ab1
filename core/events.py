"""The verbs that events may carry, each registered once with its sentence and icon.

`<app>.<model>.created`, `….updated` and `….deleted` need no registration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True)
class Verb:
    """`sentence` is shown in timelines and histories; `icon` is the name of a Tabler icon."""

    sentence: str | _StrPromise
    icon: str


_IMPLIED = {
    "created": Verb(_("Created"), "plus"),
    "updated": Verb(_("Changed"), "pencil"),
    "deleted": Verb(_("Deleted"), "trash"),
}
_registry: dict[str, Verb] = {}


def register(verb: str, sentence: str | _StrPromise, icon: str = "point") -> None:
    """Make `verb` ("partners.partner.activated") known. ValueError when it is taken."""
    if verb in _registry:
        raise ValueError(f"{verb} is registered twice")
    _registry[verb] = Verb(sentence, icon)


def describe(verb: str) -> Verb:
    """The sentence and icon of a verb. KeyError when it was never registered."""
    return _registry.get(verb) or _IMPLIED[verb.rpartition(".")[2]]


def registered() -> list[str]:
    """The verbs that were registered; those that need no registration are not among them."""
    return sorted(_registry)


def is_known(verb: str) -> bool:
    """Whether an event may carry this verb."""
    return verb in _registry or verb.rpartition(".")[2] in _IMPLIED
