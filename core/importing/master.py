"""Master data: every row through its form fields and its model's own validation, in batches.

A thousand rows cost a handful of queries: one a lookup, one for what exists, one write, one for the
events. Rows whose parent comes later in the file wait for it. What the database refuses is found by
trying the batch row by row.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from django import forms
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from django.utils.translation import gettext as _

from core.importing import codes
from core.importing.models import Import
from core.importing.outcome import SHOWN, Outcome, Task, too_many_cells
from core.importing.registry import Importer, UndoPlan
from core.importing.storing import BATCH, Record, Store, comparable
from core.importing.undoing import Undo
from core.importing.values import (
    ValueProblem,
    choice_words,
    is_nothing,
    is_total_row,
    parse_date,
    parse_number,
)
from core.text import clean_text, normalise_code


class _Waiting(Exception):
    """The parent of this row is not there yet; it may come later in the file."""


class MasterImporter(Importer):
    """One model. Subclasses say which; the rest is the model's own.

    `key` names the fields by which a row is known again. `lookups` are foreign keys given by a code
    in the named field of the other model. `initial` are values of new rows only. `words` are other
    words, in lower case, for the values of a choice.
    """

    model: type[models.Model]
    key: Sequence[str] = ("code",)
    lookups: dict[str, str] = {}
    initial: dict[str, Any] = {}
    words: dict[str, dict[str, str]] = {}

    def parse(self, name: str, text: str) -> Any:
        """The value of a field that is no lookup. Raises ValidationError or ValueProblem."""
        form_field = self._form_fields()[name]
        if isinstance(form_field, forms.DateField):
            return parse_date(text) if text else None
        if isinstance(form_field, forms.DecimalField) and text:
            digits, places = form_field.max_digits or 18, form_field.decimal_places or 0
            text = f"{parse_number(text, digits=digits, places=places):f}"
        if isinstance(form_field, forms.TypedChoiceField):
            text = self._words(name, form_field).get(text.casefold(), text)
        value = form_field.clean(text)
        return normalise_code(value) if name in self.key and isinstance(value, str) else value

    def narrow(self, name: str, rows: Any) -> Any:
        """The rows of `rows` that may be given for a lookup."""
        return rows

    def prepare(self, obj: Any) -> None:
        """What the model's `save` would do, as writing in bulk does not call it."""

    def suspects(
        self, records: Sequence[Record], by: Any
    ) -> Iterable[tuple[Record, str, str, str]]:
        """(record, field, rule, reason) of rows that are valid and still unlikely, before they are
        written; the words of a rule are in core.importing.reports."""
        return ()

    def run(self, task: Task) -> Outcome:
        return _Load(self, task).run()

    def undo_plan(self, load: Import) -> UndoPlan:
        return Undo(self.model, load).plan()

    def undo(self, load: Import, *, by: Any) -> UndoPlan:
        return Undo(self.model, load).run(by=by)

    def _words(self, name: str, form_field: Any) -> dict[str, str]:
        cached = self.__dict__.setdefault("_choices", {})
        if name not in cached:
            cached[name] = self.words.get(name, {}) | choice_words(form_field.choices)
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
        self.store = Store(importer, task, self.outcome)
        self.seen: dict[tuple[Any, ...], tuple[int, dict[str, str]]] = {}
        self.repeats: list[tuple[Record, int]] = []
        self.optional = {one.name for one in importer.fields if not one.required}

    def run(self) -> Outcome:
        waiting: list[Record] = []
        for number, records in enumerate(_batches(self._records(), BATCH)):
            self.task.progress(number * BATCH, None, _("Checking rows"))
            waiting += self._settle(records)
        for record in self._settle(waiting):
            text = record.texts.get("parent", "")
            reason = (
                _("There is no parent with the code “%s”, or the parents form a circle.") % text
            )
            self.store.reject(record, "parent", reason)
        for record, first in self.repeats:
            self._repeat(record, first)
        self.outcome.changes = [
            (self.task.rejects.file_row(row), name, old, new)
            for row, name, old, new in self.store.differences.told()
        ]
        return self.outcome

    def _records(self) -> Iterator[Record]:
        mapping = self.task.mapping
        for row, cells in self.task.table.rows():
            self.outcome.rows += 1
            texts = {name: self._text(name, one.value(cells)) for name, one in mapping.items()}
            record = Record(row, cells, texts)
            if surplus := cells[len(self.task.table.header) :]:
                self.store.reject(record, "", too_many_cells(surplus))
            else:
                yield record

    def _text(self, name: str, cell: str) -> str:
        text = clean_text(cell)
        return "" if name in self.optional and is_nothing(text) else text

    def _settle(self, records: list[Record]) -> list[Record]:
        """Work through the rows until none of them finds its parent any more; returns the rest."""
        while records:
            waiting = self._batch(records)
            if len(waiting) == len(records):
                break
            records = waiting
        return records

    def _batch(self, records: list[Record]) -> list[Record]:
        """One round: write every row whose parent is there; returns those that wait."""
        known = {name: self._look_up(name, records) for name in self.importer.lookups}
        ready, waiting = [], []
        for record in records:
            try:
                if self._understand(record, known):
                    ready.append(record)
            except _Waiting:
                waiting.append(record)
        self.store.write(self._look(ready))
        return waiting

    def _look(self, records: list[Record]) -> list[Record]:
        """Tell of suspicious rows; those of a task that wants them left out are rejected. Returns
        the rows to write."""
        if not records or not (self.task.dry_run or self.task.without_suspicious):
            return records
        found, outcome = list(self.importer.suspects(records, self.task.by)), self.outcome
        odd = {record.row for record, _field, _rule, _reason in found}
        if self.task.without_suspicious:
            for record, name, _rule, reason in found:
                self.store.reject(record, name, reason)
            return [record for record in records if record.row not in odd]
        for record, name, rule, reason in found:
            outcome.suspicious[rule] = outcome.suspicious.get(rule, 0) + 1
            if len(outcome.suspects) < SHOWN:
                outcome.suspects.append((self.task.rejects.file_row(record.row), name, reason))
        if odd:
            outcome.suspicious["rows"] = outcome.suspicious.get("rows", 0) + len(odd)
        return records

    # --- From text to values ---------------------------------------------------------------------

    def _look_up(self, name: str, records: list[Record]) -> dict[str, models.Model]:
        """{text: object} for the codes that these rows name."""
        target = cast(Any, self.model._meta.get_field(name).related_model)
        texts = {record.texts.get(name, "") for record in records} - {""}
        rows = self.importer.narrow(name, target.objects.all())
        if self.task.by is not None:
            rows = rows.visible_to(self.task.by)
        # A parent may come later in the file, so that nothing near to its code will do.
        by, exact = self.importer.lookups[name], name == "parent"
        return codes.find(rows, texts, field=by, lost_zeros=not exact)

    def _understand(self, record: Record, known: dict[str, dict[str, models.Model]]) -> bool:
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
        lacking = [record.texts[name] for name in dict(problems)]
        if self.task.table.is_sheet and is_total_row(record.cells, lacking):
            self.outcome.rows -= 1
            return False
        if problems:
            for name, reason in problems:
                self.store.reject(record, name, reason)
            return False
        record.key = tuple(
            comparable(record.values.get(name, self._default(name))) for name in self.importer.key
        )
        return not self._repeats(record)

    def _value(self, name: str, text: str, known: dict[str, dict[str, models.Model]]) -> Any:
        if name not in self.importer.lookups:
            return self.importer.parse(name, self._scaled(name, text))
        if not text:
            if self.model._meta.get_field(name).blank:  # type: ignore[union-attr]
                return None
            raise ValueProblem("empty", _("The cell is empty."))
        found = known[name].get(text)
        if found is None and name == "parent":
            raise _Waiting
        if found is None:
            raise ValueProblem("unknown", _("“%s” is not known.") % text[:60])
        return found

    def _scaled(self, name: str, text: str) -> str:
        """A number given in thousands, written out; how many digits it may have, its field says."""
        scale = self.task.scales.get(name)
        if scale is None or not text:
            return text
        return f"{parse_number(text, digits=26, places=10, scale=scale):f}"

    def _default(self, name: str) -> Any:
        return cast(Any, self.model._meta.get_field(name)).get_default()

    def _has_default(self, name: str) -> bool:
        """An empty cell leaves a field alone that has a default of its own."""
        try:
            one = cast(Any, self.model._meta.get_field(name))
        except FieldDoesNotExist:
            return False
        return bool(one.has_default() and one.default)

    def _repeats(self, record: Record) -> bool:
        """The same row again is nothing new; another row of the same key is refused."""
        first = self.seen.setdefault(record.key, (record.row, record.texts))
        if first[0] == record.row:
            return False
        if first[1] == record.texts:
            self.repeats.append((record, first[0]))
        else:
            repeated = self.task.rejects.file_row(first[0])
            reason = _("The row repeats row %d with other values.") % repeated
            self.store.reject(record, self.importer.key[0], reason)
        return True

    def _repeat(self, record: Record, first: int) -> None:
        """What comes of a row that says the same as an earlier one, when that has its outcome."""
        if first in self.store.rejected:
            repeated = self.task.rejects.file_row(first)
            reason = _("The row repeats row %d, which was rejected.") % repeated
            self.store.reject(record, self.importer.key[0], reason)
        else:
            self.store.unchanged(record)


def _batches(records: Iterator[Record], size: int) -> Iterator[list[Record]]:
    while batch := list(itertools.islice(records, size)):
        yield batch
