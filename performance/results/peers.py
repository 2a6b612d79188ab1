"""Where a partner stands among its peers: the other partners that the same evaluation scored.

Peers are told as quartiles only, and only where there are enough of them that nobody can work out
what one of them has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.utils.translation import gettext_lazy

from performance.models import Evaluation
from performance.models.evaluations import LEAST_PEERS

TOTAL = ""  # the key of the total among those of the items
KEPT_SECONDS = 24 * 3600

# “Q1” would be read as the first quarter of the year beside a period.
NAMES = {
    1: gettext_lazy("top 25 %"),
    2: gettext_lazy("top 25–50 %"),
    3: gettext_lazy("top 50–75 %"),
    4: gettext_lazy("last 25 %"),
}
WORDS = {
    1: gettext_lazy("Among the best quarter of all partners by points"),
    2: gettext_lazy("In the second best quarter of all partners by points"),
    3: gettext_lazy("In the third best quarter of all partners by points"),
    4: gettext_lazy("Among the last quarter of all partners by points"),
}


@dataclass(frozen=True)
class Cuts:
    """The points (or totals) that a quarter, a half and three quarters of `count` partners do not
    exceed (percentile_disc), of those to whom the item applies."""

    count: int
    lower: Decimal
    middle: Decimal
    upper: Decimal

    def quartile(self, points: Decimal | None) -> int | None:
        """1 for the best of the four to 4; None with fewer than five peers, without points, or for
        the points that at least half of the peers share.

        Who has as much as a bound is above it, so equal points are in one quartile.
        """
        if points is None or self.count <= LEAST_PEERS or self.lower == points == self.upper:
            return None
        return 4 - sum(1 for bound in (self.lower, self.middle, self.upper) if points >= bound)


def quarters(ordered: Sequence[Decimal]) -> list[Decimal]:
    """Of rising values the ones that a quarter, a half and three quarters do not exceed, as
    PostgreSQL's percentile_disc picks them."""
    return [ordered[-(-len(ordered) * part // 4) - 1] for part in (1, 2, 3)] if ordered else []


def cuts(evaluation: Evaluation) -> dict[str, Cuts]:
    """{item code, or TOTAL: cuts}: those of the items as the run kept them, of older runs read from
    their scores."""
    kept = evaluation.peers
    if any("quarters" not in row for row in kept.values()) or not kept:
        key = f"performance:cuts:{evaluation.pk}:{evaluation.digest}"
        of_items = (
            cache.get_or_set(key, lambda: _read(evaluation.pk), KEPT_SECONDS)
            if evaluation.state in Evaluation.PUBLIC  # it cannot change any more
            else _read(evaluation.pk)
        )
    else:
        of_items = {
            code: Cuts(row["count"], *map(Decimal, row["quarters"]))
            for code, row in kept.items()
            if row["count"]
        }
    return of_items | _of_totals(evaluation.pk)


_QUARTERS = "percentile_disc(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY"


def _read(evaluation_id: int) -> dict[str, Cuts]:
    return _query(
        f"SELECT item->>0, count(*), {_QUARTERS} (item->>4)::numeric) "
        "FROM performance_score AS s CROSS JOIN LATERAL json_array_elements(s.items::json) "
        "AS item WHERE s.evaluation_id = %s AND item->>4 IS NOT NULL GROUP BY 1",
        [evaluation_id],
    )


def _of_totals(evaluation_id: int) -> dict[str, Cuts]:
    return _query(
        f"SELECT %s, count(*), {_QUARTERS} total) FROM performance_score "
        "WHERE evaluation_id = %s AND total IS NOT NULL HAVING count(*) > 0",
        [TOTAL, evaluation_id],
    )


def _query(sql: str, parameters: list[Any]) -> dict[str, Cuts]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return {code: Cuts(count, *bounds) for code, count, bounds in cursor.fetchall()}
