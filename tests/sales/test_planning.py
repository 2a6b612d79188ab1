"""Target plans: splitting, entries from below, two persons, what is signed stands, amendments."""

import threading
from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, connections, transaction
from django.db.models import Sum

from core import crud, workflow
from core.errors import Blocked, Conflict, DomainError
from core.models import Event
from partners.services import merge_partners
from performance.reading import Ask, TargetSum, read
from sales.models import Target, TargetPlan, TargetPlanLine
from sales.planning import grid, services
from tests import factories as make

pytestmark = pytest.mark.django_db
ON = date(2025, 12, 3)
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)


def split(plan, by=None, on=ON):
    return services.split_plan(plan=plan, by=by, on=on)


def fire(plan, name, by, **more):
    return workflow.fire(plan, name, by=by, on=ON, **more)


def signed(plan, cast):
    fire(plan, "submit", cast.director)
    return fire(plan, "sign", cast.finance)


def amounts(plan, **only):
    rows = plan.lines.filter(**only).order_by("partner", "product_line", "month")
    return list(rows.values_list("amount", flat=True))


@pytest.fixture
def plan(cast):
    """A signed-off-to-be plan of the north with one cell of 1000."""
    return make.make_plan_line(cast.north_partner).plan


# --- Splitting -----------------------------------------------------------------------------------


def test_the_split_follows_last_year_and_sums_exactly(cast):
    other = make.make_partner(territory=cast.north)
    make.make_partner(territory=cast.north, state="prospect")
    make.make_fact(cast.north_partner, occurred_on=date(2025, 5, 9), amount=Decimal(300))
    make.make_fact(other, occurred_on=date(2025, 5, 9), amount=Decimal(100))
    make.make_fact(cast.south_partner, occurred_on=date(2025, 5, 9), amount=Decimal(999))
    plan = make.make_plan(territory=cast.north, amount=Decimal("1000.01"))
    assert split(plan, cast.director) == 24
    may = plan.lines.filter(month=date(2026, 5, 1))
    assert dict(may.values_list("partner", "amount")) == {
        cast.north_partner.pk: Decimal("750.01"),
        other.pk: Decimal(250),
    }
    assert may.get(partner=other).last_year == Decimal(100)
    assert plan.lines.aggregate(n=Sum("amount"))["n"] == Decimal("1000.01")
    event = Event.objects.get(verb="sales.targetplan.split")
    assert event.data == {"cells": 24, "amount": "1000.01"}


def test_last_year_are_the_twelve_complete_months(cast):
    partner = cast.north_partner
    for day, amount in (
        (date(2024, 12, 31), 5),
        (date(2025, 11, 30), 7),
        (date(2025, 12, 1), 11),
        (date(2024, 11, 30), 13),
    ):
        make.make_fact(partner, occurred_on=day, amount=Decimal(amount))
    plan = make.make_plan(territory=cast.north)
    split(plan, on=date(2025, 12, 31))
    last = dict(plan.lines.filter(last_year__gt=0).values_list("month", "last_year"))
    assert last == {date(2026, 12, 1): Decimal(5), date(2026, 11, 1): Decimal(7)}
    split(plan, on=date(2026, 2, 1))
    last = dict(plan.lines.filter(last_year__gt=0).values_list("month", "last_year"))
    assert last == {date(2026, 12, 1): Decimal(11), date(2026, 11, 1): Decimal(7)}


def test_product_lines_take_what_lies_below_them(cast):
    above = make.make_product_line()
    below = make.make_product_line(parent=above)
    beside = make.make_product_line()
    for line, amount in ((above, 10), (below, 5), (beside, 100)):
        product = make.make_product(product_line=line)
        day = date(2025, 3, 1)
        make.make_fact(cast.north_partner, product=product, occurred_on=day, amount=Decimal(amount))
    plan = make.make_plan(territory=cast.north, lines=[above])
    split(plan)
    march = plan.lines.get(month=date(2026, 3, 1))
    assert (march.product_line, march.last_year, march.amount) == (above, 15, 15)
    assert plan.lines.count() == 12


def test_collections_go_by_payments(cast):
    make.make_payment(cast.north_partner, paid_on=date(2025, 3, 1), amount=Decimal(70))
    plan = make.make_plan(territory=cast.north, kind="collection")
    split(plan)
    assert plan.lines.get(month=date(2026, 3, 1)).amount == 70


