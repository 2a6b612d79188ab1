"""Understood rows of master data: compared with what is stored, validated, written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models
from django.db.models.functions import Upper
from django.utils.translation import gettext as _

from core import audit, bulk, crud
from core.errors import DomainError
from core.importing.differences import Differences
from core.importing.outcome import Outcome, Task
from core.scoping import sees_everything

if TYPE_CHECKING:
    from core.importing.master import MasterImporter

BATCH = 1000


@dataclass
class Record:
    """A row on its way: its cells, then its values, then its object."""

    row: int
    cells: list[str]
    texts: dict[str, str]
    values: dict[str, Any] = field(default_factory=dict)
    key: tuple[Any, ...] = ()
    obj: Any = None
    before: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, list[Any]] = field(default_factory=dict)


class Store:
    """Writes the rows of one file, a batch at a time, and counts them."""

    def __init__(self, importer: MasterImporter, task: Task, outcome: Outcome) -> None:
        self.importer, self.task, self.outcome = importer, task, outcome
        self.model = importer.model
        self.rejected: set[int] = set()
        self.differences = Differences(importer, task.by)

    def reject(self, record: Record, name: str, reason: str) -> None:
        """The row stays out, for this reason."""
        self.rejected.add(record.row)
        self.task.rejects.add(record.row, record.cells, name, reason)

    def unchanged(self, record: Record) -> None:
        """The row says what is stored already."""
        self.outcome.unchanged += 1
        self._note([record], "unchanged")

    def _note(self, records: list[Record], outcome: str) -> None:
        if self.task.outcomes is not None:
            self.task.outcomes |= {record.row: outcome for record in records}

    def write(self, records: list[Record]) -> None:
        """The rows that are new or differ from what is stored; not those that the database
        refuses."""
        bulk.in_parts(self._compared(records), self._save, self._refuse)

    def _compared(self, records: list[Record]) -> list[Record]:
        """The records that are new or differ from what is stored, valid ones only."""
        stored = self._stored(records)
        seen = self._visible([obj.pk for obj in stored.values()])
        return [record for record in records if self._build(record, stored, seen)]

    def _stored(self, records: list[Record]) -> dict[tuple[Any, ...], Any]:
        """{key: object} of those rows that exist."""
        rows = cast(Any, self.model)._base_manager.order_by("pk")
        if not self.task.dry_run:
            # What is compared and recorded as the old value is what will be written over.
            rows = rows.select_for_update(no_key=True)
        for place, name in enumerate(self.importer.key):
            values = {record.key[place] for record in records} - {None}
            if self.model._meta.get_field(name).get_internal_type() in ("CharField", "SlugField"):
                rows = rows.annotate(**{f"_{name}": Upper(name)}).filter(**{f"_{name}__in": values})
            elif all(record.key[place] is not None for record in records):
                rows = rows.filter(**{f"{name}__in": values})
        names = [self.model._meta.get_field(name).attname for name in self.importer.key]  # type: ignore[union-attr]
        return {tuple(comparable(getattr(row, name)) for name in names): row for row in rows}

    def _visible(self, keys: Sequence[Any]) -> set[Any]:
        """Those of the keys that the user may see."""
        if self.task.by is None or sees_everything(self.task.by):
            return set(keys)
        rows = cast(Any, self.model).objects.visible_to(self.task.by)
        return set(rows.filter(pk__in=keys).values_list("pk", flat=True))

    def _build(self, record: Record, stored: dict[tuple[Any, ...], Any], seen: set[Any]) -> bool:
        """Make or change the object and validate it; False when there is nothing to write."""
        obj = stored.get(record.key)
        if obj is not None:
            # What is known keeps the spelling of its code.
            for name in self.importer.key:
                record.values.pop(name, None)
        if obj is None:
            obj = self.model(**self.importer.initial)
        elif obj.pk in seen:
            record.before = audit.snapshot(obj)
        else:
            self.reject(record, self.importer.key[0], _("It belongs to somebody else."))
            return False
        if obj.pk and all(_same(_stored_in(obj, name), new) for name, new in record.values.items()):
            self.unchanged(record)
            return False
        for name, value in record.values.items():
            setattr(obj, name, value)
        if not self._valid(record, obj):
            return False
        self.importer.prepare(obj)
        record.obj, record.changes = obj, audit.diff(record.before, audit.snapshot(obj))
        if obj.pk and not record.changes:
            self.unchanged(record)
        return bool(not obj.pk or record.changes)

    def _valid(self, record: Record, obj: Any) -> bool:
        """Run the model's own validation; its complaints become rejects."""
        try:
            obj.clean_fields(exclude=self._not_cleaned(obj))
            obj.clean()
        except ValidationError as error:
            of_row = {"__all__": error.messages}  # `clean` names no field where it is the row
            for name, messages in getattr(error, "error_dict", of_row).items():
                for message in ValidationError(messages).messages:
                    self.reject(record, "" if name == "__all__" else name, message)
            return False
        return True

    def _not_cleaned(self, obj: models.Model) -> set[str]:
        """Foreign keys were looked up; to clean them again would ask once a row."""
        return {
            one.name for one in obj._meta.fields if one.is_relation and getattr(obj, one.attname)
        }

    # --- Writing ---------------------------------------------------------------------------------

    def _refuse(self, record: Record, error: IntegrityError | DomainError) -> None:
        if isinstance(error, DomainError):
            self.reject(record, "", str(error.message))
        else:
            self.reject(record, *self._refusal(error))

    def _save(self, records: Sequence[Record]) -> None:
        new = [record for record in records if not record.before]
        old = [record for record in records if record.before]
        manager = cast(Any, self.model)._base_manager
        for record in new:
            record.obj.pk = None
            record.obj._state.adding = True
        manager.bulk_create([record.obj for record in new], batch_size=BATCH)
        names = sorted({name for record in old for name in record.changes})
        bulk.update([record.obj for record in old], names)
        if len(self._visible([record.obj.pk for record in records])) < len(records):
            raise DomainError(
                "not_visible", _("After this you could no longer see the record yourself.")
            )
        audit.record_many(
            [
                (
                    crud.verb_of(record.obj, "updated" if record.before else "created"),
                    record.obj,
                    record.changes,
                )
                for record in records
            ],
            by=self.task.by,
            data={"import": self.task.load.pk},
        )
        self.outcome.created += len(new)
        self.outcome.updated += len(old)
        self._note(new, "created")
        self._note(old, "updated")
        for record in old:
            self.differences.add(record)

    def _refusal(self, error: IntegrityError) -> tuple[str, str]:
        """(field, reason): the constraint's own words where the model has them."""
        diagnostics = getattr(error.__cause__, "diag", None)
        name = getattr(diagnostics, "constraint_name", "") or ""
        for constraint in self.model._meta.constraints:
            if constraint.name == name:
                return "", str(constraint.get_violation_error_message())
        for one in self.model._meta.fields:
            if one.unique and f"_{one.column}_" in name:
                return one.name, _("Another record has this value already.")
        refusal = crud.refusal(error)
        return refusal.field or "", str(refusal.message)


def comparable(value: Any) -> Any:
    """What decides whether two keys are the same: objects by key, codes in capitals."""
    if isinstance(value, models.Model):
        return value.pk
    return value.upper() if isinstance(value, str) else value


def _stored_in(obj: models.Model, name: str) -> Any:
    """The value of a field; of a foreign key the key, because the row behind it costs a query."""
    return getattr(obj, obj._meta.get_field(name).attname)  # type: ignore[union-attr]


def _same(old: Any, new: Any) -> bool:
    """Nothing and an empty text are the same in a file."""
    new = new.pk if isinstance(new, models.Model) else new
    return old == new or (old in (None, "") and new in (None, ""))
