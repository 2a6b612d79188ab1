"""Appeals, the revisions in which they take effect, and facts that come late."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from core import workflow
from core.errors import Blocked, Conflict, DomainError
from performance.models import Appeal, Correction, Evaluation, LateCheck, Score, ScoreChange
from performance.process import revisions
from performance.process.appeals import decide_appeal, file_appeal
from performance.services import open_revision, publish_evaluation, request_late_check
from tests import factories as make
from tests.performance.staged import SOON, give, make_staged, run

pytestmark = pytest.mark.django_db
fire = workflow.fire
AT = datetime(2013, 10, 30, tzinfo=UTC)


@pytest.fixture
def staged():
    return make_staged(rating_days=0, review_days=0)


def published(staged):
    """Published today, because appeals are filed today."""
    return publish_evaluation(evaluation=run(), by=staged.director, on=timezone.localdate())


def file(staged, evaluation, partner="B", item="sales", by=None):
    return file_appeal(
        evaluation=evaluation,
        partner=staged.partners[partner],
        item_code=item,
        claim="A delivery was not counted",
        by=by or staged.manager,
        on=timezone.localdate(),
    )


def decide(appeal, by, **fields):
    return decide_appeal(
        appeal=appeal, by=by, on=timezone.localdate(), reason="You are right", **fields
    )


def judge():
    return make.make_user("finance")


def test_an_accepted_appeal_takes_effect_in_a_revision(staged, django_capture_on_commit_callbacks):
    first = published(staged)
    owner = judge()
    appeal = fire(file(staged, first), "take", by=owner, on=SOON)
    assert (appeal.owner, appeal.state) == (owner, "taken")
    appeal = decide(appeal, owner, accept=True, points=Decimal(90))
    assert (appeal.state, appeal.answer, appeal.granted_points) == ("accepted", "You are right", 90)
    far = date(2200, 1, 1)
    assert first.stage(far) == "appeal"  # it waits for its effect
    with django_capture_on_commit_callbacks(execute=True):
        second = open_revision(
            evaluation=first, reason="An appeal", by=staged.director, on=timezone.localdate()
        )
    second.refresh_from_db()
    appeal.refresh_from_db()
    assert (second.revision, second.state, second.reason) == (2, "computed", "An appeal")
    assert appeal.revision == second
    points = Score.objects.get(evaluation=second, partner=staged.partners["B"]).items[0]["points"]
    assert points == "90.0000"
    [change] = ScoreChange.objects.filter(revision=second)
    before = Score.objects.get(evaluation=first, partner=staged.partners["B"])
    assert (change.partner, change.total_before, change.total_after, change.difference) == (
        staged.partners["B"],
        before.total,
        Decimal("90.00"),
        Decimal("90.00") - before.total,
    )
    assert change.items == [
        {"code": "sales", "before": before.items[0]["points"], "after": "90.0000"}
    ]
    granted = Correction.objects.get(evaluation=second)
    assert (granted.appeal, granted.proposed_by, granted.decided_by) == (
        appeal,
        staged.manager,
        owner,
    )
    publish_evaluation(evaluation=second, by=staged.director, on=timezone.localdate())
    assert (first.stage(far), second.revision) == ("superseded", 2)
    assert list(Evaluation.objects.in_force()) == [second]
    assert Evaluation.objects.get(pk=second.pk).stage(far) == "final"


def test_who_cannot_be_the_judge():
    staged = make_staged(review_days=0)
    evaluation = run()
    give(evaluation, staged.partners["B"], staged.manager, 3)
    rater = staged.other_director
    evaluation.raters.create(user=rater)
    give(evaluation, staged.partners["B"], rater, 2)
    Evaluation.objects.update(state="computed")
    evaluation.refresh_from_db()
    evaluation = publish_evaluation(
        evaluation=evaluation, by=staged.director, on=timezone.localdate()
    )
    appeal = file(staged, evaluation, item="service")
    with pytest.raises(Blocked) as blocked:
        fire(appeal, "take", by=rater, on=SOON)
    assert [problem.code for problem in blocked.value.problems] == ["rated_it"]
    with pytest.raises(PermissionDenied):
        fire(appeal, "take", by=staged.manager, on=SOON)
    # Who published the result may answer: it is not the rater.
    assert fire(appeal, "take", by=staged.director, on=SOON).owner == staged.director
    own = file(staged, evaluation, partner="C", item="service", by=staged.director)
    with pytest.raises(Blocked) as filed_it:
        fire(own, "take", by=staged.director, on=SOON)
    assert [problem.code for problem in filed_it.value.problems] == ["filed_it"]
    # About another item the mark does not matter.
    other = file(staged, evaluation, item="sales")
    assert fire(other, "take", by=rater, on=SOON).owner == rater
    with pytest.raises(Blocked) as not_owner:
        decide(other, judge(), accept=False)
    assert [problem.code for problem in not_owner.value.problems] == ["not_owner"]


def test_a_rejected_appeal_has_an_answer_and_no_effect(staged):
    evaluation = published(staged)
    owner = judge()
    appeal = fire(file(staged, evaluation), "take", by=owner, on=SOON)
    appeal = decide(appeal, owner, accept=False)
    assert (appeal.state, appeal.answer) == ("rejected", "You are right")
    assert evaluation.stage(date(2200, 1, 1)) == "final"
    assert Appeal.objects.waiting().count() == 0


def test_when_it_cannot_be_filed(staged):
    computed = run()
    with pytest.raises(ValidationError):
        file(staged, computed)
    past = publish_evaluation(evaluation=computed, by=staged.director, on=date(2013, 10, 6))
    with pytest.raises(ValidationError) as closed:
        file(staged, past)
    assert [error.code for error in closed.value.error_dict["evaluation"]] == ["window_closed"]
    assert Appeal.objects.count() == 0


def test_refusals_say_why(staged):
    evaluation = published(staged)
    with pytest.raises(ValidationError) as unknown:
        file(staged, evaluation, item="nothing")
    assert [error.code for error in unknown.value.error_dict["item_code"]] == ["unknown_item"]
    first = file(staged, evaluation)
    with pytest.raises(Conflict) as again:
        file(staged, evaluation)
    assert again.value.code == "appeal_open"
    assert file(staged, evaluation, item="").item_code == ""  # the whole is something else
    fire(first, "withdraw", by=staged.manager, on=SOON)
    assert file(staged, evaluation).state == "filed"
    run(reason="A file")
    publish_evaluation(
        evaluation=Evaluation.objects.get(revision=2), by=staged.director, on=timezone.localdate()
    )
    with pytest.raises(ValidationError) as superseded:
        file(staged, evaluation, partner="C")
    assert [error.code for error in superseded.value.error_dict["evaluation"]] == ["superseded"]


def test_points_are_within_the_cap(staged):
    owner = judge()
    appeal = fire(file(staged, published(staged)), "take", by=owner, on=SOON)
    with pytest.raises(ValidationError):
        decide(appeal, owner, accept=True, points=Decimal("100.5"))
    appeal.refresh_from_db()
    assert appeal.state == "taken"


# --- revisions ---------------------------------------------------------------------------------


def test_a_revision_needs_a_reason_and_comes_once(staged):
    first = published(staged)
    today = timezone.localdate()
    with pytest.raises(DomainError) as no_reason:
        open_revision(evaluation=first, reason=" ", by=staged.director, on=today)
    with pytest.raises(DomainError) as no_reason_either:
        run()
    assert no_reason.value.code == no_reason_either.value.code == "reason_required"
    open_revision(evaluation=first, reason="A file", by=staged.director, on=today)
    with pytest.raises(Conflict) as open_already:
        open_revision(evaluation=first, reason="A file", by=staged.director, on=today)
    assert open_already.value.code == "revision_open"


def test_a_revision_takes_marks_and_decided_changes_over(django_capture_on_commit_callbacks):
    staged = make_staged(review_days=30)
    evaluation = run()
    for partner in staged.partners.values():
        give(evaluation, partner, staged.manager, 3)
        give(evaluation, partner, staged.second, 4)
    Evaluation.objects.update(ratings_closed_at=AT)
    evaluation = run(on=SOON)
    change = make.make_correction(
        staged.partners["A"],
        evaluation=evaluation,
        item_code="sales",
        points=Decimal(70),
        proposed_by=staged.manager,
    )
    make.make_correction(staged.partners["B"], evaluation=evaluation, state="rejected")
    fire(change, "accept", by=staged.director, on=SOON)
    evaluation = run()
    first = publish_evaluation(evaluation=evaluation, by=staged.director, on=SOON)
    with django_capture_on_commit_callbacks(execute=True):
        second = open_revision(evaluation=first, reason="To be sure", by=staged.director, on=SOON)
    second.refresh_from_db()
    assert (second.state, second.ratings.count(), second.corrections.count()) == ("review", 8, 1)
    old, new = (
        list(each.scores.order_by("partner").values_list("partner", "total", "rank"))
        for each in (first, second)
    )
    assert old == new
    assert ScoreChange.objects.count() == 0


def test_what_a_published_revision_changed_is_kept_also_from_sql(
    staged, django_capture_on_commit_callbacks
):
    first = published(staged)
    make.make_fact(
        staged.partners["D"], occurred_on=date(2013, 8, 1), amount=Decimal(500), kind="sell_in"
    )
    with django_capture_on_commit_callbacks(execute=True):
        second = open_revision(evaluation=first, reason="A file", by=staged.director, on=SOON)
    second.refresh_from_db()
    changed = ScoreChange.objects.filter(revision=second, partner=staged.partners["D"]).get()
    assert changed.difference > 0
    publish_evaluation(evaluation=second, by=staged.director, on=SOON)
    for statement in (
        "UPDATE performance_scorechange SET total_after = 1",
        "DELETE FROM performance_scorechange",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


# --- late facts --------------------------------------------------------------------------------


def test_late_facts_would_change_some_scores_and_change_none(staged):
    evaluation = published(staged)
    stored = list(evaluation.scores.order_by("pk").values_list("pk", "total", "items"))
    assert revisions.late_facts(evaluation).count() == 0
    make.make_fact(staged.partners["D"], occurred_on=date(2013, 9, 30), amount=Decimal("250.5000"))
    check = revisions.check_late(evaluation=evaluation, by=staged.director, at=AT)
    would = ScoreChange.objects.get(partner=staged.partners["D"])
    assert (would.evaluation, would.revision, would.total_before) == (
        evaluation,
        None,
        evaluation.scores.get(partner=staged.partners["D"]).total,
    )
    assert would.total_after > would.total_before
    assert check.changed == ScoreChange.objects.count()
    # Nothing is left of the trial, and what is published is as it was.
    assert Evaluation.objects.count() == 1
    assert list(evaluation.scores.order_by("pk").values_list("pk", "total", "items")) == stored
    # The revision changes exactly what the check said.
    told = list(ScoreChange.objects.order_by("partner").values_list("partner", "total_after"))
    run(reason="The late delivery")
    revised = ScoreChange.objects.filter(revision__isnull=False).order_by("partner")
    assert list(revised.values_list("partner", "total_after")) == told


def test_a_second_check_takes_the_place_of_the_first(staged):
    evaluation = published(staged)
    fact = make.make_fact(staged.partners["D"], occurred_on=date(2013, 9, 1), amount=Decimal(900))
    assert revisions.check_late(evaluation=evaluation, by=None, at=AT).changed > 0
    fact.delete()
    check = revisions.check_late(evaluation=evaluation, by=None, at=AT)
    assert (check.changed, ScoreChange.objects.count(), LateCheck.objects.count()) == (0, 0, 1)


def test_the_check_runs_as_a_job(staged, django_capture_on_commit_callbacks):
    evaluation = published(staged)
    with django_capture_on_commit_callbacks(execute=True):
        job = request_late_check(evaluation=evaluation, by=staged.director)
    job.refresh_from_db()
    assert job.error == ""
    assert (job.state, job.result) == ("done", {"late lines": 0, "scores that would change": 0})
    run(reason="Again")
    publish_evaluation(evaluation=Evaluation.objects.get(revision=2), by=staged.director, on=SOON)
    with pytest.raises(Conflict) as superseded:
        request_late_check(evaluation=evaluation, by=staged.director)
    assert superseded.value.code == "not_in_force"
