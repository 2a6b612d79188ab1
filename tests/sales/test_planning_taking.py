"""Amounts of many cells at once: proposals taken over and given back, and large plans as jobs."""

import random
from datetime import date
from decimal import Decimal

import pytest
from django.db.models import Sum
from django.urls import reverse

from core import jobs, workflow
from core.errors import Conflict
from core.models import Event, Job
from sales.models import TargetPlan, TargetPlanLine
from sales.planning import background, grid, services
from sales.tasks import work_on_plan
from tests import factories as make

pytestmark = pytest.mark.django_db
ON = date(2025, 12, 3)
MONTHS = [date(2026, month, 1) for month in range(1, 13)]


@pytest.fixture(autouse=True)
def _english(settings):
    settings.LANGUAGE_CODE = "en"


def with_proposal(plan, partner, *, own=None, peers=None, season=(100, 300), line=None, **fields):
    """Cells with such top-down amounts, and the proposals for their year."""
    plan.hints.create(
        partner=partner, product_line=line, basis="history", last_year=0, own=own, peers=peers
    )
    for month, top_down in zip(MONTHS, season, strict=False):
        make.make_plan_line(
            partner,
            plan=plan,
            month=month,
            product_line=line,
            top_down=None if top_down is None else Decimal(top_down),
            amount=Decimal(7),
            **fields,
        )


def take(plan, cast, source="suggested", lines=None):
    chosen = plan.lines.all() if lines is None else lines
    return services.take_over(plan=plan, lines=chosen, source=source, by=cast.director)


def amounts(plan, **only):
    rows = plan.lines.filter(**only).order_by("partner", "product_line", "month")
    return list(rows.values_list("amount", flat=True))


def test_proposals_of_many_partners_are_taken_over_in_the_season_of_the_split(cast):
    plan = make.make_plan(territory=cast.country)
    with_proposal(plan, cast.north_partner, own=Decimal("1000.40"), peers=Decimal(5))
    with_proposal(plan, cast.south_partner, peers=Decimal(10), season=(1, 1, 1))
    nobody = make.make_partner(territory=cast.south)
    with_proposal(plan, nobody)
    assert take(plan, cast) == 5
    assert amounts(plan, partner=cast.north_partner) == [250, 750]
    assert amounts(plan, partner=cast.south_partner) == [4, 3, 3]
    assert amounts(plan, partner=nobody) == [7, 7]
    event = Event.objects.get(verb="sales.targetplan.taken")
    assert (event.data["source"], event.data["cells"]) == ("suggested", 5)
    assert take(plan, cast) == 0


@pytest.mark.parametrize("rounding", [2, 0, -2, -3])
def test_what_is_taken_over_is_what_the_page_suggests(cast, rounding):
    """The SQL shares out as core.money.allocate does, whatever the weights."""
    chance = random.Random(rounding)
    lines = [make.make_product_line() for _number in range(2)]
    plan = make.make_plan(territory=cast.north, lines=lines, rounding=rounding)
    partners = [make.make_partner(territory=cast.north) for _number in range(15)]
    for partner in partners:
        for line in lines:
            with_proposal(
                plan,
                partner,
                line=line,
                own=Decimal(chance.randrange(10**9)) / 100,
                season=[chance.choice([0, None, chance.randrange(1, 10**6)]) for _m in MONTHS],
            )
    rows = grid.rows_of(plan, partners)
    expected = {
        cell.pk: Decimal(7) if fair is None else fair
        for row in rows
        for cell, fair in row.with_fair
    }
    take(plan, cast)
    assert dict(plan.lines.values_list("pk", "amount")) == expected
    assert len(expected) == 15 * 2 * 12
    # Rounded to the unit of the plan, each row sums to its proposal.
    unit = Decimal(1).scaleb(-rounding)
    sums = plan.lines.values("partner", "product_line").annotate(n=Sum("amount")).order_by()
    said = {
        (hint.partner_id, hint.product_line_id): hint.own
        for hint in plan.hints.filter(own__isnull=False)
    }
    for row in sums:
        own = said[row["partner"], row["product_line"]]
        assert row["n"] == 84 or abs(row["n"] - own) <= unit / 2


