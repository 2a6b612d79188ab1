"""The verbs of control totals."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, bulk, crud
from core.errors import Conflict, DomainError, NotVisible, Problem
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
_FIELDS = {"reference", "amount"}


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
    if known and by and not ControlTotal.objects.visible_to(by).filter(pk=known.pk).exists():
        raise NotVisible  # the same as for one that is not there, whatever it says
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
    """Make `values` ({"reference", "amount"} each, of texts; pairs, as core.importing.json_rows
    reads them) the list of the source's rows behind the total.

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
    problems: list[Problem] = []
    found: dict[str, ControlReference] = {}
    for row, value in enumerate(values, start=1):
        wrong = list(_problems(value, found))
        for field, reason in wrong:
            problems.append(Problem("bad_row", reason, f"{row}.{field}" if field else str(row)))
        if not wrong:
            given = dict(value)
            reference, amount = given["reference"].strip(), parse_number(given["amount"])
            found[reference] = ControlReference(total=total, reference=reference, amount=amount)
    if problems:
        raise BadReferences(problems[:_MOST_PROBLEMS])
    return list(found.values())


def _problems(value: Any, found: Container[str]) -> Iterator[tuple[str, str]]:
    """(field, reason) of what is wrong with a row, as core.importing.json_rows reads it."""
    given = dict(value) if type(value) in (tuple, dict) else None
    if given is None or given.keys() != _FIELDS or len(given) < len(value):
        yield "", _("Give an object with the fields reference and amount.")
        return
    reference, amount = given["reference"], given["amount"]
    if type(reference) is not str or not 0 < len(reference.strip()) <= _LONGEST:
        message = _("Give a reference of at most %(most)d characters.") % {"most": _LONGEST}
        yield "reference", message
    elif not reference.isprintable():
        yield "reference", _("It holds characters that cannot be read.")
    elif reference.strip() in found:
        yield "reference", _("The reference is there twice.")
    if not isinstance(amount, str):
        yield "amount", _("Not a number or a string.")
        return
    try:
        parse_number(amount)
    except ValueProblem as problem:
        yield "amount", problem.message


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
