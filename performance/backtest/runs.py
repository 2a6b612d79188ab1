"""A draft and the version in force, scored over the same periods by the engine of evaluations.

Both see the same facts, read once, and the partners that are in their scopes today.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from core.periods import Period
from performance import records, run
from performance.definitions import Definition
from performance.models import Evaluation, Held
from performance.records import Before

Step = run.Step


@dataclass(frozen=True)
class Published:
    """The last published evaluation of a scheme over a period."""

    pk: int
    revision: int
    version_id: int
    digest: str


@dataclass(frozen=True)
class Quarter:
    """Both sides over one period, what was published of the one in force, and the keys of the
    evaluations whose marks each side took."""

    period: Period
    draft: run.Scored
    against: run.Scored
    digests: tuple[str, str]
    published: Published | None
    marks_of: tuple[int | None, int | None]


@dataclass
class Chain:
    """What the levels of one side start from: what it gave itself in the period before.

    A version in force (`real`) starts from what was published where something was, as its
    evaluations did; a draft from its own results as soon as it has some.
    """

    real: bool
    own: Before = field(default_factory=lambda: Before({}, {}))
    last: Period | None = None
    remembers: bool = False

    def before(self, found: Definition, period: Period, evaluation: int | None) -> Before | None:
        """Where the levels of `period` start; None: as the engine reads it."""
        if (
            not self.remembers
            or self.last is None
            or (self.real and published(found["scheme"], self.last))
        ):
            return None
        known = records.before(found["scheme"], period, evaluation)
        return Before(known.levels | self.own.levels, known.forgiven | self.own.forgiven)

    def keep(self, scored: run.Scored) -> None:
        """Remember what became of the partners, where that matters."""
        self.remembers = scored.card.remembers
        self.last = scored.period
        if not self.remembers:
            return
        for (partner, _code), each in zip(scored.partners, scored.judged, strict=True):
            forgiven = each.standing.forgiven + 1 if each.outcome.held == Held.GRACE else 0
            self.own.levels[partner] = each.outcome.level
            self.own.forgiven[partner] = forgiven


def published(scheme: str, period: Period) -> Published | None:
    """The last published revision of a scheme over a period."""
    row = (
        Evaluation.objects.filter(
            scheme__code=scheme, period_code=period.code, state__in=Evaluation.PUBLIC
        )
        .order_by("-revision")
        .values_list("pk", "revision", "scheme_version_id", "digest")
        .first()
    )
    return Published(*row) if row else None


def compare(
    draft: Definition, against: Definition, periods: Sequence[Period], step: Step
) -> Iterator[Quarter]:
    """Score both over each period, in order. `step(done, total, message)` is told how far it is;
    what it raises ends the work. DomainError `no_partners` when a scope holds nobody.

    Marks of people are those of the published evaluation of the side's own scheme, and where there
    is none those of the other one's.
    """
    chains = Chain(real=False), Chain(real=True)
    for number, period in enumerate(periods):
        told = _within(step, number, len(periods), period)
        with transaction.atomic():  # the engine sets how the server plans, for the rest of it
            quarter = _quarter((draft, against), chains, period, told)
        yield quarter


@contextmanager
def collector_paused() -> Iterator[None]:
    """Scoring makes millions of small values and no cycles: looking for some takes a fifth of the
    time and finds nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _within(step: Step, number: int, count: int, period: Period) -> Step:
    """The steps of one period as a part of all: three of each."""

    def told(done: int, total: int, message: str) -> None:
        step(number * 3 + done, count * 3 + 1, f"{period.code} · {message}")

    return told


def _quarter(
    sides: tuple[Definition, Definition],
    chains: tuple[Chain, Chain],
    period: Period,
    step: Step,
) -> Quarter:
    step(0, 3, _("Reading sales"))
    shared = _shared(sides, period)
    found = [published(side["scheme"], period) for side in sides]
    scored, marks_of = [], []
    for place, (side, chain, own, message) in enumerate(
        zip(sides, chains, found, (_("The draft"), _("The version in force")), strict=True)
    ):
        step(place + 1, 3, message)
        marks = own or found[1 - place]
        evaluation = marks.pk if marks else None
        scored.append(
            run.score(
                side,
                period,
                _quiet,
                evaluation_id=evaluation,
                shared=shared[place],
                before=chain.before(side, period, evaluation),
            )
        )
        chain.keep(scored[-1])
        marks_of.append(evaluation)
    digests = run.digest_of(scored[0]), run.digest_of(scored[1])
    return Quarter(period, scored[0], scored[1], digests, found[1], (marks_of[0], marks_of[1]))


def _shared(sides: tuple[Definition, Definition], period: Period) -> list[run.Shared]:
    """What both read: once, where they score the same partners."""
    if sides[0]["scope"] == sides[1]["scope"]:
        return [run.share(sides, period)] * 2
    draft, against = (run.scope_partners(side["scope"]) for side in sides)
    if draft == against:
        return [run.share(sides, period, draft)] * 2
    return [run.share([sides[0]], period, draft), run.share([sides[1]], period, against)]


def _quiet(done: int, total: int, message: str) -> None:
    """The steps of one scoring are too small to be told."""
