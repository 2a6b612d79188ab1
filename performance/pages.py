"""What the tabs of scheme, version, evaluation and score pages read."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from statistics import median
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _, gettext_lazy

from accounts.models import Territory
from core.charts import Chart, Series
from core.figures import Figure
from core.phrases import listed, per_cent
from partners.models import Level, Partner
from performance import measures, scoring, selectors
from performance.definitions import Definition, compile_item, definition
from performance.explain import curve_text, shown
from performance.models import Evaluation, Scheme, SchemeVersion, Score, TargetSource
from performance.validation import problems
from sales.completeness import completeness
from sales.grades import grade_badge
from sales.models import SalesKind

TOP = 20
STEPS = 40


def scheme_page(request: HttpRequest, scheme: Scheme) -> dict[str, Any]:
    """The versions of a scheme, its schedules and latest evaluations."""
    return {
        "versions": scheme.versions.order_by("-number"),
        "schedules": scheme.schedules.all(),
        "evaluations": scheme.evaluations.select_related("scheme")[:8],
        "may_draft": request.user.has_perm("performance.add_schemeversion"),
    }


def version_page(request: HttpRequest, version: SchemeVersion) -> dict[str, Any]:
    """Items with their curves, levels, scope; for a draft also what is wrong with it."""
    draft = version.state == SchemeVersion.State.DRAFT
    found = definition(version)
    wrong = problems(version) if draft else []
    broken = {problem.field for problem in wrong}
    rows = [
        _item_row(row, item, f"items.{item['code']}" in broken)
        for row, item in zip(version.items.all(), found["items"], strict=True)
    ]
    return {
        "rows": rows,
        "weights": sum((Decimal(item["weight"]) for item in found["items"]), Decimal(0)),
        "levels": version.levels.select_related("level"),
        "scope": [
            (_SCOPE[name][0], _scope_words(name, codes))
            for name, codes in version.scope.items()
            if codes
        ],
        "problems": wrong,
        "editable": draft and request.user.has_perm("performance.change_schemeversion"),
    }


# What a scope is told by: the name of the choice, and where its codes have their names.
_SCOPE: dict[str, tuple[Any, Any]] = {
    "states": (gettext_lazy("States"), Partner.State),
    "channel_types": (gettext_lazy("Channel types"), Partner.ChannelType),
    "levels": (gettext_lazy("Levels"), Level),
    "territories": (gettext_lazy("Territories"), Territory),
}


def _scope_words(name: str, codes: list[str]) -> str:
    """The codes of a scope as people know them; one that no longer exists stays as it is."""
    named = _SCOPE[name][1]
    if issubclass(named, Model):
        words = {row.code: str(row) for row in named.objects.filter(code__in=codes)}
    else:
        words = dict(named.choices)
    return listed(str(words.get(code, code)) for code in codes)


def _item_row(row: Any, item: Definition, broken: bool) -> dict[str, Any]:
    measure = measures.REGISTRY.get(item["measure"])
    readable = measure is not None and not broken
    return {
        "item": row,
        "measure": measure,
        "curve": curve_text(item) if readable else "",
        "target": _target_text(row, item, measure),
        "chart": _curve_chart(row.code, item) if readable else None,
    }


def _target_text(row: Any, item: Definition, measure: measures.Measure | None) -> str:
    """What an item's value is compared with."""
    if measure and row.target_source == TargetSource.FIXED:
        return shown(item["target"], measure.unit)
    if measure and measures.TARGETS in measure.needs and row.target_source == TargetSource.NONE:
        return _("The partner’s own targets")
    return str(row.get_target_source_display())


def _curve_chart(title: str, item: Definition) -> Chart:
    """The curve from a little below its first bound to a little above its last."""
    low, high = _range(item["curve"])
    if (
        item["target_source"] != TargetSource.NONE
        or measures.get(item["measure"]).lowest is not None
    ):
        low = max(low, Decimal(0))
    compiled = compile_item(item)
    xs = [low + (high - low) * step / STEPS for step in range(STEPS + 1)]
    ratio = item["target_source"] != "none" or measures.get(item["measure"]).unit == measures.RATIO
    labels = [
        per_cent(f"{x * 100:.0f}") if ratio else f"{scoring.quantize(x, Decimal('0.01')):f}"
        for x in xs
    ]
    points = [compiled.read(x)[0] for x in xs]
    return Chart(title, labels, [Series(_("Points"), points, "line")], height=170, minimum=0)


def _range(curve: dict[str, Any]) -> tuple[Decimal, Decimal]:
    if curve["kind"] == scoring.LINEAR:
        bounds = [Decimal(x) for x, _y in curve["points"]]
    elif curve["kind"] == scoring.BANDS:
        bounds = [Decimal(low) for low, _y in curve["bands"][1:]]
    elif curve["kind"] == scoring.PASS:
        bounds = [Decimal(curve["at_least"] if "at_least" in curve else curve["at_most"])]
    else:
        bounds = [Decimal(0), Decimal(1)]
    low, high = min(bounds), max(bounds)
    margin = (high - low) / 4 or abs(low) / 2 or Decimal(1)
    return low - margin, high + margin


# --- evaluations ---------------------------------------------------------------------------


