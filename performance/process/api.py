"""Ratings, changes in review, appeals and changed scores in the API."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework import status
from rest_framework.response import Response

from core import crud
from core.api.serializers import RowSerializer, WriteSerializer
from core.api.views import CreateMixin, ScopedViewSet, TransitionsMixin
from performance.models import Appeal, Correction, Evaluation, Rating, ScoreChange
from performance.process import rating
from performance.process.appeals import file_appeal
from performance.process.filters import (
    AppealFilter,
    CorrectionFilter,
    RatingFilter,
    ScoreChangeFilter,
)

_PARTNER = {"partner_code": ("partner", "code")}


class RatingRow(RowSerializer):
    class Meta:
        model = Rating
        fields: tuple[str, ...] = (
            "id",
            "evaluation",
            "item_code",
            "partner",
            "partner_code",
            "rater",
            "mark",
            "evidence",
            "updated_at",
        )
        paths = {"partner_code": "partner__code"}


class RatingWrite(WriteSerializer):
    class Meta:
        model = Rating
        fields = ("evaluation", "item_code", "partner", "mark", "evidence")
        codes = _PARTNER


class RatingViewSet(CreateMixin, ScopedViewSet):
    """Marks from 1 to 5. You give your own, as long as the ratings of the evaluation are open and
    you have been asked; a second one for the same partner and item takes the place of the first."""

    model = Rating
    row_class = detail_class = RatingRow
    write_class = RatingWrite
    filterset_class = RatingFilter
    search_fields = ("partner__code", "partner__name")
    ordering_fields = {"mark": "mark", "partner": "partner__code", "id": "pk"}

    def create(self, request: Any) -> Response:
        """Give a mark, or change the one you gave."""
        with transaction.atomic():
            row = rating.rate(by=request.user, **self.checked())
            assert row is not None  # a mark was given
            return self.answer(self.represent(row.pk), status.HTTP_201_CREATED)


class CorrectionRow(RowSerializer):
    class Meta:
        model = Correction
        fields: tuple[str, ...] = (
            "id",
            "evaluation",
            "partner",
            "partner_code",
            "item_code",
            "points",
            "level",
            "level_code",
            "reason",
            "appeal",
            "state",
            "proposed_by",
            "decided_by",
            "updated_at",
        )
        paths = {"partner_code": "partner__code", "level_code": "level__code"}


class CorrectionWrite(WriteSerializer):
    class Meta:
        model = Correction
        fields = ("evaluation", "partner", "item_code", "points", "level", "reason")
        codes = _PARTNER | {"level_code": ("level", "code")}


class CorrectionViewSet(TransitionsMixin, CreateMixin, ScopedViewSet):
    """What the review changes: the points of an item, or without an item the level. A second person
    fires the transition `accept` or `reject`; it counts when the evaluation is computed again."""

    model = Correction
    row_class = detail_class = CorrectionRow
    write_class = CorrectionWrite
    filterset_class = CorrectionFilter
    search_fields = ("partner__code", "partner__name", "reason")
    ordering = ("-id",)

    def create(self, request: Any) -> Response:
        """Propose a change."""
        row = Correction(**self.checked(), proposed_by=request.user)
        crud.save(row, by=request.user)
        return self.answer(self.represent(row.pk), status.HTTP_201_CREATED)


class AppealRow(RowSerializer):
    class Meta:
        model = Appeal
        fields: tuple[str, ...] = (
            "id",
            "evaluation",
            "partner",
            "partner_code",
            "item_code",
            "claim",
            "state",
            "due_on",
            "filed_by",
            "by_partner",
            "owner",
            "answer",
            "granted_points",
            "granted_level_code",
            "decided_at",
            "revision",
            "updated_at",
        )
        paths = {"partner_code": "partner__code", "granted_level_code": "granted_level__code"}


class AppealWrite(WriteSerializer):
    class Meta:
        model = Appeal
        fields = ("evaluation", "partner", "item_code", "claim")
        codes = _PARTNER


class AppealViewSet(TransitionsMixin, CreateMixin, ScopedViewSet):
    """Against a published result, within its window. Somebody who has nothing to do with it fires
    `take`, then `accept` or `reject` until `due_on`; an accepted one takes effect in the next
    revision. People of a partner file for their own company and see what was filed by it; who of
    us answers is not told to them."""

    model = Appeal
    row_class = detail_class = AppealRow
    write_class = AppealWrite
    filterset_class = AppealFilter
    search_fields = ("partner__code", "partner__name", "claim")
    ordering = ("-id",)

    def create(self, request: Any) -> Response:
        """File an appeal."""
        with transaction.atomic():  # what cannot be answered as it is asked for is not made
            row = file_appeal(**self.checked(), by=request.user, on=timezone.localdate())
            return self.answer(self.represent(row.pk), status.HTTP_201_CREATED)

    def shown(self, rows: Any) -> Any:
        """To people of a partner without the accounts of others and revisions they do not see."""
        user = self.request.user
        if not user.is_partner_user:
            return rows
        seen = set(Evaluation.objects.visible_to(user).values_list("pk", flat=True))
        hidden = {"owner": set(), "filed_by": {user.pk}, "revision": seen}
        return [
            row | {name: None for name, own in hidden.items() if row.get(name) not in own}
            for row in rows
        ]


class ScoreChangeRow(RowSerializer):
    class Meta:
        model = ScoreChange
        fields: tuple[str, ...] = (
            "id",
            "evaluation",
            "revision",
            "partner",
            "partner_code",
            "total_before",
            "total_after",
            "difference",
            "rank_before",
            "rank_after",
            "level_before_code",
            "level_after_code",
            "items",
        )
        paths = {
            "partner_code": "partner__code",
            "level_before_code": "level_before__code",
            "level_after_code": "level_after__code",
        }


class ScoreChangeViewSet(ScopedViewSet):
    """What a revision changed, and for whom; without a `revision`: what facts that came late would
    change of a published result, by the last check."""

    model = ScoreChange
    row_class = detail_class = ScoreChangeRow
    filterset_class = ScoreChangeFilter
    changed_at = None
    ordering = ("-id",)
    ordering_fields = {"difference": "difference", "partner": "partner__code", "id": "pk"}