def test_what_was_taken_over_is_given_back_but_not_what_was_changed_or_locked_since(cast):
    plan = make.make_plan(territory=cast.country)
    with_proposal(plan, cast.north_partner, own=Decimal(1000), season=(1, 1, 1, 1))
    take(plan, cast)
    cells = list(plan.lines.order_by("month"))
    services.enter(line=cells[0], values={"amount": Decimal(300)}, by=cast.director)
    services.enter(line=cells[1], values={"locked": True}, by=cast.director)
    services.enter(line=cells[2], values={"manager": Decimal(9)}, by=cast.director)
    plan.refresh_from_db()
    assert services.undo_take(plan=plan, by=cast.director) == 2
    assert amounts(plan) == [300, 250, 7, 7]
    assert Event.objects.get(verb="sales.targetplan.given_back").data["cells"] == 2
    with pytest.raises(Conflict) as refused:
        services.undo_take(plan=plan, by=cast.director)
    assert refused.value.code == "nothing_taken"


def test_a_cell_without_an_amount_gets_none_back(cast):
    plan = make.make_plan(territory=cast.north)
    make.make_plan_line(cast.north_partner, plan=plan, amount=None, top_down=Decimal(5))
    take(plan, cast, "top_down")
    assert amounts(plan) == [5]
    services.undo_take(plan=plan, by=cast.director)
    assert amounts(plan) == [None]


def test_after_another_split_nothing_is_given_back(cast):
    plan = make.make_plan(territory=cast.north, amount=Decimal(1200))
    services.split_plan(plan=plan, by=cast.director, on=ON)
    plan.lines.update(manager=1)
    take(plan, cast, "manager")
    services.split_plan(plan=plan, by=cast.director, on=ON)
    with pytest.raises(Conflict):
        services.undo_take(plan=plan, by=cast.director)
    assert sum(amounts(plan)) == 1200


def test_nothing_is_given_back_to_a_plan_that_was_submitted(cast):
    plan = make.make_plan(territory=cast.north)
    with_proposal(plan, cast.north_partner, own=Decimal(1000))
    take(plan, cast)
    workflow.fire(plan, "submit", by=cast.director, on=ON)
    with pytest.raises(Conflict) as refused:
        services.undo_take(plan=plan, by=cast.director)
    assert refused.value.code == "frozen"


def test_taking_over_takes_as_many_statements_for_many_as_for_one(cast, django_assert_num_queries):
    for count in (1, 4):
        plan = make.make_plan(territory=cast.north)
        for _number in range(count):
            with_proposal(plan, make.make_partner(territory=cast.north), own=Decimal(1000))
        with django_assert_num_queries(6):
            assert take(plan, cast) == 2 * count


# --- From the page -------------------------------------------------------------------------------


def url(name, plan):
    return reverse(f"sales:targetplan_{name}", args=[plan.pk])


def test_one_click_takes_proposals_over_and_one_gives_them_back(cast, client):
    plan = make.make_plan(territory=cast.country)
    with_proposal(plan, cast.north_partner, own=Decimal(1000))
    with_proposal(plan, cast.south_partner, own=Decimal(2000))
    client.force_login(cast.director)
    page = client.get(url("detail", plan))
    assert (page.context["taken"], 'value="suggested"' in page.content.decode()) == (None, True)
    response = client.post(url("take", plan), {"source": "suggested"}, follow=True)
    text = response.content.decode()
    assert "4 cells were changed." in text
    assert "4 cells were taken over by" in text
    assert sum(amounts(plan)) == 3000
    response = client.post(url("undo", plan), follow=True)
    assert "4 cells were changed." in response.content.decode()
    assert response.context["taken"] is None
    assert sum(amounts(plan)) == 28
    response = client.post(url("undo", plan), follow=True)
    assert "There is nothing to give back." in response.content.decode()


