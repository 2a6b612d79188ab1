"""Charts as data: what ECharts draws, and the same figures as a table for those who cannot see it.

The browser's side (static/js/charts.js) adds colours of the theme and the format of numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Series:
    """One row of figures. `kind` is bar, line, dashed or step (a figure holds up to the next one);
    None is a gap."""

    name: Any
    values: Sequence[Decimal | float | int | None]
    kind: str = "bar"


@dataclass(frozen=True)
class Chart:
    """`labels` stand along the axis. Unit: amount, percent, number. Kind: axis, pie, radar."""

    title: Any
    labels: Sequence[Any]
    series: Sequence[Series]
    unit: str = "number"
    kind: str = "axis"
    height: int = 270
    maximum: float | None = None
    minimum: float | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(value for series in self.series for value in series.values)

    def payload(self, *, amount_unit: str) -> dict[str, Any]:
        """What charts.js reads."""
        return {
            "kind": self.kind,
            "unit": self.unit,
            "amountUnit": amount_unit,
            "labels": [str(label) for label in self.labels],
            "max": self.maximum,
            "min": self.minimum,
            "series": [
                {
                    "name": str(series.name),
                    "kind": series.kind,
                    "values": [None if v is None else float(v) for v in series.values],
                }
                for series in self.series
            ],
        }

    def table(self) -> list[tuple[str, list[Any]]]:
        """(label, figure of each series) a row."""
        return [
            (str(label), [series.values[index] for series in self.series])
            for index, label in enumerate(self.labels)
        ]
