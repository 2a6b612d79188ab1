"""Measures on real data against plain SQL over the files as they are.

The quotas of AdventureWorks are by salesperson, and their labels are wrong: a quota holds from its
date to the date of the same salesperson's next one. These true periods are read as calendar
quarters (the first, from 2010-12-29, as 2011Q1), so each order is moved to the quarter of the quota
that holds on its day. Salespeople are loaded as partners below the one they report to, and the sums
of a manager roll up through that tree.
"""

import bisect
import csv
import io
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from django.db import connection

from core.periods import Period, add_months
from partners.models import Partner
from performance import measures
from performance.measuring import Wanted, read_inputs
from tests.recipes.test_recipes import DATA, commands, rows_of, run

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"the data sets are not there: {DATA}"),
]
WORKS, IOWA = DATA / "adventureworks-dw", DATA / "iowa-liquor-dev"
QUARTERS = [Period(add_months(date(2011, 1, 1), 3 * n), "quarter") for n in range(12)]


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path / "media")


def copy(table, columns, paths):
    """The named columns of files as they are, as text, in a table of their own."""
    with connection.cursor() as cursor:
        names = ", ".join(f"{name} text" for name in columns)
        cursor.execute(f"CREATE TEMPORARY TABLE {table} ({names}) ON COMMIT DROP")
        for path in paths:
            rows = [tuple(row[each] for each in columns.values()) for row in rows_of(path)]
            lines = "".join(
                "\t".join(cell.replace("\\", "\\\\").replace("\t", " ") for cell in row) + "\n"
                for row in rows
            )

            cursor.copy_expert(f"COPY {table} FROM STDIN", io.StringIO(lines))


