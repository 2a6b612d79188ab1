"""Read models of scores: what the scorecard page, the API and the commands show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import F
from django.urls import reverse

from core.phrases import clauses
from performance import bases, measures, records, scoring
from performance.definitions import Definition, definition, item_definition
from performance.explain import curve_text, explain_sentence, item_label, review_sentence
from performance.models import Basis, Correction, Evaluation, Role, SchemeItem, Score
from performance.sources import Source, counted, planned
from performance.telling import WITHHELD, not_shown, told_like


@dataclass(frozen=True)
class Line:
    """One item of a scorecard. `weighted` is what it adds to the total; None: does not apply, or
    the total is not told to who reads it."""

    definition: Definition
    measure: bases.Reads
    label: str
    stored: dict[str, Any]
    weighted: Decimal | None
    curve: str
    sentence: str
    changed: bool = False  # the review gave it other points

    @property
    def code(self) -> str:
        return self.definition["code"]

    @property
    def bonus(self) -> bool:
        """Whether it comes on top of the 100."""
        return self.definition.get("role") == Role.BONUS

    @property
    def withheld(self) -> bool:
        """Whether who reads it is told nothing of the item."""
        return self.stored["status"] == WITHHELD


@measures.at_once()
def scorecard(score: Score, *, people: bool = True) -> list[Line]:
    """The items of a score with their derivation in the active language. Without `people`, for
    those outside, it does not say who of us changed something in review."""
    items = {item["code"]: item for item in definition(score.evaluation.scheme_version)["items"]}
    changed = corrections(score)
    on_top = {code for code, item in items.items() if item.get("role") == Role.BONUS}
    applied = [row for row in score.items if row["points"] is not None]
    weights = sum((Decimal(r["weight"]) for r in applied if r["code"] not in on_top), Decimal(0))
    return [
        Line(
            definition=items[row["code"]],
            measure=bases.of(items[row["code"]]),
            label=item_label(items[row["code"]]),
            stored=row,
            # The parts that are told would tell the one that is not.
            weighted=None
            if score.withheld
            else scoring.weighted(
                row["weight"],
                row["points"],
                scoring.HUNDRED if row["code"] in on_top else weights,
            ),
            curve=curve_text(items[row["code"]]),
            sentence=_sentence(items[row["code"]], row, changed.get(row["code"]), people),
            changed=row["code"] in changed,
        )
        for row in score.items
    ]


def corrections(score: Score) -> dict[str, dict[str, Any]]:
    """{item code, "" for the level: what the review changed, with the `reason` and by whom}."""
    if not score.corrected:
        return {}
    rows = Correction.objects.filter(pk__in=[each["correction"] for each in score.corrected])
    known = {row.pk: row for row in rows.select_related("proposed_by", "decided_by")}
    return {
        each["item"]: {**each, "row": known[each["correction"]]}
        for each in score.corrected
        if each["correction"] in known
    }


def _sentence(
    item: Definition, row: dict[str, Any], changed: dict[str, Any] | None, people: bool
) -> str:
    """How the points came about: by the curve, and where people changed them, by whom and why."""
    if row["status"] == WITHHELD:
        return not_shown()
    if changed is None:
        return explain_sentence(item, row)
    if changed["computed"] is None:  # it did not apply, and does now
        return review_sentence(changed, people=people)
    computed = explain_sentence(item, {**row, "points": changed["computed"]})
    return clauses([computed, review_sentence(changed, people=people)])


def score_rows(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """One flat row a partner in order of the codes: partner, total, rank, level, then for each item
    CODE.value, CODE.target, CODE.points, then base, bonus, deducted, vetoes (codes of those that
    bit), held (why the level is not that of the total); numbers as exact text, None where there is
    none."""
    scores = evaluation.scores.order_by("partner__code").values_list(
        *("partner__code", "total", "rank", "level__code", "items"),
        *("base", "bonus", "deducted", "vetoes", "held"),
    )
    for code, total, rank, level, items, base, bonus, deducted, vetoes, held in sorted(
        scores.iterator(), key=lambda row: row[0]
    ):
        row: dict[str, Any] = {
            "partner": code,
            "total": _exact(total),
            "rank": _exact(rank),
            "level": level,
        }
        for item in items:
            for name in ("value", "target", "points"):
                row[f"{item['code']}.{name}"] = item[name]
        beyond = {"base": base, "bonus": bonus, "deducted": deducted}
        row |= {name: _exact(number) for name, number in beyond.items()}
        yield row | {"vetoes": vetoes, "held": held or None}


def _exact(number: Decimal | int | None) -> str | None:
    return None if number is None else str(number)


def item_names(rows: Iterable[Any], whole: str) -> dict[int, str]:
    """{key of a row that has an evaluation and an item code: what the item is called in the active
    language}; `whole` where it has none."""
    asked = list(rows)
    items = SchemeItem.objects.filter(
        version__in={row.evaluation.scheme_version_id for row in asked},
        code__in={row.item_code for row in asked},
    ).select_related("product_line", "source_scheme")
    names = {(item.version_id, item.code): item_label(item_definition(item)) for item in items}
    return {
        row.pk: names.get((row.evaluation.scheme_version_id, row.item_code), row.item_code or whole)
        for row in asked
    }


# --- source rows ---------------------------------------------------------------------------


def sources(score: Score, item: Definition) -> list[Source]:
    """The rows an item rests on: those of the period, and what they are compared with; none of
    what people rated or another scheme gave."""
    return sources_of_all(score, [item])[0]


def sources_of_all(score: Score, items: list[Definition]) -> list[list[Source]]:
    """`sources` of each item; items that rest on the same rows share one query."""
    known: dict[Source, Source] = {}
    found = []
    for item in items:
        plan: list[Source] = []
        if bases.basis_of(item) == Basis.MEASURE:
            measure = measures.get(item["measure"])
            plan = planned(measure, item["kind"], item["product_line"], score.evaluation.period)
        for source in plan:
            if source not in known:
                known[source] = counted(score.partner_id, source)
        found.append([known[source] for source in plan])
    return found


@dataclass(frozen=True)
class Elsewhere:
    """Where else the numbers of an item come from: how the rows are called, and their page."""

    label: str
    href: str


def results_behind(score: Score, item: Definition) -> list[Elsewhere]:
    """The scorecards of the other scheme that an item is the mean of, oldest first."""
    if bases.basis_of(item) != Basis.SCORES:
        return []
    evaluations = records.published_within(item["source_scheme"], score.evaluation.period)
    rows = Score.objects.filter(partner=score.partner_id, evaluation__in=evaluations)
    return [
        Elsewhere(
            f"{row.evaluation}: {row.total}", reverse("performance:score_detail", args=[row.pk])
        )
        for row in rows.select_related("evaluation__scheme").order_by("evaluation__starts_on")
    ]


def deduction_list(score: Score) -> str:
    """The page of the decided deductions that count in the evaluation of a score."""
    evaluation = score.evaluation
    query = {
        "partner": score.partner_id,
        "state": "decided",
        "decided_on_after": evaluation.starts_on,
        "decided_on_before": evaluation.ends_before - timedelta(days=1),
    }
    return f"{reverse('performance:deduction_list')}?{urlencode(query)}"


# --- comparisons ---------------------------------------------------------------------------


def trend(score: Score, count: int = 8) -> list[Score]:
    """The partner's scores by the same scheme up to this one, oldest first, last revisions only;
    told to whom this one was told."""
    earlier = (
        Score.objects.filter(
            partner_id=score.partner_id,
            evaluation__scheme_id=score.evaluation.scheme_id,
            evaluation__starts_on__lt=score.evaluation.starts_on,
            evaluation__in=Evaluation.objects.in_force().values("pk"),
        )
        .annotate(period_code=F("evaluation__period_code"))
        .select_related("evaluation__scheme_version__scheme", "level")
        .order_by("-evaluation__starts_on", "-evaluation__revision")
    )
    latest: dict[str, Score] = {}
    for row in earlier[: count * 3]:
        latest.setdefault(row.evaluation.period_code, row)
    return [*told_like(list(latest.values())[: count - 1][::-1], score), score]
