"""What the tabs of scheme, version, evaluation and score pages read."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from statistics import median
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from accounts.models import Territory
from core.charts import Chart, Series
from core.figures import Figure
from core.phrases import listed, per_cent
from core.templatetags.fmt import exact
from partners.models import Level, Partner
from performance import bases, measures, scoring, selectors
from performance.definitions import Definition, compile_item, definition, item_definition
from performance.explain import (
    curve_text,
    item_label,
    minimum_text,
    outcome_sentences,
    reads_text,
    shown,
    veto_text,
)
from performance.models import Evaluation, Role, Scheme, SchemeVersion, Score, TargetSource
from performance.results.ahead import ahead
from performance.results.pages import of_score
from performance.results.peers import LEAST_PEERS, TOTAL, Cuts, cuts
from performance.sources import page_url
from performance.validation import item_problems, problems
from sales.completeness import completeness, worst
from sales.grades import grade_badge
from sales.models import SalesKind, TargetKind

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


@measures.at_once()
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
        "weights": sum(
            (Decimal(i["weight"]) for i in found["items"] if i.get("role") != Role.BONUS),
            Decimal(0),
        ),
        "levels": version.levels.select_related("level"),
        "vetoes": [
            {"veto": row, "text": _veto_words(veto)}
            for row, veto in zip(
                version.vetoes.order_by("code"), found.get("vetoes", []), strict=True
            )
        ],
        "scope": scope_words(version),
        "rules": rule_sentences(version),
        "windows": _windows(version),
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


def scope_words(version: SchemeVersion) -> list[tuple[str, str]]:
    """[(what, its choices in words)] of the scope; what restricts nothing is left out."""
    return [
        (str(_SCOPE[name][0]), _scope_words(name, codes))
        for name, codes in version.scope.items()
        if codes
    ]


def rule_sentences(version: SchemeVersion) -> list[str]:
    """How deductions count and levels change, in sentences; only what is not the default."""
    said = []
    if version.deduction_cap:
        values = {"cap": exact(version.deduction_cap)}
        said.append(_("Decided deductions take away at most %(cap)s points.") % values)
    if version.grace:
        said.append(
            ngettext(
                "Too low a total is forgiven %(count)s time in a row before a level is lost.",
                "Too low a total is forgiven %(count)s times in a row before a level is lost.",
                version.grace,
            )
            % {"count": version.grace}
        )
    if version.most_steps_up:
        said.append(
            _("Levels rise by at most %(count)s at once.") % {"count": version.most_steps_up}
        )
    if version.most_steps_down:
        said.append(
            _("Levels fall by at most %(count)s at once.") % {"count": version.most_steps_down}
        )
    return said


def _windows(version: SchemeVersion) -> list[tuple[str, str]]:
    """The stages that an evaluation goes through, with their days."""
    stages = (
        (_("Ratings"), version.rating_days, _("after the end of the period")),
        (_("Review"), version.review_days, _("after the end of the period")),
        (_("Appeals"), version.appeal_days, _("after publishing")),
    )
    return [
        (label, f"{ngettext('%(days)s day', '%(days)s days', days) % {'days': days}} {until}")
        for label, days, until in stages
        if days
    ]


def _veto_words(veto: Definition) -> str:
    return veto_text(veto) if bases.find(veto) else str(veto["measure"])


def item_preview(form: Any) -> dict[str, Any]:
    """The curve of an item that is being written, what is wrong with it, and what the weights sum
    to with it."""
    form.is_valid()
    item = item_definition(form.instance)
    problems = [
        (form.fields[name].label if name in form.fields else "", error)
        for name, errors in form.errors.items()
        for error in errors
    ]
    item["weight"] = item["weight"] or "0"
    wanting = {"basis", "measure", "target_source", "cap", "curve_kind", "curve_text"}
    drawable = form.instance.curve and not wanting & set(form.errors) and bases.find(item)
    if drawable:
        told = {str(error) for _label, error in problems}
        problems += [
            ("", message)
            for _code, message in (capitalised(*each) for each in item_problems(item))
            if message not in told
        ]
    return {
        "chart": curve_chart(_("Curve"), item) if drawable else None,
        "curve": curve_text(item) if drawable else "",
        "problems": problems,
        "weights": _weights_with(form),
    }


def capitalised(code: str, message: str) -> tuple[str, str]:
    """A problem whose message stands by itself."""
    return code, capfirst(message)


def _weights_with(form: Any) -> Decimal | None:
    """The sum of the weights of the draft, with the item as it is written now."""
    version, weight = (form.cleaned_data.get(name) for name in ("version", "weight"))
    if version is None or weight is None:
        return None
    others = version.items.exclude(pk=form.instance.pk).exclude(role=Role.BONUS)
    total = sum(others.values_list("weight", flat=True), Decimal(0))
    return total if form.cleaned_data.get("role") == Role.BONUS else total + weight


def example_summary(example: Any) -> dict[str, Any]:
    """An example as its card shows it: items with weight, and the rules that set it apart."""
    items = example.document["items"]
    return {
        "example": example,
        "items": [
            (item_label(_full(item)), exact(item["weight"]), item.get("role") == Role.BONUS)
            for item in items
        ],
        "levels": example.document.get("levels", []),
    }


def _full(item: Definition) -> Definition:
    """An item of a file with the keys that words read."""
    return {"measure": "", "kind": "", "product_line": None, **item}


def _scope_words(name: str, codes: list[str]) -> str:
    """The codes of a scope as people know them; one that no longer exists stays as it is."""
    named = _SCOPE[name][1]
    if issubclass(named, Model):
        words = {row.code: str(row) for row in named.objects.filter(code__in=codes)}
    else:
        words = dict(named.choices)
    return listed(str(words.get(code, code)) for code in codes)


def _item_row(row: Any, item: Definition, broken: bool) -> dict[str, Any]:
    measure = bases.find(item)
    readable = measure is not None and not broken
    return {
        "item": row,
        "measure": measure,
        "label": item_label(item) if measure else row.measure,
        "reads": reads_text(item) if measure else "",
        "anchors": sorted(item.get("anchors", {}).items()),
        "minimum": minimum_text(item),
        "bonus": item.get("role") == Role.BONUS,
        "curve": curve_text(item) if readable else "",
        "target": _target_text(row, item, measure),
        "chart": curve_chart(row.code, item) if readable else None,
    }


def _target_text(row: Any, item: Definition, measure: bases.Reads | None) -> str:
    """What an item's value is compared with."""
    if measure and row.target_source == TargetSource.FIXED:
        return shown(item["target"], measure.unit)
    if measure and measures.TARGETS in measure.needs and row.target_source == TargetSource.NONE:
        return _("The partner’s own targets")
    return str(row.get_target_source_display())