def asked(sql, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def read(partners, period, *codes):
    """{measure: {partner code: (numerator, denominator, value)}}."""
    wanted = [Wanted(measures.get(code)) for code in codes]
    with connection.cursor() as cursor:
        inputs, _seen = read_inputs(cursor, list(partners.values()), period, wanted)
    return {
        each.measure.code: dict(
            zip(
                partners,
                zip(
                    found.numerators,
                    found.denominators,
                    found.values(each.measure),
                    strict=True,
                ),
                strict=True,
            )
        )
        for each, found in zip(wanted, inputs, strict=True)
    }


def share(above, below):
    if below is None or below <= 0:
        return None
    return (above / below).quantize(Decimal("0.000001"), ROUND_HALF_UP)


def write(path, head, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return str(path)


def true_files(tmp_path):
    """Orders and quotas with the quarters of their true periods."""
    quotas = sorted(rows_of(WORKS / "FactSalesQuota.csv"), key=lambda row: row["Date"])
    starts = sorted({row["Date"] for row in quotas})
    assert len(starts) == len(QUARTERS)

    def moved(day):
        quarter = QUARTERS[bisect.bisect_right(starts, day) - 1]
        later = date.fromisoformat(day) + timedelta(days=4)
        return max(quarter.start, min(later, quarter.end - timedelta(days=1)))

    orders = [
        (
            f"{row['SalesOrderNumber']}-{row['SalesOrderLineNumber']}",
            f"E{row['EmployeeKey']}",
            row["ProductKey"],
            moved(row["OrderDate"]),
            row["OrderQuantity"],
            row["SalesAmount"],
        )
        for row in rows_of(WORKS / "FactResellerSales.csv.gz")
    ]
    targets = [
        (
            f"E{row['EmployeeKey']}",
            QUARTERS[starts.index(row["Date"])].start,
            f"{Decimal(row['SalesAmountQuota']):.2f}",
        )
        for row in quotas
    ]
    return (
        write(
            tmp_path / "orders.csv",
            ["reference", "partner", "product", "occurred_on", "quantity", "amount"],
            orders,
        ),
        write(tmp_path / "targets.csv", ["partner", "month", "amount"], targets),
    )


PEOPLE = """
    WITH RECURSIVE quota AS (
        SELECT person, day::date AS starts, amount::numeric AS amount,
               lead(day::date, 1, 'infinity') OVER (PARTITION BY person ORDER BY day::date) AS ends
        FROM quotas
    ), own AS (
        SELECT q.person, q.starts, q.amount AS quota,
               (SELECT coalesce(sum(o.amount::numeric), 0) FROM orders o WHERE o.person = q.person
                AND o.day::date >= q.starts AND o.day::date < q.ends) AS sold
        FROM quota q
    ), above AS (
        SELECT person AS boss, person FROM employees
        UNION ALL
        SELECT above.boss, e.person FROM above JOIN employees e ON e.boss = above.person
    )
    SELECT starts, 'E' || boss, sum(sold) FILTER (WHERE own.person = boss), sum(sold),
           sum(quota) FILTER (WHERE own.person = boss), sum(quota)
    FROM above JOIN own ON own.person = above.person
    GROUP BY starts, boss ORDER BY starts, boss
"""


def test_quotas_of_salespeople_by_their_true_periods_and_through_the_tree(tmp_path):
    for words in commands("adventureworks.md", WORKS.name):
        if words[:2] in (["load", "territories"], ["load", "product_lines"], ["load", "products"]):
            run(words)
    orders, targets = true_files(tmp_path)
    people = str(WORKS / "DimEmployee.csv")
    known = ['code="E"+EmployeeKey', "name=EmailAddress", 'territory="T"+SalesTerritoryKey']
    said = ["--set", "channel_type=agent"]
    run(["load", "partners", people, "--map", *known, *said])
    boss = 'parent="E"+ParentEmployeeKey'
    chief = Partner.objects.get(name="ken0@adventure-works.com")
    below = write(
        tmp_path / "people.csv",
        ["EmployeeKey", "ParentEmployeeKey", "EmailAddress", "SalesTerritoryKey"],
        [
            [row[name] for name in ("EmployeeKey", "ParentEmployeeKey", "EmailAddress")]
            + [row["SalesTerritoryKey"]]
            for row in rows_of(WORKS / "DimEmployee.csv")
            if f"E{row['EmployeeKey']}" != chief.code
        ],
    )
    assert run(["load", "partners", below, "--map", *known, boss, *said])["rejected"] == 0
    assert run(["load", "targets", targets])["created"] == 163
    assert run(["load", "sales", orders, "--set", "source=aw"])["created"] == 60855

    copy(
        "orders",
        {"person": "EmployeeKey", "day": "OrderDate", "amount": "SalesAmount"},
        [WORKS / "FactResellerSales.csv.gz"],
    )
    copy(
        "quotas",
        {"person": "EmployeeKey", "day": "Date", "amount": "SalesAmountQuota"},
        [WORKS / "FactSalesQuota.csv"],
    )
    copy(
        "employees",
        {"person": "EmployeeKey", "boss": "ParentEmployeeKey"},
        [WORKS / "DimEmployee.csv"],
    )
    rows = asked(PEOPLE)
    starts = sorted({row[0] for row in rows})
    partners = dict(Partner.objects.values_list("code", "pk"))
    trees = {code: list(_codes_below(code)) for code in {row[1] for row in rows}}
    assert len(trees["E272"]) == 11 and len(trees["E277"]) == 18
    for quarter, start in zip(QUARTERS, starts, strict=True):
        found = read(partners, quarter, "target_attainment")["target_attainment"]
        for _start, code, own_sold, sold, own_quota, quota in (r for r in rows if r[0] == start):
            if own_quota is not None:
                assert found[code] == (own_sold, own_quota, share(own_sold, own_quota))
            parts = [found[each] for each in trees[code]]
            assert sum(part[0] for part in parts) == sold
            assert sum(part[1] or 0 for part in parts) == quota
    assert sum(row[3] for row in rows if row[1] == chief.code) == Decimal("80450596.9823")
    assert sum(row[5] for row in rows if row[1] == chief.code) == Decimal("95714000.0000")


def _codes_below(code):
    """The partner and everybody below, by the tree of the product."""
    return Partner.objects.get(code=code).subtree().values_list("code", flat=True)


STORES = """
    WITH line AS (
        SELECT s.store, s.day::date AS day, s.item, s.amount::numeric AS amount, i.category
        FROM sales s JOIN items i ON i.item = s.item
    ), now AS (SELECT * FROM line WHERE day >= %s AND day < %s)
    SELECT code, sum(amount), -coalesce(sum(amount) FILTER (WHERE amount < 0), 0),
           sum(amount) FILTER (WHERE amount >= 0),
           (SELECT count(*) FROM (SELECT FROM now WHERE store = code
            GROUP BY item HAVING sum(amount) > 0) x),
           (SELECT count(*) FROM (SELECT FROM now WHERE store = code
            GROUP BY category HAVING sum(amount) > 0) x),
           (SELECT count(*) FROM (SELECT FROM now WHERE store = code
            GROUP BY date_trunc('week', day) HAVING sum(amount) > 0) x),
           (SELECT sum(amount) FROM line WHERE store = code
            AND day >= '2022-04-01' AND day < '2022-07-01'),
           (SELECT sum(amount) FROM line WHERE store = code
            AND day >= '2021-07-01' AND day < '2021-10-01'),
           (SELECT sum(amount) FROM line WHERE store = code
            AND day >= '2022-01-01' AND day < '2022-10-01')
    FROM stores LEFT JOIN now ON now.store = code GROUP BY code
"""


def test_stores_of_iowa():
    for words in commands("iowa-liquor.md", IOWA.name):
        if words[0] == "load":
            run(words)
    copy(
        "sales",
        {
            "store": "Store Number",
            "day": "Date",
            "item": "Item Number",
            "amount": "Sale (Dollars)",
        },
        [IOWA / "sales_history.csv.gz", IOWA / "sales_2022-10.csv"],
    )
    copy("items", {"item": "Item Number", "category": "Category Name"}, [IOWA / "products.csv"])
    copy("stores", {"code": "Store"}, [IOWA / "stores.csv"])
    partners = dict(Partner.objects.values_list("code", "pk"))
    period = Period.parse("2022Q3")
    found = read(
        partners,
        period,
        "sell_in_net",
        "return_rate",
        "product_breadth",
        "line_breadth",
        "active_week_share",
        "growth_qoq",
        "growth_yoy",
        "sell_in_net_ytd",
    )
    zero = Decimal(0)
    rows = asked(STORES, period.start, period.end)
    assert len(rows) == len(partners) == 128
    for code, net, back, sold, items, lines, weeks, before, ago, year in rows:
        told = {name: values[code] for name, values in found.items()}
        net = net or zero
        assert told["sell_in_net"][0] == net
        assert told["return_rate"][2] == share(back, sold)
        assert told["product_breadth"][2] == items
        assert told["line_breadth"][2] == lines
        assert told["active_week_share"][:2] == (weeks, 14)
        assert told["growth_qoq"][2] == share(net - (before or zero), before)
        assert told["growth_yoy"][2] == share(net - (ago or zero), ago)
        assert told["sell_in_net_ytd"][0] == (year or zero)
    assert sum(row[1] or 0 for row in rows) == Decimal("6561723.25")
    assert sum(row[-1] or 0 for row in rows) == Decimal("17865504.79")
