"""What a file changes of rows of master data, in the words of their form."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING, Any, cast

from django.utils.translation import gettext as _

from core.importing.outcome import SHOWN

if TYPE_CHECKING:
    from core.importing.master import MasterImporter
    from core.importing.storing import Record


class Differences:
    """Keeps the first changed rows of a file, to be shown."""

    def __init__(self, importer: MasterImporter, by: Any) -> None:
        self.importer, self.by = importer, by
        self._records: list[Record] = []

    def add(self, record: Record) -> None:
        """A row that was changed."""
        insort(self._records, record, key=lambda one: one.row)
        del self._records[SHOWN:]

    def told(self) -> list[tuple[int, str, str, str]]:
        """(row, field, old, new) of each field that the file changes: choices by their label, rows
        behind foreign keys by the code that a file would give. One query a foreign key."""
        codes = {name: self._codes(name) for name in self.importer.lookups}
        return [
            (record.row, name, self._text(name, old, codes), self._text(name, new, codes))
            for record in self._records
            for name in (one.name for one in self.importer.fields)
            if name in record.changes
            for old, new in (record.changes[name],)
        ]

    def _codes(self, name: str) -> dict[Any, str]:
        """{key: code} of the rows that the field named before or names now."""
        keys = {key for one in self._records for key in one.changes.get(name, ())} - {None}
        if not keys:
            return {}
        target = cast(Any, self.importer.model._meta.get_field(name).related_model)
        rows = target.objects.all() if self.by is None else target.objects.visible_to(self.by)
        return dict(rows.filter(pk__in=keys).values_list("pk", self.importer.lookups[name]))

    def _text(self, name: str, value: Any, codes: dict[str, dict[Any, str]]) -> str:
        if value in (None, ""):
            return ""
        if name in codes:
            return codes[name].get(value, "…")  # of somebody else
        if isinstance(value, bool):
            return _("Yes") if value else _("No")
        labels = dict(cast(Any, self.importer.model._meta.get_field(name)).flatchoices)
        return str(labels.get(value, value))