def test_growth_is_that_of_the_nearest_territory(cast):
    city = make.make_territory(parent=cast.north)
    inside = make.make_partner(territory=city)
    for partner in (cast.north_partner, inside, cast.south_partner):
        make.make_fact(partner, occurred_on=date(2025, 3, 1), amount=Decimal(100))
    plan = make.make_plan(territory=cast.country)
    for place, rate in ((cast.country, "0.1"), (city, "0.5")):
        services.set_growth(plan=plan, territory=place, rate=Decimal(rate), by=cast.director)
    split(plan)
    sums = dict(plan.lines.values_list("partner").annotate(n=Sum("amount")).order_by())
    assert sums == {cast.north_partner.pk: 110, inside.pk: 150, cast.south_partner.pk: 110}
    services.set_growth(plan=plan, territory=city, rate=None, by=cast.director)
    assert list(plan.growths.values_list("territory", flat=True)) == [cast.country.pk]
    with pytest.raises(DomainError) as refused:
        services.set_growth(
            plan=make.make_plan(territory=cast.north),
            territory=cast.south,
            rate=Decimal(1),
            by=cast.director,
        )
    assert refused.value.code == "outside"


def test_a_split_again_keeps_locks_entries_and_comments(cast):
    make.make_fact(cast.north_partner, occurred_on=date(2025, 1, 9), amount=Decimal(100))
    plan = make.make_plan(territory=cast.north, amount=Decimal(1200))
    split(plan)
    first = plan.lines.get(month=JANUARY)
    values = {"manager": Decimal(7), "comment": "opens late", "locked": True}
    services.enter(line=first, values={"amount": Decimal(900)}, by=cast.director)
    services.enter(line=first, values=values, by=cast.director)
    gone = make.make_plan_line(make.make_partner(territory=cast.north), plan=plan)
    type(gone.partner).objects.filter(pk=gone.partner_id).update(state="exited")
    split(plan)
    first.refresh_from_db()
    assert (first.amount, first.manager, first.comment) == (Decimal(900), Decimal(7), "opens late")
    assert sum(amounts(plan, partner=cast.north_partner)) == 1200
    assert not plan.lines.filter(partner=gone.partner).exists()


def test_a_plan_without_partners_is_not_split(cast):
    plan = make.make_plan(territory=make.make_territory())
    with pytest.raises(DomainError) as refused:
        split(plan)
    assert refused.value.code == "no_partners"


def test_hints_say_where_a_row_comes_from(cast):
    make.make_fact(cast.north_partner, occurred_on=date(2025, 1, 9), amount=Decimal(100))
    make.make_fact(cast.north_partner, occurred_on=date(2024, 1, 9), amount=Decimal(80))
    newcomer = make.make_partner(territory=cast.north)
    plan = make.make_plan(territory=cast.north)
    split(plan)
    found = {hint.partner_id: hint for hint in plan.hints.all()}
    mine = found[cast.north_partner.pk]
    assert (mine.basis, mine.last_year, mine.own) == ("history", 100, Decimal("125.00"))
    assert (found[newcomer.pk].basis, found[newcomer.pk].own) == ("peers", None)


# --- Entries -------------------------------------------------------------------------------------


def test_an_entry_is_kept_with_its_event(plan, cast):
    line = plan.lines.get()
    services.enter(line=line, values={"manager": Decimal("12.50")}, by=cast.north_manager)
    event = Event.objects.get()
    assert (event.verb, event.actor, event.scope_id, event.changes) == (
        "sales.targetplanline.updated",
        cast.north_manager,
        cast.north_partner.pk,
        {"manager": [None, "12.50"]},
    )


def test_a_locked_cell_keeps_its_amount(plan, cast):
    line = plan.lines.get()
    services.enter(line=line, values={"locked": True}, by=cast.director)
    with pytest.raises(ValidationError):
        services.enter(line=line, values={"amount": Decimal(1)}, by=cast.director)
    services.enter(line=line, values={"manager": Decimal(5)}, by=cast.director)
    taken = services.take_over(
        plan=plan, lines=TargetPlanLine.objects.all(), source="manager", by=cast.director
    )
    assert (taken, amounts(plan)) == (0, [Decimal(1000)])
    services.enter(line=line, values={"locked": False}, by=cast.director)
    services.enter(line=line, values={"amount": Decimal(1)}, by=cast.director)
    assert amounts(plan) == [Decimal(1)]


