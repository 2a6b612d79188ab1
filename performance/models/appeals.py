"""Appeals: what is wrong with a published result, with proof, and what became of it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _, pgettext_lazy
from django_fsm import transition

from core.errors import Problem
from core.models import Model
from core.scoping import ScopedQuerySet
from core.workflow import StateField, StatefulModel
from partners.models import Membership
from performance.models.corrections import check_target
from performance.models.evaluations import Evaluation
from performance.models.fields import person
from performance.models.ratings import Rating


def bias_of(appeal: Appeal, user: Any) -> list[Problem]:
    """Why somebody cannot decide an appeal: who filed it or gave a mark that is appealed against is
    no judge of it."""
    if user is None:
        return [Problem("nobody", _("A person decides it."))]
    problems = []
    if user.pk == appeal.filed_by_id:
        problems.append(Problem("filed_it", _("Who filed it cannot decide it.")))
    marks = Rating.objects.filter(
        evaluation=appeal.evaluation_id, partner=appeal.partner_id, rater=user
    )
    if appeal.item_code:
        marks = marks.filter(item_code=appeal.item_code)
    if marks.exists():
        message = _("Who rated the partner cannot decide it.")
        problems.append(Problem("rated_it", message))
    return problems


def _decision_problems(appeal: Appeal, by: Any) -> list[Problem]:
    if by is None or by.pk != appeal.owner_id:
        return [Problem("not_owner", _("Its owner decides it."))]
    return bias_of(appeal, by)


def _withdrawal_problems(appeal: Appeal, by: Any) -> list[Problem]:
    if by is None or by.pk != appeal.filed_by_id:
        return [Problem("not_yours", _("Only who filed it can withdraw it."))]
    return []


def _not_open(evaluation: Evaluation, on: date) -> Problem | None:
    """Why nothing can be filed against an evaluation `on` a day; None when it can."""
    if evaluation.takes_appeals(on):
        return None
    last = evaluation.last_day_of_appeals
    if evaluation.state != Evaluation.State.PUBLISHED or last is None:
        return Problem("no_window", _("Appeals against this evaluation cannot be filed."))
    if on > last:
        message = _("Appeals could be filed until %(day)s.") % {"day": last.isoformat()}
        return Problem("window_closed", message)
    message = _("A later revision has taken its place; appeal against that one.")
    return Problem("superseded", message)


class AppealQuerySet(ScopedQuerySet):
    """Knows which appeals keep a result from being final, and which wait too long."""

    def visible_to(self, user: Any) -> QuerySet:
        """Those of the partners that `user` sees; people of a partner see those that they or their
        colleagues filed for the own partner, and nobody else's."""
        rows = super().visible_to(user)
        if not getattr(user, "is_partner_user", False):
            return rows
        own = Membership.objects.filter(user=user).values("partner")
        return rows.filter(partner__in=own, by_partner=True)

    def undecided(self) -> QuerySet:
        """Those that wait for an answer."""
        return self.filter(state__in=Appeal.UNDECIDED)

    def without_effect(self) -> QuerySet:
        """Accepted ones that no published revision has taken up."""
        published = Q(revision__state=Evaluation.State.PUBLISHED)
        return self.filter(state=Appeal.State.ACCEPTED).exclude(published)

    def overdue(self, on: date) -> QuerySet:
        """Those whose last day for an answer lies before a day."""
        return self.undecided().filter(due_on__lt=on)

    def due_soon(self, on: date, days: int) -> QuerySet:
        """Those whose last day for an answer is a day or at most so many `days` after it."""
        return self.undecided().filter(due_on__range=(on, on + timedelta(days=days)))

    def waiting(self) -> QuerySet:
        """Those that wait for an answer or for their effect."""
        return self.undecided() | self.without_effect()