def curve_chart(title: str, item: Definition) -> Chart:
    """The curve from a little below its first bound to a little above its last."""
    (low, high), reads = _range(item["curve"]), bases.of(item)
    compared = item["target_source"] != TargetSource.NONE
    if compared or reads.lowest is not None:
        low = max(low, Decimal(0) if compared else reads.lowest)
    if not compared and isinstance(reads, bases.Source) and reads.highest is not None:
        high = min(high, reads.highest)
    compiled, bounds = compile_item(item), _bounds(item["curve"])
    even = [low + (high - low) * step / STEPS for step in range(STEPS + 1)]
    xs = sorted({*even, *(x for x in bounds if low <= x <= high)})
    ratio = compared or reads.unit == measures.RATIO
    labels = [
        per_cent(f"{x * 100:.0f}") if ratio else f"{scoring.quantize(x, Decimal('0.01')):f}"
        for x in xs
    ]
    points = [compiled.read(x)[0] for x in xs]
    kind = "step" if item["curve"]["kind"] in (scoring.BANDS, scoring.PASS) else "line"
    return Chart(title, labels, [Series(_("Points"), points, kind)], height=170, minimum=0)


def _range(curve: dict[str, Any]) -> tuple[Decimal, Decimal]:
    bounds = _bounds(curve)
    low, high = min(bounds), max(bounds)
    margin = (high - low) / 4 or abs(low) / 2 or Decimal(1)
    if curve["kind"] == scoring.PROPORTIONAL:
        return low, high + margin
    return low - margin, high + margin


def _bounds(curve: dict[str, Any]) -> list[Decimal]:
    """Where a curve bends or jumps."""
    if curve["kind"] == scoring.LINEAR:
        return [Decimal(x) for x, _y in curve["points"]]
    if curve["kind"] == scoring.BANDS:
        return [Decimal(low) for low, _y in curve["bands"][1:]]
    if curve["kind"] == scoring.PASS:
        return [Decimal(curve["at_least"] if "at_least" in curve else curve["at_most"])]
    return [Decimal(0), Decimal(1)]


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
            (seen_label(kind), seen, grade_badge(reports.get(kind)))
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