def test_negative_amounts_are_refused(plan, cast):
    with pytest.raises(ValidationError):
        services.enter(line=plan.lines.get(), values={"manager": Decimal(-1)}, by=cast.director)


@pytest.mark.parametrize(
    ("source", "planned"),
    [("top_down", [10, 20, 30]), ("manager", [11, 2, 3]), ("bottom_up", [11, 22, 3])],
)
def test_either_side_is_taken_over(source, planned, cast):
    plan = make.make_plan(territory=cast.north)
    for number, (manager, proposal) in enumerate(((11, 12), (None, 22), (None, None)), start=1):
        make.make_plan_line(
            cast.north_partner,
            plan=plan,
            month=date(2026, number, 1),
            amount=Decimal(number),
            top_down=Decimal(number * 10),
            manager=manager,
            proposal=proposal,
        )
    services.take_over(plan=plan, lines=plan.lines.all(), source=source, by=cast.director)
    assert amounts(plan) == planned
    event = Event.objects.get(verb="sales.targetplan.taken")
    assert event.data["source"] == source


def test_only_cells_with_entries_are_compared(cast):
    plan = make.make_plan(territory=cast.north)
    for month, manager in ((JANUARY, 120), (FEBRUARY, None)):
        make.make_plan_line(
            cast.north_partner, plan=plan, month=month, amount=Decimal(100), manager=manager
        )
    totals = grid.sums(grid.lines_for(plan, cast.director))
    assert (totals.top_down, totals.bottom_up, totals.against) == (200, 120, 100)
    assert (totals.difference, totals.ratio) == (20, Decimal("0.2"))
    (row,) = grid.rows_of(plan, [cast.north_partner])
    assert row.totals == totals


# --- Two persons, and what is signed stands ------------------------------------------------------


def test_who_submits_does_not_sign(plan, cast):
    fire(plan, "submit", cast.director)
    with pytest.raises(Blocked) as refused:
        fire(plan, "sign", cast.director)
    assert [problem.code for problem in refused.value.problems] == ["same_person"]
    with pytest.raises(PermissionDenied):
        fire(plan, "sign", cast.north_manager)
    fire(plan, "sign", cast.finance)
    plan.refresh_from_db()
    assert (plan.state, plan.submitted_by, plan.signed_by) == (
        "signed",
        cast.director,
        cast.finance,
    )


def test_the_database_too_wants_two_persons(plan, cast):
    with pytest.raises(IntegrityError), transaction.atomic():
        TargetPlan.objects.filter(pk=plan.pk).update(
            state="signed",
            submitted_by=cast.director,
            submitted_on=ON,
            signed_by=cast.director,
            signed_on=ON,
        )


def test_an_empty_plan_and_one_with_gaps_are_not_submitted(cast):
    plan = make.make_plan(territory=cast.north)
    with pytest.raises(Blocked) as refused:
        fire(plan, "submit", cast.director)
    assert [problem.code for problem in refused.value.problems] == ["empty"]
    make.make_plan_line(cast.north_partner, plan=plan, amount=None)
    with pytest.raises(Blocked) as refused:
        fire(plan, "submit", cast.director)
    assert [problem.code for problem in refused.value.problems] == ["cells_without_amount"]


def test_a_plan_whose_product_lines_have_changed_is_split_again(cast):
    lines = [make.make_product_line(), make.make_product_line()]
    plan = make.make_plan(territory=cast.north, lines=lines[:1])
    split(plan)
    for chosen in (lines[1:], []):
        plan.product_lines.set(chosen)
        with pytest.raises(Blocked) as refused:
            fire(plan, "submit", cast.director)
        assert [problem.code for problem in refused.value.problems] == ["other_product_lines"]
        split(plan)
    assert fire(plan, "submit", cast.director).state == "submitted"