class Appeal(StatefulModel, Model):
    """Against one item of a result, or (without an item) against the whole.

    Filed until the window of the evaluation closes, by us or (`by_partner`) by people of the
    partner; decided by an owner who neither filed it nor rated the partner, at the latest on the
    day `due_on`. Accepted, it takes effect in a new `revision`, with the points or the level that
    were granted, or else by computing again what was wrong.
    """

    class State(models.TextChoices):
        FILED = "filed", _("Filed")
        TAKEN = "taken", _("Being examined")
        ACCEPTED = "accepted", _("Accepted")
        REJECTED = "rejected", _("Rejected")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    UNDECIDED = (State.FILED, State.TAKEN)

    scope_path = "partner"

    evaluation = models.ForeignKey(
        Evaluation, verbose_name=_("evaluation"), on_delete=models.PROTECT, related_name="appeals"
    )
    partner = models.ForeignKey(
        "partners.Partner",
        verbose_name=_("partner"),
        on_delete=models.PROTECT,
        related_name="appeals",
    )
    item_code = models.CharField(
        _("item"), max_length=40, blank=True, help_text=_("Empty: the whole result.")
    )
    claim = models.TextField(_("what is wrong"))
    evidence = models.FileField(_("evidence"), upload_to="appeals/%Y/", blank=True)
    state = StateField(_("state"), max_length=10, choices=State.choices, default=State.FILED)
    filed_by = person(_("filed by"))
    by_partner = models.BooleanField(_("filed by the partner"), default=False, editable=False)
    due_on = models.DateField(_("answer due on"), editable=False)
    soon_reminded_at = models.DateTimeField(
        _("reminded before the day"), null=True, blank=True, editable=False
    )
    late_reminded_at = models.DateTimeField(
        _("reminded after the day"), null=True, blank=True, editable=False
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
    )
    answer = models.TextField(pgettext_lazy("appeal", "answer"), blank=True, editable=False)
    granted_points = models.DecimalField(
        _("points granted"),
        max_digits=7,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        editable=False,
    )
    granted_level = models.ForeignKey(
        "partners.Level",
        verbose_name=_("level granted"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True, editable=False)
    revision = models.ForeignKey(
        Evaluation,
        verbose_name=_("takes effect in"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="appeals_taken_up",
        editable=False,
    )

    objects = AppealQuerySet.as_manager()

    class Meta:
        verbose_name = _("appeal")
        verbose_name_plural = _("appeals")
        ordering = ["-id"]
        permissions = [("decide_appeal", "Can decide appeals that others filed")]
        constraints = [
            models.UniqueConstraint(
                fields=["evaluation", "partner", "item_code"],
                condition=Q(state__in=["filed", "taken"]),
                name="appeal_once",
                violation_error_message=_("There is an open appeal about that already."),
            ),
            models.CheckConstraint(condition=~Q(claim=""), name="appeal_claim"),
            models.CheckConstraint(
                condition=Q(owner=None) | ~Q(owner=F("filed_by")),
                name="appeal_two_people",
                violation_error_message=_("Who filed it cannot decide it."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=["filed", "withdrawn"]) | Q(owner__isnull=False),
                name="appeal_has_owner",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["accepted", "rejected"])
                | (Q(decided_at__isnull=False) & ~Q(answer="")),
                name="appeal_answered",
            ),
            models.CheckConstraint(
                condition=Q(granted_points=None, granted_level=None) | Q(state="accepted"),
                name="appeal_grants_when_accepted",
            ),
            models.CheckConstraint(
                condition=Q(granted_points=None)
                | (~Q(item_code="") & Q(granted_points__gte=0, granted_level=None)),
                name="appeal_grants_one_thing",
            ),
        ]

    def __str__(self) -> str:
        about = f" · {self.item_code}" if self.item_code else ""
        return f"{self.partner} · {self.evaluation.period_code}{about}"

    def decision_problems(self, by: Any) -> list[Problem]:
        """Why somebody cannot answer it."""
        return _decision_problems(self, by)

    def is_overdue(self, on: date) -> bool:
        """Whether it should have its answer by now."""
        return self.state in self.UNDECIDED and self.due_on < on

    def clean(self) -> None:
        """It is filed within the window, about a partner that is scored and an item there is."""
        if not self._state.adding or self.evaluation_id is None or self.partner_id is None:
            return
        closed = _not_open(self.evaluation, timezone.localdate())
        if closed:
            problem = ValidationError(closed.message, closed.code)
            raise ValidationError({"evaluation": problem})
        check_target(self.evaluation, self.partner_id, self.item_code, None)

    @transition(
        field=state,
        source=[State.FILED, State.TAKEN],
        target=State.TAKEN,
        custom={
            "label": _("Take it on"),
            "permission": "performance.decide_appeal",
            "blockers": bias_of,
            "icon": "user-check",
        },
    )
    def take(self, *, by: Any, on: date) -> None:
        """Become its owner."""
        self.owner = by

    @transition(
        field=state,
        source=State.TAKEN,
        target=State.ACCEPTED,
        custom={
            "label": _("Accept"),
            "permission": "performance.decide_appeal",
            "blockers": _decision_problems,
            "needs_reason": True,
            "keeps_reason": True,
            "icon": "check",
        },
    )
    def accept(
        self,
        *,
        by: Any,
        on: date,
        reason: str,
        points: Decimal | None = None,
        level: Any = None,
    ) -> None:
        """It is right: takes effect in the next revision."""
        self._answer_with(reason)
        self.granted_points, self.granted_level = points, level

    @transition(
        field=state,
        source=State.TAKEN,
        target=State.REJECTED,
        custom={
            "label": _("Reject"),
            "permission": "performance.decide_appeal",
            "blockers": _decision_problems,
            "needs_reason": True,
            "keeps_reason": True,
            "icon": "x",
        },
    )
    def reject(self, *, by: Any, on: date, reason: str) -> None:
        """The result stands."""
        self._answer_with(reason)

    def _answer_with(self, reason: str) -> None:
        from performance.process.appeals import tell_answer

        self.answer, self.decided_at = reason, timezone.now()
        tell_answer(self)

    @transition(
        field=state,
        source=[State.FILED, State.TAKEN],
        target=State.WITHDRAWN,
        custom={
            "label": _("Withdraw"),
            "permission": "performance.add_appeal",
            "blockers": _withdrawal_problems,
            "icon": "arrow-back-up",
        },
    )
    def withdraw(self, *, by: Any, on: date) -> None:
        """Nobody asks for it any more."""
