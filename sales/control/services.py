"""The verbs of control totals."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, bulk, crud
from core.errors import Conflict, DomainError, Problem
from core.importing import records
from core.importing.values import ValueProblem, parse_number
from core.periods import add_months
from sales.control.comparing import lock, reconcile
from sales.control.differences import Differences
from sales.models import Comparison, ControlReference, ControlTotal
from sales.models.facts import FIRST_DAY, LAST_DAY

KEY = ("source", "kind", "starts_on", "ends_before", "partner")
# An event tells of so many references; all are in the list of differences.
MOST_TOLD = 1_000
_MOST_PROBLEMS = 50
_LONGEST = 100
_PERIOD = re.compile(r"(?P<month>[0-9]{4}-[0-9]{2})(?P<day>-[0-9]{2})?")
_SHAPE = records.Shape(names=["reference", "amount"], numbers={"amount"}, defaults={})


def days_of(period: str) -> tuple[date, date]:
    """[first day, day after the last) of “2026-03” or “2026-03-05”. DomainError `bad_period`."""
    found = _PERIOD.fullmatch(period.strip())
    try:
        start = date.fromisoformat(found["month"] + (found["day"] or "-01")) if found else None
    except ValueError:  # a thirtieth of February
        start = None
    if not (found and start and FIRST_DAY <= start.isoformat() <= LAST_DAY):
        message = _("“%(text)s” is not a month such as 2026-03 or a day such as 2026-03-05.")
        raise DomainError("bad_period", message % {"text": period[:20]}, "period")
    return start, start + timedelta(days=1) if found["day"] else add_months(start, 1)


@transaction.atomic
def post(*, by: Any, rows: int, amount: Any, **key: Any) -> tuple[ControlTotal, bool]:
    """Write the total of `key` (source, kind, starts_on, ends_before, partner) and compare it.
    Returns it, and whether it is new. Raises as `core.crud.save` does."""
    lock()
    known = ControlTotal.objects.filter(**{name: key[name] for name in KEY}).first()
    total = known or ControlTotal(**key)
    total.rows, total.amount = rows, amount
    crud.save(total, by=by)
    reconcile([total.pk])
    return total, known is None


@transaction.atomic
def save_form(form: Any, *, by: Any) -> ControlTotal:
    """Save a valid form and compare. Of another source or period the references that were sent say
    nothing."""
    lock()
    total: Any = crud.save_form(form, by=by)
    if {*form.changed_data} & {*KEY, "period"}:
        total.references.all().delete()
    reconcile([total.pk])
    return total


@transaction.atomic
def replace_references(total: ControlTotal, values: Iterable[Any]) -> None:
    """Make `values` ({"reference", "amount"} each) the list of the source's rows behind the total.

    Raises BadReferences, and changes nothing, naming row and field of what cannot be used.
    """
    references = _references(total, values)
    ControlTotal.objects.select_for_update().get(pk=total.pk)  # one list at a time
    total.references.all().delete()
    bulk.insert(references, ("total", "reference", "amount"))


class BadReferences(DomainError):
    """What is wrong with which rows of a list of references."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("bad_rows", _("The list has rows that cannot be used."))
        self._problems = problems

    @property
    def problems(self) -> list[Problem]:
        return self._problems


def _references(total: ControlTotal, values: Iterable[Any]) -> list[ControlReference]:
    rejects = records.KeptRejects()
    table = records.Records(_SHAPE, values, rejects)
    found: dict[str, ControlReference] = {}
    for row, cells in table.rows():
        reference = cells[0].strip()
        if not reference or len(reference) > _LONGEST:
            message = _("Give a reference of at most %(most)d characters.") % {"most": _LONGEST}
            rejects.add(row, cells, "reference", message)
        elif reference in found:
            rejects.add(row, cells, "reference", _("The reference is there twice."))
        try:
            amount = parse_number(cells[1])
        except ValueProblem as problem:
            rejects.add(row, cells, "amount", str(problem))
        else:
            found[reference] = ControlReference(total=total, reference=reference, amount=amount)
    if rejects.of:
        flat = [(row, *one) for row in sorted(rejects.of) for one in rejects.of[row]]
        raise BadReferences(
            [
                Problem("bad_row", reason, f"{row}.{field}" if field else str(row))
                for row, field, reason in flat[:_MOST_PROBLEMS]
            ]
        )
    return list(found.values())


@transaction.atomic
def ask_again(total: ControlTotal, *, by: Any, at: datetime) -> ControlTotal:
    """Tell the source, by an event, to send the rows again: those of the event's `references`, or
    where it has none, all of the period. Conflict `matches` when nothing is missing."""
    total = ControlTotal.objects.select_for_update(of=("self",)).get(pk=total.pk)
    if total.comparison == Comparison.MATCHES:
        raise Conflict("matches", _("The totals match: there is nothing to ask for."))
    total.requested_at, total.requested_by = at, by
    total.save(update_fields=["requested_at", "requested_by", "updated_at"])
    audit.record(
        "sales.controltotal.requested",
        total,
        by=by,
        data={
            "source": total.source,
            "kind": total.kind,
            "period": total.period,
            "partner": total.partner.code if total.partner else None,
            "references": Differences(total).wanted(MOST_TOLD),
        },
    )
    return total
