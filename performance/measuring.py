"""What measures ask of the books, and what they make of the answers.

One pass for all of them: `read_inputs` collects what each item's measure asks, reads it in one
statement, and works the values out. An evaluation, the example on the page of a measure, the
preview of a draft and the API all come here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from catalog.models import ProductLine
from core.errors import DomainError
from core.periods import Period, add_months
from performance import measures
from performance.measures import Measure
from performance.reading import FEW, SOURCE_ROWS, Aggregate, Answers, Ask, read

_NOTHING = Decimal(0)
Part = tuple[str, "Decimal | None"]  # a measure in a derived one, and its value


@dataclass(frozen=True)
class Wanted:
    """A measure, the kind of sales that is chosen for it (may be empty), product lines (None:
    all)."""

    measure: Measure
    kind: str = ""
    lines: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Inputs:
    """What was read for one item, in the order of the partners. Only a derived measure has
    `combined`, its values, and `parts`, those of the measures it is made of."""

    numerators: list[Decimal]
    denominators: Sequence[Decimal | None]
    lines: list[int]
    combined: list[Decimal | None] | None = None
    parts: list[list[Part]] | None = None

    def values(self, measure: Measure) -> list[Decimal | None]:
        """What `measure`, for which they were read, makes of them; None: it does not apply."""
        if self.combined is not None:
            return self.combined
        return list(map(measure.value, self.numerators, self.denominators))


def read_inputs(
    cursor: Any,
    partners: list[int],
    period: Period,
    wanted: list[Wanted],
    *,
    among: range | None = None,
) -> tuple[list[Inputs], dict[str, Any]]:
    """The inputs of each of `wanted`, and which rows they rest on (the watermark): by kind of sales
    (or collection) and of reports, how many and their net. One statement. `among`: keys
    between which all `partners` lie, where they are some of many.

    DomainError `absent` for a measure whose source is not there, `period_too_short` for one that
    says nothing of so short a period.
    """
    for each in wanted:
        _check(each.measure, period)
    frame = _Frame(period, focus_lines(), tuple(partners) if len(partners) <= FEW else among)
    pairs = [pair for each in wanted for pair in frame.pairs(each)]
    seen = {kind: ask for each in wanted for kind, ask in frame.seen(each)}
    for source, ask in seen.values():
        pairs += [(each, ask) for each in SOURCE_ROWS[source] if each is not None]
    answers = read(cursor, partners, pairs)
    watermark = {kind: _seen(answers, source, ask) for kind, (source, ask) in sorted(seen.items())}
    return [frame.take(each, answers) for each in wanted], watermark


def read_one(
    partner_id: int,
    period: Period,
    measure: Measure,
    *,
    kind: str = "",
    lines: tuple[int, ...] | None = None,
) -> Inputs:
    """The inputs of one measure for one partner; each list has one entry. Raises as read_inputs."""
    with transaction.atomic(), connection.cursor() as cursor:
        found, _seen_rows = read_inputs(
            cursor, [partner_id], period, [Wanted(measure, kind, lines)]
        )
    return found[0]


def _check(measure: Measure, period: Period) -> None:
    for leaf in measure.leaves():
        if leaf.absent:
            values = {"measure": leaf.label, "why": leaf.absent}
            raise DomainError("absent", _("%(measure)s: %(why)s") % values, "measure")
        start = leaf.starts_on(period)
        if leaf.grain == measures.QUARTER and add_months(start, 3) > period.end:
            message = _("%(measure)s says something of a quarter or a year only.")
            raise DomainError("period_too_short", message % {"measure": leaf.label}, "period")


@dataclass(frozen=True)
class _Frame:
    """What all measures of one reading share."""

    period: Period
    focus: tuple[int, ...]
    partners: tuple[int, ...] | range | None

    def ask(self, leaf: Measure, wanted: Wanted) -> Ask:
        """What one measure is asked: kind, periods, product lines."""
        start = leaf.starts_on(self.period)
        return Ask(
            kind=leaf.kind_for(wanted.kind),
            start=start,
            end=self.period.end,
            ago_start=add_months(start, -12),
            ago_end=add_months(self.period.end, -12),
            before_start=self.period.previous().start,
            lines=wanted.lines if leaf.by_line else None,
            focus_lines=self.focus,
            partners=self.partners,
        )

    def pairs(self, wanted: Wanted) -> Iterator[tuple[Aggregate, Ask]]:
        """The aggregates that a measure needs."""
        for leaf in wanted.measure.leaves():
            ask = self.ask(leaf, wanted)
            yield from ((each, ask) for each in _aggregates(leaf))

    def seen(self, wanted: Wanted) -> Iterator[tuple[str, tuple[str, Ask]]]:
        """The rows on which a measure rests, whatever its product lines: (name, (source, ask))."""
        for leaf in wanted.measure.leaves():
            whole = replace(self.ask(leaf, wanted), lines=None)
            table = "reports" if leaf.source == measures.REPORTS else ""
            since = "" if leaf.span == measures.PERIOD else leaf.span
            name = ".".join(part for part in (table, whole.kind, since) if part)
            yield name, (leaf.source, whole)

    def take(self, wanted: Wanted, answers: Answers) -> Inputs:
        """What a measure makes of the answers."""
        measure = wanted.measure
        if isinstance(measure, measures.Derived):
            return self._combine(measure, wanted, answers)
        ask = self.ask(measure, wanted)
        assert measure.numerator is not None  # it is not absent
        numerators = [
            _NOTHING if value is None else value for value in answers[measure.numerator, ask]
        ]
        denominators: Sequence[Decimal | None] = [None] * len(numerators)
        if measure.denominator:
            denominators = answers[measure.denominator, ask]
        lines = [int(count or 0) for count in answers[measure.counted(), ask]]
        return Inputs(numerators, denominators, lines)

    def _combine(self, measure: measures.Derived, wanted: Wanted, answers: Answers) -> Inputs:
        parts = [self.take(replace(wanted, measure=part), answers) for part in measure.parts]
        codes = [part.code for part in measure.parts]
        columns = [each.values(part) for each, part in zip(parts, measure.parts, strict=True)]
        rows = [dict(zip(codes, values, strict=True)) for values in zip(*columns, strict=True)]
        pairs = [measure.fraction(row) for row in rows]
        return Inputs(
            numerators=[above for above, _below in pairs],
            denominators=[below for _above, below in pairs],
            lines=self._lines(wanted, answers),
            combined=[measure.combine(row) for row in rows],
            parts=[list(row.items()) for row in rows],
        )

    def _lines(self, wanted: Wanted, answers: Answers) -> list[int]:
        """The rows on which a derived measure rests, those that serve twice counted once."""
        counts = dict.fromkeys(
            (leaf.counted(), self.ask(leaf, wanted)) for leaf in wanted.measure.leaves()
        )
        columns = [answers[pair] for pair in counts]
        return [sum(int(each or 0) for each in row) for row in zip(*columns, strict=True)]


def _aggregates(leaf: Measure) -> Iterator[Aggregate]:
    assert leaf.numerator is not None  # it is not absent
    yield leaf.numerator
    if leaf.denominator:
        yield leaf.denominator
    yield leaf.counted()


def _seen(answers: Answers, source: str, ask: Ask) -> dict[str, Any]:
    rows, net = SOURCE_ROWS[source]
    counted: dict[str, Any] = {"lines": sum(int(each or 0) for each in answers[rows, ask])}
    if net is not None:
        sums = (each for each in answers[net, ask] if each is not None)
        counted["net"] = str(sum(sums, _NOTHING))
    return counted


def line_keys(code: str | None) -> tuple[int, ...] | None:
    """The keys of a product line and all below it; None without one."""
    if not code:
        return None
    root = ProductLine.objects.get(code=code)
    return tuple(root.subtree().values_list("pk", flat=True))


def focus_lines() -> tuple[int, ...]:
    """Product lines whose role, or that of the nearest line above that has one, is focus."""
    roles: dict[int, str] = {}
    for pk, parent, role in ProductLine.objects.order_by("sort_path").values_list(
        "pk", "parent_id", "role"
    ):
        roles[pk] = role or roles.get(parent, "")
    return tuple(pk for pk, role in roles.items() if role == ProductLine.Role.FOCUS)
