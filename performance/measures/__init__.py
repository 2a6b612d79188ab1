"""What can be measured of a partner: the library.

A measure that is declared in code says which two aggregates it reads, numerator and denominator,
and the pure function that makes its value of them; performance.measuring reads those of all
measures at once. A partner without rows has numerator 0 and no denominator. Users make more
measures by expressions over these (`Derived`). docs/algorithms/measures.md has every definition in
numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from performance.measures import absent, cases, payments, reporting, sales, structure, targets
from performance.measures.declaring import (
    ANY,
    CORRECTIONS,
    COUNT,
    CURRENCY,
    DAYS,
    DEDUCTIONS,
    GRAIN_LABELS,
    LAST_YEAR,
    LINES,
    MONTH,
    MONTHS,
    NEEDS_LABELS,
    NOT_APPLICABLE,
    NUMBER,
    OWN,
    PAYMENTS,
    PERIOD,
    PREVIOUS,
    QUARTER,
    QUARTER_TO_DATE,
    RATIO,
    REPORTS,
    SALES,
    SOURCE_LABELS,
    SPAN_LABELS,
    SPAN_SUFFIXES,
    TARGETS,
    TERRITORIES,
    UNIT_LABELS,
    YEAR_TO_DATE,
    ZERO_COUNTS,
    ZERO_LABELS,
    Measure,
    has_targets,
)
from performance.measures.derived import Derived, derived_from, expression_problems, frozen

__all__ = [
    "ANY",
    "CORRECTIONS",
    "COUNT",
    "CURRENCY",
    "DAYS",
    "DEDUCTIONS",
    "GRAIN_LABELS",
    "LAST_YEAR",
    "LINES",
    "MONTH",
    "MONTHS",
    "NEEDS_LABELS",
    "NOT_APPLICABLE",
    "NUMBER",
    "OWN",
    "PAYMENTS",
    "PERIOD",
    "PREVIOUS",
    "QUARTER",
    "QUARTER_TO_DATE",
    "RATIO",
    "REGISTRY",
    "REPORTS",
    "SALES",
    "SOURCE_LABELS",
    "SPAN_LABELS",
    "SPAN_SUFFIXES",
    "TARGETS",
    "UNIT_LABELS",
    "YEAR_TO_DATE",
    "ZERO_COUNTS",
    "ZERO_LABELS",
    "Derived",
    "Measure",
    "at_once",
    "choices",
    "drafted",
    "everything",
    "expression_problems",
    "find",
    "frozen_derived",
    "get",
    "has_targets",
    "of_neighbours",
    "offered",
    "problems_of",
]

# Those declared in code, by code.
REGISTRY: Mapping[str, Measure] = {
    measure.code: measure
    for module in (sales, targets, structure, payments, reporting, cases, absent)
    for measure in module.MEASURES
}


def find(code: str) -> Measure | None:
    """The measure of that code, declared in code or derived; None when there is none. One query for
    a code that is not declared."""
    if code in REGISTRY:
        return REGISTRY[code]
    rows = _rows()
    return derived_from(rows[code], rows, REGISTRY) if code in rows else None


def get(code: str) -> Measure:
    """The measure of that code, declared in code or derived. KeyError when there is none."""
    found = find(code)
    if found is None:
        raise KeyError(code)
    return found


def everything() -> list[Measure]:
    """The whole library: declared, derived (in order of their codes) and absent ones."""
    rows = _rows()
    own = [derived_from(rows[code], rows, REGISTRY) for code in sorted(rows)]
    there = [measure for measure in REGISTRY.values() if not measure.absent]
    return [*there, *own, *(measure for measure in REGISTRY.values() if measure.absent)]


def of_neighbours() -> list[str]:
    """The codes of measures that rest on what the partners around bought or sold: of these a
    partner's own figure tells theirs."""
    return [
        measure.code
        for measure in everything()
        if any(TERRITORIES in leaf.needs for leaf in measure.leaves())
    ]


def choices() -> list[tuple[str, Any]]:
    """(code, label) of those declared in code. Migrations name this."""
    return [(measure.code, measure.label) for measure in REGISTRY.values()]


def offered() -> list[tuple[Any, list[tuple[str, Any]]]]:
    """What can be chosen, by source: [(source, [(code, label)])], for forms."""
    groups: dict[str, list[tuple[str, Any]]] = {}
    for measure in everything():
        if not measure.absent:
            groups.setdefault(measure.source, []).append((measure.code, measure.label))
    return [(SOURCE_LABELS[source], found) for source, found in groups.items()]


def frozen_derived(code: str) -> dict[str, Any]:
    """What `definition` adds to an item whose measure is derived: {"derived": what decides its
    value}; nothing for one that is declared in code, or not there."""
    if code in REGISTRY:
        return {}
    rows = _rows()
    return {"derived": frozen(rows[code], rows, REGISTRY)} if code in rows else {}


def problems_of(row: Any) -> list[Any]:
    """What is wrong with the expression of a DerivedMeasure that is being written."""
    rows = _rows()
    rows.pop(row.code, None)
    return expression_problems(row, rows, REGISTRY)


def drafted(row: Any) -> Derived:
    """The measure of a DerivedMeasure that is not saved."""
    return derived_from(row, {**_rows(), row.code: row}, REGISTRY)


# The derived measures by code, while a block of `at_once` runs: None until they are asked for.
_kept: ContextVar[list[dict[str, Any] | None] | None] = ContextVar("derived_measures", default=None)


@contextmanager
def at_once() -> Iterator[None]:
    """Read the derived measures at most once in this block (or function, as a decorator), however
    many measures are looked up in it."""
    if _kept.get() is not None:
        yield
        return
    token = _kept.set([None])
    try:
        yield
    finally:
        _kept.reset(token)


def _rows() -> dict[str, Any]:
    kept = _kept.get()
    if kept is None:
        return _read_rows()
    if kept[0] is None:
        kept[0] = _read_rows()
    return dict(kept[0])


def _read_rows() -> dict[str, Any]:
    from performance.models import DerivedMeasure

    return {row.code: row for row in DerivedMeasure.objects.all()}
