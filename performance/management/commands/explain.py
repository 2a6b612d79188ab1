"""manage.py explain EVALUATION PARTNER"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from core.commands import JsonCommand
from core.errors import DomainError
from performance import selectors
from performance.definitions import definition
from performance.models import Score
from performance.services import get_evaluation
from performance.sources import Source, page_url, sql


class Command(JsonCommand):
    help = "The whole derivation of one score, down to its source rows and how to list them."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("evaluation", type=int)
        parser.add_argument("partner", help="code of the partner")

    def run(self, **options: Any) -> dict[str, Any]:
        evaluation = get_evaluation(options["evaluation"])
        score = evaluation.scores.filter(partner__code__iexact=options["partner"]).first()
        if score is None:
            message = _("The evaluation has no score of the partner “%(code)s”.")
            raise DomainError("unknown_partner", message % {"code": options["partner"]}, "partner")
        return {
            "evaluation": evaluation.pk,
            "scheme": evaluation.scheme.code,
            "version": evaluation.scheme_version.number,
            "period": evaluation.period_code,
            "revision": evaluation.revision,
            "state": evaluation.state,
            "digest": evaluation.digest,
            "watermark": evaluation.watermark,
            "partner": score.partner.code,
            "total": score.total,
            "rank": score.rank,
            "of": evaluation.partner_count,
            "level": score.level.code if score.level else None,
            "rule": definition(evaluation.scheme_version),
            "items": [_item(score, line) for line in selectors.scorecard(score)],
        }


def _item(score: Score, line: selectors.Line) -> dict[str, Any]:
    return {
        **line.stored,
        "measure": line.measure.code,
        "definition": str(line.measure.definition),
        "weighted": line.weighted,
        "why": line.sentence,
        "sources": [_source(score, row) for row in selectors.sources(score, line.definition)],
    }


def _source(score: Score, source: Source) -> dict[str, Any]:
    return {
        "table": source.table,
        "kind": source.kind,
        "from": source.starts_on,
        "to_exclusive": source.ends_before,
        "product_line": source.product_line,
        "lines": source.lines,
        "net": source.net,
        "page": page_url(score.partner_id, source),
        "sql": sql(score.partner_id, source),
    }
