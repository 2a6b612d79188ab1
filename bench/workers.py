"""An evaluation of very many partners by four workers against one."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import connection

from bench import data, evaluate
from bench.common import Pairs, Result, seconds
from performance import services
from performance.models import Scheme

HELPERS = 3
WORKER = ("-m", "celery", "-A", "channel_crm", "worker", "--pool", "solo", "--loglevel", "error")


def run(partner_count: int = 100_000, lines: int = 2_000_000, rounds: int = 3) -> list[Result]:
    """Four workers (this process and three of Celery) against this process alone, which works the
    same way; and against one that does it all in one transaction, as it does for fewer partners."""
    data.base()
    evaluate.fill(partner_count, lines)
    scheme = evaluate.make_scheme(evaluate.TWELVE)
    size = min(settings.EVALUATION_SHARD, partner_count // 10)
    name = f"evaluate {partner_count:,} partners over {lines:,} lines by 4 workers, cold"
    found = []
    with ExitStack() as stack:
        for number in range(HELPERS):
            stack.enter_context(_worker(f"bench{number}@%h"))
        _wait_for(HELPERS)
        for reference, alone, limit in (
            ("by 1 worker", size, "≤ 0.62 × (1.6 × faster)"),
            ("by 1 worker, not cut", partner_count, ""),
        ):
            four, one = _Timed(scheme, size, HELPERS), _Timed(scheme, alone, 0)
            pairs = _in_turn(four, one, rounds)
            notes = f"queries of the first worker {four.sql:.1f} s, of one alone {one.sql:.1f} s"
            found.append(pairs.result(name, reference, limit, notes))
    return found


class _Timed:
    """An evaluation with shards of `size` and so many helpers; `sql` is the time of its queries
    here, without COPY."""

    def __init__(self, scheme: Scheme, size: int, helpers: int) -> None:
        self.scheme, self.size, self.helpers, self.sql = scheme, size, helpers, 0.0

    def __call__(self) -> None:
        settings.EVALUATION_SHARD, settings.EVALUATION_HELPERS = self.size, self.helpers
        self.sql = 0.0
        with connection.execute_wrapper(self._clock):
            services.evaluate(
                scheme_code=self.scheme.code, period=evaluate.PERIOD, by=None, on=evaluate.TODAY
            )

    def _clock(self, execute: Any, *arguments: Any) -> Any:
        start = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            self.sql += time.perf_counter() - start


def _in_turn(work: _Timed, reference: _Timed, rounds: int) -> Pairs:
    """As in_pairs; but each of the two is cold."""
    pairs = Pairs()
    for number in range(-1, rounds):
        for timed, times in ((work, pairs.work), (reference, pairs.reference)):
            evaluate.forget(timed.scheme)
            taken = seconds(timed)
            if number >= 0:
                times.append(taken)
    return pairs


@contextmanager
def _worker(name: str) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, *WORKER, "--hostname", name])
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_for(count: int, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while len(current_app.control.ping(timeout=1)) < count:
        if time.monotonic() > deadline:
            raise RuntimeError("the workers do not answer")
