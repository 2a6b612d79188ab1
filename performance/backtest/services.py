"""Verbs of backtests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, jobs
from core.errors import Conflict, DomainError
from core.periods import Period
from partners.models import Level
from performance.backtest.asking import between, check_draft
from performance.backtest.report import Report, Row, Standing, both, report
from performance.backtest.runs import Step
from performance.definitions import Definition, definition
from performance.models import BacktestReport, SchemeVersion
from performance.run import Pieces


def _no_progress(done: int, total: int, message: str) -> None:
    """Nobody watches."""


def backtest(
    *,
    draft: SchemeVersion,
    against: SchemeVersion,
    periods: Sequence[Period],
    progress: Step = _no_progress,
) -> Report:
    """Score all partners by both versions over each of `periods` and say how they differ. Writes
    nothing. Raises Blocked `draft_has_problems`, DomainError `no_partners`.
    """
    for version in (draft, against):
        check_draft(version)
    return report(draft, against, (definition(draft), definition(against)), periods, progress)


@transaction.atomic
def request_backtest(
    *,
    draft: SchemeVersion,
    against: SchemeVersion,
    first: str,
    last: str,
    by: Any,
    on: date,
) -> BacktestReport:
    """Let a worker try a version on the periods from `first` to `last`; returns the report that it
    will fill, with its job.

    Raises DomainError same_version, not_in_force, and as `asking.between`; Blocked
    `draft_has_problems`.
    """
    from performance import tasks

    row = _prepare(draft, against, between(first, last, on), by)
    job = jobs.enqueue(
        tasks.run_backtest, row.pk, kind="backtest", title=f"{_('Backtest')}: {row}", by=by
    )
    BacktestReport.objects.filter(pk=row.pk).update(job=job)
    row.refresh_from_db()
    return row


def keep_backtest(
    *, draft: SchemeVersion, against: SchemeVersion, periods: Sequence[Period], by: Any
) -> BacktestReport:
    """The same without a worker: the report is filled when this returns. Raises as it does."""
    with transaction.atomic():
        row = _prepare(draft, against, periods, by)
        return run_requested(row=row, by=by, progress=_no_progress)


def _prepare(
    draft: SchemeVersion, against: SchemeVersion, periods: Sequence[Period], by: Any
) -> BacktestReport:
    """The report to fill."""
    if draft.pk == against.pk:
        message = _("Choose another version to compare with.")
        raise DomainError("same_version", message, "against")
    if against.state == SchemeVersion.State.DRAFT:
        message = _("It is compared with a version that is or was in force.")
        raise DomainError("not_in_force", message, "against")
    check_draft(draft)
    row = BacktestReport.objects.create(
        version=draft,
        against=against,
        first_period=periods[0].code,
        last_period=periods[-1].code,
        requested_by=by,
    )
    audit.record("performance.backtestreport.created", row, by=by)
    return row


def run_requested(*, row: BacktestReport, by: Any, progress: Step) -> BacktestReport:
    """What a worker does for `request_backtest`; one that is filled already stays as it is.

    Writes everything or nothing, at the end. Raises as `backtest`, and what `progress` raises.
    """
    row.refresh_from_db()
    if row.state != BacktestReport.State.RUNNING:
        return row
    draft, against = (
        SchemeVersion.objects.select_related("scheme").get(pk=pk)
        for pk in (row.version_id, row.against_id)
    )
    said = definition(draft), definition(against)
    for version in (draft, against):
        check_draft(version)
    periods = between(row.first_period, row.last_period, date.max)
    found = report(draft, against, said, periods, progress)
    with transaction.atomic():
        locked = BacktestReport.objects.select_for_update().get(pk=row.pk)
        if locked.state == BacktestReport.State.RUNNING:
            _fill(locked, found, said, by)
    row.refresh_from_db()
    return row


def _fill(row: BacktestReport, found: Report, said: tuple[Definition, Definition], by: Any) -> None:
    BacktestReport.objects.filter(pk=row.pk).update(
        state=BacktestReport.State.DONE,
        computed_at=timezone.now(),
        partner_count=len(found.rows),
        digest=found.digest,
        wording=wording_of(said[0]),
        definitions={"draft": said[0], "against": said[1]},
        result=found.result,
    )
    _write(row.pk, found.rows)
    audit.record(
        "performance.backtestreport.computed",
        row,
        by=by,
        data={"digest": found.digest, "partners": len(found.rows)},
    )


_COLUMNS = (
    *("report_id", "partner_id", "total_draft", "total_against", "change", "rank_draft"),
    *("rank_against", "level_draft_id", "level_against_id", "steps", "near_level_id", "margin"),
    *("level_before", "forgiven", "trail"),
)


def _write(report_id: int, rows: list[Row]) -> None:
    """The rows of the partners by one COPY."""
    levels = {
        code: (pk, rank) for code, pk, rank in Level.objects.values_list("code", "pk", "rank")
    }
    nothing = (None, -1)

    def line(row: Row) -> str:
        _period, draft, against = row.trail[-1]
        after = levels.get(draft.level or "", nothing)
        before = levels.get(against.level or "", nothing)
        moved = both(draft, against) and (after[1] > before[1]) - (after[1] < before[1])
        cells = [
            *(report_id, row.partner_id, draft.total, against.total, row.change, draft.rank),
            *(against.rank, after[0], before[0], int(moved)),
            levels.get(row.near_level or "", nothing)[0],
            *(row.margin, _escaped(row.level_before or ""), row.forgiven),
            _escaped(_trail(row)),
        ]
        return "\t".join("\\N" if cell is None else str(cell) for cell in cells) + "\n"

    with connection.cursor() as cursor:
        cursor.copy_expert(
            f"COPY performance_backtestresult ({', '.join(_COLUMNS)}) FROM STDIN",
            Pieces(map(line, rows)),
        )


def _trail(row: Row) -> str:
    """Every period as an array."""
    return json.dumps(
        [[period, *_side(draft), *_side(against)] for period, draft, against in row.trail],
        separators=(",", ":"),
    )


def _escaped(text: str) -> str:
    """Text as COPY reads it."""
    return text.replace("\\", "\\\\")


def _side(side: Standing) -> tuple[str | None, int | None, str | None]:
    return None if side.total is None else str(side.total), side.rank, side.level


def wording_of(said: Definition) -> str:
    """The digest of what a version says."""
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def matching(version: SchemeVersion) -> BacktestReport | None:
    """The newest filled backtest of exactly what a version says now."""
    known = version.backtests.filter(
        state__in=BacktestReport.KNOWN, wording=wording_of(definition(version))
    )
    return known.order_by("-computed_at", "-pk").first()


def attach_report(*, version: SchemeVersion, by: Any) -> BacktestReport | None:
    """Attach, at publishing, the newest backtest of exactly what the version says, if there is one.
    Call it in the transaction of the publishing."""
    row = matching(version)
    if row is None:
        return None
    BacktestReport.objects.filter(pk=row.pk, state=BacktestReport.State.DONE).update(
        state=BacktestReport.State.ATTACHED, attached_at=timezone.now()
    )
    row.refresh_from_db()
    audit.record("performance.backtestreport.attached", row, by=by)
    return row


def refuse_attached(row: BacktestReport) -> None:
    """Conflict `attached` for a report that stays with its version."""
    if row.state == BacktestReport.State.ATTACHED:
        message = _("It is attached to a published version and stays with it.")
        raise Conflict("attached", message)
