"""What people of a partner are told of a score: nothing from which they could work out what others
sold, or how many others there are. The rule and its reasons: docs/algorithms/results.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Case, F, QuerySet, Value, When
from django.utils.translation import gettext as _

from performance import measures
from performance.models import Evaluation, Score, TargetSource
from performance.models.evaluations import LEAST_PEERS
from performance.models.items import LAYOUT, PARTS

WITHHELD = "withheld"  # the status of an item that is not told


def not_shown() -> str:
    """What stands where a figure is withheld."""
    return _("Not shown, as it would tell others’ sales.")


def told(scores: Sequence[Score], user: Any) -> list[Score]:
    """The same scores with what `user` may read of them: all for our own people; for people of a
    partner without rank, and where an item rests on others without that item, total, base and
    bonus. They are changed where they stand and not to be saved."""
    return _outside(scores) if user.is_partner_user else list(scores)


def told_like(scores: Sequence[Score], score: Score) -> list[Score]:
    """Other scores of the partner, told to whom `score` was told."""
    return _outside(scores) if score.outside else list(scores)


def _outside(scores: Sequence[Score]) -> list[Score]:
    hidden = resting_on_others({score.evaluation_id for score in scores})
    for score in scores:
        score.outside, score.rank = True, None
        score.withheld = hidden.get(score.evaluation_id, frozenset())
        if score.withheld:
            _withhold(score)
    return list(scores)


def _withhold(score: Score) -> None:
    score.total = score.base = score.bonus = None
    score.items = [
        _nothing_of(row) if row["code"] in score.withheld else row for row in score.items
    ]
    score.corrected = [each for each in score.corrected if each["item"] not in score.withheld]


def _nothing_of(row: dict[str, Any]) -> dict[str, Any]:
    """An item with its weight alone."""
    kept = {"code": row["code"], "weight": row["weight"], "status": WITHHELD, "step": -1}
    nothing: dict[str, Any] = dict.fromkeys(name for name in LAYOUT if name not in kept)
    return nothing | kept | {"lines": 0} | ({PARTS: []} if PARTS in row else {})


def with_told_total(scores: QuerySet, user: Any) -> QuerySet:
    """The scores with `told_total`: the total where `user` is told it, to filter and order by."""
    if not getattr(user, "is_partner_user", False):  # nobody has no role
        return scores.annotate(told_total=F("total"))
    hidden = list(resting_on_others(scores.order_by().values_list("evaluation_id", flat=True)))
    return scores.annotate(
        told_total=Case(When(evaluation__in=hidden, then=Value(None)), default=F("total"))
    )


# --- which items rest on others ------------------------------------------------------------------


@dataclass(frozen=True)
class _Item:
    """An item of an evaluation; `scheme` is the other one of which it takes the results."""

    evaluation: int
    starts_on: date
    ends_before: date
    code: str
    measure: str
    target_source: str
    scheme: int | None


@measures.at_once()
def resting_on_others(evaluations: Iterable[int]) -> dict[int, frozenset[str]]:
    """{evaluation: the codes of its items that rest on what others sold}, of those that have any.

    These are measures of the neighbours, items compared with the median of few peers, and results
    of other evaluations that have such items. A fixed number of queries for each depth of schemes
    that rest on schemes.
    """
    wanted = {*evaluations}
    items, sources = _with_sources(wanted)
    neighbours = {*measures.of_neighbours()}
    medians = [each for each in items if each.target_source == TargetSource.PEER_MEDIAN]
    found = _of_few([(each.evaluation, each.code) for each in medians])
    found |= {(each.evaluation, each.code) for each in items if each.measure in neighbours}
    more = found
    while more:  # what rests on such results is such a result itself
        such = {key for key, _code in more}
        more = {pair for pair, behind in sources.items() if behind & such} - found
        found |= more
    asked: dict[int, set[str]] = {}
    for key, code in found:
        if key in wanted:
            asked.setdefault(key, set()).add(code)
    return {key: frozenset(codes) for key, codes in asked.items()}


Pair = tuple[int, str]  # evaluation and item


def _with_sources(evaluations: set[int]) -> tuple[list[_Item], dict[Pair, set[int]]]:
    """The items of these evaluations and of all whose results are in them; {item: evaluations of
    which it is the mean}, every revision."""
    items: list[_Item] = []
    sources: dict[Pair, set[int]] = {}
    known: set[int] = set()
    names = ("code", "measure", "target_source", "source_scheme")
    while pending := evaluations - known:
        known |= pending
        rows = Evaluation.objects.filter(pk__in=pending, scheme_version__items__isnull=False)
        read = rows.order_by().values_list(
            "pk", "starts_on", "ends_before", *(f"scheme_version__items__{name}" for name in names)
        )
        new = [_Item(*row) for row in read]
        behind = _results_behind([each for each in new if each.scheme is not None])
        items, sources = [*items, *new], sources | behind
        evaluations = {key for keys in behind.values() for key in keys}
    return items, sources


def _results_behind(items: list[_Item]) -> dict[Pair, set[int]]:
    """{item: the published evaluations of its other scheme that lie inside its period}."""
    if not items:
        return {}
    rows = Evaluation.objects.filter(
        scheme__in={each.scheme for each in items},
        state__in=Evaluation.PUBLIC,
        starts_on__gte=min(each.starts_on for each in items),
        ends_before__lte=max(each.ends_before for each in items),
    )
    spans = list(rows.order_by().values_list("pk", "scheme", "starts_on", "ends_before"))
    return {
        (each.evaluation, each.code): {
            key
            for key, scheme, start, end in spans
            if scheme == each.scheme and start >= each.starts_on and end <= each.ends_before
        }
        for each in items
    }


_OF_FEW = f"""
    SELECT pair.evaluation_id, pair.code
    FROM unnest(%s::bigint[], %s::text[]) AS pair(evaluation_id, code)
    JOIN performance_evaluation AS evaluation ON evaluation.id = pair.evaluation_id
    WHERE evaluation.peers -> pair.code -> 'benchmark' IS DISTINCT FROM 'null' AND NOT EXISTS (
        SELECT FROM performance_score AS score
        WHERE score.evaluation_id = pair.evaluation_id AND nullif(trim(both '"' from split_part(
            split_part(score.items, '["' || pair.code || '",', 2), ',', {LAYOUT.index("value")}
        )), 'null')::numeric > 0
        OFFSET {LEAST_PEERS} LIMIT 1
    )
"""


def _of_few(pairs: list[Pair]) -> set[Pair]:
    """Those items of which so few partners have a value above 0, of which the median is taken, that
    it tells them; where there is no median at all, it tells nobody. The stored text is cut as for
    the heat map (ItemPoints), and read only until there are enough."""
    if not pairs:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_OF_FEW, [list(column) for column in zip(*pairs, strict=True)])
        return {(key, code) for key, code in cursor.fetchall()}