def evaluation_page(request: HttpRequest, evaluation: Evaluation) -> dict[str, Any]:
    """Figures, distribution and the best, of the partners that the user may see."""
    seen = Score.objects.visible_to(request.user).filter(evaluation=evaluation)
    totals = [total for total in seen.values_list("total", flat=True) if total is not None]
    best = (
        seen.exclude(rank=None).select_related("partner__territory", "level").order_by("rank", "pk")
    )
    ranking = reverse("performance:score_list") + f"?evaluation={evaluation.pk}&sort=rank"
    scored = Partner.objects.filter(pk__in=seen.order_by().values("partner"))
    reports = completeness(scored, evaluation.starts_on, evaluation.ends_before)
    return {
        "figures": _figures(evaluation, totals, ranking),
        "distribution": _distribution(totals),
        "levels": _levels(seen),
        "best": best[:TOP],
        "ranking": ranking,
        "may_see": request.user.has_perm("performance.view_score"),
        "watermark": [
            (SalesKind(kind).label, seen, grade_badge(reports.get(kind)))
            for kind, seen in evaluation.watermark.get("kinds", {}).items()
        ],
    }


def _figures(evaluation: Evaluation, totals: list[Decimal], ranking: str) -> list[Figure]:
    middle = median(totals) if totals else None
    return [
        Figure(_("Partners"), f"{evaluation.partner_count:,}", href=ranking),
        Figure(_("Median total"), "—" if middle is None else f"{middle:.2f}"),
        Figure(_("Highest"), f"{max(totals):.2f}" if totals else "—"),
        Figure(_("Lowest"), f"{min(totals):.2f}" if totals else "—"),
    ]


def _distribution(totals: list[Decimal]) -> Chart:
    """How many partners have a total from 0 up to 10, from 10 up to 20 …"""
    counts = Counter(int(total // 10) for total in totals)
    top = max([9, *counts])
    labels = [f"{step * 10}–{step * 10 + 10}" for step in range(top + 1)]
    values = [counts.get(step, 0) for step in range(top + 1)]
    return Chart(_("Distribution of totals"), labels, [Series(_("Partners"), values)], height=240)


def _levels(seen: Any) -> list[dict[str, Any]]:
    counts: Counter[Any] = Counter()
    names = {}
    for score in seen.select_related("level").only("level"):
        names[score.level_id] = score.level
        counts[score.level_id] += 1
    rows = [{"level": names[pk], "count": count} for pk, count in counts.items()]
    return sorted(rows, key=lambda row: -(row["level"].rank if row["level"] else -1))


# --- a scorecard ---------------------------------------------------------------------------


def score_page(request: HttpRequest, score: Score) -> dict[str, Any]:
    """The items with their derivation, the peers, the partner's trend, the next level."""
    lines = selectors.scorecard(score)
    span = score.evaluation.starts_on, score.evaluation.ends_before
    reports = completeness(Partner.objects.filter(pk=score.partner_id), *span)
    may_see_sales = request.user.has_perm("sales.view_salesfact")
    links = _source_links(score, lines) if may_see_sales else [[]] * len(lines)
    return {
        "rows": [
            _score_row(score, *row) | {"grade": grade_badge(reports.get(_kind_of(row[0])))}
            for row in zip(lines, links, strict=True)
        ],
        "weights": sum((Decimal(line.stored["weight"]) for line in lines), Decimal(0)),
        "radar": _radar(score, lines),
        "trend": _trend(score),
        "ahead": _ahead(score),
        "next_level": _next_level(score),
    }


def _kind_of(line: selectors.Line) -> str:
    """The kind of sales on which an item rests."""
    return line.measure.kind_for(line.definition["kind"])


def _score_row(score: Score, line: selectors.Line, links: list[dict[str, Any]]) -> dict[str, Any]:
    unit, stored = line.measure.unit, line.stored
    compared = line.definition["target_source"] != TargetSource.NONE
    return {
        "line": line,
        "actual": shown(stored["numerator"] if unit == measures.RATIO else stored["value"], ""),
        "target": shown(stored["target"], unit if compared else ""),
        "value": shown(stored["x"], measures.RATIO if compared else unit),
        "sources": links,
    }


def _source_links(score: Score, lines: list[selectors.Line]) -> list[list[dict[str, Any]]]:
    """Per item: where to see its sales lines, and whether there are more or fewer by now."""
    found = selectors.sources_of_all(score, [line.definition for line in lines])
    return [
        [
            {
                "source": source,
                "href": selectors.list_url(score.partner_id, source),
                "changed": index == 0 and source.lines != line.stored["lines"],
            }
            for index, source in enumerate(sources)
        ]
        for line, sources in zip(lines, found, strict=True)
    ]


def _radar(score: Score, lines: list[selectors.Line]) -> Chart:
    peers = score.evaluation.peers
    mine = [Decimal(line.stored["points"] or 0) for line in lines]
    others = [Decimal(peers.get(line.code, {}).get("median_points") or 0) for line in lines]
    labels = [line.label for line in lines]
    series = [Series(score.partner, mine), Series(_("Median of the peers"), others)]
    top = max([Decimal(line.definition["cap"]) for line in lines], default=Decimal(100))
    return Chart(
        _("Items and median of the peers"),
        labels,
        series,
        kind="radar",
        height=330,
        maximum=float(top),
    )


def _trend(score: Score) -> Chart:
    scores = selectors.trend(score)
    labels = [row.evaluation.period_code for row in scores]
    series = [Series(_("Total"), [row.total for row in scores], "line")]
    return Chart(_("Trend of the total"), labels, series, height=200)


def _ahead(score: Score) -> str:
    """“top 5 %”: the part of the partners that are no worse."""
    if score.rank is None or not score.evaluation.partner_count:
        return "—"
    percent = -(-score.rank * 100 // score.evaluation.partner_count)
    return _("top %(percent)d %%") % {"percent": percent}


def _next_level(score: Score) -> str:
    """What is missing to the next level, in words."""
    found = selectors.next_level(score)
    if found is None:
        return ""
    values = {"points": found.points, "level": found.level}
    return _("%(points)s more for %(level)s") % values
