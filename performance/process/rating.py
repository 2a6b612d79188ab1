"""Ratings: who is asked, one mark at a time, and how far raters agree.

The formulas, with numbers, are in docs/algorithms/evaluations.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import Count, Max, QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import Role
from core import audit, crud, jobs
from core.errors import Conflict, DomainError
from partners.models import Partner
from performance import scoring
from performance.models import Basis, Evaluation, Rater, Rating, SchemeItem

REMIND_DAYS = 3  # before the window closes
AGREE_WITHIN = 1  # marks
RATE = "performance.add_rating"


# --- who -------------------------------------------------------------------------------------


def invite_managers(*, evaluation: Evaluation, by: Any) -> list[Rater]:
    """Ask every sales manager who sees one of the scored partners. Returns who was new."""
    managers = User.objects.filter(is_active=True, role=Role.SALES_MANAGER).order_by("pk")
    return _invite(evaluation, [each for each in managers if sees_some(evaluation, each)], by)


def invite(*, evaluation: Evaluation, users: Iterable[Any], by: Any) -> list[Rater]:
    """Ask these people as well; each gets a letter. Returns who was new.

    Conflict ratings_closed; DomainError may_not_rate for somebody without the permission, or who
    sees none of the partners.
    """
    _check_open(evaluation)
    chosen = list(users)
    for user in chosen:
        if not user.has_perm(RATE) or not sees_some(evaluation, user):
            message = _("%(user)s may not rate these partners.") % {"user": user}
            raise DomainError("may_not_rate", message, "users")
    return _invite(evaluation, chosen, by)


@transaction.atomic
def _invite(evaluation: Evaluation, users: list[Any], by: Any) -> list[Rater]:
    known = set(Rater.objects.filter(evaluation=evaluation).values_list("user", flat=True))
    new = [Rater(evaluation=evaluation, user=user) for user in users if user.pk not in known]
    if new:
        Rater.objects.bulk_create(new)
        names = ", ".join(str(rater.user) for rater in new)
        audit.record("performance.evaluation.invited", evaluation, by=by, data={"raters": names})
        _send(evaluation, new, by, reminder=False)
    return new


@transaction.atomic
def dismiss(*, rater: Rater, by: Any) -> None:
    """Ask somebody no more. Conflict ratings_closed; has_rated when there are marks already."""
    _check_open(rater.evaluation)
    if Rating.objects.filter(evaluation=rater.evaluation, rater=rater.user).exists():
        raise Conflict("has_rated", _("There are marks of this person already."))
    data = {"raters": str(rater.user)}
    audit.record("performance.evaluation.dismissed", rater.evaluation, by=by, data=data)
    rater.delete()


def scored_partners(evaluation: Evaluation, user: Any) -> QuerySet:
    """The partners of an evaluation that somebody may rate."""
    return Partner.objects.visible_to(user).filter(
        pk__in=evaluation.scores.order_by().values("partner")
    )


def sees_some(evaluation: Evaluation, user: Any) -> bool:
    """Whether somebody sees a partner of an evaluation."""
    return scored_partners(evaluation, user).exists()


def candidates(evaluation: Evaluation) -> QuerySet:
    """People who could be asked besides."""
    from accounts.roles import codenames

    roles = [role for role in Role if RATE in codenames(role)]
    asked = Rater.objects.filter(evaluation=evaluation).values("user")
    return User.objects.filter(is_active=True, role__in=roles).exclude(pk__in=asked)


def with_too_few(evaluation: Evaluation) -> int:
    """How many scored partners are seen by fewer of those asked than some item wants raters: it
    will not apply to them."""
    rated = evaluation.scheme_version.items.filter(basis=Basis.RATING)
    needed = rated.aggregate(most=Max("raters", default=0))["most"]
    raters = list(evaluation.raters.select_related("user"))
    none = Partner.objects.none().values_list("pk", flat=True)
    seen = [
        scored_partners(evaluation, each.user).order_by().values_list("pk", flat=True)
        for each in raters
    ]
    counts = Counter(none.union(*seen, all=True))
    enough = sum(count >= needed for count in counts.values())
    return evaluation.scores.count() - enough if needed else 0


# --- marks -----------------------------------------------------------------------------------


@transaction.atomic
def rate(
    *,
    evaluation: Evaluation,
    item_code: str,
    partner: Partner,
    mark: int | None,
    by: Any,
    evidence: str = "",
    file: Any = None,
) -> Rating | None:
    """Give a mark from 1 to 5, change it, or (None) take it back.

    Raises PermissionDenied for who was not asked; Conflict ratings_closed; DomainError
    unknown_item, unknown_partner; ValidationError for a mark out of range or without the evidence
    that 1 and 5 need.
    """
    # Whoever closes the ratings waits for marks on their way, and none comes in behind.
    evaluation = Evaluation.objects.select_for_update(no_key=True).get(pk=evaluation.pk)
    _check_open(evaluation)
    if not Rater.objects.filter(evaluation=evaluation, user=by).exists() or not by.has_perm(RATE):
        raise PermissionDenied
    if item_code not in evaluation.rated_items:
        raise DomainError("unknown_item", _("The scheme has no such item."), "item_code")
    if not scored_partners(evaluation, by).filter(pk=partner.pk).exists():
        message = _("This partner has no score in the evaluation.")
        raise DomainError("unknown_partner", message, "partner")
    own = Rating.objects.filter(
        evaluation=evaluation, item_code=item_code, partner=partner, rater=by
    ).first()
    if mark is None:
        if own:
            crud.delete(own, by=by)
        return None
    row = own or Rating(evaluation=evaluation, item_code=item_code, partner=partner, rater=by)
    row.mark, row.evidence = mark, evidence.strip()
    if file is not None:
        row.file = file
    crud.save(row, by=by)
    return row


def _check_open(evaluation: Evaluation) -> None:
    if evaluation.state != Evaluation.State.RATING:
        raise Conflict("ratings_closed", _("Ratings are not open."))


# --- how far they are, how far they agree ----------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """One rater: marks given of those asked for, their mean, and the leniency: the mean of (mark −
    mean of all marks on the same partner and item), 2 places, over what others rated too; None
    where nobody else did."""

    rater: Rater
    given: int
    asked: int
    mean: Decimal | None
    leniency: Decimal | None

    @property
    def missing(self) -> int:
        return max(self.asked - self.given, 0)


def standings(evaluation: Evaluation) -> list[Standing]:
    """Every rater of an evaluation, in the order in which they were asked."""
    found = leniencies(evaluation)
    items = len(evaluation.rated_items)
    rows = []
    for rater in evaluation.raters.select_related("user").order_by("pk"):
        asked = scored_partners(evaluation, rater.user).count() * items
        given, mean, leniency = found.get(rater.user_id, (0, None, None))
        rows.append(Standing(rater, given, asked, mean, leniency))
    return rows


def leniencies(evaluation: Evaluation) -> dict[int, tuple[int, Decimal, Decimal | None]]:
    """{rater: (marks, their mean, leniency)}; see Standing."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT rater_id, count(*), round(avg(mark), 2),
                   round(avg(mark - mean) FILTER (WHERE raters > 1), 2)
            FROM (SELECT rater_id, mark, avg(mark) OVER same AS mean, count(*) OVER same AS raters
                  FROM performance_rating WHERE evaluation_id = %s
                  WINDOW same AS (PARTITION BY item_code, partner_id)) AS marks
            GROUP BY rater_id
            """,
            [evaluation.pk],
        )
        return {rater: (count, mean, off) for rater, count, mean, off in cursor.fetchall()}


@dataclass(frozen=True)
class Agreement:
    """One item: partners with a mark and with enough of them; pairs of marks on the same partner,
    and those at most one mark apart. `share` is their part, 6 places; None without a pair."""

    item: SchemeItem
    rated: int
    enough: int
    pairs: int
    close: int

    @property
    def share(self) -> Decimal | None:
        return scoring.ratio(Decimal(self.close), Decimal(self.pairs))


def agreements(evaluation: Evaluation) -> list[Agreement]:
    """How far raters agree on each rated item."""
    items = list(
        evaluation.scheme_version.items.filter(basis=Basis.RATING).order_by("position", "pk")
    )
    pairs = _pairs(evaluation)
    counts: dict[str, list[int]] = {item.code: [] for item in items}
    rows = Rating.objects.filter(evaluation=evaluation).order_by()
    for code, count in (
        rows.values("item_code", "partner")
        .annotate(count=Count("pk"))
        .values_list("item_code", "count")
    ):
        counts.setdefault(code, []).append(count)
    return [
        Agreement(
            item,
            len(counts[item.code]),
            sum(1 for count in counts[item.code] if count >= item.raters),
            *pairs.get(item.code, (0, 0)),
        )
        for item in items
    ]


def _pairs(evaluation: Evaluation) -> dict[str, tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT a.item_code, count(*), count(*) FILTER (WHERE abs(a.mark - b.mark) <= %s)
            FROM performance_rating a JOIN performance_rating b
              ON b.evaluation_id = a.evaluation_id AND b.item_code = a.item_code
             AND b.partner_id = a.partner_id AND b.id > a.id
            WHERE a.evaluation_id = %s GROUP BY a.item_code
            """,
            [AGREE_WITHIN, evaluation.pk],
        )
        return {code: (pairs, close) for code, pairs, close in cursor.fetchall()}


