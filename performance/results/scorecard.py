"""What the page of a scorecard reads."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _

from core.charts import Chart, Series
from partners.models import Partner
from performance import measures, selectors
from performance.definitions import definition
from performance.explain import outcome_sentences, shown
from performance.models import Score, TargetSource
from performance.process.pages import appeals_of_score, score_actions
from performance.results.ahead import ahead
from performance.results.pages import of_score
from performance.results.peers import LEAST_PEERS, NAMES, TOTAL, WORDS, Cuts, cuts
from performance.sources import page_url, permission
from performance.telling import not_shown
from sales.completeness import completeness, worst
from sales.grades import grade_badge


@measures.at_once()
def score_page(request: HttpRequest, score: Score) -> dict[str, Any]:
    """The items with their derivation, the peers, the partner's trend, the next level; of a score
    that was told (performance.telling) only what its reader may learn."""
    people = not request.user.is_partner_user
    lines = selectors.scorecard(score, people=people)
    period, one = score.evaluation.period, Partner.objects.filter(pk=score.partner_id)
    starts = [line.measure.graded_from(period) for line in lines]
    reports = {start: completeness(one, start, period.end) for start in set(starts)}
    may = request.user.has_perm
    links = _source_links(score, lines, request.user)
    among = cuts(score.evaluation)
    return {
        "rows": [
            _score_row(score, line, seen)
            | {
                "grade": grade_badge(worst(reports[start], _kinds_of(line))),
                "quartile": quartile_badge(_quartile(among, line.code, line.stored["points"])),
                "results": []
                if line.withheld
                else selectors.results_behind(score, line.definition),
            }
            for line, seen, start in zip(lines, links, starts, strict=True)
        ],
        "weights": sum((Decimal(r.stored["weight"]) for r in lines if not r.bonus), Decimal(0)),
        "outcome": outcome_sentences(
            definition(score.evaluation.scheme_version), score, people=people
        ),
        "deductions": selectors.deduction_list(score)
        if score.deducted and may("performance.view_deduction")
        else "",
        "radar": _radar(score, lines, among),
        "trend": _trend(score),
        "ahead": _ahead(score),
        "quartile": quartile_badge(_quartile(among, TOTAL, score.total)),
        "not_shown": not_shown(),
        "missing": ahead(score),
        "followed": of_score(score, request.user),
        "appeals": appeals_of_score(request.user, score),
        **score_actions(request, score),
    }


def _kinds_of(line: selectors.Line) -> list[str]:
    """The kinds of sales whose reports tell how far an item can be trusted."""
    return line.measure.graded_by(line.definition["kind"])


def _quartile(among: dict[str, Cuts], code: str, points: Any) -> int | None:
    """The quartile of the peers in which some points are, where it may be told."""
    if code not in among or points is None:
        return None
    return among[code].quartile(Decimal(points))


def quartile_badge(quartile: int | None) -> str:
    """“top 25 %”, with a sentence for who points at it; "" where there is none."""
    if quartile is None:
        return ""
    return format_html(
        '<span class="badge bg-{}-lt" title="{}">{}</span>',
        QUARTILE_COLORS[quartile],
        WORDS[quartile],
        NAMES[quartile],
    )


QUARTILE_COLORS = {1: "green", 2: "blue", 3: "yellow", 4: "red"}


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


def _source_links(
    score: Score, lines: list[selectors.Line], user: Any
) -> list[list[dict[str, Any]]]:
    """Per item: where to see its rows, where `user` may, and whether there are others by now."""
    found = selectors.sources_of_all(score, [line.definition for line in lines])
    return [
        [
            {
                "source": source,
                "href": page_url(score.partner_id, source),
                "changed": not line.withheld and source.counted and now != line.stored["lines"],
            }
            for source in rested
            if user.has_perm(permission(source))
        ]
        for line, rested in zip(lines, found, strict=True)
        for now in [sum(source.lines for source in rested if source.counted)]
    ]


def _radar(score: Score, lines: list[selectors.Line], among: dict[str, Cuts]) -> Chart:
    """The items of the partner and, where there are peers enough, their median."""
    peers, lines = score.evaluation.peers, [line for line in lines if not line.withheld]
    mine = [Decimal(line.stored["points"] or 0) for line in lines]
    labels = [line.label for line in lines]
    series = [Series(score.partner, mine)]
    if TOTAL in among and among[TOTAL].count > LEAST_PEERS:
        # Of an item that applies to few the median would be what one of them has.
        enough = {code for code, row in among.items() if row.count > LEAST_PEERS}
        medians = [
            peers.get(line.code, {}).get("median_points") if line.code in enough else None
            for line in lines
        ]
        series.append(Series(_("Median of the peers"), [Decimal(each or 0) for each in medians]))
    top = max([Decimal(line.definition["cap"]) for line in lines], default=Decimal(100))
    return Chart(
        _("Items and median of the peers"),
        labels,
        series,
        kind="radar",
        height=330,
        maximum=float(top),
    )


def _trend(score: Score) -> Chart | None:
    """None where no total is told."""
    scores = selectors.trend(score)
    if score.withheld and not any(row.total for row in scores):
        return None
    labels = [row.evaluation.period_code for row in scores]
    series = [Series(_("Total"), [row.total for row in scores], "line")]
    return Chart(_("Trend of the total"), labels, series, height=200)


def _ahead(score: Score) -> str:
    """“top 5 %”: the part of the partners that are no worse."""
    if score.rank is None or not score.evaluation.partner_count:
        return "—"
    percent = -(-score.rank * 100 // score.evaluation.partner_count)
    return _("top %(percent)d %%") % {"percent": percent}
