"""An evaluation beside an earlier one of its scheme: the distributions, who moved and why, and the
levels that were gained and lost. All of it in a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Avg, Count, F, FilteredRelation, IntegerField, Q, QuerySet, StdDev
from django.db.models.functions import Coalesce, Floor
from django.http import HttpRequest
from django.utils.translation import gettext as _

from core.charts import Chart, Series
from core.figures import Figure
from partners.models import Level
from performance.definitions import definition
from performance.explain import item_label
from performance.models import Evaluation, Score

SHOWN = 10
CHOICES = 12
HUNDRED, HUNDREDTH = Decimal(100), Decimal("0.01")
NO_RANK = -1  # below the rank of every level


@dataclass(frozen=True)
class Move:
    """One partner whose total or level changed. `mainly` names the item that did most of it."""

    score: Score
    before: Decimal | None
    change: Decimal | None
    level_before: Level | None
    rank_before: int | None
    mainly: str = ""

    @property
    def places(self) -> int | None:
        """Ranks gained (positive) or lost."""
        if self.rank_before is None or self.score.rank is None:
            return None
        return self.rank_before - self.score.rank


def earlier(evaluation: Evaluation) -> list[Evaluation]:
    """What an evaluation can be compared with: the last published revisions of earlier periods of
    its scheme, the latest first."""
    rows = (
        Evaluation.objects.filter(
            scheme=evaluation.scheme_id,
            state__in=Evaluation.PUBLIC,
            starts_on__lt=evaluation.starts_on,
        )
        .select_related("scheme")
        .order_by("-starts_on", "-ends_before", "-revision")
    )
    last: dict[str, Evaluation] = {}
    for row in rows[: CHOICES * 4]:
        last.setdefault(row.period_code, row)
    # Quarters are compared with quarters: periods of the same kind come first.
    kind = evaluation.period.kind
    found = sorted(last.values(), key=lambda row: row.period.kind != kind)
    return found[:CHOICES]


def chosen(choices: list[Evaluation], asked: str | None) -> Evaluation | None:
    """The one whose key is `asked` for, else the first."""
    return next((row for row in choices if str(row.pk) == asked), choices[0] if choices else None)


def compared(evaluation: Evaluation, before: Evaluation, user: Any) -> QuerySet:
    """The scores of both that the user sees, as those of the later one with the earlier as `was`;
    `change` is that of the total, `rose` that of the level (1, 0, −1)."""
    seen = Score.objects.visible_to(user).filter(evaluation=evaluation)
    return seen.annotate(
        was=FilteredRelation("partner__scores", condition=Q(partner__scores__evaluation=before)),
        change=F("total") - F("was__total"),
        rank_now=Coalesce("level__rank", NO_RANK, output_field=IntegerField()),
        rank_was=Coalesce("was__level__rank", NO_RANK, output_field=IntegerField()),
    ).filter(was__isnull=False)


def movements_page(request: HttpRequest, evaluation: Evaluation) -> dict[str, Any]:
    """What the tab “Movements” shows; `?against=` chooses what it is compared with."""
    choices = earlier(evaluation)
    before = chosen(choices, request.GET.get("against"))
    seen = Score.objects.visible_to(request.user).filter(evaluation=evaluation)
    context = {
        "choices": choices,
        "before": before,
        "distribution": _distribution(evaluation, before, request.user),
        "figures": _spread(seen),
        "rises": [],
        "falls": [],
        "gains": [],
        "losses": [],
        "crossings": None,
        "counts": {},
    }
    if before is None:
        return context
    rows = compared(evaluation, before, request.user)
    labels = labels_of(evaluation)
    gained, lost = Q(rank_now__gt=F("rank_was")), Q(rank_now__lt=F("rank_was"))
    counts = rows.order_by().aggregate(
        compared=Count("pk"),
        rose=Count("pk", filter=Q(change__gt=0)),
        fell=Count("pk", filter=Q(change__lt=0)),
        gained=Count("pk", filter=gained),
        lost=Count("pk", filter=lost),
    )
    counts["new"] = seen.count() - counts["compared"]
    former = Score.objects.visible_to(request.user).filter(evaluation=before)
    counts["gone"] = former.count() - counts["compared"]
    return context | {
        "figures": [*context["figures"], *_counted(counts)],
        "rises": _moves(rows.filter(change__gt=0).order_by("-change", "pk"), labels),
        "falls": _moves(rows.filter(change__lt=0).order_by("change", "pk"), labels),
        "gains": _moves(rows.filter(gained).order_by("rank", "pk"), labels),
        "losses": _moves(rows.filter(lost).order_by("-rank", "pk"), labels),
        "crossings": crossings(rows),
        "counts": counts,
    }


def _spread(seen: QuerySet) -> list[Figure]:
    found = seen.order_by().aggregate(mean=Avg("total"), spread=StdDev("total"))
    return [
        Figure(_("Mean total"), "—" if found["mean"] is None else f"{found['mean']:.2f}"),
        Figure(
            _("Standard deviation"), "—" if found["spread"] is None else f"{found['spread']:.2f}"
        ),
    ]


def _counted(counts: dict[str, int]) -> list[Figure]:
    values = {"new": counts["new"], "gone": counts["gone"]}
    return [
        Figure(
            _("Rose / fell"),
            f"{counts['rose']:,} / {counts['fell']:,}",
            note=_("%(new)s new, %(gone)s no longer there") % values,
        ),
        Figure(_("Levels gained / lost"), f"{counts['gained']:,} / {counts['lost']:,}"),
    ]


def _distribution(evaluation: Evaluation, before: Evaluation | None, user: Any) -> Chart:
    """How many partners have a total from 0 up to 10, from 10 up to 20 …, in both."""
    both = [evaluation] if before is None else [before, evaluation]
    rows = (
        Score.objects.visible_to(user)
        .filter(evaluation__in=both, total__isnull=False)
        .order_by()
        .values_list("evaluation_id", Floor(F("total") / 10))
        .annotate(Count("pk"))
    )
    counts = {(pk, int(step)): count for pk, step, count in rows}
    top = max([9, *(step for _pk, step in counts)])
    steps = range(top + 1)
    labels = [f"{step * 10}–{step * 10 + 10}" for step in steps]
    series = [
        Series(each.period_code, [counts.get((each.pk, step), 0) for step in steps])
        for each in both
    ]
    return Chart(_("Distribution of totals"), labels, series, height=260)


def labels_of(evaluation: Evaluation) -> dict[str, str]:
    """{code: what an item is called}."""
    return {
        item["code"]: item_label(item) for item in definition(evaluation.scheme_version)["items"]
    }


def _moves(rows: QuerySet, labels: dict[str, str]) -> list[Move]:
    related = rows.select_related("partner", "level", "evaluation")
    taken = list(
        related.annotate(
            before_total=F("was__total"),
            before_rank=F("was__rank"),
            before_level=F("was__level_id"),
            before_items=F("was__items"),
        )[:SHOWN]
    )
    levels = Level.objects.in_bulk([row.before_level for row in taken if row.before_level])
    return [
        Move(
            score=row,
            before=row.before_total,
            change=row.change,
            level_before=levels.get(row.before_level),
            rank_before=row.before_rank,
            mainly=mainly(row.before_items, row.items, row.change, labels),
        )
        for row in taken
    ]


def mainly(
    before: list[dict[str, Any]],
    now: list[dict[str, Any]],
    change: Decimal | None,
    labels: dict[str, str],
) -> str:
    """The item that moved the total most in the direction in which it went: “Growth +4.50”, what
    its weight makes of the change of its points."""
    if not change:
        return ""
    were = {item["code"]: item["points"] for item in before}
    moved = [
        (Decimal(item["weight"]) * (Decimal(item["points"]) - Decimal(were[item["code"]])), item)
        for item in now
        if item["points"] is not None and were.get(item["code"]) is not None
    ]
    sign = 1 if change > 0 else -1
    best = max(moved, key=lambda entry: sign * entry[0], default=None)
    if best is None or sign * best[0] <= 0:
        return ""
    points = (best[0] / HUNDRED).quantize(HUNDREDTH)
    shown = f"{points:+}".replace("-", "\u2212")
    return f"{labels.get(best[1]['code'], best[1]['code'])} {shown}"


@dataclass(frozen=True)
class Crossings:
    """How many partners went from which level (rows) to which (columns), the best level first."""

    levels: list[Level | None]
    rows: list[tuple[Level | None, list[int]]]


def crossings(rows: QuerySet) -> Crossings:
    """The table of levels before and now."""
    counted = rows.order_by().values_list("was__level_id", "level_id").annotate(Count("pk"))
    counts = {(was, now): count for was, now, count in counted}
    keys = {key for pair in counts for key in pair}
    found = Level.objects.in_bulk([key for key in keys if key is not None])
    levels: list[Level | None] = sorted(found.values(), key=lambda level: -level.rank)
    levels += [None] if None in keys else []
    pk = [level and level.pk for level in levels]
    return Crossings(
        levels,
        [
            (level, [counts.get((key, other), 0) for other in pk])
            for level, key in zip(levels, pk, strict=True)
        ],
    )
