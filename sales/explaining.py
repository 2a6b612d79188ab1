"""Why a sales row was refused, in words. SQL has found which field; the text says the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from django.utils.translation import gettext as _

from core.importing.mapping import Expression
from core.importing.values import ValueProblem, parse_date, parse_number
from sales.models import SalesKind


def explain(
    mapping: Mapping[str, Expression], cells: Sequence[str], fields: Sequence[str], surplus: bool
) -> Iterator[tuple[str, str]]:
    """(field, reason) for each field of a row that SQL could not read."""
    if surplus:
        yield "", _("The row has more cells than the header has columns.")
    for field in fields:
        expression = mapping.get(field)
        text = expression.value(cells).strip() if expression else ""
        yield field, _reason(field, text)


def _reason(field: str, text: str) -> str:
    if not text:
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
        (parse_date if field == "occurred_on" else parse_number)(text)
    except ValueProblem as problem:
        return problem.message
    return _("“%s” cannot be read.") % shown
