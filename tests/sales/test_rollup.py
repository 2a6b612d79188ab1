"""The rollup equals a fresh GROUP BY, whoever writes."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce

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
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE sales_salesfact")
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
