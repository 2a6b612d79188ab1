"""The rollup equals a fresh GROUP BY, whoever writes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import IntegrityError, NotSupportedError, connection, connections, transaction
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce
from hypothesis import HealthCheck, given, settings, strategies as st

from catalog.models import Product
from sales.models import SalesDaily, SalesFact, Target
from tests import factories as make

pytestmark = pytest.mark.django_db
KEYS = ("partner_id", "day", "kind", "line")


def rollup():
    rows = SalesDaily.objects.annotate(line=F("product_line_id"))
    return sorted(rows.values_list(*KEYS, "lines", "net", "returns", "quantity"))


def grouped():
    rows = SalesFact.objects.annotate(day=F("occurred_on"), line=F("product__product_line_id"))
    sums = rows.values(*KEYS).annotate(
        lines=Count("id"),
        net=Sum("amount"),
        back=Coalesce(Sum("amount", filter=Q(amount__lt=0)), Decimal(0)),
        pieces=Sum("quantity"),
    )
    return sorted(sums.values_list(*KEYS, "lines", "net", "back", "pieces"))


@pytest.fixture
def facts():
    product = make.make_product()
    partner = make.make_partner()
    return [
        make.make_fact(partner, product=product, amount=Decimal(amount), quantity=Decimal(2))
        for amount in ("10.0001", "-3.5", "7")
    ]


def test_inserts_add_up(facts):
    assert rollup() == grouped()
    assert SalesDaily.objects.values_list("lines", "net", "returns", "quantity").get() == (
        3,
        Decimal("13.5001"),
        Decimal("-3.5"),
        Decimal(6),
    )


def test_a_changed_line_moves_its_amount(facts):
    SalesFact.objects.filter(pk=facts[0].pk).update(
        amount=Decimal("-1"), occurred_on=date(2026, 2, 1)
    )
    assert rollup() == grouped()
    assert SalesDaily.objects.count() == 2


def test_the_last_line_takes_its_day_along(facts):
    SalesFact.objects.filter(pk=facts[0].pk).delete()
    assert rollup() == grouped()
    SalesFact.objects.all().delete()
    assert rollup() == []


def test_a_product_that_changes_its_line_takes_its_sales_along(facts):
    other = make.make_product_line()
    kept = make.make_fact(
        facts[0].partner, product=make.make_product(product_line=facts[0].product.product_line)
    )
    Product.objects.filter(pk=facts[0].product_id).update(product_line=other)
    assert rollup() == grouped()
    assert dict(SalesDaily.objects.values_list("product_line_id", "lines")) == {
        other.pk: 3,
        kept.product.product_line_id: 1,
    }


def test_truncate_empties_both(facts):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE sales_salesfact CASCADE")
    assert rollup() == []


def run_sql(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)


def new_lines(partner, product, day, amounts):
    """One statement that inserts a line for each amount."""
    SalesFact.objects.bulk_create(
        SalesFact(
            partner=partner, product=product, occurred_on=date(2026, 1, day), source="x",
            reference=str(uuid4()), quantity=amount / 2, amount=amount,
        )
        for amount in amounts
    )  # fmt: skip


# Few partners, products and days, so that cells meet: the numbers choose among them.
place = st.integers(0, 2)
amount = st.decimals(-100, 100, places=4)
STEPS = st.one_of(
    st.tuples(st.just("insert"), place, place, place, st.lists(amount, max_size=4)),
    st.tuples(st.just("change"), place, place, place, amount),
    st.tuples(st.just("delete"), place, place),
    st.tuples(st.just("move"), place, place),
    st.tuples(st.just("swap")),
    st.tuples(st.just("truncate")),
    st.tuples(st.just("undo"), place),
)


def take(step, partners, products, lines):
    match step:
        case "insert", partner, product, day, amounts:
            new_lines(partners[partner], products[product], day + 1, amounts)
        case "change", partner, product, day, value:
            SalesFact.objects.filter(partner=partners[partner]).update(
                product=products[product], occurred_on=date(2026, 1, day + 1), amount=value
            )
        case "delete", partner, product:
            SalesFact.objects.filter(partner=partners[partner], product=products[product]).delete()
        case "move", product, line:
            Product.objects.filter(pk=products[product].pk).update(product_line=lines[line])
        case ("swap",):  # several products in one statement
            run_sql(
                "UPDATE catalog_product p SET product_line_id = q.product_line_id"
                " FROM catalog_product q WHERE q.id <> p.id AND (p.id + q.id) % 2 = 1"
            )
        case ("truncate",):
            run_sql("SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE sales_salesfact CASCADE")
        case "undo", partner:
            with transaction.atomic():
                SalesFact.objects.filter(partner=partners[partner]).delete()
                transaction.set_rollback(True)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEPS, min_size=1, max_size=10))
def test_the_rollup_is_exact_after_any_sequence_of_writes(steps):
    with transaction.atomic():
        lines = [make.make_product_line() for _number in range(3)]
        products = [make.make_product(product_line=line) for line in lines]
        partners = [make.make_partner() for _number in range(3)]
        for step in steps:
            take(step, partners, products, lines)
            assert rollup() == grouped()
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_the_rollup_is_exact_after_writers_at_the_same_time():
    """Each waits for the one before: lines that come, change and go while products move."""
    lines = [make.make_product_line() for _number in range(2)]
    product = make.make_product(product_line=lines[0])
    partner = make.make_partner()
    new_lines(partner, product, 1, [Decimal(1)] * 20)
    barrier = threading.Barrier(3)

    def insert(number):
        new_lines(partner, product, 1 + number % 2, [Decimal(number)] * 3)

    def move(number):
        Product.objects.filter(pk=product.pk).update(product_line=lines[number % 2])

    def change(number):
        oldest = SalesFact.objects.order_by("id").values_list("id", flat=True)[:2]
        SalesFact.objects.filter(pk__in=list(oldest)).update(amount=Decimal(number))
        SalesFact.objects.filter(pk__in=list(oldest)[:1]).delete()

    def work(write):
        try:
            barrier.wait()
            for number in range(8):
                write(number)
            return True
        finally:
            connections.close_all()

    with ThreadPoolExecutor() as pool:
        assert list(pool.map(work, (insert, move, change))) == [True] * 3
    assert rollup() == grouped()
    assert sum(row[4] for row in rollup()) == 20 + 8 * 3 - 8


@pytest.mark.django_db(transaction=True)
def test_a_snapshot_of_the_past_may_not_write():
    """It would not see what the writer before it committed."""
    with pytest.raises(NotSupportedError, match="READ COMMITTED"), transaction.atomic():
        run_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        make.make_fact()
    assert rollup() == []


@pytest.mark.parametrize(
    "assignment",
    [
        "amount = 'NaN'",
        "quantity = 'NaN'",
        "kind = 'gift'",
        "reference = ''",
        "source = ''",
        "occurred_on = '0202-01-01'",
        "reverses_id = id",
    ],
)
def test_the_database_refuses_nonsense(facts, assignment):
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE sales_salesfact SET {assignment}")


def test_a_target_is_unique_also_without_a_line():
    target = make.make_target()
    with pytest.raises(IntegrityError), transaction.atomic():
        make.make_target(target.partner)
    with pytest.raises(IntegrityError), transaction.atomic():
        make.make_target(target.partner, month=date(2026, 3, 2))
    assert Target.objects.count() == 1
