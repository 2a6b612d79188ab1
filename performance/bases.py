"""What the value of an item comes from, beside measures: marks of people, and other schemes.

To the curve, to validation and to the words of a scorecard they look like a measure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from core.periods import Period
from performance import measures
from performance.models.ratings import HIGHEST, LOWEST
from performance.models.schemes import Basis

MARK, POINTS = "mark", "points"


@dataclass(frozen=True)
class Source:
    """As much of a measure as what is not measured from sales has."""

    code: str
    label: Any
    definition: Any
    unit: str
    derivation: Any  # a sentence with %(numerator)s, %(denominator)s, %(value)s
    zero: Any
    lowest: Decimal
    highest: Decimal | None = None
    higher: bool = True
    kind: str | None = None
    needs: frozenset[str] = frozenset()
    by_line: bool = False
    absent: str = ""

    def kind_for(self, chosen: str) -> str:
        """It reads no sales."""
        return ""

    def leaves(self) -> Iterator[measures.Measure]:
        """It rests on no measure."""
        yield from ()

    def graded_by(self, chosen: str) -> list[str]:
        """No reports tell how far it can be trusted."""
        return []

    def graded_from(self, period: Period) -> date:
        """As `Measure.graded_from`."""
        return period.start


RATING = Source(
    code="rating",
    label=_("Rating by people"),
    definition=_("The mean of the marks, from 1 to 5, that people gave."),
    unit=MARK,
    derivation=_("marks sum to %(numerator)s ÷ %(denominator)s raters = %(value)s"),
    zero=_("Too few people have rated it."),
    lowest=Decimal(LOWEST),
    highest=Decimal(HIGHEST),
)
SCORES = Source(
    code="scores",
    label=_("Results of another scheme"),
    definition=_(
        "The mean of what the published evaluations of the other scheme within the period gave."
    ),
    unit=POINTS,
    derivation=_("results sum to %(numerator)s ÷ %(denominator)s evaluations = %(value)s"),
    zero=_("The other scheme has no published result in the period."),
    lowest=Decimal(0),
)

Reads = measures.Measure | Source


def basis_of(item: Mapping[str, Any]) -> str:
    """What a definition says its item is based on."""
    return str(item.get("basis", Basis.MEASURE))


def find(item: Mapping[str, Any]) -> Reads | None:
    """What an item reads: its measure, or what stands in for one; None for an unknown measure."""
    basis = basis_of(item)
    if basis == Basis.RATING:
        return RATING
    return SCORES if basis == Basis.SCORES else measures.find(item["measure"])


def of(item: Mapping[str, Any]) -> Reads:
    """What an item of a checked scheme reads. KeyError for an unknown measure."""
    found = find(item)
    if found is None:
        raise KeyError(item["measure"])
    return found
