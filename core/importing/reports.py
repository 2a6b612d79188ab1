"""What the check of an import found, ready for its page."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from core.importing import registry
from core.importing.models import Import

MOST_MONTHS = 60


@dataclass(frozen=True)
class Month:
    """A month of the file beside the same month of the last load of its sources; None: no rows."""

    month: str
    rows: int | None
    amount: Decimal | None
    rows_before: int | None
    amount_before: Decimal | None
    missing: bool


def of(load: Import, user: Any) -> dict[str, Any]:
    """The parts of the report as the page shows them to `user`."""
    report = load.report
    before = Import.objects.visible_to(user).filter(pk=report.get("before")).first()
    labels = {one.name: one.label for one in registry.get(load.kind).fields}
    known = dict(report.get("known_from", []))
    seen = Import.objects.visible_to(user).filter(pk__in=known).order_by("-pk")
    return {
        "months": months(report.get("months", []), before.report["months"] if before else []),
        "before": before,
        "changes": [
            (row, labels.get(name, name), old, new)
            for row, name, old, new in report.get("changes", [])
        ],
        "suspicious": report.get("suspicious", {}).get("rows", 0),
        "rules": [
            (_RULES[rule](), count)
            for rule, count in report.get("suspicious", {}).items()
            if rule in _RULES
        ],
        "suspects": [
            (row, labels.get(name, name), reason)
            for row, name, reason in report.get("suspects", [])
        ],
        "known": sum(known.values()),
        "known_from": [(one, known[one.pk]) for one in seen],
    }


_RULES = {
    "usual": lambda: _("Ten times the usual amount or more"),
    "date": lambda: _("A date far from the rest"),
    "future": lambda: _("A day that has not come yet"),
    "product": lambda: _("A product the partner never had"),
    "received": lambda: _("Sold before it was received"),
    "double": lambda: _("Looks like something known under another code"),
}


def months(here: list[list[Any]], before: list[list[Any]]) -> list[Month]:
    """The months of a load, [month, rows, amount as text] each, beside those of the load `before`
    from its first month on. Months without rows between them are missing, unless they are many."""
    now = {month: (rows, Decimal(amount)) for month, rows, amount in here}
    then = {month: (rows, Decimal(amount)) for month, rows, amount in before}
    if not now:
        return []
    first, last = min(now), max(now)
    wanted = {*now, *(month for month in then if month > first)}
    span = _number(last) - _number(first)
    if span <= MOST_MONTHS:
        wanted |= {_name(_number(first) + i) for i in range(span)}
    found = []
    for month in sorted(wanted):
        rows, amount = now.get(month, (None, None))
        rows_before, amount_before = then.get(month, (None, None))
        found.append(Month(month, rows, amount, rows_before, amount_before, month not in now))
    return found


def _number(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:]) - 1


def _name(number: int) -> str:
    return f"{number // 12:04d}-{number % 12 + 1:02d}"