# --- letters ---------------------------------------------------------------------------------


@transaction.atomic
def remind(*, evaluation: Evaluation, by: Any, at: datetime) -> list[Rater]:
    """Write to every rater who has marks to give still. Returns them. Conflict ratings_closed."""
    _check_open(evaluation)
    late = [each.rater for each in standings(evaluation) if each.missing]
    if late:
        Rater.objects.filter(pk__in=[rater.pk for rater in late]).update(reminded_at=at)
        names = ", ".join(str(rater.user) for rater in late)
        audit.record("performance.evaluation.reminded", evaluation, by=by, data={"raters": names})
        _send(evaluation, late, by, reminder=True)
    return late


def remind_when_due(*, on: date, at: datetime) -> list[Rater]:
    """Remind once, some days before the window closes, of those who were not reminded yet."""
    due = Evaluation.objects.filter(
        state=Evaluation.State.RATING,
        rating_before__gt=on,
        rating_before__lte=on + timedelta(days=REMIND_DAYS),
    )
    reminded = []
    for evaluation in due.select_related("scheme", "scheme_version"):
        with transaction.atomic():
            row = Evaluation.objects.select_for_update(of=("self",)).get(pk=evaluation.pk)
            known = Rater.objects.filter(evaluation=row, reminded_at__isnull=False).exists()
            if row.state == Evaluation.State.RATING and not known:
                reminded += remind(evaluation=row, by=None, at=at)
    return reminded


def _send(evaluation: Evaluation, raters: list[Rater], by: Any, *, reminder: bool) -> None:
    from performance import tasks

    keys = [rater.pk for rater in raters if rater.user.email]
    if keys:
        title = _("Letters to raters: %(what)s") % {"what": evaluation}
        jobs.enqueue(tasks.write_to_raters, keys, reminder, kind="letters", title=title, by=by)