def test_the_page_of_a_plan_by_line_has_so_many_rows_at_most(cast, client):
    lines = [make.make_product_line() for _number in range(20)]
    plan = make.make_plan(territory=cast.north, lines=lines)
    partners = [make.make_partner(territory=cast.north) for _number in range(5)]
    TargetPlanLine.objects.bulk_create(
        TargetPlanLine(plan=plan, partner=partner, product_line=line, month=MONTHS[0], amount=1)
        for partner in partners
        for line in lines
    )
    client.force_login(cast.director)
    assert len(client.get(url("detail", plan)).context["rows"]) == grid.ROWS
    assert len(client.get(url("detail", plan), {"line": lines[0].pk}).context["rows"]) == 5


# --- Large plans ---------------------------------------------------------------------------------


@pytest.fixture
def large(cast, monkeypatch):
    """A plan that is too large for a request."""
    monkeypatch.setattr(background, "IN_REQUEST", 11)
    make.make_fact(cast.north_partner, occurred_on=date(2025, 5, 6), amount=Decimal(100))
    return make.make_plan(territory=cast.north, amount=Decimal("1000.01"))


def test_a_large_plan_is_split_by_a_worker_while_one_watches(
    large, cast, client, django_capture_on_commit_callbacks
):
    client.force_login(cast.director)
    response = client.post(url("split", large))
    job = Job.objects.get()
    assert (response.url, job.state) == (reverse("core:job_detail", args=[job.pk]), "queued")
    page = client.get(url("detail", large))
    assert (page.context["job"], page.context["may_split"], page.context["field"]) == (
        job,
        False,
        "",
    )
    response = client.post(url("split", large), follow=True)
    assert "Work on this plan is under way." in response.content.decode()
    assert Job.objects.count() == 1
    work_on_plan(job.pk, *job.arguments)
    job.refresh_from_db()
    assert (job.state, job.result, job.result_url) == ("done", {"cells": 12}, url("detail", large))
    assert sum(amounts(large)) == Decimal("1000.01")
    for what in ("take", "undo"):
        with django_capture_on_commit_callbacks(execute=True):
            large.lines.update(manager=1)
            large.refresh_from_db()
            client.post(url(what, large), {"source": "manager"})
        assert Job.objects.first().state == "done"
    assert sum(amounts(large)) == Decimal("1000.01")


def test_a_job_whose_worker_was_killed_after_its_work_does_not_do_it_again(large, cast):
    """What somebody has typed between the commit and the second delivery stays."""
    job = background.begin(plan=large, what=background.SPLIT, chosen={}, on=ON, by=cast.director)
    with pytest.raises(KeyboardInterrupt), jobs.running(job.pk):
        background.work(plan=large, what="split", chosen={}, on=ON, by=cast.director, job=job.pk)
        raise KeyboardInterrupt
    line = large.lines.first()
    services.enter(line=line, values={"amount": Decimal(5)}, by=cast.director)
    work_on_plan(job.pk, *job.arguments)
    job.refresh_from_db()
    line.refresh_from_db()
    assert (job.state, job.result, line.amount) == ("done", {"cells": 12}, 5)
    assert Event.objects.filter(verb="sales.targetplan.split").count() == 1


def test_a_job_that_is_stopped_leaves_the_plan_as_it_was(large, cast):
    job = background.begin(plan=large, what=background.SPLIT, chosen={}, on=ON, by=cast.director)
    Job.objects.filter(pk=job.pk).update(cancel_requested=True)
    work_on_plan(job.pk, *job.arguments)
    job.refresh_from_db()
    assert (job.state, large.lines.count(), background.open_job(large)) == ("cancelled", 0, None)


def test_a_job_of_a_plan_that_was_submitted_meanwhile_says_so(large, cast):
    make.make_plan_line(cast.north_partner, plan=large)
    job = background.begin(plan=large, what=background.SPLIT, chosen={}, on=ON, by=cast.director)
    workflow.fire(TargetPlan.objects.get(pk=large.pk), "submit", by=cast.director, on=ON)
    work_on_plan(job.pk, *job.arguments)
    job.refresh_from_db()
    assert (job.state, amounts(large)) == ("failed", [1000])
    assert "Only the draft" in job.error
