"""Changes in review: two people, laid over what is computed, kept and explained."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import translation

from core import crud, workflow
from core.errors import Blocked
from core.models import Event
from partners.models import Level
from performance import selectors
from performance.definitions import definition
from performance.explain import outcome_sentences
from performance.models import Correction, Evaluation, Score
from tests.performance.staged import SOON, make_staged, run

pytestmark = pytest.mark.django_db
fire = workflow.fire


@pytest.fixture
def staged():
    return make_staged(rating_days=0)


def propose(staged, evaluation, partner="A", item="sales", points="80", **fields):
    row = Correction(
        evaluation=evaluation,
        partner=staged.partners[partner],
        item_code=item,
        points=Decimal(points) if points else None,
        reason=fields.pop("reason", "Floods in August"),
        proposed_by=staged.manager,
        **fields,
    )
    return crud.save(row, by=staged.manager)


def again(evaluation, staged, run_callbacks):
    with run_callbacks(execute=True):
        fire(evaluation, "compute_again", by=staged.director, on=SOON)
    evaluation.refresh_from_db()
    return evaluation


def score_of(evaluation, staged, partner="A"):
    return Score.objects.select_related(
        "evaluation__scheme_version__scheme", "level", "level_before"
    ).get(evaluation=evaluation, partner=staged.partners[partner])


def test_points_that_a_second_person_accepted(staged, django_capture_on_commit_callbacks):
    evaluation = run()
    computed = score_of(evaluation, staged)
    points = computed.items[0]["points"]
    change = propose(staged, evaluation)
    with pytest.raises(Blocked) as open_change:
        fire(evaluation, "publish", by=staged.director, on=SOON)
    fire(change, "accept", by=staged.director, on=SOON)
    with pytest.raises(Blocked) as not_applied:
        fire(evaluation, "publish", by=staged.director, on=SOON)
    assert [error.value.problems[0].code for error in (open_change, not_applied)] == [
        "open_corrections",
        "corrections_not_applied",
    ]
    first = evaluation.digest
    evaluation = again(evaluation, staged, django_capture_on_commit_callbacks)
    score = score_of(evaluation, staged)
    assert (points, score.items[0]["points"]) == ("100.0000", "80.0000")
    assert (computed.total, score.total) == (Decimal("100.00"), Decimal("88.00"))
    assert score.corrected == [
        {"correction": change.pk, "item": "sales", "computed": "100.0000", "points": "80.0000"}
    ]
    assert evaluation.digest != first
    with translation.override("en"):
        sentence = selectors.scorecard(score)[0].sentence
    assert sentence.endswith("; changed in review from 100 to 80: Floods in August (m1, d1)")
    others = Score.objects.filter(evaluation=evaluation).exclude(pk=score.pk)
    assert [other.corrected for other in others] == [[], [], []]
    assert fire(evaluation, "publish", by=staged.director, on=SOON).state == "published"


def test_a_level_that_was_decided(staged, django_capture_on_commit_callbacks):
    evaluation = run()
    gold = Level.objects.get(code="gold")
    change = propose(staged, evaluation, "D", item="", points=None, level=gold)
    fire(change, "accept", by=staged.director, on=SOON)
    evaluation = again(evaluation, staged, django_capture_on_commit_callbacks)
    score = score_of(evaluation, staged, "D")
    assert (score.level, score.held) == (gold, "review")
    assert score.corrected == [
        {"correction": change.pk, "item": "", "computed": None, "level": "gold"}
    ]
    with translation.override("en"):
        said = outcome_sentences(definition(evaluation.scheme_version), score)
    assert said[-1] == "Level changed in review from — to gold: Floods in August (m1, d1)"


def test_an_item_that_did_not_apply_can_be_given_points(staged, django_capture_on_commit_callbacks):
    evaluation = run()
    change = propose(staged, evaluation, "B", item="service", points="50")
    fire(change, "accept", by=staged.director, on=SOON)
    evaluation = again(evaluation, staged, django_capture_on_commit_callbacks)
    score = score_of(evaluation, staged, "B")
    assert (score.items[1]["value"], score.items[1]["points"]) == (None, "50.0000")
    assert score.corrected[0]["computed"] is None


def test_two_people(staged):
    evaluation = run()
    change = propose(staged, evaluation)
    with pytest.raises(PermissionDenied):
        fire(change, "accept", by=staged.manager, on=SOON)
    own = Correction.objects.create(
        evaluation=evaluation,
        partner=staged.partners["B"],
        item_code="sales",
        points=Decimal(1),
        reason="Mine",
        proposed_by=staged.director,
    )
    with pytest.raises(Blocked) as blocked:
        fire(own, "accept", by=staged.director, on=SOON)
    assert [problem.code for problem in blocked.value.problems] == ["second_person"]
    assert fire(own, "accept", by=staged.other_director, on=SOON).state == "accepted"
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE performance_correction SET decided_by_id = proposed_by_id")


def test_rejected_after_it_was_applied(staged, django_capture_on_commit_callbacks):
    evaluation = run()
    first = evaluation.digest
    change = propose(staged, evaluation)
    fire(change, "accept", by=staged.director, on=SOON)
    evaluation = again(evaluation, staged, django_capture_on_commit_callbacks)
    fire(change, "reject", by=staged.other_director, on=SOON, reason="There was no flood")
    assert not Evaluation.objects.get().has_all_corrections
    evaluation = again(evaluation, staged, django_capture_on_commit_callbacks)
    assert (evaluation.digest, evaluation.has_all_corrections) == (first, True)


def test_what_cannot_be_proposed(staged):
    evaluation = run()
    for fields, code in (
        ({"points": "100.01"}, "above_cap"),
        ({"item": "nothing"}, "unknown_item"),
    ):
        with pytest.raises(ValidationError) as refused:
            propose(staged, evaluation, **fields)
        assert [e.code for errors in refused.value.error_dict.values() for e in errors] == [code]
    propose(staged, evaluation)
    with pytest.raises(ValidationError):  # a second one of the same
        propose(staged, evaluation)
    Evaluation.objects.update(state="computed")
    with pytest.raises(ValidationError) as closed:
        propose(staged, Evaluation.objects.get(), "B")
    assert "evaluation" in closed.value.error_dict


def test_only_who_proposed_it_withdraws_it(staged):
    change = propose(staged, run())
    with pytest.raises(Blocked):
        fire(change, "withdraw", by=staged.director, on=SOON)
    assert fire(change, "withdraw", by=staged.manager, on=SOON).state == "withdrawn"


def test_published_changes_are_kept_also_from_sql(staged, django_capture_on_commit_callbacks):
    evaluation = run()
    fire(propose(staged, evaluation), "accept", by=staged.director, on=SOON)
    evaluation = again(evaluation, staged, django_capture_on_commit_callbacks)
    fire(evaluation, "publish", by=staged.director, on=date(2013, 10, 15))
    for statement in (
        "UPDATE performance_correction SET points = 1",
        "DELETE FROM performance_correction",
        "UPDATE performance_score SET corrected = '[]'",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


# --- many at once ------------------------------------------------------------------------------


def decide_all(user, action, rows, **data):
    client = Client()
    client.force_login(user, backend="accounts.backends.RoleBackend")
    session = client.session
    session["language"] = "en"
    session.save()
    sent = {"action": action, "query": "?", "pk": [row.pk for row in rows], **data}
    return client.post("/performance/corrections/bulk/", sent, follow=True)


def test_many_are_accepted_at_once_by_a_second_person(staged):
    evaluation = run()
    rows = [propose(staged, evaluation, partner=code) for code in "AB"]
    own = Correction(
        evaluation=evaluation,
        partner=staged.partners["C"],
        item_code="sales",
        points=Decimal(50),
        reason="Mine",
        proposed_by=staged.director,
    )
    crud.save(own, by=staged.director)
    asked = decide_all(staged.director, "accept", [*rows, own])
    assert (asked.status_code, asked.context["count"]) == (200, 3)
    assert Correction.objects.filter(state="proposed").count() == 3
    done = decide_all(staged.director, "accept", [*rows, own], confirmed="1", reason="All true")
    said = [str(message) for message in done.context["messages"]]
    assert said == [
        "2 rows changed.",
        f"{own}: Who proposed it cannot accept it; a second person does.",
    ]
    assert list(Correction.objects.order_by("pk").values_list("state", "decided_by")) == [
        ("accepted", staged.director.pk),
        ("accepted", staged.director.pk),
        ("proposed", None),
    ]
    events = Event.objects.filter(verb="performance.correction.accept")
    assert [(event.actor, event.reason) for event in events] == [(staged.director, "All true")] * 2


def test_many_are_rejected_at_once_with_a_reason(staged):
    evaluation = run()
    rows = [propose(staged, evaluation, partner=code) for code in "AB"]
    refused = decide_all(staged.director, "reject", rows, confirmed="1", reason=" ")
    assert [str(message) for message in refused.context["messages"]] == [
        f"{row}: Give a reason." for row in rows
    ]
    decide_all(staged.director, "reject", rows, confirmed="1", reason="No proof")
    assert set(Correction.objects.values_list("state", "decided_by")) == {
        ("rejected", staged.director.pk)
    }


def test_who_may_not_decide_has_no_such_action(staged):
    rows = [propose(staged, run())]
    assert decide_all(staged.manager, "accept", rows, confirmed="1").status_code == 404
    assert Correction.objects.get().state == "proposed"


def test_what_is_out_of_review_stays_as_it_is(staged):
    evaluation = run()
    rows = [propose(staged, evaluation)]
    Evaluation.objects.update(state="computed")
    done = decide_all(staged.director, "accept", rows, confirmed="1", reason="Late")
    assert [str(message) for message in done.context["messages"]] == [
        f"{rows[0]}: The evaluation is not in review."
    ]
