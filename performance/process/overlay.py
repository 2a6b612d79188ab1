"""Accepted corrections, laid over what was computed. The run of an evaluation applies them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from performance import scoring
from performance.models.corrections import Correction

# The level was decided by people (Held.REVIEW), and the status of an item whose points were.
REVIEWED = "review"


class Overlay:
    """The accepted corrections of one evaluation, read once; None: of none."""

    def __init__(self, evaluation_id: int | None) -> None:
        rows = Correction.objects.none()
        if evaluation_id is not None:
            accepted = Correction.State.ACCEPTED
            rows = Correction.objects.filter(evaluation=evaluation_id, state=accepted)
        found = rows.order_by("pk").values_list(
            "pk", "partner_id", "item_code", "points", "level__code"
        )
        self.keys: list[int] = []
        self._points: dict[str, dict[int, tuple[int, Decimal]]] = defaultdict(dict)
        self._levels: dict[int, tuple[int, str | None]] = {}
        self._kept: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for key, partner, item, points, level in found:
            self.keys.append(key)
            if item:
                self._points[item][partner] = (key, points)
            else:
                self._levels[partner] = (key, level)

    def __bool__(self) -> bool:
        return bool(self.keys)

    def points(
        self, item: str, partners: Sequence[int], scores: list[scoring.ItemScore]
    ) -> list[scoring.ItemScore]:
        """The scores of an item with the points that were decided; the computed ones are kept."""
        decided = self._points.get(item)
        if not decided:
            return scores
        return [
            self._decided(item, partner, score, *decided[partner]) if partner in decided else score
            for partner, score in zip(partners, scores, strict=True)
        ]

    def _decided(
        self, item: str, partner: int, score: scoring.ItemScore, key: int, points: Decimal
    ) -> scoring.ItemScore:
        given = scoring.quantize(points, scoring.POINTS)
        computed = None if score.points is None else str(score.points)
        kept = {"correction": key, "item": item, "computed": computed, "points": str(given)}
        self._kept[partner].append(kept)
        return score._replace(points=given)

    def level(self, partner: int, outcome: scoring.Outcome) -> scoring.Outcome:
        """The outcome with the level that was decided."""
        if partner not in self._levels:
            return outcome
        key, level = self._levels[partner]
        kept = {"correction": key, "item": "", "computed": outcome.level, "level": level}
        self._kept[partner].append(kept)
        return outcome._replace(level=level, held=REVIEWED)

    def kept(self, partner: int) -> str:
        """What was changed of a partner, as JSON: see Score.corrected. Codes need no escaping."""
        return json.dumps(self._kept.get(partner, []))
