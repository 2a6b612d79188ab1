"""An evaluation of very many partners, scored by as many workers as have time for it.

Whoever runs the evaluation coordinates: it cuts the partners into shards, rows that other workers
may take, and scores shards itself until none is left; so one worker alone gets to the end as well.
All read in one snapshot of the database, which the coordinator holds. Then it ranks and writes
everything at once, as it does with few partners: the same bytes, whoever scored what.

A shard is claimed by an advisory lock: that of a worker that was killed is free for another one. A
coordinator that was killed takes its snapshot with it: helpers end, and the run starts again.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext as _

from core import locks
from core.periods import Period
from performance import measures, run, scoring
from performance.definitions import Definition, definition
from performance.models import Evaluation, EvaluationShard

LOOK_EVERY = 0.1  # seconds, while others finish their shards
Benchmarks = dict[str, Decimal | None]
log = logging.getLogger("channel_crm.performance")


class RunIsOver(Exception):
    """The snapshot of a shard is gone, and so is the run that it belongs to."""


@dataclass(frozen=True)
class Part:
    """What came of one shard: a line of run.Cells for each of its partners in order of their keys,
    the points of each item, and the facts that they rest on."""

    lines: list[str]
    points: dict[str, list[int]]
    watermark: dict[str, Any]
    plain: bool

    def pack(self) -> str:
        """As text, for the database."""
        told = {"points": self.points, "watermark": self.watermark, "plain": self.plain}
        return "\n".join([json.dumps(told, separators=(",", ":")), *self.lines])

    @staticmethod
    def unpack(text: str) -> Part:
        """A part from its text."""
        told, *lines = text.split("\n")
        return Part(lines, **json.loads(told))


@dataclass(frozen=True)
class Sharded:
    """All partners (in order of their codes) scored, in parts (in order of their keys); nothing is
    written yet."""

    found: Definition
    period: Period
    partners: list[tuple[int, str]]
    benchmarks: Benchmarks
    parts: list[Part]


# --- the coordinator -----------------------------------------------------------------------


def score_if_many(evaluation: Evaluation, step: run.Step) -> Sharded | None:
    """Score every partner of a scope that has more of them than one shard, with the help of other
    workers, and write nothing; None of a smaller one. `step(done, total, message)` is told how far
    it is.

    Inside a transaction none is large: other workers do not see into it.
    """
    # Those of a run that was killed.
    EvaluationShard.objects.filter(evaluation=evaluation).delete()
    scope = definition(evaluation.scheme_version)["scope"]
    few = run.in_scope(scope).count() <= settings.EVALUATION_SHARD
    return None if few or connection.in_atomic_block else _score_all(evaluation, step)


def _score_all(evaluation: Evaluation, step: run.Step) -> Sharded:
    step(0, 1, _("Reading sales"))
    try:
        with _snapshot() as name:
            found, partners, benchmarks = _survey(evaluation, name)
            count = _cut(evaluation, name, [key for key, _code in partners], benchmarks)
            _call_helpers(evaluation, count - 1)
            parts = _all_parts(evaluation, count, step)
    finally:
        EvaluationShard.objects.filter(evaluation=evaluation).delete()
    step(count, count + 1, _("Ranking"))
    return Sharded(found, evaluation.period, partners, benchmarks, parts)


def write(evaluation_id: int, sharded: Sharded) -> run.Outcome:
    """Rank and write the scores, in the caller's transaction."""
    keys = sorted(key for key, _code in sharded.partners)
    found = (line for part in sharded.parts for line in part.lines)
    line_of = dict(zip(keys, found, strict=True))
    lines = [line_of[key] for key, _code in sharded.partners]
    totals = [line.partition("\t")[0] for line in lines]
    ranks = scoring.rank([None if text == run.NULL else Decimal(text) for text in totals])
    digest = run.write(
        evaluation_id,
        run.heading(sharded.found, sharded.period),
        sharded.partners,
        ranks,
        (line.split("\t") for line in lines),
        plain=all(part.plain for part in sharded.parts),
    )
    points: dict[str, list[int]] = {
        code: [each for part in sharded.parts for each in part.points[code]]
        for code in sharded.benchmarks
    }
    watermark = _together([part.watermark for part in sharded.parts])
    peers = run.peers_of(sharded.benchmarks, points)
    return run.Outcome(len(lines), digest, watermark, peers)


@contextmanager
def _snapshot() -> Iterator[str]:
    """The name under which transactions of other sessions can see what this one sees now; as long
    as the body runs."""
    holder = connection.copy()
    try:
        with holder.cursor() as cursor:
            cursor.execute(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
                "SET LOCAL idle_in_transaction_session_timeout = 0; SELECT pg_export_snapshot()"
            )
            name = cursor.fetchone()[0]
        yield name
    finally:
        holder.close()


@measures.at_once()
def _survey(
    evaluation: Evaluation, snapshot: str
) -> tuple[Definition, list[tuple[int, str]], Benchmarks]:
    """What all shards must agree in: the definition, the partners, the targets they share."""
    with _seeing(snapshot):
        found = definition(evaluation.scheme_version)
        partners = run.scope_partners(found["scope"])
        benchmarks = run.benchmarks_of(found, evaluation.period, partners, evaluation.pk)
    return found, partners, benchmarks


