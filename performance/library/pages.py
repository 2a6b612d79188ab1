"""The library of measures: what its pages and its API read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _, ngettext

from core import navigation
from core.errors import DomainError
from core.periods import Kind, Period
from core.phrases import clauses, listed
from core.templatetags.fmt import exact
from partners.models import Partner
from performance import expressions, measures
from performance.explain import shown
from performance.measures import Measure
from performance.measuring import line_keys, read_one
from performance.models import DerivedMeasure, SchemeItem
from performance.sources import Source, api_url, counted, page_url, planned
from sales.completeness import Completeness, completeness, worst
from sales.models import SalesKind

PERIODS: tuple[tuple[Kind, int], ...] = (("quarter", 8), ("year", 3), ("month", 12))
AVAILABLE, ABSENT, MADE = "available", "absent", "made"


# --- the list ------------------------------------------------------------------------------


def found(
    *, text: str = "", unit: str = "", source: str = "", availability: str = "", span: str = ""
) -> list[Measure]:
    """The measures whose code, label or definition holds every word of `text`; each limit that is
    given counts."""
    words = text.casefold().split()
    return [
        measure
        for measure in measures.everything()
        if all(word in _text(measure) for word in words)
        and unit in ("", measure.unit)
        and source in ("", measure.source)
        and availability in ("", *_availability(measure))
        and span in ("", measure.span)
    ]


def _text(measure: Measure) -> str:
    return f"{measure.code} {measure.label} {measure.definition}".casefold()


def _availability(measure: Measure) -> Iterator[str]:
    yield ABSENT if measure.absent else AVAILABLE
    if isinstance(measure, measures.Derived):
        yield MADE


# --- one measure ---------------------------------------------------------------------------


def direction(measure: Measure) -> str:
    """Whether more or less of it is better."""
    return _("More is better") if measure.higher else _("Less is better")


def needs(measure: Measure) -> str:
    """What it reads, in words."""
    read = {need for leaf in measure.leaves() for need in leaf.needs}
    return listed(str(label) for need, label in measures.NEEDS_LABELS.items() if need in read)


def span(measure: Measure) -> str:
    """Over which days it is read."""
    return str(measures.SPAN_LABELS[measure.span])


def confidence_rule(measure: Measure) -> str:
    """By what it is told how far its value can be trusted."""
    if measure.absent:
        return _("None, as it cannot be read.")
    graded = [leaf for leaf in measure.leaves() if leaf.graded]
    if not graded and measure.source == measures.REPORTS:
        return _("Not graded: it is itself about reports.")
    if not graded:
        return _("Not graded: it rests on our own books, for which nobody owes a report.")
    kinds = {str(SalesKind(leaf.kind).label) if leaf.kind else "" for leaf in graded}
    if "" in kinds:
        return _(
            "A, B or C: how complete the reports are of the kind of sales that it reads, in the "
            "same days."
        )
    rule = _("A, B or C: how complete the reports of these sales are, in the same days: %(kinds)s.")
    return rule % {"kinds": listed(sorted(kinds))}


def expression(measure: Measure) -> str:
    """Of a derived measure its expression with the names of what it is made of."""
    if not isinstance(measure, measures.Derived) or measure.node is None:
        return ""
    labels = {part.code: str(part.label) for part in measure.parts}
    return expressions.write(measure.node, labels.__getitem__)


def facts(measure: Measure) -> list[tuple[str, str]]:
    """What a measure declares, (label, words) each."""
    told = [
        (_("Code"), measure.code),
        (_("Unit"), str(measures.UNIT_LABELS[measure.unit])),
        (_("Direction"), direction(measure)),
        (_("Source"), str(measures.SOURCE_LABELS[measure.source])),
        (_("Reads"), needs(measure) or _("Nothing yet")),
        (_("Read over"), span(measure)),
        (_("Shortest period"), str(measures.GRAIN_LABELS[measure.grain])),
        (_("Zero denominator"), str(measures.ZERO_LABELS[measure.zero_policy])),
        (_("Data confidence"), confidence_rule(measure)),
        (
            _("By product line"),
            _("It can be limited to a product line.")
            if measure.by_line
            else _("It knows no product lines."),
        ),
    ]
    if isinstance(measure, measures.Derived):
        told.insert(1, (_("Expression"), expression(measure) or _("It cannot be read.")))
        told.append((_("Decimals"), str(measure.places)))
    return told


def used_in(code: str) -> list[SchemeItem]:
    """The items of schemes that have this measure, the newest version first."""
    rows = SchemeItem.objects.filter(measure=code).select_related("version__scheme")
    return list(rows.order_by("version__scheme__code", "-version__number", "position"))


def made_of(code: str) -> list[DerivedMeasure]:
    """The derived measures whose expression names this one."""
    return [
        row
        for row in DerivedMeasure.objects.order_by("code")
        if code in expressions.names(expressions.parse(row.expression))
    ]


# --- an example ----------------------------------------------------------------------------


def periods(chosen: str = "") -> list[tuple[str, list[tuple[str, str]]]]:
    """Periods to choose from, (kind, [(code, label)]) each, up to the newest data."""
    day = navigation.data_day() or timezone.localdate()
    groups = []
    for kind, count in PERIODS:
        period = Period.containing(kind, day, settings.FISCAL_YEAR_START)
        row = []
        for _number in range(count):
            row.append((period.code, period.label))
            period = period.previous()
        groups.append((_group(kind), row))
    if chosen and not any(code == chosen for _kind, row in groups for code, _label in row):
        period = Period.parse(chosen, settings.FISCAL_YEAR_START)
        groups.append((_group(period.kind), [(period.code, period.label)]))
    return groups


def _group(kind: str) -> str:
    return {"quarter": _("Quarters"), "year": _("Years"), "month": _("Months")}[kind]


def default_period() -> str:
    """The quarter of the newest data."""
    day = navigation.data_day() or timezone.localdate()
    return Period.containing("quarter", day, settings.FISCAL_YEAR_START).code


def default_partner(user: Any) -> Partner | None:
    """A partner to show examples of: the first that trades with us, of those the user sees."""
    seen = Partner.objects.visible_to(user)
    return seen.filter(state=Partner.State.ACTIVE).order_by("code").first() or seen.first()


@dataclass(frozen=True)
class Example:
    """A measure read for one partner and period. `value` is None when it does not apply, `problem`
    says why nothing could be read."""

    measure: Measure
    partner: Partner
    period: Period
    value: Any = None
    numerator: Any = None
    denominator: Any = None
    lines: int = 0
    parts: list[tuple[Measure, Any]] = field(default_factory=list)
    sentence: str = ""
    sources: list[Source] = field(default_factory=list)
    completeness: Completeness | None = None
    problem: str = ""

    @property
    def shown(self) -> str:
        """The value in its unit."""
        return shown(self.value, self.measure.unit)

    @property
    def parts_shown(self) -> list[tuple[Measure, str]]:
        """The measures it is made of, with their values."""
        return [(part, shown(value, part.unit)) for part, value in self.parts]

    @property
    def links(self) -> list[tuple[Source, str]]:
        """Its rows, and the page that lists them."""
        return [(source, page_url(self.partner.pk, source)) for source in self.sources]

    @property
    def api_links(self) -> list[tuple[Source, str]]:
        """Its rows, and where the API lists them."""
        return [(source, api_url(self.partner.pk, source)) for source in self.sources]


def example(
    measure: Measure,
    partner: Partner,
    period: Period,
    *,
    kind: str = "",
    product_line: str | None = None,
    with_sources: bool = True,
) -> Example:
    """Read a measure for one partner: its value, how it came about, its rows, its grade."""
    try:
        lines = line_keys(product_line)
        inputs = read_one(partner.pk, period, measure, kind=kind, lines=lines)
    except DomainError as error:
        return Example(measure, partner, period, problem=str(error.message))
    value = inputs.values(measure)[0]
    parts = dict(inputs.parts[0]) if inputs.parts else {}
    made = measure.parts if isinstance(measure, measures.Derived) else ()
    rows = planned(measure, kind, product_line, period) if with_sources else []
    kinds = measure.graded_by(kind)
    one = Partner.objects.filter(pk=partner.pk)
    reports = completeness(one, measure.graded_from(period), period.end) if kinds else {}
    return Example(
        measure,
        partner,
        period,
        value=value,
        numerator=inputs.numerators[0],
        denominator=inputs.denominators[0],
        lines=inputs.lines[0],
        parts=[(part, parts[part.code]) for part in made],
        sentence=_sentence(measure, inputs, value, parts),
        sources=[counted(partner.pk, source) for source in rows],
        completeness=worst(reports, kinds),
    )


def _sentence(measure: Measure, inputs: Any, value: Any, parts: dict[str, Any]) -> str:
    told = {
        "numerator": exact(inputs.numerators[0]),
        "denominator": exact(inputs.denominators[0]),
        "value": shown(value, measure.unit),
        "lines": inputs.lines[0],
    }
    if isinstance(measure, measures.Derived):
        return measure.derive(told | {"parts": parts})
    if value is None:
        return clauses([str(measure.derivation) % told, _("nothing to divide by")])
    return str(measure.derivation) % told


def parse_period(code: str) -> Period:
    """The period that a code names. DomainError bad_period."""
    return Period.parse(code, settings.FISCAL_YEAR_START)


def count_text(count: int) -> str:
    """“12 measures”."""
    return ngettext("%(count)s measure", "%(count)s measures", count) % {"count": count}


def title(measure: Measure) -> str:
    """Its name as a heading."""
    return capfirst(str(measure.label))


def usual_kind(measure: Measure) -> str:
    """The kind of sales that it reads where none is chosen; empty where that differs by part."""
    kinds = {leaf.kind_for("") for leaf in measure.leaves() if not leaf.kind}
    return kinds.pop() if len(kinds) == 1 else ""


def kind_choices(measure: Measure) -> list[tuple[str, str]]:
    """The kinds of sales among which one can choose; none where it has its own."""
    free = [leaf for leaf in measure.leaves() if not leaf.kind]
    if not free:
        return []
    first = []
    if all(leaf.every_kind for leaf in free):
        first = [("", _("All kinds"))]
    elif not usual_kind(measure):
        first = [("", _("As each measure has it"))]
    return [*first, *((value, str(label)) for value, label in SalesKind.choices)]