def seen_label(name: str) -> str:
    """What an entry of the watermark counts: “sell_in”, “collection”, “reports.sell_through”, and
    “sell_in.year_to_date” from the first day of the fiscal year."""
    labels: dict[str, Any] = dict([*SalesKind.choices, *TargetKind.choices])
    labels |= {"reports": _("Reports"), **measures.SPAN_SUFFIXES}
    return " · ".join(str(labels.get(part, part)) for part in name.split("."))


# --- a scorecard ---------------------------------------------------------------------------


@measures.at_once()
def score_page(request: HttpRequest, score: Score) -> dict[str, Any]:
    """The items with their derivation, the peers, the partner's trend, the next level."""
    lines = selectors.scorecard(score)
    period, one = score.evaluation.period, Partner.objects.filter(pk=score.partner_id)
    starts = [line.measure.graded_from(period) for line in lines]
    reports = {start: completeness(one, start, period.end) for start in set(starts)}
    may = request.user.has_perm
    links = _source_links(score, lines) if may("sales.view_salesfact") else [[]] * len(lines)
    among = cuts(score.evaluation)
    return {
        "rows": [
            _score_row(score, line, seen)
            | {
                "grade": grade_badge(worst(reports[start], _kinds_of(line))),
                "quarter": quarter_badge(_quarter(among, line.code, line.stored["points"])),
                "results": selectors.results_behind(score, line.definition),
            }
            for line, seen, start in zip(lines, links, starts, strict=True)
        ],
        "weights": sum((Decimal(r.stored["weight"]) for r in lines if not r.bonus), Decimal(0)),
        "outcome": outcome_sentences(definition(score.evaluation.scheme_version), score),
        "deductions": selectors.deduction_list(score)
        if score.deducted and may("performance.view_deduction")
        else "",
        "radar": _radar(score, lines, among),
        "trend": _trend(score),
        "ahead": _ahead(score),
        "quarter": quarter_badge(_quarter(among, TOTAL, score.total)),
        "missing": ahead(score),
        "followed": of_score(score, request.user),
    }


def _kinds_of(line: selectors.Line) -> list[str]:
    """The kinds of sales whose reports tell how far an item can be trusted."""
    return line.measure.graded_by(line.definition["kind"])


def _quarter(among: dict[str, Cuts], code: str, points: Any) -> int | None:
    """The quarter of the peers in which some points are, where it may be told."""
    if code not in among or points is None:
        return None
    return among[code].quarter(Decimal(points))


def quarter_badge(quarter: int | None) -> str:
    """“Q1”, told in words to who cannot see its colour; "" where there is none."""
    if quarter is None:
        return ""
    words = QUARTERS[quarter]
    return format_html(
        '<span class="badge bg-{}-lt" title="{}">Q{}</span>',
        QUARTER_COLORS[quarter],
        words,
        quarter,
    )


QUARTERS = {
    1: gettext_lazy("Best quarter of all partners"),
    2: gettext_lazy("Second quarter of all partners"),
    3: gettext_lazy("Third quarter of all partners"),
    4: gettext_lazy("Last quarter of all partners"),
}
QUARTER_COLORS = {1: "green", 2: "blue", 3: "yellow", 4: "red"}


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
    """Per item: where to see its rows, and whether there are more or fewer by now."""
    found = selectors.sources_of_all(score, [line.definition for line in lines])
    return [
        [
            {
                "source": source,
                "href": page_url(score.partner_id, source),
                "changed": source.counted and now != line.stored["lines"],
            }
            for source in rested
        ]
        for line, rested in zip(lines, found, strict=True)
        for now in [sum(source.lines for source in rested if source.counted)]
    ]


def _radar(score: Score, lines: list[selectors.Line], among: dict[str, Cuts]) -> Chart:
    """The items of the partner and, where there are peers enough, their median."""
    peers = score.evaluation.peers
    mine = [Decimal(line.stored["points"] or 0) for line in lines]
    labels = [line.label for line in lines]
    series = [Series(score.partner, mine)]
    if TOTAL in among and among[TOTAL].count > LEAST_PEERS:
        others = [Decimal(peers.get(line.code, {}).get("median_points") or 0) for line in lines]
        series.append(Series(_("Median of the peers"), others))
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
