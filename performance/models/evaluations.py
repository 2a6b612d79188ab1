"""Evaluations: a scheme version over a period for all partners of its scope; and the scores."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from core import jobs, locks
from core.errors import Problem
from core.models import Job, Model
from core.periods import KIND_CHOICES, Period
from core.scoping import ScopedQuerySet
from core.workflow import StateField, StatefulModel
from performance.models.guards import frozen_with_parent
from performance.models.items import ItemsField
from performance.models.schemes import Basis, Scheme, SchemeVersion

# So many peers besides oneself there must be before something of all is told.
LEAST_PEERS = 5


class EvaluationSchedule(Model):
    """Evaluate a scheme every month, quarter or year, so many days after the period has ended."""

    scope_path = None

    scheme = models.ForeignKey(
        Scheme, verbose_name=_("scheme"), on_delete=models.CASCADE, related_name="schedules"
    )
    every = models.CharField(_("every"), max_length=10, choices=KIND_CHOICES, default="quarter")
    days_after = models.PositiveSmallIntegerField(
        _("days after the end"), default=5, validators=[MaxValueValidator(90)]
    )
    active = models.BooleanField(_("active"), default=True)
    last_period = models.CharField(_("last started"), max_length=10, blank=True, editable=False)

    class Meta:
        verbose_name = _("evaluation schedule")
        verbose_name_plural = _("evaluation schedules")
        ordering = ["scheme", "every"]
        constraints = [
            models.UniqueConstraint(
                fields=["scheme", "every"],
                name="schedule_once",
                violation_error_message=_("This scheme has such a schedule already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.scheme} ({self.get_every_display()})"


def run_key(scheme_code: str, period_code: str) -> str:
    """The name of the lock (core.locks) of one scheme and period."""
    return f"performance:{scheme_code}:{period_code}"


def _publish_problems(evaluation: Evaluation, by: Any) -> list[Problem]:
    from performance.models.corrections import Correction

    problems = []
    if evaluation.as_of and evaluation.as_of < evaluation.ends_before:
        message = _("It was computed before the period was over. Compute it again.")
        problems.append(Problem("period_not_over", message))
    if Correction.objects.filter(evaluation=evaluation, state=Correction.State.PROPOSED).exists():
        message = _("There are proposed changes that nobody has decided.")
        problems.append(Problem("open_corrections", message))
    if not evaluation.has_all_corrections:
        message = _("Changes have been decided since it was computed. Compute it again.")
        problems.append(Problem("corrections_not_applied", message))
    return problems


def _running_problems(evaluation: Evaluation, by: Any) -> list[Problem]:
    if locks.is_held(run_key(evaluation.scheme.code, evaluation.period_code)):
        return [Problem("already_running", _("This evaluation is running already."))]
    return []


def _no_ratings_problems(evaluation: Evaluation, by: Any) -> list[Problem]:
    if not (evaluation.scheme_version.rating_days and evaluation.rated_items):
        return [Problem("no_ratings", _("Nothing in this scheme is rated by people."))]
    return []


class EvaluationQuerySet(ScopedQuerySet):
    """Knows which revision counts, and of which ones a partner has heard."""

    def visible_to(self, user: Any) -> QuerySet:
        """All of them; for people of a partner those in which they see a score."""
        rows = super().visible_to(user)
        if not getattr(user, "is_partner_user", False):
            return rows
        seen = Score.objects.visible_to(user)
        return rows.filter(pk__in=seen.order_by().values("evaluation"))

    def in_force(self) -> QuerySet:
        """Published, and not superseded by a later published revision."""
        later = self.model.objects.filter(
            scheme=OuterRef("scheme"),
            period_code=OuterRef("period_code"),
            revision__gt=OuterRef("revision"),
            state=Evaluation.State.PUBLISHED,
        )
        return self.filter(~Exists(later), state=Evaluation.State.PUBLISHED)


class Evaluation(StatefulModel, Model):
    """A run. `starts_on` ≤ day < `ends_before`. Published, it and its scores are immutable.

    Its way: running → (rating → running) → review → published, as far as the version has windows
    for them; without, running → computed → published. Each window ends before a day of its own.
    What is published is not touched again: it is superseded by the publishing of a later revision,
    which has a reason, and final once its appeals are over (see `stage`).

    `watermark` says which facts it saw: per sales kind the lines of its partners and period and
    their net sum, and the last import. `peers` keeps per item the median that served as target and
    the median of the points.
    """

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        COMPUTED = "computed", _("Computed")
        RATING = "rating", _("Ratings")
        REVIEW = "review", _("In review")
        PUBLISHED = "published", _("Published")
        FAILED = "failed", _("Failed")

    class Stage(models.TextChoices):
        """What a published evaluation is besides."""

        APPEAL = "appeal", _("Open to appeals")
        FINAL = "final", _("Final")
        SUPERSEDED = "superseded", _("Superseded")

    # Scores are there, and may still change.
    OPEN = (State.COMPUTED, State.RATING, State.REVIEW, State.FAILED)

    # States in which the scores are known and count elsewhere.
    PUBLIC = (State.PUBLISHED,)

    scope_path = None

    scheme = models.ForeignKey(
        Scheme, verbose_name=_("scheme"), on_delete=models.PROTECT, related_name="evaluations"
    )
    scheme_version = models.ForeignKey(
        SchemeVersion,
        verbose_name=_("version"),
        on_delete=models.PROTECT,
        related_name="evaluations",
    )
    period_code = models.CharField(_("period"), max_length=10)
    starts_on = models.DateField(_("from"))
    ends_before = models.DateField(_("to (exclusive)"))
    revision = models.PositiveSmallIntegerField(_("revision"), default=1)
    reason = models.TextField(
        _("reason"), blank=True, help_text=_("Why there is another revision after the published.")
    )
    state = StateField(_("state"), max_length=10, choices=State.choices, default=State.RUNNING)
    job = models.ForeignKey(
        Job,
        verbose_name=_("job"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    dispatched_at = models.DateTimeField(_("started at"), default=timezone.now)
    as_of = models.DateField(_("as of"), null=True, blank=True)
    computed_at = models.DateTimeField(_("computed at"), null=True, blank=True)
    rating_before = models.DateField(_("ratings before"), null=True, blank=True)
    ratings_closed_at = models.DateTimeField(_("ratings closed at"), null=True, blank=True)
    review_before = models.DateField(_("review before"), null=True, blank=True)
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("published by"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    appeal_before = models.DateField(_("appeals before"), null=True, blank=True)
    partner_count = models.PositiveIntegerField(_("partners"), default=0)
    digest = models.CharField(_("digest"), max_length=64, blank=True)
    watermark = models.JSONField(default=dict, blank=True)
    peers = models.JSONField(default=dict, blank=True)

    objects = EvaluationQuerySet.as_manager()

    class Meta:
        verbose_name = _("evaluation")
        verbose_name_plural = _("evaluations")
        ordering = ["-starts_on", "scheme", "-revision"]
        permissions = [
            ("publish_evaluation", "Can publish evaluations"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["scheme", "period_code", "revision"], name="evaluation_once"
            ),
            models.CheckConstraint(
                condition=Q(starts_on__lt=F("ends_before")), name="evaluation_period"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["computed", "rating", "review", "published"])
                | ~Q(digest=""),
                name="evaluation_has_digest",
            ),
            models.CheckConstraint(
                condition=~Q(state="rating") | Q(rating_before__isnull=False),
                name="evaluation_rating_ends",
            ),
            models.CheckConstraint(
                condition=~Q(state="review") | Q(review_before__isnull=False),
                name="evaluation_review_ends",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="published",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__state="published"),
            )
        ]

    def __str__(self) -> str:
        revision = f" r{self.revision}" if self.revision > 1 else ""
        return f"{self.scheme} {self.period_code}{revision}"

    @property
    def period(self) -> Period:
        """The period as a value."""
        return Period.parse(self.period_code, settings.FISCAL_YEAR_START)

    # --- stages ---

    @property
    def rated_items(self) -> list[str]:
        """The codes of the items that people rate."""
        rows = self.scheme_version.items.filter(basis=Basis.RATING)
        return list(rows.values_list("code", flat=True))

    @property
    def last_day_of_ratings(self) -> date | None:
        """The day before the window closes."""
        return self.rating_before and self.rating_before - timedelta(days=1)

    @property
    def last_day_of_review(self) -> date | None:
        """The day before the window closes."""
        return self.review_before and self.review_before - timedelta(days=1)

    @property
    def last_day_of_appeals(self) -> date | None:
        """The day before the window closes."""
        return self.appeal_before and self.appeal_before - timedelta(days=1)

    @property
    def has_all_corrections(self) -> bool:
        """Whether the scores were computed with the corrections that are accepted now."""
        from performance.models.corrections import Correction

        accepted = Correction.objects.filter(evaluation=self, state=Correction.State.ACCEPTED)
        keys = accepted.order_by("pk").values_list("pk", flat=True)
        return self.watermark.get("corrections", []) == list(keys)

    @property
    def is_superseded(self) -> bool:
        """Whether a later revision has been published."""
        later = Evaluation.objects.filter(
            scheme=self.scheme_id, period_code=self.period_code, revision__gt=self.revision
        )
        return later.filter(state=self.State.PUBLISHED).exists()

    def window_ends(self, days: int, on: date) -> date:
        """The day before which a window of so many `days` ends that is opened `on` a day: it counts
        from the end of the period; one that would be over already, from that day."""
        ends = self.ends_before + timedelta(days=days)
        return ends if ends > on else on + timedelta(days=days)

    def stage_after_computing(self, on: date) -> dict[str, Any]:
        """The state that follows a computation `on` a day, with the end of its window. Before the
        end of the period there is nothing to rate or to review."""
        version = self.scheme_version
        if on < self.ends_before:
            return {"state": self.State.COMPUTED}
        if version.rating_days and self.ratings_closed_at is None and self.rated_items:
            ends = self.rating_before or self.window_ends(version.rating_days, on)
            return {"state": self.State.RATING, "rating_before": ends}
        if version.review_days:
            ends = self.review_before or self.window_ends(version.review_days, on)
            return {"state": self.State.REVIEW, "review_before": ends}
        return {"state": self.State.COMPUTED}

    def takes_appeals(self, on: date) -> bool:
        """Whether an appeal may be filed `on` a day."""
        within = self.appeal_before is not None and on < self.appeal_before
        return within and self.state == self.State.PUBLISHED and not self.is_superseded

    def stage(self, on: date) -> str:
        """The state; of what is published its stage: see `stage_of`."""
        if self.state != self.State.PUBLISHED:
            return str(self.state)
        return Evaluation.objects.values_list(stage_of(on), flat=True).get(pk=self.pk)

    def _hand_out(self, by: Any) -> None:
        """Let a worker compute."""
        from performance import tasks

        self.dispatched_at = timezone.now()
        title = str(self)
        self.job = jobs.enqueue(
            tasks.run_evaluation, self.pk, kind="evaluation", title=title, by=by
        )

    @transition(
        field=state,
        source=State.RATING,
        target=State.RUNNING,
        custom={
            "label": _("Close ratings"),
            "permission": "performance.change_evaluation",
            "blockers": _running_problems,
            "icon": "lock",
        },
    )
    def close_ratings(self, *, by: Any, on: date) -> None:
        """No more marks; compute with those that are there."""
        self.ratings_closed_at = timezone.now()
        self._hand_out(by)

    @transition(
        field=state,
        source=State.REVIEW,
        target=State.RATING,
        custom={
            "label": _("Open ratings again"),
            "permission": "performance.change_evaluation",
            "blockers": _no_ratings_problems,
            "needs_reason": True,
            "icon": "lock-open",
        },
    )
    def open_ratings(self, *, by: Any, on: date) -> None:
        """Marks may be given and changed again, for another window."""
        self.ratings_closed_at = None
        self.rating_before = on + timedelta(days=self.scheme_version.rating_days)
        self.review_before = None

    @transition(
        field=state,
        source=[State.COMPUTED, State.RATING, State.REVIEW, State.FAILED],
        target=State.RUNNING,
        custom={
            "label": _("Compute again"),
            "permission": "performance.add_evaluation",
            "blockers": _running_problems,
            "icon": "refresh",
        },
    )
    def compute_again(self, *, by: Any, on: date) -> None:
        """With the facts, marks and decided changes that are there now."""
        self._hand_out(by)

    @transition(
        field=state,
        source=[State.COMPUTED, State.REVIEW],
        target=State.PUBLISHED,
        custom={
            "label": _("Publish"),
            "permission": "performance.publish_evaluation",
            "blockers": _publish_problems,
            "confirm": _(
                "Partners see their results, and nobody can change them any more; what is wrong is "
                "put right by a revision."
            ),
            "icon": "rosette",
        },
    )
    def publish(self, *, by: Any, on: date) -> None:
        """Make the scores known and immutable; appeals may be filed for so many days."""
        self.published_at, self.published_by = timezone.now(), by
        days = self.scheme_version.appeal_days
        self.appeal_before = on + timedelta(days=days) if days else None


def stage_of(on: date) -> Case:
    """The stage of evaluations `on` a day, as an expression over their rows: the state; of what is
    published whether it is superseded by a later revision, open to appeals (also while one waits
    for its answer or its effect) or final. Without a window for appeals: published."""
    from performance.models.appeals import Appeal

    later = Evaluation.objects.filter(
        scheme=OuterRef("scheme"),
        period_code=OuterRef("period_code"),
        revision__gt=OuterRef("revision"),
        state=Evaluation.State.PUBLISHED,
    )
    waiting = Appeal.objects.waiting().filter(evaluation=OuterRef("pk"))
    return Case(
        When(~Q(state=Evaluation.State.PUBLISHED), then=F("state")),
        When(Exists(later), then=Value(Evaluation.Stage.SUPERSEDED)),
        When(appeal_before=None, then=F("state")),
        When(Q(appeal_before__gt=on) | Exists(waiting), then=Value(Evaluation.Stage.APPEAL)),
        default=Value(Evaluation.Stage.FINAL),
        output_field=models.CharField(),
    )


class Held(models.TextChoices):
    """Why a level is not the one that the total alone would give."""

    NOT = "", _("By its total")
    MINIMUM = "minimum", _("A minimum is not reached")
    VETO = "veto", _("Veto")
    KEEP = "keep", _("Kept")
    GRACE = "grace", _("Kept in grace")
    STEPS = "steps", _("Limited steps")
    REVIEW = "review", _("Decided in review")


class ScoreQuerySet(ScopedQuerySet):
    """Knows that a partner learns its scores when they are published."""

    def visible_to(self, user: Any) -> QuerySet:
        """Those of the partners that `user` sees; for people of a partner only the published. What
        they read of them goes through performance.telling."""
        rows = super().visible_to(user)
        if getattr(user, "is_partner_user", False):
            return rows.filter(evaluation__state__in=Evaluation.PUBLIC)
        return rows


class Score(models.Model):
    """What one partner got, with the frozen inputs of every item (see performance.run).

    `total` = `base` (the weighted items) + `bonus` − `deducted`, at least 0, and 0 by a veto that
    says so. `level_before` is the level that the rules of the version started from; read only for
    versions that keep, forgive or limit steps. Scores from before these rules have no base.

    `corrected` says what the review changed: [{"correction": key, "item": code, "computed": points,
    "points": points}], for the level {"item": "", "computed": code, "level": code}. The items have
    the points that count.
    """

    scope_path = "partner"

    # Set by performance.telling: whether this is what people of the partner are told, and the codes
    # of the items of which they are told nothing.
    outside = False
    withheld: frozenset[str] = frozenset()

    evaluation = models.ForeignKey(
        Evaluation,
        verbose_name=_("evaluation"),
        on_delete=models.CASCADE,
        related_name="scores",
        db_index=False,  # leads the unique index
    )
    partner = models.ForeignKey(
        "partners.Partner",
        verbose_name=_("partner"),
        on_delete=models.PROTECT,
        related_name="scores",
    )
    total = models.DecimalField(_("total"), max_digits=6, decimal_places=2, null=True)
    rank = models.PositiveIntegerField(_("rank"), null=True)
    level = models.ForeignKey(
        "partners.Level",
        verbose_name=_("level"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    items = ItemsField(_("items"))
    base = models.DecimalField(_("base"), max_digits=6, decimal_places=2, null=True)
    bonus = models.DecimalField(
        _("bonus"), max_digits=6, decimal_places=2, default=Decimal(0), db_default=Decimal(0)
    )
    deducted = models.DecimalField(
        _("deducted"), max_digits=6, decimal_places=2, default=Decimal(0), db_default=Decimal(0)
    )
    vetoes = models.JSONField(_("vetoes"), default=list, db_default=Value([], models.JSONField()))
    held = models.CharField(
        _("level held by"),
        max_length=8,
        choices=Held.choices,
        blank=True,
        default=Held.NOT,
        db_default="",
    )
    level_before = models.ForeignKey(
        "partners.Level",
        verbose_name=_("level before"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    corrected = models.JSONField(
        _("changed in review"), default=list, db_default=Value([], models.JSONField())
    )

    objects = ScoreQuerySet.as_manager()

    class Meta:
        verbose_name = _("score")
        verbose_name_plural = _("scores")
        ordering = ["evaluation", F("rank").asc(nulls_last=True), "id"]
        constraints = [
            models.UniqueConstraint(fields=["evaluation", "partner"], name="score_once"),
            models.CheckConstraint(
                condition=Q(bonus__gte=0, deducted__gte=0)
                & (Q(total=None) | Q(total__gte=0))
                & (Q(base=None) | Q(base__gte=0)),
                name="score_not_negative",
            ),
            models.CheckConstraint(condition=Q(held__in=Held.values), name="score_held"),
        ]
        # A page of a ranking, whatever the number of partners.
        indexes = [models.Index(fields=["evaluation", "rank", "id"], name="score_ranking")]
        triggers = frozen_with_parent(
            "performance_evaluation",
            "evaluation_id",
            ("published",),
            "scores of a published evaluation cannot be changed",
        )

    def __str__(self) -> str:
        return f"{self.partner} · {self.evaluation}"
