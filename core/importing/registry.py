"""What can be imported. An app registers one importer a kind when it is ready."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext as _

from core.errors import DomainError, Problem

if TYPE_CHECKING:
    from django.db import models
    from django.utils.functional import _StrPromise

    from core.importing.models import Import
    from core.importing.outcome import Outcome, Task


@dataclass(frozen=True)
class Field:
    """A field that a file may give. `synonyms` are column names that mean it. A `number` may be
    given in thousands; columns of months may give a `date` and a number. `lines` are names of
    columns that number the lines of a document: beside one, its number is joined with it."""

    name: str
    label: str | _StrPromise
    required: bool = False
    synonyms: Sequence[str] = field(default_factory=tuple)
    help: str | _StrPromise = ""
    number: bool = False
    date: bool = False
    lines: Sequence[str] = ()


@dataclass(frozen=True)
class UndoPlan:
    """How many rows undoing an import deletes, how many it puts back as they were before, and the
    problems that forbid it."""

    deleted: int
    restored: int
    problems: Sequence[Problem] = ()


class Importer:
    """One kind of rows. Subclasses set these and implement `run`.

    `key` names the fields by which a row is known again. `lookups` are foreign keys given by the
    named field of the other model. `defaults` are what a field is that a row of JSON does not name;
    fields that are neither there nor needed are left as they are. `sums` are numbers that are added
    up: one cell merged over several rows holds one of them, not one for each row.
    """

    kind: str
    label: str | _StrPromise
    model: type[models.Model]
    fields: Sequence[Field]
    key: Sequence[str]
    lookups: Mapping[str, str] = {}
    defaults: Mapping[str, str] = {}
    permissions: Sequence[str]
    sums: Sequence[str] = ()
    replaces: bool = False  # whether a file may take the place of a period

    def run(self, task: Task) -> Outcome:
        """Check and, unless `task.dry_run`, write the rows of the file, in the open transaction."""
        raise NotImplementedError

    def undo_plan(self, load: Import) -> UndoPlan:
        """What taking back an applied import would do."""
        raise NotImplementedError

    def undo(self, load: Import, *, by: Any) -> UndoPlan:
        """Take back what `load` wrote, in the open transaction and in the name of `by`; returns
        what was done. Raises Blocked with the problems of its plan."""
        raise NotImplementedError

    def column(self, name: str) -> Any:
        """The model's field that a field of the file fills; of a lookup, the one that is looked up
        in the other model."""
        found: Any = self.model._meta.get_field(name)
        if name in self.lookups:
            return found.related_model._meta.get_field(self.lookups[name])
        return found

    def may(self, user: Any) -> bool:
        """Whether `user` may import this kind."""
        return bool(user.has_perms(self.permissions))


_importers: dict[str, Importer] = {}


def register(importer: type[Importer]) -> type[Importer]:
    """Make a kind known; used as a decorator. ValueError when the kind is taken."""
    if importer.kind in _importers:
        raise ValueError(f"importer {importer.kind} is registered twice")
    _importers[importer.kind] = importer()
    return importer


def importers() -> dict[str, Importer]:
    """All kinds, in the order in which a new network would load them."""
    autodiscover_modules("importers")
    return _importers


def get(kind: str) -> Importer:
    """The importer of a kind. Raises DomainError `unknown_kind`."""
    found = importers().get(kind)
    if found is None:
        raise DomainError(
            "unknown_kind",
            _("“%(kind)s” cannot be imported; these can: %(kinds)s.")
            % {"kind": kind, "kinds": ", ".join(importers())},
        )
    return found
