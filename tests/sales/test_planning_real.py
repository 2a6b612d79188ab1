"""A plan of a real network, against sums made from its files with csv, Decimal and plain SQL."""

import csv
import gzip
import io
from collections import defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models import Sum

from accounts.models import Territory
from core import workflow
from sales.models import Target, TargetPlan
from sales.planning import grid, services
from tests import factories as make

FOLDERS = (parent / "shared" / "data" for parent in Path(settings.BASE_DIR).parents)
DATA = next((folder / "adventureworks-dw" for folder in FOLDERS if folder.is_dir()), None)
FIRST, LAST = date(2012, 1, 1), date(2013, 1, 1)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(DATA is None, reason="the data set adventureworks-dw is not there"),
]


def rows_of(name):
    path = DATA / name
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as stream:
        yield from csv.DictReader(stream)


def load(kind, name, *options):
    out = io.StringIO()
    call_command("load", kind, str(DATA / name), *options, stdout=out)


@pytest.fixture
def network(settings, tmp_path):
    """The resellers under one territory, all on one product, with what they bought."""
    settings.MEDIA_ROOT = str(tmp_path)
    make.make_territory("World", code="W")
    make.make_product(code="BIKE")
    load(
        "partners", "DimReseller.csv", "--map", "code=ResellerKey", "name=ResellerName",
        "--set", "channel_type=retailer", "territory=W",
    )  # fmt: skip
    load(
        "sales", "FactResellerSales.csv.gz", "--map",
        'reference=SalesOrderNumber+"-"+SalesOrderLineNumber', "partner=ResellerKey",
        "occurred_on=OrderDate", "quantity=OrderQuantity", "amount=SalesAmount",
        "--set", "source=adventureworks", "product=BIKE",
    )  # fmt: skip


def sold():
    """{(reseller, month of the plan): net of 2012, to the cent} from the file."""
    sums = defaultdict(Decimal)
    for row in rows_of("FactResellerSales.csv.gz"):
        day = date.fromisoformat(row["OrderDate"])
        if FIRST <= day < LAST:
            sums[row["ResellerKey"], date(2013, day.month, 1)] += Decimal(row["SalesAmount"])
    return {key: net.quantize(Decimal("0.01"), ROUND_HALF_UP) for key, net in sums.items() if net}


def quotas(year):
    """The quotas of all salespeople below the head of sales, by the tree of employees, whose true
    period (up to the next quota of the same person) begins in the year."""
    above = {row["EmployeeKey"]: row["ParentEmployeeKey"] for row in rows_of("DimEmployee.csv")}

    def line(key):
        while key:
            yield key
            key = above[key]

    sellers = {row["EmployeeKey"] for row in rows_of("FactSalesQuota.csv")}
    (head,) = [
        row["EmployeeKey"]
        for row in rows_of("DimEmployee.csv")
        if row["Title"] == "Vice President of Sales"
    ]
    assert all(head in line(key) for key in sellers)
    return sum(
        Decimal(row["SalesAmountQuota"])
        for row in rows_of("FactSalesQuota.csv")
        if date.fromisoformat(row["Date"]).year == year
    )


def test_a_plan_of_adventureworks(network):
    director, finance = make.make_user("director"), make.make_user("finance")
    total = quotas(2013)
    world = Territory.objects.get(code="W")
    plan = TargetPlan(
        code="AW", name="AW", year=2013, starts_on=date(2013, 1, 1), territory=world,
        amount=total, rounding=TargetPlan.Rounding.CENTS,
    )  # fmt: skip
    plan.save()
    # Partners enter as prospects: they are in business once they are taken on.
    with connection.cursor() as cursor:
        cursor.execute("UPDATE partners_partner SET state = 'active', started_on = '2010-01-01'")
    on = date(2013, 1, 1)
    assert services.split_plan(plan=plan, by=director, on=on) == 701 * 12
    found = plan.lines.exclude(last_year=0).values_list("partner__code", "month", "last_year")
    assert {(code, month): net for code, month, net in found} == sold()

    # The split: exactly the quotas, also in what plain SQL counts, whatever the order of rows.
    workflow.fire(plan, "submit", by=director, on=on)
    plan = workflow.fire(plan, "sign", by=finance, on=on)
    assert Target.objects.aggregate(n=Sum("amount"))["n"] == total
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), sum(amount), sum(top_down) FROM sales_targetplanline")
        assert cursor.fetchone() == (8412, total, total)
        cursor.execute(
            "SELECT count(*) FROM sales_targetplanline l JOIN sales_target t "
            "ON (t.partner_id, t.month, t.plan_id, t.amount) = "
            "(l.partner_id, l.month, l.plan_id, l.amount)"
        )
        assert cursor.fetchone() == (8412,)
        cursor.execute("SELECT count(*) FROM sales_targetplanhint WHERE basis = 'peers'")
        (newcomers,) = cursor.fetchone()
        cursor.execute(
            "SELECT count(*) FROM partners_partner p WHERE coalesce((SELECT sum(amount) "
            "FROM sales_salesfact f WHERE f.partner_id = p.id AND f.kind = 'sell_in' "
            "AND f.occurred_on >= '2012-01-01' AND f.occurred_on < '2013-01-01'), 0) <= 0"
        )
        assert cursor.fetchone() == (newcomers,)
    assert grid.sums(grid.lines_for(plan, director)).amount == total