def test_signing_writes_the_targets_with_one_event(cast):
    plan = make.make_plan(territory=cast.country)
    for partner in (cast.north_partner, cast.south_partner):
        make.make_plan_line(partner, plan=plan, amount=Decimal(partner.pk))
    mine = make.make_target(cast.north_partner, amount=Decimal(5))
    other = make.make_target(cast.north_partner, amount=Decimal(6), kind="collection")
    fire(plan, "submit", cast.director)
    before = Event.objects.count()
    fire(plan, "sign", cast.finance)
    assert Event.objects.count() == before + 1
    assert Event.objects.first().verb == "sales.targetplan.sign"
    found = Target.objects.order_by("pk").values_list("pk", "partner", "amount", "plan")
    assert list(found)[:2] == [
        (mine.pk, cast.north_partner.pk, cast.north_partner.pk, plan.pk),
        (other.pk, cast.north_partner.pk, 6, None),
    ]
    assert list(found)[2][1:] == (cast.south_partner.pk, cast.south_partner.pk, plan.pk)


def test_signing_takes_the_same_statements_for_many(cast, django_assert_max_num_queries):
    counts = []
    for size in (1, 9):
        plan = make.make_plan(territory=cast.north)
        for _number in range(size):
            make.make_plan_line(make.make_partner(territory=cast.north), plan=plan)
        fire(plan, "submit", cast.director)
        with django_assert_max_num_queries(60) as captured:
            fire(plan, "sign", cast.finance)
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_a_target_for_all_lines_gives_way_to_a_plan_by_line(cast):
    line = make.make_product_line()
    make.make_target(cast.north_partner, amount=Decimal(5))
    kept = make.make_target(cast.north_partner, month=FEBRUARY, amount=Decimal(6))
    plan = make.make_plan(territory=cast.north, lines=[line])
    make.make_plan_line(cast.north_partner, plan=plan, product_line=line)
    signed(plan, cast)
    rows = Target.objects.order_by("month").values_list("product_line", "amount", "plan")
    assert list(rows) == [(line.pk, 1000, plan.pk), (None, kept.amount, None)]
    with pytest.raises(IntegrityError), transaction.atomic():
        make.make_target(cast.north_partner, amount=Decimal(5))
    assert list(Target.objects.that_count().filter(month=JANUARY)) == [
        Target.objects.get(product_line=line)
    ]


