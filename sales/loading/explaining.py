"""Why a row of facts was refused, in words. SQL has found which field; the text says the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from django.utils.translation import gettext as _

from core.importing.outcome import Task, too_many_cells
from core.importing.values import ValueProblem, is_nothing, is_total_row, parse_number
from sales.loading.meanings import Dates
from sales.models import SalesKind


class Explainer:
    """Knows how the cells of one file are read: its columns, scales and orders of dates."""

    def __init__(self, task: Task, dates: Mapping[str, Dates]) -> None:
        self.mapping, self.scales, self.dates = task.mapping, task.scales, dates
        self.width = len(task.table.header)

    def reasons(self, cells: Sequence[str], fields: Sequence[str]) -> Iterator[tuple[str, str]]:
        """(field, reason) for each field of a row that could not be read."""
        if surplus := cells[self.width :]:
            yield "", too_many_cells(surplus)
        for field in fields:
            yield field, self._reason(field, self._text(field, cells))

    def is_foot(self, cells: Sequence[str], fields: Sequence[str]) -> bool:
        """Whether the row is a line of commas at the end of a sheet, or the totals of its columns;
        `fields` are those that could not be read."""
        texts = [self._text(field, cells) for field in fields]
        return not any(cells) or is_total_row(cells, texts)

    def _text(self, field: str, cells: Sequence[str]) -> str:
        expression = self.mapping.get(field)
        return expression.value(cells).strip() if expression else ""

    def _reason(self, field: str, text: str) -> str:
        if is_nothing(text):
            return _("The cell is empty.")
        shown = text[:40]
        if field == "partner":
            return _("There is no partner with the code “%s”.") % shown
        if field == "product":
            return _("There is no product with the code “%s”.") % shown
        if field == "unit":
            message = _("The product is not counted in “%s”. An alias says how many of ours it is.")
            return message % shown
        if field == "kind":
            return _("“%(text)s” is none of: %(kinds)s.") % {
                "text": shown,
                "kinds": ", ".join(SalesKind.values),
            }
        if field in ("source", "reference", "invoice"):
            return _("“%s” is too long or holds characters that cannot be read.") % shown
        try:
            if field in self.dates:
                self.dates[field].parse(text)
            else:
                parse_number(text, scale=self.scales.get(field, 1))
        except ValueProblem as problem:
            return problem.message
        if field == "quantity":
            return _("“%s” is too large in our unit.") % shown
        return _("“%s” cannot be read.") % shown
