"""The scorecard as a document: the same numbers and sentences as on its page."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from core.documents import make_pdf
from core.templatetags.fmt import NONE, exact, money
from performance import measures, selectors
from performance.definitions import definition
from performance.explain import outcome_sentences, shown
from performance.models import Evaluation, Score, TargetSource
from performance.results import matrix, peers
from performance.results.ahead import Ahead, ahead
from performance.results.peers import Cuts

TEMPLATE = "performance/scorecard.typ"
LANGUAGES = ("zh-hans", "en")
TENTH = Decimal("0.1")


def scorecard_pdf(score: Score, language: str) -> bytes:
    """The scorecard of `score` in `language` (one of LANGUAGES) as a PDF, one file for one state of
    the score. DomainError no_font, see core.documents."""
    with translation.override(language):
        return make_pdf(TEMPLATE, scorecard_values(score), language=language)


def file_name(score: Score) -> str:
    """What the file is called when it is saved."""
    return f"scorecard-{score.partner.code}-{score.evaluation.period_code}.pdf"


def scorecard_values(score: Score) -> dict[str, Any]:
    """What the template reads, as text in the active language. It is handed to the partner, so it
    names nobody of us."""
    evaluation = score.evaluation
    among, missing = peers.cuts(evaluation), ahead(score)
    frozen = evaluation.computed_at and timezone.localtime(evaluation.computed_at)
    return {
        "title": _("Scorecard"),
        "partner": score.partner.name,
        "code": score.partner.code,
        "period": evaluation.period.label,
        "subtitle": str(evaluation.scheme_version),
        "draft": "" if evaluation.state in Evaluation.PUBLIC else _("Not published"),
        "figures": _figures(score, among),
        "labels": _labels(),
        "items": [_item(line, among) for line in selectors.scorecard(score, people=False)],
        "total": NONE if score.total is None else str(score.total),
        "outcome": outcome_sentences(definition(evaluation.scheme_version), score, people=False),
        "missing": missing and _missing(missing),
        "trend": _trend(score),
        "footer": _("Frozen %(time)s · digest %(digest)s")
        % {
            "time": f"{frozen:%Y-%m-%d %H:%M}" if frozen else NONE,
            "digest": evaluation.digest[:16],
        },
    }


def _labels() -> dict[str, str]:
    return {
        "items": _("Items"),
        "item": _("Item"),
        "weight": _("Weight"),
        "value": _("Value"),
        "target": _("Target"),
        "points": _("Points"),
        "weighted": _("Weighted"),
        "quartile": _("Among all partners"),
        "total": _("Total"),
        "trend": _("Trend of the total"),
        "now": _("Now"),
        "needed": _("Needed"),
    }


def _figures(score: Score, among: dict[str, Cuts]) -> list[dict[str, str]]:
    total = among.get(peers.TOTAL)
    quartile = total.quartile(score.total) if total else None
    ranked = "" if score.rank is None else f"/ {score.evaluation.partner_count}"
    unseen = _("not shown") if score.withheld else ""
    figures = [(_("Total"), NONE if score.total is None else str(score.total), unseen)]
    if not score.outside:
        figures.append((_("Rank"), NONE if score.rank is None else str(score.rank), ranked))
    figures.append((_("Level"), str(score.level) if score.level else NONE, ""))
    if quartile:
        figures.append((_("Among all partners"), str(peers.NAMES[quartile]), ""))
    return [{"label": label, "value": value, "note": note} for label, value, note in figures]


def _item(line: selectors.Line, among: dict[str, Cuts]) -> dict[str, Any]:
    stored, unit = line.stored, line.measure.unit
    compared = line.definition["target_source"] != TargetSource.NONE
    points = None if stored["points"] is None else Decimal(stored["points"])
    quartile = among[line.code].quartile(points) if line.code in among else None
    return {
        "label": line.label,
        "sentence": line.sentence,
        "weight": ("+" if line.bonus else "") + exact(stored["weight"]),
        "value": shown(stored["x"], measures.RATIO if compared else unit),
        "target": shown(stored["target"], unit if compared else ""),
        "points": NONE if points is None else f"{points.quantize(TENTH)}",
        "band": None if points is None else matrix.band(points),
        "weighted": money(line.weighted),
        "quartile": quartile,
        "among": str(peers.NAMES[quartile]) if quartile else "",
    }


def _missing(found: Ahead) -> dict[str, Any]:
    values = {"level": found.level, "points": found.points, "needed": found.needed}
    sentence = _("%(points)s points are missing; a total of %(needed)s is needed.")
    if not found.points:
        sentence = _("The total is enough (%(needed)s are needed), but:")
    return {
        "title": _("What %(level)s takes") % values,
        "sentence": sentence % values,
        "obstacles": found.obstacles,
        "any": _("Any one of these alone would be enough"),
        "ways": [
            {
                "label": way.label,
                "now": shown(way.value_now, way.unit),
                "value": shown(way.value, way.unit),
                "points": f"{exact(way.points_now)} → {exact(way.points)}",
                "more": _("%(more)s more net sales") % {"more": money(way.more)}
                if way.more
                else "",
            }
            for way in found.ways
        ],
    }


def _trend(score: Score) -> list[dict[str, Any]]:
    return [
        {
            "period": row.evaluation.period_code,
            "total": float(row.total),
            "text": str(row.total),
            "level": str(row.level) if row.level else NONE,
            "now": row.pk == score.pk,
        }
        for row in selectors.trend(score)
        if row.total is not None
    ]