def _cut(evaluation: Evaluation, snapshot: str, partners: list[int], benchmarks: Benchmarks) -> int:
    """Make shards of equal size, in order of the keys; return how many."""
    partners = sorted(partners)
    count = -(-len(partners) // settings.EVALUATION_SHARD)
    ends = [len(partners) * number // count for number in range(count + 1)]
    told = {code: None if value is None else str(value) for code, value in benchmarks.items()}
    EvaluationShard.objects.bulk_create(
        EvaluationShard(
            evaluation=evaluation,
            number=number,
            snapshot=snapshot,
            benchmarks=told,
            first=partners[start],
            last=partners[end - 1],
        )
        for number, (start, end) in enumerate(zip(ends, ends[1:], strict=False))
    )
    return count


def _call_helpers(evaluation: Evaluation, most: int) -> None:
    """Ask other workers for help. Who has none, or whose queue does not answer, works alone."""
    from performance import tasks

    for _number in range(min(most, settings.EVALUATION_HELPERS)):
        transaction.on_commit(lambda: tasks.help_evaluation.delay(evaluation.pk), robust=True)


def _all_parts(evaluation: Evaluation, count: int, step: run.Step) -> list[Part]:
    """Score shards until all are there, whoever scored them."""
    parts: dict[int, Part] = {}

    def tell() -> None:
        parts.update(_fetch(evaluation.pk))
        message = _("Scoring partners: %(done)d of %(count)d parts")
        step(len(parts), count + 1, message % {"done": len(parts), "count": count})

    tell()
    while len(parts) < count:
        before = len(parts)
        with closing(_take_shards(evaluation.pk)) as taken:
            for shard in taken:
                parts[shard.number] = _score(shard)
                shard.delete()
                tell()
        if len(parts) == before:
            time.sleep(LOOK_EVERY)
            tell()
    return [parts[number] for number in sorted(parts)]


def _fetch(evaluation_id: int) -> dict[int, Part]:
    """What helpers have finished since the last time."""
    done = list(EvaluationShard.objects.filter(evaluation=evaluation_id, result__isnull=False))
    EvaluationShard.objects.filter(pk__in=[shard.pk for shard in done]).delete()
    return {shard.number: Part.unpack(shard.result or "") for shard in done}


def _together(watermarks: list[dict[str, Any]]) -> dict[str, Any]:
    """The watermark of all partners from those of the shards."""
    found: dict[str, Any] = dict(watermarks[0])
    kinds: dict[str, dict[str, Any]] = {}
    for kind, sums in ((k, s) for each in watermarks for k, s in each["kinds"].items()):
        so_far = kinds.get(kind)
        if so_far is None:
            kinds[kind] = dict(sums)
            continue
        so_far["lines"] += sums["lines"]
        if "net" in sums:
            so_far["net"] = str(Decimal(so_far["net"]) + Decimal(sums["net"]))
    found["kinds"] = dict(sorted(kinds.items()))
    if "deductions" in found:
        points = (Decimal(each["deductions"]) for each in watermarks)
        found["deductions"] = str(sum(points, Decimal(0)))
    return found


# --- whoever scores ------------------------------------------------------------------------


def help_with(evaluation_id: int) -> int:
    """Score shards of an evaluation that another worker coordinates, as long as there are free
    ones; return how many."""
    count = 0
    with closing(_take_shards(evaluation_id)) as taken:
        for shard in taken:
            try:
                part = _score(shard)
            except RunIsOver:
                log.warning("evaluation %s: its run has ended; helped no further", evaluation_id)
                break
            # Not there any more when the run was cancelled meanwhile.
            EvaluationShard.objects.filter(pk=shard.pk).update(result=part.pack())
            count += 1
    return count


def _take_shards(evaluation_id: int) -> Iterator[EvaluationShard]:
    """One shard after the other that nobody else is at; it is ours until the next is asked for."""
    free = EvaluationShard.objects.filter(evaluation=evaluation_id, result=None)
    for key in list(free.order_by("number").values_list("pk", flat=True)):
        with locks.try_hold(f"performance:shard:{key}") as mine:
            # Another one may have finished it since.
            shard = free.filter(pk=key).first() if mine else None
            if shard:
                yield shard


def _score(shard: EvaluationShard) -> Part:
    benchmarks = {
        code: None if text is None else Decimal(text) for code, text in shard.benchmarks.items()
    }
    with _seeing(shard.snapshot):
        related = Evaluation.objects.select_related("scheme_version__scheme")
        evaluation = related.get(pk=shard.evaluation_id)
        return score_some(evaluation, range(shard.first, shard.last + 1), benchmarks)


@measures.at_once()
def score_some(evaluation: Evaluation, among: range, benchmarks: Benchmarks) -> Part:
    """Score the partners of an evaluation whose keys are `among` these, given the targets that all
    share."""
    found, period = definition(evaluation.scheme_version), evaluation.period
    some = run.in_scope(found["scope"]).filter(pk__gte=among.start, pk__lt=among.stop)
    # Their codes are the coordinator's.
    named = [(key, "") for key in some.order_by("pk").values_list("pk", flat=True)]
    scored = run.score(
        found,
        period,
        _say_nothing,
        evaluation_id=evaluation.pk,
        shared=run.share([found], period, named, among=among),
        benchmarks=benchmarks,
    )
    lines = ["\t".join(cells) for cells in run.cells_of(scored)]
    return Part(lines, scored.points, scored.watermark, scored.plain)


@contextmanager
def _seeing(snapshot: str) -> Iterator[None]:
    """A transaction that sees the database as it was in that snapshot, and changes nothing.

    RunIsOver when nobody holds it any more.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            try:
                cursor.execute(
                    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; "
                    "SET TRANSACTION SNAPSHOT %s",
                    [snapshot],
                )
            except DatabaseError as error:
                raise RunIsOver from error
        yield


def _say_nothing(done: int, total: int, message: str) -> None:
    """Progress is told by the shard."""
