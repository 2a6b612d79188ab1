"""Read models of scores: what the scorecard page, the API and the commands show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.urls import reverse

from catalog.models import ProductLine
from core.periods import Period
from partners.models import Level
from performance import measures, scoring
from performance.definitions import Definition, definition
from performance.explain import curve_text, explain_sentence, item_label
from performance.models import Evaluation, Score
from sales.models import SalesFact


@dataclass(frozen=True)
class Line:
    """One item of a scorecard. `weighted` is what it adds to the total; None: does not apply."""

    definition: Definition
    measure: measures.Measure
    stored: dict[str, Any]
    weighted: Decimal | None
    curve: str
    sentence: str

    @property
    def code(self) -> str:
        return self.definition["code"]

    @property
    def label(self) -> str:
        return item_label(self.definition)


def scorecard(score: Score) -> list[Line]:
    """The items of a score with their derivation in the active language."""
    items = {item["code"]: item for item in definition(score.evaluation.scheme_version)["items"]}
    applied = [row for row in score.items if row["points"] is not None]
    weights = sum((Decimal(row["weight"]) for row in applied), Decimal(0))
    return [
        Line(
            definition=items[row["code"]],
            measure=measures.get(items[row["code"]]["measure"]),
            stored=row,
            weighted=scoring.weighted(row["weight"], row["points"], weights),
            curve=curve_text(items[row["code"]]),
            sentence=explain_sentence(items[row["code"]], row),
        )
        for row in score.items
    ]


def score_rows(evaluation: Evaluation) -> Iterator[dict[str, str | None]]:
    """One flat row a partner in order of the codes: partner, total, rank, level, then for each item
    CODE.value, CODE.target, CODE.points; numbers as exact text, None where there is none."""
    scores = evaluation.scores.order_by("partner__code").values_list(
        "partner__code", "total", "rank", "level__code", "items"
    )
    for code, total, rank, level, items in sorted(scores.iterator(), key=lambda row: row[0]):
        row: dict[str, str | None] = {
            "partner": code,
            "total": None if total is None else str(total),
            "rank": None if rank is None else str(rank),
            "level": level,
        }
        for item in items:
            for name in ("value", "target", "points"):
                row[f"{item['code']}.{name}"] = item[name]
        yield row


# --- source rows ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Source:
    """Sales lines behind an item: `starts_on` ≤ day < `ends_before`; counted and summed now."""

    kind: str
    starts_on: date
    ends_before: date
    product_line: str | None
    lines: int
    net: Decimal


def sources(score: Score, item: Definition) -> list[Source]:
    """The sales lines an item rests on: those of the period, and of last year where it compares."""
    measure, period = measures.get(item["measure"]), score.evaluation.period
    periods = [period, period.year_ago()] if measures.LAST_YEAR in measure.needs else [period]
    return [_source(score.partner_id, item, measure, each) for each in periods]


def sources_of_all(score: Score, items: list[Definition]) -> list[list[Source]]:
    """`sources` of each item; items that rest on the same lines share one query."""
    known: dict[tuple[Any, ...], list[Source]] = {}
    found = []
    for item in items:
        measure = measures.get(item["measure"])
        key = (
            measure.kind_for(item["kind"]),
            item["product_line"],
            measures.LAST_YEAR in measure.needs,
        )
        if key not in known:
            known[key] = sources(score, item)
        found.append(known[key])
    return found


def _source(partner_id: int, item: Definition, measure: measures.Measure, period: Period) -> Source:
    kind = measure.kind_for(item["kind"])
    found = source_lines(partner_id, kind, period.start, period.end, item["product_line"])
    sums = found.aggregate(lines=Count("pk"), net=Coalesce(Sum("amount"), Decimal(0)))
    return Source(kind, period.start, period.end, item["product_line"], sums["lines"], sums["net"])


def source_lines(
    partner_id: int, kind: str, start: date, end: date, product_line: str | None
) -> QuerySet:
    """Sales lines of one partner and kind in a half-open time, of a line and those below."""
    found = SalesFact.objects.filter(
        partner_id=partner_id, kind=kind, occurred_on__gte=start, occurred_on__lt=end
    )
    if product_line:
        root = ProductLine.objects.get(code=product_line)
        found = found.filter(product__product_line__in=root.subtree().values("pk"))
    return found


def list_url(partner_id: int, source: Source) -> str:
    """The page of the sales lines of a source."""
    query = urlencode(list_filter(partner_id, source))
    return f"{reverse('sales:salesfact_list')}?{query}"


def list_filter(partner_id: int, source: Source) -> dict[str, Any]:
    """The query of the sales list that shows the rows of a source."""
    found = {
        "partner": partner_id,
        "kind": source.kind,
        "occurred_on_after": source.starts_on,
        "occurred_on_before": source.ends_before - timedelta(days=1),
    }
    if source.product_line:
        found["product_line"] = ProductLine.objects.get(code=source.product_line).pk
    return found


# --- comparisons ---------------------------------------------------------------------------


def trend(score: Score, count: int = 8) -> list[Score]:
    """The partner's scores by the same scheme up to this one, oldest first, last revisions only."""
    earlier = (
        Score.objects.filter(
            partner_id=score.partner_id,
            evaluation__scheme_id=score.evaluation.scheme_id,
            evaluation__starts_on__lt=score.evaluation.starts_on,
            evaluation__state=Evaluation.State.PUBLISHED,
        )
        .annotate(period_code=F("evaluation__period_code"))
        .select_related("evaluation")
        .order_by("-evaluation__starts_on", "-evaluation__revision")
    )
    latest: dict[str, Score] = {}
    for row in earlier[: count * 3]:
        latest.setdefault(row.evaluation.period_code, row)
    return [*list(latest.values())[: count - 1][::-1], score]


@dataclass(frozen=True)
class NextLevel:
    """The next level above a total: the total it needs, and how many points are missing."""

    level: Level
    needed: Decimal
    points: Decimal

    @property
    def percent(self) -> Decimal:
        """How much of what it needs is there, 0 to 100."""
        return (self.needed - self.points) / self.needed * 100


def next_level(score: Score) -> NextLevel | None:
    """The next level that the scheme version of a score has above its total."""
    if score.total is None:
        return None
    above = score.evaluation.scheme_version.levels.filter(min_total__gt=score.total)
    row = above.select_related("level").order_by("min_total").first()
    return row and NextLevel(row.level, row.min_total, row.min_total - score.total)
