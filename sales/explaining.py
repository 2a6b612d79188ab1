"""Why a sales row was refused, in words. SQL has found which field; the text says the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date

from django.utils.translation import gettext as _

from core.importing.mapping import Expression
from core.importing.values import ValueProblem, is_nothing, parse_number
from sales.models import SalesKind


def explain(
    mapping: Mapping[str, Expression],
    cells: Sequence[str],
    fields: Sequence[str],
    surplus: bool,
    read_date: Callable[[str], date],
) -> Iterator[tuple[str, str]]:
    """(field, reason) for each field of a row that could not be read; `read_date` knows the order
    of dates in this file."""
    if surplus:
        yield "", _("The row has more cells than the header has columns.")
    for field in fields:
        expression = mapping.get(field)
        text = expression.value(cells).strip() if expression else ""
        yield field, _reason(field, text, read_date)


def _reason(field: str, text: str, read_date: Callable[[str], date]) -> str:
    if is_nothing(text):
        return _("The cell is empty.")
    shown = text[:40]
    if field == "partner":
        return _("There is no partner with the code “%s”.") % shown
    if field == "product":
        return _("There is no product with the code “%s”.") % shown
    if field == "kind":
        return _("“%(text)s” is none of: %(kinds)s.") % {
            "text": shown,
            "kinds": ", ".join(SalesKind.values),
        }
    if field in ("source", "reference"):
        return _("“%s” is too long or holds characters that cannot be read.") % shown
    try:
        (read_date if field == "occurred_on" else parse_number)(text)
    except ValueProblem as problem:
        return problem.message
    return _("“%s” cannot be read.") % shown
