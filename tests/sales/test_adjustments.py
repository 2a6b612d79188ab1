"""What comes into a closed month, changes there or goes is listed, whoever writes."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import InternalError, connection, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings, strategies as st

from core import workflow
from core.errors import Blocked, Conflict, DomainError
from core.importing import engine
from core.models import Event, Import
from core.periods import add_months
from sales.closing import closed_months
from sales.models import Adjustment, ClosedPeriod, SalesDaily, SalesFact
from sales.services.closing import close_month
from tests import factories as make

pytestmark = pytest.mark.django_db
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)
TODAY, NOW = date(2026, 3, 5), datetime(2026, 3, 5, 9, tzinfo=UTC)


def close(month=JANUARY, kinds=("sell_in",), by=None, on=TODAY):
    return close_month(month=month, kinds=kinds, by=by, on=on, at=NOW)


def listed():
    rows = Adjustment.objects.order_by("id")
    return list(rows.values_list("cause", "amount", "quantity", "occurred_on", "reference"))


@pytest.fixture
def fact(db):
    """A line of January, which is closed with it."""
    fact = make.make_fact(amount=Decimal(100), quantity=Decimal(2), reference="known")
    close()
    return fact


def test_closing_keeps_the_sums_of_the_moment(cast):
    make.make_fact(amount=Decimal("10.5"))
    make.make_fact(amount=Decimal(-3))
    make.make_fact(amount=Decimal(7), kind="sell_out")
    make.make_fact(amount=Decimal(9), occurred_on=FEBRUARY)
    rows = close(kinds=("sell_in", "sell_through"), by=cast.director)
    assert [(r.kind, r.net, r.lines, r.closed_at, r.closed_by) for r in rows] == [
        ("sell_in", Decimal("7.5"), 2, NOW, cast.director),
        ("sell_through", 0, 0, NOW, cast.director),
    ]
    assert closed_months() == {("sell_in", JANUARY), ("sell_through", JANUARY)}
    assert closed_months("sell_in") == {("sell_in", JANUARY)}
    assert [e.verb for e in Event.objects.all()] == ["sales.closedperiod.created"] * 2


def test_a_month_is_closed_once_and_only_when_it_is_over():
    with pytest.raises(DomainError) as refused:
        close(FEBRUARY, on=date(2026, 2, 28))
    assert refused.value.code == "month_not_over"
    close(FEBRUARY, on=date(2026, 3, 1))
    with pytest.raises(Conflict) as refused:
        close(FEBRUARY, kinds=("sell_out", "sell_in"))
    assert refused.value.code == "month_closed"
    with pytest.raises(DomainError) as refused:
        close(kinds=())
    assert refused.value.code == "no_kind"
    assert closed_months() == {("sell_in", FEBRUARY)}


def test_a_late_line_keeps_both_dates(fact):
    late = make.make_fact(amount=Decimal(5), occurred_on=date(2026, 1, 31), reference="late")
    late.refresh_from_db()
    row = Adjustment.objects.get()
    assert (row.fact_id, row.partner, row.product_line, row.month, row.kind, row.load) == (
        late.pk,
        late.partner,
        late.product.product_line,
        JANUARY,
        "sell_in",
        None,
    )
    assert (row.occurred_on, row.recorded_at) == (date(2026, 1, 31), late.recorded_at)
    assert listed() == [("late", Decimal(5), Decimal(1), date(2026, 1, 31), "late")]


def test_a_return_says_that_it_is_one(fact):
    make.make_fact(amount=Decimal(-5), reference="back")
    make.make_fact(amount=Decimal(0), reverses=fact, reference="free")
    assert [row[0] for row in listed()] == ["returned", "returned"]


def test_other_months_and_kinds_are_none_of_its_business(fact):
    make.make_fact(occurred_on=FEBRUARY)
    make.make_fact(occurred_on=date(2025, 12, 31))
    make.make_fact(kind="sell_out")
    assert listed() == []


def test_a_change_lists_the_difference(fact):
    SalesFact.objects.filter(pk=fact.pk).update(amount=Decimal(130), occurred_on=date(2026, 1, 20))
    assert listed() == [("changed", Decimal(30), Decimal(0), date(2026, 1, 20), "known")]


def test_a_line_that_moves_leaves_one_month_and_comes_to_the_other(fact):
    close(FEBRUARY)
    SalesFact.objects.filter(pk=fact.pk).update(amount=Decimal(130), occurred_on=FEBRUARY)
    assert sorted(listed()) == [
        ("changed", Decimal(-100), Decimal(-2), date(2026, 1, 15), "known"),
        ("changed", Decimal(130), Decimal(2), FEBRUARY, "known"),
    ]


def test_a_line_that_moves_to_another_partner_is_listed_with_both(fact):
    other = make.make_partner()
    SalesFact.objects.filter(pk=fact.pk).update(partner=other)
    assert dict(Adjustment.objects.values_list("partner", "amount")) == {
        fact.partner_id: Decimal(-100),
        other.pk: Decimal(100),
    }


def test_a_change_of_nothing_that_counts_is_not_listed(fact):
    SalesFact.objects.filter(pk=fact.pk).update(occurred_on=date(2026, 1, 2), row_no=7)
    assert listed() == []


def test_what_is_taken_back_is_listed_with_the_import_that_is_undone(fact, tmp_path):
    """Through the real load, which writes past ordinary triggers, and the real undo."""
    partner, product = fact.partner, fact.product
    path = tmp_path / "sales.csv"
    path.write_text(
        "source,reference,partner,product,occurred_on,quantity,amount\n"
        f"test,known,{partner.code},{product.code},2026-01-15,2,90\n"
        f"test,new,{partner.code},{product.code},2026-01-16,1,11\n"
    )
    load = Import(kind="sales", file_name="sales.csv")
    engine.run(path, load, engine.Options(), by=None, error_path=tmp_path / "errors")
    came = sorted(Adjustment.objects.values_list("cause", "amount", "load"))
    assert came == [("changed", Decimal(-10), load.pk), ("late", Decimal(11), load.pk)]
    engine.undo(load, by=None)
    gone = sorted(Adjustment.objects.filter(cause="undone").values_list("amount", "load"))
    assert gone == [(Decimal(-11), load.pk), (Decimal(10), load.pk)]
    assert Adjustment.objects.count() == 4


def test_a_reopened_month_is_open_and_can_be_closed_again(fact, cast):
    closing = ClosedPeriod.objects.get()
    with pytest.raises(PermissionDenied):
        workflow.fire(closing, "reopen", by=cast.north_manager, on=TODAY, reason="why")
    with pytest.raises(Blocked):
        workflow.fire(closing, "reopen", by=cast.director, on=TODAY)
    workflow.fire(closing, "reopen", by=cast.director, on=TODAY, reason="A file was forgotten.")
    assert Event.objects.get(verb="sales.closedperiod.reopen").reason == "A file was forgotten."
    make.make_fact(amount=Decimal(5))
    assert (listed(), closed_months()) == ([], set())
    (again,) = close()
    make.make_fact(amount=Decimal(6))
    assert (again.net, Adjustment.objects.get().closing) == (Decimal(105), again)


@pytest.mark.parametrize(
    "sql", ["UPDATE sales_adjustment SET amount = 0", "DELETE FROM sales_adjustment"]
)
def test_an_adjustment_stays_as_it_was_written(fact, sql):
    make.make_fact()
    with pytest.raises(InternalError, match="append_only"), connection.cursor() as cursor:
        cursor.execute(sql)


# --- The law: net at closing + adjustments = net now ----------------------------------------------


def run_sql(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)


def balance():
    """({closed month: net at closing + adjustments}, {closed month: net now})."""
    expected, now = {}, {}
    for row in ClosedPeriod.objects.filter(state="closed"):
        added = row.adjustments.aggregate(total=Sum("amount"))["total"] or 0
        expected[row.month, row.kind] = row.net + added
        end = add_months(row.month, 1)
        daily = SalesDaily.objects.filter(kind=row.kind, day__gte=row.month, day__lt=end)
        now[row.month, row.kind] = daily.aggregate(net=Sum("net"))["net"] or 0
    return expected, now


place = st.integers(0, 2)
amount = st.decimals(-100, 100, places=4)
kind = st.sampled_from(["sell_in", "sell_out"])
STEPS = st.one_of(
    st.tuples(st.just("insert"), place, kind, place, st.lists(amount, min_size=1, max_size=4)),
    st.tuples(st.just("insert"), place, kind, place, st.lists(amount, min_size=1, max_size=4)),
    st.tuples(st.just("change"), place, kind, place, amount),
    st.tuples(st.just("spread"), place),
    st.tuples(st.just("delete"), place, kind),
    st.tuples(st.just("close"), place, kind),
    st.tuples(st.just("close"), place, kind),
    st.tuples(st.just("reopen"), place),
    st.tuples(st.just("truncate")),
)
DAYS = (date(2026, 1, 31), date(2026, 2, 1), date(2025, 12, 3))


def take(step, partners, product, past_triggers):
    """One step; lines come and go as the load and its undoing write them, or as anybody does."""
    match step:
        case "insert" | "delete" as word, *_rest:
            if past_triggers:
                run_sql("SET LOCAL session_replication_role = replica")
            {"insert": insert, "delete": delete}[word](partners, product, *step[1:])
            run_sql("SET LOCAL session_replication_role = origin")
        case "change", partner, what, day, value:
            SalesFact.objects.filter(partner=partners[partner]).update(
                kind=what, occurred_on=DAYS[day], amount=value
            )
        case "spread", day:  # lines of several months in one statement
            run_sql(f"UPDATE sales_salesfact SET occurred_on = '{DAYS[day]}', amount = -amount")
        case ("truncate",):
            run_sql("SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE sales_salesfact CASCADE")
        case "close", day, what:
            month = DAYS[day].replace(day=1)
            if (what, month) not in closed_months():
                close(month, (what,))
        case "reopen", day:
            for row in ClosedPeriod.objects.filter(month=DAYS[day].replace(day=1), state="closed"):
                workflow.fire(row, "reopen", by=None, on=TODAY, reason="again")


def insert(partners, product, partner, what, day, amounts):
    SalesFact.objects.bulk_create(
        SalesFact(
            partner=partners[partner], product=product, occurred_on=DAYS[day], kind=what,
            source="x", reference=str(uuid4()), quantity=value / 2, amount=value,
        )
        for value in amounts
    )  # fmt: skip


def delete(partners, product, partner, what):
    SalesFact.objects.filter(partner=partners[partner], kind=what).delete()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(st.tuples(STEPS, st.booleans()), min_size=3, max_size=14))
def test_the_adjustments_are_what_changed_since_the_closing(steps):
    with transaction.atomic():
        product = make.make_product(product_line=make.make_product_line())
        partners = [make.make_partner() for _number in range(3)]
        for step, past_triggers in steps:
            take(step, partners, product, past_triggers)
            expected, now = balance()
            assert now == expected
        transaction.set_rollback(True)
