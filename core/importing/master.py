"""Master data: every row through its form fields and its model's own validation, in batches.

A thousand rows cost a handful of queries: one a lookup, one for what exists, one write, one for the
events. Rows whose parent comes later in the file wait for it. What the database refuses is found by
trying the batch row by row.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from django import forms
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Upper
from django.utils.translation import gettext as _

from core import audit, crud
from core.errors import DomainError
from core.importing.outcome import Outcome, Task
from core.importing.registry import Importer
from core.importing.values import ValueProblem, choice_words, parse_date
from core.scoping import sees_everything
from core.text import clean_text, normalise_code

BATCH = 1000


class _Waiting(Exception):
    """The parent of this row is not there yet; it may come later in the file."""


@dataclass
class _Record:
    """A row on its way: its cells, then its values, then its object."""

    row: int
    cells: list[str]
    texts: dict[str, str]
    values: dict[str, Any] = field(default_factory=dict)
    key: tuple[Any, ...] = ()
    obj: Any = None
    before: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, list[Any]] = field(default_factory=dict)


class MasterImporter(Importer):
    """One model. Subclasses say which; the rest is the model's own.

    `key` names the fields by which a row is known again. `lookups` are foreign keys given by a code
    in the named field of the other model. `initial` are values of new rows only.
    """

    model: type[models.Model]
    key: Sequence[str] = ("code",)
    lookups: dict[str, str] = {}
    initial: dict[str, Any] = {}

    def parse(self, name: str, text: str) -> Any:
        """The value of a field that is no lookup. Raises ValidationError or ValueProblem."""
        form_field = self._form_fields()[name]
        if isinstance(form_field, forms.DateField):
            return parse_date(text) if text else None
        if isinstance(form_field, forms.TypedChoiceField):
            text = self._words(name, form_field).get(text.casefold(), text)
        value = form_field.clean(text)
        return normalise_code(value) if name in self.key and isinstance(value, str) else value

    def prepare(self, obj: Any) -> None:
        """What the model's `save` would do, as writing in bulk does not call it."""

    def run(self, task: Task) -> Outcome:
        return _Load(self, task).run()

    def _words(self, name: str, form_field: Any) -> dict[str, str]:
        cached = self.__dict__.setdefault("_choices", {})
        if name not in cached:
            cached[name] = choice_words(form_field.choices)
        return cast("dict[str, str]", cached[name])

    def _form_fields(self) -> dict[str, forms.Field]:
        cached = self.__dict__.get("_fields")
        if cached is None:
            names = [one.name for one in self.fields if one.name not in self.lookups]
            cached = self.__dict__["_fields"] = forms.fields_for_model(self.model, fields=names)
        return cast("dict[str, forms.Field]", cached)


