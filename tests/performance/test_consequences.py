"""Consequences: proposed by one, decided by another, in force on their day; plans with re-test."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core import workflow
from core.errors import Blocked, Conflict, DomainError
from core.models import Event
from performance.models import Consequence, ImprovementPlan
from performance.results.consequences import differing, propose_level_changes, put_in_force
from tests import factories as make
from tests.performance.test_scorecard import evaluate_published

pytestmark = pytest.mark.django_db
TODAY, LATER = date(2026, 5, 1), date(2026, 6, 1)
D = Decimal


@pytest.fixture
def levels(db):
    return [make.make_level(rank=rank) for rank in (5001, 5002)]


@pytest.fixture
def published(cast, levels):
    """North has silver and is to get gold, South has gold and is to get none, a third keeps it."""
    silver, gold = levels
    evaluation = make.make_evaluation()
    for partner, has, gets, total in (
        (cast.north_partner, silver, gold, 90),
        (cast.south_partner, gold, None, 10),
        (make.make_partner("Same", territory=cast.north), gold, gold, 80),
        (make.make_partner("No total", territory=cast.north), gold, None, None),
        (make.make_partner("Gone", territory=cast.north, state="exited"), gold, silver, 70),
    ):
        partner.level = has
        partner.save()
        make.make_score(partner, evaluation=evaluation, level=gets, total=total and D(total))
    evaluate_published(evaluation)
    evaluation.refresh_from_db()
    return evaluation


def propose(evaluation, by, **fields):
    fields = {"effective_on": LATER, "on": TODAY} | fields
    return propose_level_changes(evaluation=evaluation, by=by, **fields)


# --- level changes -----------------------------------------------------------------------------


def test_who_has_another_level_than_the_score_says(published, cast):
    assert {score.partner for score in differing(published)} == {
        cast.north_partner,
        cast.south_partner,
    }
    assert differing(published, cast.north_manager).get().partner == cast.north_partner


def test_level_changes_are_proposed_decided_and_applied_on_their_day(published, cast, levels):
    _silver, gold = levels
    assert propose(published, cast.north_manager) == 1
    assert propose(published, cast.director) == 1, "the other one; the first stands already"
    with pytest.raises(DomainError) as refused:
        propose(published, cast.director)
    assert refused.value.code == "nothing_to_propose"
    change = Consequence.objects.get(partner=cast.north_partner)
    workflow.fire(change, "decide", by=cast.director, on=TODAY)
    assert put_in_force(on=date(2026, 5, 31)) == []
    (row,) = put_in_force(on=LATER)
    assert row.pk == change.pk
    assert put_in_force(on=LATER) == [], "once and only once"
    change.refresh_from_db()
    cast.north_partner.refresh_from_db()
    cast.south_partner.refresh_from_db()
    assert (change.state, change.level_before) == ("in_force", levels[0])
    assert (cast.north_partner.level, cast.south_partner.level) == (gold, gold)
    history = Event.objects.of(cast.north_partner).get(verb="partners.partner.updated")
    assert history.changes == {"level": [levels[0].pk, gold.pk]}
    assert Event.objects.of(change).filter(verb="performance.consequence.in_force").count() == 1


def test_no_level_any_more(published, cast):
    propose(published, cast.director)
    change = Consequence.objects.get(partner=cast.south_partner)
    workflow.fire(change, "decide", by=cast.administrator, on=TODAY)
    put_in_force(on=LATER)
    cast.south_partner.refresh_from_db()
    assert cast.south_partner.level is None


def test_of_two_changes_the_later_one_stays(cast, levels):
    silver, gold = levels
    for level, day in ((gold, date(2026, 5, 2)), (silver, date(2026, 5, 1))):
        make.make_consequence(
            cast.north_partner,
            kind="level",
            level=level,
            effective_on=day,
            decided_by=cast.director,
        )
    assert len(put_in_force(on=LATER)) == 2
    cast.north_partner.refresh_from_db()
    assert cast.north_partner.level == gold
    before = Consequence.objects.order_by("effective_on").values_list("level_before", flat=True)
    assert list(before) == [None, silver.pk]


def test_only_published_results_and_no_past_day(published, cast):
    with pytest.raises(Conflict) as refused:
        propose(make.make_evaluation(), cast.director)
    assert refused.value.code == "not_published"
    with pytest.raises(DomainError) as refused:
        propose(published, cast.director, effective_on=date(2026, 4, 30))
    assert refused.value.code == "effective_in_past"


def test_levels_follow_from_the_last_revision(published, cast):
    again = make.make_evaluation(version=published.scheme_version, revision=2)
    assert propose(published, cast.north_manager) == 1, "it is not published yet"
    evaluate_published(again)
    with pytest.raises(Conflict) as refused:
        propose(published, cast.director)
    assert refused.value.code == "superseded"


def test_as_many_queries_for_many_partners(published, cast, levels):
    def count(evaluation):
        with CaptureQueriesContext(connection) as captured:
            propose(evaluation, cast.director)
        rows = Consequence.objects.filter(evaluation=evaluation)
        for row in rows:
            workflow.fire(row, "decide", by=cast.administrator, on=TODAY)
        with CaptureQueriesContext(connection) as applied:
            put_in_force(on=LATER)
        return len(captured), len(applied)

    few = count(published)
    other = make.make_evaluation(period="2026Q2")
    for number in range(10):
        partner = make.make_partner(level=levels[number % 2])
        make.make_score(partner, evaluation=other, level=levels[1 - number % 2])
    evaluate_published(other)
    other.refresh_from_db()
    assert count(other) == few
    assert Consequence.objects.filter(evaluation=other, state="in_force").count() == 10


def test_from_the_browser(client, cast, published):
    client.force_login(cast.north_manager)
    tab = reverse("performance:evaluation_detail", args=[published.pk])
    text = client.get(tab, {"tab": "consequences"}).content.decode()
    url = reverse("performance:evaluation_propose_levels", args=[published.pk])
    assert "1 partner has another level" in text and url in text
    past = client.post(url, {"effective_on": "2020-01-01"})
    assert past.status_code == 422 and "before today" in past.content.decode()
    response = client.post(url, {"effective_on": "2199-01-01", "reason": "Q1"})
    assert response.status_code == 302
    row = Consequence.objects.get()
    assert (row.proposed_by, row.reason) == (cast.north_manager, "Q1")
    client.force_login(cast.director)
    bulk = {"action": "decide", "pk": [row.pk], "confirmed": "1"}
    client.post(reverse("performance:consequence_bulk"), bulk)
    row.refresh_from_db()
    assert (row.state, row.decided_by) == ("decided", cast.director)


# --- who decides ----------------------------------------------------------------------------------


def test_who_proposed_does_not_decide(cast):
    row = make.make_consequence(proposed_by=cast.director)
    for name in ("decide", "reject"):
        with pytest.raises(Blocked) as refused:
            workflow.fire(row, name, by=cast.director, on=TODAY, reason="x")
        assert [problem.code for problem in refused.value.problems] == ["second_person"]
    workflow.fire(row, "decide", by=cast.administrator, on=TODAY)


def test_an_elimination_is_decided_by_two_others(cast):
    row = make.make_consequence(kind="elimination", proposed_by=cast.north_manager)
    third = make.make_user("director")
    with pytest.raises(Blocked) as refused:
        workflow.fire(row, "decide", by=cast.director, on=TODAY)
    assert refused.value.problems[0].code == "agree_first"
    row = workflow.fire(row, "agree", by=cast.director, on=TODAY)
    with pytest.raises(Blocked) as refused:
        workflow.fire(row, "decide", by=cast.director, on=TODAY)
    assert refused.value.problems[0].code == "third_person"
    workflow.fire(row, "decide", by=third, on=TODAY)
    before = row.partner.state
    put_in_force(on=LATER)
    row.refresh_from_db()
    row.partner.refresh_from_db()
    assert (row.state, row.partner.state) == ("in_force", before), "never automatic"


def test_the_database_wants_two_for_an_elimination(cast):
    with pytest.raises(IntegrityError), transaction.atomic():
        make.make_consequence(kind="elimination", decided_by=cast.director)
    with pytest.raises(IntegrityError), transaction.atomic():
        make.make_consequence(proposed_by=cast.director, decided_by=cast.director)
    with pytest.raises(IntegrityError), transaction.atomic():
        make.make_consequence(level=make.make_level())


def test_only_an_elimination_is_agreed(cast):
    with pytest.raises(Blocked) as refused:
        workflow.fire(make.make_consequence(), "agree", by=cast.director, on=TODAY)
    assert refused.value.problems[0].code == "one_decides"


def test_what_is_decided_cannot_be_changed(cast):
    row = make.make_consequence(decided_by=cast.director)
    for change in ({"reason": "other"}, {"effective_on": LATER}, {"kind": "award"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Consequence.objects.filter(pk=row.pk).update(**change)
    for state in ("proposed", "rejected"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE performance_consequence SET state = %s WHERE id = %s", [state, row.pk]
            )
    with pytest.raises(IntegrityError), transaction.atomic():
        row.delete()


def test_what_somebody_agreed_to_stays_as_it_was_read(client, cast):
    row = make.make_consequence(
        cast.north_partner, kind="elimination", proposed_by=cast.north_manager
    )
    workflow.fire(row, "agree", by=cast.director, on=TODAY)
    with pytest.raises(IntegrityError), transaction.atomic():
        Consequence.objects.filter(pk=row.pk).update(reason="other")
    client.force_login(cast.north_manager)
    changed = client.patch(
        f"/api/v1/consequences/{row.pk}/", {"reason": "x"}, content_type="application/json"
    )
    assert changed.status_code == 409, changed.content
    response = client.post(
        reverse("performance:consequence_edit", args=[row.pk]), {"reason": "x"}, follow=True
    )
    assert "cannot be changed any more" in response.content.decode()
    row.refresh_from_db()
    assert (row.state, row.reason) == ("agreed", "Fell below the least total")


# --- improvement plans -------------------------------------------------------------------------


@pytest.mark.parametrize(("total", "state"), [("60.00", "passed"), ("59.99", "failed")])
def test_a_retest_closes_a_plan_by_the_published_result(cast, total, state):
    version = make.make_scheme_version()
    plan = make.make_improvement_plan(cast.north_partner, scheme=version.scheme, goal_total=D(60))
    evaluation = make.make_evaluation(version=version, period="2026Q2")
    score = make.make_score(cast.north_partner, evaluation=evaluation, total=D(total))
    with pytest.raises(Blocked) as refused:
        workflow.fire(plan, "retest", by=cast.director, on=TODAY)
    assert refused.value.problems[0].code == "no_result"
    evaluate_published(evaluation)
    closed = workflow.fire(plan, "retest", by=cast.north_manager, on=TODAY)
    assert (closed.state, closed.result) == (state, score)


def test_the_period_of_a_retest_is_one(cast):
    plan = make.make_improvement_plan(cast.north_partner)
    plan.retest_period = "2026q3"
    plan.clean()
    assert plan.retest_period == "2026Q3"
    plan.retest_period = "soon"
    with pytest.raises(ValidationError):
        plan.clean()


def test_a_plan_with_its_actions(client, cast):
    plan = make.make_improvement_plan(cast.north_partner, owner=cast.north_manager)
    make.make_plan_action(plan, what="Train two people")
    client.force_login(cast.north_manager)
    url = reverse("performance:improvementplan_detail", args=[plan.pk])
    text = client.get(url).content.decode()
    assert "Train two people" in text and "not published yet" in text
    create = reverse("performance:planaction_create")
    typed = {
        "plan": plan.pk,
        "what": "Visit",
        "owner": cast.north_manager.pk,
        "due_on": "2026-05-20",
        "done_on": "2026-05-19",
    }
    assert client.post(create, typed).url == url
    assert plan.actions.get(what="Visit").done_on == date(2026, 5, 19)


def test_a_scorecard_offers_and_shows_what_follows(client, cast):
    score = make.make_score(cast.north_partner)
    same = {"evaluation": score.evaluation}
    row = make.make_consequence(cast.north_partner, **same)
    plan = make.make_improvement_plan(cast.north_partner, **same)
    client.force_login(cast.north_manager)
    url = reverse("performance:score_detail", args=[score.pk])
    text = client.get(url).content.decode()
    for name, key in (("consequence_detail", row.pk), ("improvementplan_detail", plan.pk)):
        assert reverse(f"performance:{name}", args=[key]) in text
    create = reverse("performance:consequence_create")
    query = {"kind": "award", "partner": cast.north_partner.pk, "evaluation": score.evaluation_id}
    form = client.get(create, query).context["form"]
    typed = {name: form[name].value() or "" for name in form.fields}
    typed |= {"reason": "Best", "effective_on": "2026-06-01"}
    assert client.post(create, typed).status_code == 302
    award = Consequence.objects.get(kind="award")
    assert (award.proposed_by, award.partner) == (cast.north_manager, cast.north_partner)
    assert ImprovementPlan.objects.get() == plan


def test_over_the_api(client, cast):
    client.force_login(cast.north_manager)
    body = {
        "kind": "warning",
        "partner_code": "NORTH-1",
        "effective_on": "2026-06-01",
        "reason": "Late reports",
    }
    made = client.post("/api/v1/consequences/", body, content_type="application/json")
    assert made.status_code == 201, made.content
    row = Consequence.objects.get()
    assert (row.proposed_by, row.state) == (cast.north_manager, "proposed")
    client.force_login(cast.director)
    fired = client.post(
        f"/api/v1/consequences/{row.pk}/transitions/decide/", {}, content_type="application/json"
    )
    assert fired.status_code == 200, fired.content
    assert fired.json()["state"] == "decided"