def test_nothing_of_a_signed_plan_changes(plan, cast):
    line = plan.lines.get()
    signed(plan, cast)
    target = Target.objects.get()
    for change in (
        lambda: TargetPlanLine.objects.filter(pk=line.pk).update(amount=1),
        lambda: TargetPlanLine.objects.filter(pk=line.pk).delete(),
        lambda: make.make_plan_line(cast.north_partner, plan=plan, month=FEBRUARY),
        lambda: TargetPlan.objects.filter(pk=plan.pk).update(name="other"),
        lambda: TargetPlan.objects.filter(pk=plan.pk).update(state="draft"),
        lambda: TargetPlan.objects.filter(pk=plan.pk).delete(),
        lambda: plan.growths.create(territory=cast.north, rate=0),
        lambda: Target.objects.filter(pk=target.pk).update(amount=1),
        lambda: Target.objects.filter(pk=target.pk).update(plan=None),
        lambda: Target.objects.filter(pk=target.pk).delete(),
        lambda: make.make_target(cast.north_partner, month=FEBRUARY, plan=plan),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
    with pytest.raises(Conflict) as refused:
        services.enter(line=line, values={"amount": Decimal(1)}, by=cast.director)
    assert refused.value.code == "frozen"
    assert (Target.objects.get().amount, line.plan.lines.get().amount) == (1000, 1000)


def test_forms_the_api_and_imports_refuse_a_planned_target_in_words(plan, cast):
    signed(plan, cast)
    target = Target.objects.get()
    target.amount = Decimal(1)
    with pytest.raises(ValidationError, match="signed plan"):
        crud.save(target, by=cast.director)
    with pytest.raises(Conflict, match="only by an amendment"):
        crud.delete(target, by=cast.director)


def test_a_submitted_plan_waits_and_can_be_sent_back(plan, cast):
    line = plan.lines.get()
    fire(plan, "submit", cast.director)
    with pytest.raises(Conflict):
        services.enter(line=line, values={"manager": Decimal(1)}, by=cast.north_manager)
    fire(plan, "send_back", cast.director, reason="more from the north")
    services.enter(line=line, values={"manager": Decimal(1)}, by=cast.north_manager)
    plan.refresh_from_db()
    assert (plan.state, plan.submitted_by, plan.submitted_on) == ("draft", None, None)


def test_two_signed_plans_do_not_share_cells(plan, cast):
    signed(plan, cast)
    second = make.make_plan(territory=cast.country)
    make.make_plan_line(cast.north_partner, plan=second, amount=Decimal(3))
    fire(second, "submit", cast.director)
    with pytest.raises(Blocked, match=plan.name):
        fire(second, "sign", cast.finance)
    assert Target.objects.get().plan == plan


def test_cells_lie_within_their_plan(cast):
    line = make.make_product_line()
    plan = make.make_plan(territory=cast.north)
    by_line = make.make_plan(territory=cast.north, lines=[line])
    for wrong in (
        {"plan": plan, "partner": cast.south_partner},
        {"plan": plan, "month": date(2025, 12, 1)},
        {"plan": plan, "month": date(2027, 1, 1)},
        {"plan": plan, "product_line": line},
        {"plan": by_line},
        {"plan": by_line, "product_line": make.make_product_line()},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            make.make_plan_line(**{"partner": cast.north_partner, **wrong})


# --- Amendments ----------------------------------------------------------------------------------


def test_an_amendment_changes_the_targets_when_it_is_signed(cast):
    plan = make.make_plan(territory=cast.north, amount=Decimal(77))
    leaves = make.make_partner(territory=cast.north)
    for partner in (cast.north_partner, leaves):
        make.make_plan_line(partner, plan=plan, manager=Decimal(3), comment="kept")
    services.set_growth(plan=plan, territory=cast.north, rate=Decimal("0.1"), by=cast.director)
    plan = signed(plan, cast)
    new = services.amend_plan(plan=plan, reason="a partner leaves", by=cast.director)
    assert (new.version, new.amends, new.state, new.amount) == (2, plan, "draft", 77)
    assert list(new.growths.values_list("territory", "rate")) == [(cast.north.pk, Decimal("0.1"))]
    copied = new.lines.values_list("partner", "amount", "manager", "comment", "last_year")
    assert set(copied) == set(
        plan.lines.values_list("partner", "amount", "manager", "comment", "last_year")
    )
    with pytest.raises(Conflict) as refused:
        services.amend_plan(plan=plan, reason="again", by=cast.director)
    assert refused.value.code == "already_open"
    new.lines.filter(partner=leaves).delete()
    kept = new.lines.get()
    services.enter(line=kept, values={"amount": Decimal(1500)}, by=cast.director)
    make.make_plan_line(cast.north_partner, plan=new, month=FEBRUARY, amount=Decimal(8))
    count, changes = grid.changes(new, cast.director, 10)
    assert [(c.cell.partner, c.old, c.new) for c in changes] == [
        (cast.north_partner, Decimal(1000), Decimal(1500)),
        (cast.north_partner, None, Decimal(8)),
        (leaves, Decimal(1000), None),
    ]
    assert count == 3
    assert set(Target.objects.values_list("amount", "plan")) == {(Decimal(1000), plan.pk)}
    signed(new, cast)
    plan.refresh_from_db()
    assert plan.state == "superseded"
    rows = Target.objects.order_by("month").values_list("partner", "month", "amount", "plan")
    assert list(rows) == [
        (cast.north_partner.pk, JANUARY, 1500, new.pk),
        (cast.north_partner.pk, FEBRUARY, 8, new.pk),
    ]
    event = Event.objects.get(verb="sales.targetplan.amended")
    assert (event.reason, event.object_id) == ("a partner leaves", new.pk)


def test_an_amendment_needs_a_reason_and_a_signed_plan(plan, cast):
    with pytest.raises(Conflict) as refused:
        services.amend_plan(plan=plan, reason="why", by=cast.director)
    assert refused.value.code == "not_signed"
    signed(plan, cast)
    with pytest.raises(DomainError) as refused:
        services.amend_plan(plan=plan, reason=" ", by=cast.director)
    assert refused.value.code == "reason_required"


def test_a_partner_that_moved_away_keeps_its_cells_in_an_amendment(plan, cast):
    plan = signed(plan, cast)
    type(cast.north_partner).objects.filter(pk=cast.north_partner.pk).update(territory=cast.south)
    new = services.amend_plan(plan=plan, reason="moved", by=cast.director)
    assert new.lines.get().partner == cast.north_partner


def test_merged_partners_take_their_targets_and_cells_along(plan, cast):
    keep = make.make_partner(territory=cast.north)
    signed(plan, cast)
    merge_partners(keep=keep, drop=cast.north_partner, reason="one firm", by=cast.director, on=ON)
    assert (Target.objects.get().partner, plan.lines.get().partner) == (keep, keep)


# --- One definition of what counts ---------------------------------------------------------------


def test_measures_and_pages_read_the_same_targets(cast):
    from insights import selectors

    lines = [make.make_product_line(), make.make_product_line()]
    make.make_target(cast.north_partner, amount=Decimal(100))
    make.make_target(cast.north_partner, amount=Decimal(70), product_line=lines[0])
    for line in lines:
        make.make_target(cast.north_partner, month=FEBRUARY, amount=Decimal(30), product_line=line)
    make.make_target(cast.south_partner, amount=Decimal(9))
    end = date(2026, 3, 1)
    ask = Ask("sell_in", JANUARY, end, JANUARY, end, JANUARY)
    asked, partners = (TargetSum(), ask), [cast.north_partner.pk, cast.south_partner.pk]
    with connection.cursor() as cursor:
        found = read(cursor, partners, [asked])
    assert found[asked] == [Decimal(160), Decimal(9)]
    assert selectors.target(None, JANUARY, end) == 169
    assert selectors.monthly_targets(None, JANUARY, end) == {JANUARY: 109, FEBRUARY: 60}


def test_what_a_signed_plan_reached_in_the_months_that_are_over(cast):
    line, other = make.make_product_line(), make.make_product_line()
    below = make.make_product_line(parent=line)
    plan = make.make_plan(territory=cast.north, lines=[line])
    for month in (JANUARY, FEBRUARY, date(2026, 3, 1)):
        make.make_plan_line(cast.north_partner, plan=plan, product_line=line, month=month)
    for product_line, day, amount in (
        (below, JANUARY, 700),
        (line, date(2026, 2, 28), 800),
        (line, date(2026, 3, 1), 50),
        (other, JANUARY, 999),
    ):
        product = make.make_product(product_line=product_line)
        make.make_fact(cast.north_partner, product=product, occurred_on=day, amount=Decimal(amount))
    rows = grid.rows_of(plan, [cast.north_partner])
    grid.set_reached(plan, rows, date(2026, 3, 20))
    assert rows[0].reached == Decimal("0.75")
    rows = grid.rows_of(plan, [cast.north_partner])
    grid.set_reached(plan, rows, date(2026, 1, 31))
    assert rows[0].reached is None


# --- Two at once ---------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_who_sign_at_once_sign_once():
    place = make.make_territory()
    partner = make.make_partner(territory=place)
    director, first, second = (make.make_user(role) for role in ("director", "finance", "finance"))
    plan = make.make_plan_line(partner).plan
    fire(plan, "submit", director)
    said, ready = [], threading.Barrier(2)

    def sign(user):
        ready.wait()
        try:
            fire(plan, "sign", user)
            said.append("signed")
        except Conflict as refused:
            said.append(refused.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=sign, args=[user]) for user in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["signed", "wrong_state"]
    assert Target.objects.count() == 1
    assert Event.objects.filter(verb="sales.targetplan.sign").count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_entry_while_it_is_signed_is_in_the_plan_or_refused():
    """Whoever comes first: the target says what the line says."""
    place = make.make_territory()
    director, finance = make.make_user("director"), make.make_user("finance")
    plan = make.make_plan_line(make.make_partner(territory=place)).plan
    line = plan.lines.get()
    fire(plan, "submit", director)
    entered = threading.Event()

    def write():
        entered.wait()
        try:
            TargetPlanLine.objects.filter(pk=line.pk).update(amount=7)
        except IntegrityError:
            pass
        finally:
            connections.close_all()

    thread = threading.Thread(target=write)
    thread.start()
    with transaction.atomic():
        fire(plan, "sign", finance)
        entered.set()
        thread.join(0.5)
    thread.join()
    assert Target.objects.get().amount == plan.lines.get().amount == 1000