class _Load:
    """One run over one file."""

    def __init__(self, importer: MasterImporter, task: Task) -> None:
        self.importer, self.task, self.model = importer, task, importer.model
        self.outcome = Outcome()
        self.seen: dict[tuple[Any, ...], tuple[int, dict[str, str]]] = {}
        self.tree = importer.lookups.get("parent") is not None

    def run(self) -> Outcome:
        waiting: list[_Record] = []
        for number, records in enumerate(_batches(self._records(), BATCH)):
            self.task.progress(number * BATCH, None, _("Checking rows"))
            waiting += self._settle(records)
        for record in self._settle(waiting):
            text = record.texts.get("parent", "")
            reason = (
                _("There is no parent with the code “%s”, or the parents form a circle.") % text
            )
            self._reject(record, "parent", reason)
        return self.outcome

    def _records(self) -> Iterator[_Record]:
        mapping = self.task.mapping
        for row, cells in self.task.table.rows():
            self.outcome.rows += 1
            texts = {name: clean_text(one.value(cells)) for name, one in mapping.items()}
            record = _Record(row, cells, texts)
            if len(cells) > len(self.task.table.header):
                reason = _("The row has more cells than the header has columns.")
                self._reject(record, "", reason)
            else:
                yield record

    def _settle(self, records: list[_Record]) -> list[_Record]:
        """Work through the rows until none of them finds its parent any more; returns the rest."""
        while records:
            waiting = self._batch(records)
            if len(waiting) == len(records):
                break
            records = waiting
        return records

    def _batch(self, records: list[_Record]) -> list[_Record]:
        """One round: write every row whose parent is there; returns those that wait."""
        known = {name: self._look_up(name, records) for name in self.importer.lookups}
        ready, waiting = [], []
        for record in records:
            try:
                if self._understand(record, known):
                    ready.append(record)
            except _Waiting:
                waiting.append(record)
        self._write(self._compared(ready))
        return waiting

    # --- From text to values ---------------------------------------------------------------------

    def _look_up(self, name: str, records: list[_Record]) -> dict[str, models.Model]:
        """{code in capitals: object} for the codes that these rows name."""
        target = cast(Any, self.model._meta.get_field(name).related_model)
        codes = {normalise_code(record.texts.get(name, "")).upper() for record in records} - {""}
        rows = target.objects.all()
        if self.task.by is not None:
            rows = rows.visible_to(self.task.by)
        by = self.importer.lookups[name]
        found = rows.annotate(_code=Upper(by)).filter(_code__in=codes)
        return {row._code: row for row in found}

    def _understand(self, record: _Record, known: dict[str, dict[str, models.Model]]) -> bool:
        """Fill the values of a record; False when it was rejected or repeats an earlier row."""
        problems: list[tuple[str, str]] = []
        for name, text in record.texts.items():
            if not text and self._has_default(name):
                continue
            try:
                record.values[name] = self._value(name, text, known)
            except _Waiting:
                if problems:
                    break
                raise
            except ValidationError as error:
                problems += [(name, message) for message in error.messages]
            except ValueProblem as problem:
                problems.append((name, problem.message))
        if problems:
            for name, reason in problems:
                self._reject(record, name, reason)
            return False
        record.key = tuple(
            _comparable(record.values.get(name, self._default(name))) for name in self.importer.key
        )
        return not self._repeats(record)

    def _value(self, name: str, text: str, known: dict[str, dict[str, models.Model]]) -> Any:
        if name not in self.importer.lookups:
            return self.importer.parse(name, text)
        if not text:
            if self.model._meta.get_field(name).blank:  # type: ignore[union-attr]
                return None
            raise ValueProblem("empty", _("The cell is empty."))
        found = known[name].get(normalise_code(text).upper())
        if found is None and name == "parent":
            raise _Waiting
        if found is None:
            raise ValueProblem("unknown", _("“%s” is not known.") % text[:60])
        return found

    def _default(self, name: str) -> Any:
        return cast(Any, self.model._meta.get_field(name)).get_default()

    def _has_default(self, name: str) -> bool:
        """An empty cell leaves a field alone that has a default of its own."""
        try:
            one = cast(Any, self.model._meta.get_field(name))
        except FieldDoesNotExist:
            return False
        return bool(one.has_default() and one.default)

    def _repeats(self, record: _Record) -> bool:
        """The same row again is nothing new; another row of the same key is refused."""
        first = self.seen.setdefault(record.key, (record.row, record.texts))
        if first[0] == record.row:
            return False
        if first[1] == record.texts:
            self.outcome.unchanged += 1
        else:
            reason = _("The row repeats row %d with other values.") % first[0]
            self._reject(record, self.importer.key[0], reason)
        return True

    # --- From values to objects ------------------------------------------------------------------

    def _compared(self, records: list[_Record]) -> list[_Record]:
        """The records that are new or differ from what is stored, valid ones only."""
        stored = self._stored(records)
        seen = self._visible([obj.pk for obj in stored.values()])
        return [record for record in records if self._build(record, stored, seen)]

    def _stored(self, records: list[_Record]) -> dict[tuple[Any, ...], Any]:
        """{key: object} of those rows that exist."""
        rows = cast(Any, self.model)._base_manager.all()
        for place, name in enumerate(self.importer.key):
            values = {record.key[place] for record in records} - {None}
            if self.model._meta.get_field(name).get_internal_type() in ("CharField", "SlugField"):
                rows = rows.annotate(**{f"_{name}": Upper(name)}).filter(**{f"_{name}__in": values})
            elif all(record.key[place] is not None for record in records):
                rows = rows.filter(**{f"{name}__in": values})
        names = [self.model._meta.get_field(name).attname for name in self.importer.key]  # type: ignore[union-attr]
        return {tuple(_comparable(getattr(row, name)) for name in names): row for row in rows}

    def _visible(self, keys: Sequence[Any]) -> set[Any]:
        """Those of the keys that the user may see."""
        if self.task.by is None or sees_everything(self.task.by):
            return set(keys)
        rows = cast(Any, self.model).objects.visible_to(self.task.by)
        return set(rows.filter(pk__in=keys).values_list("pk", flat=True))

    def _build(self, record: _Record, stored: dict[tuple[Any, ...], Any], seen: set[Any]) -> bool:
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
            self._reject(record, self.importer.key[0], _("It belongs to somebody else."))
            return False
        if obj.pk and all(_same(getattr(obj, name), new) for name, new in record.values.items()):
            self.outcome.unchanged += 1
            return False
        for name, value in record.values.items():
            setattr(obj, name, value)
        if not self._valid(record, obj):
            return False
        self.importer.prepare(obj)
        record.obj, record.changes = obj, audit.diff(record.before, audit.snapshot(obj))
        if obj.pk and not record.changes:
            self.outcome.unchanged += 1
        return bool(not obj.pk or record.changes)

    def _valid(self, record: _Record, obj: Any) -> bool:
        """Run the model's own validation; its complaints become rejects."""
        try:
            obj.clean_fields(exclude=self._not_cleaned(obj))
            obj.clean()
        except ValidationError as error:
            for name, messages in error.message_dict.items():
                for message in messages:
                    self._reject(record, "" if name == "__all__" else name, message)
            return False
        return True

    def _not_cleaned(self, obj: models.Model) -> set[str]:
        """Foreign keys were looked up; to clean them again would ask once a row."""
        return {
            one.name for one in obj._meta.fields if one.is_relation and getattr(obj, one.attname)
        }

    # --- Writing ---------------------------------------------------------------------------------

    def _write(self, records: list[_Record]) -> None:
        """The batch at once; if the database refuses it, row by row."""
        if not records:
            return
        try:
            with transaction.atomic():
                self._save(records)
        except (IntegrityError, DomainError):
            for record in records:
                self._write_one(record)

    def _write_one(self, record: _Record) -> None:
        try:
            with transaction.atomic():
                self._save([record])
        except IntegrityError as error:
            name, reason = self._refusal(error)
            self._reject(record, name, reason)
        except DomainError as error:
            self._reject(record, "", str(error.message))

    def _save(self, records: list[_Record]) -> None:
        new = [record for record in records if not record.before]
        old = [record for record in records if record.before]
        manager = cast(Any, self.model)._base_manager
        for record in new:
            record.obj.pk = None
            record.obj._state.adding = True
        manager.bulk_create([record.obj for record in new], batch_size=BATCH)
        names = sorted({name for record in old for name in record.changes})
        if old:
            manager.bulk_update([record.obj for record in old], names, batch_size=BATCH)
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

    def _reject(self, record: _Record, name: str, reason: str) -> None:
        self.task.rejects.add(record.row, record.cells, name, reason)


def _comparable(value: Any) -> Any:
    """What decides whether two keys are the same: objects by key, codes in capitals."""
    if isinstance(value, models.Model):
        return value.pk
    return value.upper() if isinstance(value, str) else value


def _same(old: Any, new: Any) -> bool:
    """Nothing and an empty text are the same in a file."""
    return old == new or (old in (None, "") and new in (None, ""))


def _batches(records: Iterator[_Record], size: int) -> Iterator[list[_Record]]:
    while batch := list(itertools.islice(records, size)):
        yield batch
