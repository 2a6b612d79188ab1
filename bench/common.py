"""Timing in pairs: the work and its reference in turn, in one run, on one database."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Result:
    """One row of the table. `taken` are medians; `ratio` is the median of the pairwise ratios."""

    work: str
    reference: str
    limit: str
    taken: float
    reference_taken: float
    ratio: float
    spread: str
    runs: int
    notes: str = ""
    unit: str = "s"

    def row(self) -> str:
        """As a row of a Markdown table."""
        return (
            f"| {self.work} | {self.reference} | {self.limit} | **{self.ratio:.2f} ×** "
            f"({self.spread}) | {_amount(self.taken, self.unit)} "
            f"| {_amount(self.reference_taken, self.unit)} | {self.runs} | {self.notes} |"
        )


HEADER = (
    "| work | reference | to reach | measured (min–max) "
    "| work takes | reference takes | runs | notes |\n"
    "|---|---|---|---|---|---|---|---|"
)


@dataclass
class Pairs:
    """Collects pairs of times, or of sizes."""

    work: list[float] = field(default_factory=list)
    reference: list[float] = field(default_factory=list)

    def result(
        self, work: str, reference: str, limit: str, notes: str = "", unit: str = "s"
    ) -> Result:
        """The medians and the ratio of the pairs."""
        ratios = [a / b for a, b in zip(self.work, self.reference, strict=True)]
        return Result(
            work=work,
            reference=reference,
            limit=limit,
            taken=statistics.median(self.work),
            reference_taken=statistics.median(self.reference),
            ratio=statistics.median(ratios),
            spread=f"{min(ratios):.2f}–{max(ratios):.2f}",
            runs=len(ratios),
            notes=notes,
            unit=unit,
        )


def seconds(function: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def in_pairs(
    work: Callable[[], object],
    reference: Callable[[], object],
    runs: int,
    warmup: int = 1,
    before: Callable[[], object] = lambda: None,
) -> Pairs:
    """Run both in turn, `runs` times each, after `warmup` uncounted rounds; `before` each round,
    and not timed, what brings back the state that the work starts from."""
    pairs = Pairs()
    for round_number in range(-warmup, runs):
        before()
        a, b = seconds(work), seconds(reference)
        if round_number >= 0:
            pairs.work.append(a)
            pairs.reference.append(b)
    return pairs


def machine() -> str:
    """One line about where the figures were taken."""
    model = platform.machine()
    try:
        with Path("/proc/cpuinfo").open() as file:
            names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
        model = names[0] if names else model
        with Path("/proc/meminfo").open() as file:
            memory = f"{int(file.readline().split()[1]) / 2**20:.0f} GiB"
    except OSError:
        memory = "unknown memory"
    return (
        f"{os.cpu_count()} × {model}, {memory}, {platform.system()}, "
        f"Python {platform.python_version()}"
    )


def _amount(value: float, unit: str) -> str:
    if unit != "s":
        return f"{value:.0f} {unit}"
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.2f} s"
