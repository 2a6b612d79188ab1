"""The run of an evaluation: read each input once, score with the pure engine, write set-based.

Nothing here knows states, users or the clock; performance.services does. Everything happens in the
caller's transaction.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from io import StringIO
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from accounts.models import Territory
from catalog.models import ProductLine
from core.errors import DomainError
from core.models import Import
from core.periods import Period
from partners.models import Level, Partner
from performance import measures, scoring
from performance.definitions import Definition, compile_item, compile_levels

Row = tuple[int, Decimal, Decimal | None, int]  # partner, numerator, denominator, source lines
Step = Callable[[int, int, str], None]
CHUNK = 5000
_NOTHING = (0, Decimal(0), None, 0)


@dataclass(frozen=True)
class Outcome:
    """What the evaluation row keeps of its run."""

    partner_count: int
    digest: str
    watermark: dict[str, Any]
    peers: dict[str, Any]


@dataclass(frozen=True)
class Column:
    """One item scored for all partners, in the order of the partners."""

    definition: Definition
    item: scoring.Item
    rows: list[Row]
    values: list[Decimal | None]
    targets: list[Decimal | None]
    scores: list[scoring.ItemScore]
    benchmark: Decimal | None


def compute(evaluation_id: int, found: Definition, period: Period, step: Step) -> Outcome:
    """Score every partner of the scope and write the scores of `evaluation_id`.

    `step(done, total, message)` is told how far it is. DomainError `no_partners` when the scope
    holds nobody.
    """
    stages = len(found["items"]) + 3
    partners = scope_partners(found["scope"])
    if not partners:
        raise DomainError("no_partners", _("The scope of the scheme contains no partner."))
    step(0, stages, _("Reading sales"))
    with connection.cursor() as cursor:
        _fill_cells(cursor, found, period)
        watermark = _watermark(cursor)
        columns = []
        for done, item in enumerate(found["items"], start=1):
            step(done, stages, _("Scoring “%(item)s”") % {"item": item["code"]})
            columns.append(_column(cursor, item, period, partners))
        step(stages - 2, stages, _("Ranking"))
        digest = _write(cursor, evaluation_id, found, period, partners, columns)
    step(stages, stages, "")
    return Outcome(len(partners), digest, watermark, {c.item.code: _peers(c) for c in columns})


def scope_partners(scope: dict[str, list[str]]) -> list[tuple[int, str]]:
    """(key, code) of the partners in a scope, in binary order of their codes."""
    chosen = Partner.objects.filter(state__in=scope["states"])
    if scope.get("channel_types"):
        chosen = chosen.filter(channel_type__in=scope["channel_types"])
    if scope.get("levels"):
        chosen = chosen.filter(level__code__in=scope["levels"])
    if scope.get("territories"):
        roots = Territory.objects.filter(code__in=scope["territories"])
        within = Territory.objects.subtree_of(roots)
        chosen = chosen.filter(territory__in=within.values("pk"))
    return sorted(chosen.order_by().values_list("pk", "code"), key=lambda row: row[1])


# --- reading -------------------------------------------------------------------------------


def _fill_cells(cursor: Any, found: Definition, period: Period) -> None:
    """The temporary table that all measures read: see performance.measures."""
    used = [(measures.get(item["measure"]), item["kind"]) for item in found["items"]]
    last_year = any(measures.LAST_YEAR in measure.needs for measure, _kind in used)
    ago = period.year_ago() if last_year else period
    cursor.execute("SET LOCAL work_mem = '64MB'")
    cursor.execute("DROP TABLE IF EXISTS run_cells")
    # Not grouped any further: most partners buy a line on few days of a month, and grouping costs
    # more than the measures save by it.
    cursor.execute(
        """
        CREATE TEMPORARY TABLE run_cells ON COMMIT DROP AS
        SELECT partner_id, product_line_id, kind, day < %(start)s AS ago,
               date_trunc('month', day::timestamp)::date AS month, net, returns, lines
        FROM sales_salesdaily
        WHERE (day >= %(start)s AND day < %(end)s OR day >= %(ago_start)s AND day < %(ago_end)s)
          AND kind = ANY(%(kinds)s)
        """,
        {
            "start": period.start,
            "end": period.end,
            "ago_start": ago.start,
            "ago_end": ago.end,
            "kinds": sorted({measure.kind_for(kind) for measure, kind in used}),
        },
    )
    cursor.execute("ANALYZE run_cells")


def _watermark(cursor: Any) -> dict[str, Any]:
    """Which facts the run saw: lines and net sum of the period per kind, and the last import."""
    cursor.execute(
        "SELECT kind, sum(lines), sum(net) FROM run_cells WHERE NOT ago GROUP BY kind ORDER BY kind"
    )
    kinds = {kind: {"lines": int(lines), "net": str(net)} for kind, lines, net in cursor.fetchall()}
    last = Import.objects.order_by("-pk").values_list("pk", flat=True).first()
    return {"kinds": kinds, "last_import": last}


def ask_for(item: Definition, period: Period) -> measures.Ask:
    """What the measure of an item is asked: kind, period, product lines."""
    lines = None
    if item["product_line"]:
        root = ProductLine.objects.get(code=item["product_line"])
        lines = list(root.subtree().values_list("pk", flat=True))
    measure = measures.get(item["measure"])
    return measures.Ask(
        kind=measure.kind_for(item["kind"]),
        start=period.start,
        end=period.end,
        lines=lines,
        focus_lines=focus_lines(),
    )


def focus_lines() -> list[int]:
    """Product lines whose role, or that of the nearest line above that has one, is focus."""
    roles: dict[int, str] = {}
    for pk, parent, role in ProductLine.objects.order_by("path").values_list(
        "pk", "parent_id", "role"
    ):
        roles[pk] = role or roles.get(parent, "")
    return [pk for pk, role in roles.items() if role == ProductLine.Role.FOCUS]


# --- scoring -------------------------------------------------------------------------------


def _column(
    cursor: Any, definition: Definition, period: Period, partners: list[tuple[int, str]]
) -> Column:
    measure, item = measures.get(definition["measure"]), compile_item(definition)
    cursor.execute(*measure.query(ask_for(definition, period)))
    by_partner = {row[0]: row for row in cursor.fetchall()}
    rows = [by_partner.get(partner_id, _NOTHING) for partner_id, _code in partners]
    values = [measure.value(row[1], row[2]) for row in rows]
    benchmark = _benchmark(definition, values)
    targets = [benchmark] * len(rows)
    scores = [scoring.score_item(item, value, benchmark) for value in values]
    if not item.compares and measures.TARGETS in measure.needs:
        targets = [row[2] for row in rows]
    return Column(definition, item, rows, values, targets, scores, benchmark)


def _benchmark(definition: Definition, values: list[Decimal | None]) -> Decimal | None:
    """The one target of an item for all partners, if it has one."""
    if definition["target_source"] == "fixed":
        return Decimal(definition["target"])
    if definition["target_source"] == "peer_median":
        return scoring.median([value for value in values if value is not None and value > 0])
    return None


def _peers(column: Column) -> dict[str, str | None]:
    points = scoring.median([s.points for s in column.scores if s.points is not None])
    return {
        "benchmark": None if column.benchmark is None else str(column.benchmark),
        "median_points": None if points is None else str(points),
    }


# --- writing -------------------------------------------------------------------------------


def _write(
    cursor: Any,
    evaluation_id: int,
    found: Definition,
    period: Period,
    partners: list[tuple[int, str]],
    columns: list[Column],
) -> str:
    """Write the scores by COPY; return the digest over all of them.

    The digest is over text without keys, times or order of work: the definition and the period,
    then one line a partner in order of the codes.
    """
    items = [column.item for column in columns]
    totals = [
        scoring.total(items, scores) for scores in zip(*(c.scores for c in columns), strict=True)
    ]
    ranks = scoring.rank(totals)
    level_keys = dict(Level.objects.values_list("code", "pk"))
    levels = compile_levels(found)
    digest = hashlib.sha256(_canonical_head(found, period).encode())
    buffer = StringIO()
    rows = zip(partners, totals, ranks, _item_texts(columns), strict=True)
    for number, ((partner_id, code), total, rank, text) in enumerate(rows, start=1):
        level = scoring.level(levels, total)
        digest.update(f"{code}\t{total!s}\t{rank}\t{level}\t{text}\n".encode())
        cells = (
            evaluation_id,
            partner_id,
            total,
            rank,
            level_keys.get(level) if level else None,
            text,
        )
        buffer.write("\t".join("\\N" if cell is None else str(cell) for cell in cells) + "\n")
        if number % CHUNK == 0:
            _copy(cursor, buffer)
            buffer = StringIO()
    _copy(cursor, buffer)
    return digest.hexdigest()


def _canonical_head(found: Definition, period: Period) -> str:
    head = {"definition": found, "period": period.code, "start": str(period.start)}
    return json.dumps(head, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n"


def _copy(cursor: Any, buffer: StringIO) -> None:
    buffer.seek(0)
    cursor.copy_expert(
        "COPY performance_score (evaluation_id, partner_id, total, rank, level_id, items) "
        "FROM STDIN",
        buffer,
    )


def _item_texts(columns: list[Column]) -> Iterator[str]:
    """The items of each partner as JSON text: made by hand, because json.dumps takes four times
    as long and this is half of the time of a run. Codes are checked to need no escaping."""
    texts = [_column_texts(column) for column in columns]
    for parts in zip(*texts, strict=True):
        yield f"[{','.join(parts)}]"


def _column_texts(column: Column) -> Iterator[str]:
    head = f'{{"code":"{column.item.code}","weight":"{column.definition["weight"]}"'
    rows = zip(column.rows, column.values, column.targets, column.scores, strict=True)
    for (_partner, numerator, denominator, lines), value, target, score in rows:
        yield (
            f'{head},"value":{_text(value)},"target":{_text(target)},'
            f'"points":{_text(score.points)},"x":{_text(score.x)},'
            f'"status":"{score.status}","step":{score.step},'
            f'"numerator":"{numerator!s}","denominator":{_text(denominator)},"lines":{lines}}}'
        )


def _text(value: Decimal | None) -> str:
    return "null" if value is None else f'"{value!s}"'
