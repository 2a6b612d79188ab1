"""A large target plan: splitting it, taking proposals over, its page and its export."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import cycle

from django.db import connection

from accounts.models import Territory, User
from bench import data, pages
from bench.common import Result, in_pairs
from catalog.models import Product, ProductLine
from partners.models import Partner
from sales.models import TargetPlan
from sales.planning import files, grid, services

LINES, ON = 20, date(2025, 12, 3)
# As many new rows as a split writes, with the same triggers and indexes.
_INSERT = """
    INSERT INTO sales_targetplanline (created_at, plan_id, partner_id, product_line_id, month,
                                      last_year, top_down, amount, locked, comment)
    SELECT now(), %s, partner_id, product_line_id, month, last_year, top_down, amount, locked,
           comment
      FROM sales_targetplanline WHERE plan_id = %s"""
_UPDATE = "UPDATE sales_targetplanline SET amount = amount + 1 WHERE plan_id = %s"
_FACTS = """
    INSERT INTO sales_salesfact
        (partner_id, product_id, occurred_on, kind, source, reference, quantity, amount)
    SELECT p.id, a.id, m.day::date, 'sell_in', 'plan', concat_ws('-', p.id, a.id, m.day::date), 1,
           (100 + (p.id * 7919 + a.id * 104729 + extract(doy FROM m.day)::int * 31) % 90000) / 10.0
      FROM partners_partner p, catalog_product a,
           generate_series(date '2022-12-05', date '2025-11-30', interval '1 month') m (day)
     WHERE p.state = 'active' AND a.code LIKE 'PP__'
       AND (m.day >= date '2024-12-01' OR extract(month FROM m.day) IN (3, 6, 9, 12))"""


def run(partner_count: int = 1_000, rounds: int = 3) -> list[Result]:
    """Partners × 20 product lines × 12 months."""
    data.base()
    data.partners(partner_count)
    lines = _lines()
    _facts(partner_count)
    plan, bare = _plan("BENCH-PLAN", lines), _plan("BENCH-BARE", lines)
    user, _created = User.objects.get_or_create(
        username="bench-director", defaults={"role": "director", "language": "en"}
    )
    services.split_plan(plan=plan, by=user, on=ON)
    what = f"{plan.lines.count():,} cells"
    split = in_pairs(
        lambda: services.split_plan(plan=plan, by=user, on=ON),
        lambda: _execute(_INSERT, [bare.pk, plan.pk]),
        rounds,
        before=lambda: _empty(bare),
    )
    sources = cycle(("suggested", "top_down"))
    take = in_pairs(
        lambda: services.take_over(
            plan=plan, lines=grid.lines_for(plan, user), source=next(sources), by=user
        ),
        lambda: _execute(_UPDATE, [bare.pk]),
        rounds,
        before=_rest,
    )
    export = in_pairs(
        lambda: sum(1 for _row in files.table(plan, grid.lines_for(plan, user), "amount")),
        lambda: list(plan.lines.values_list("partner", "product_line", "month", "amount")),
        rounds,
    )
    found = [
        split.result(f"split {what} again", f"a bare INSERT … SELECT of {what}", "≤ 3 ×"),
        take.result(f"take over {what}", f"a bare UPDATE of {what}", "≤ 2 ×"),
        export.result(f"export {what}", "reading as many into a list", "≤ 5 ×"),
    ]
    with pages.server() as port:
        client = pages._Client(port, pages._signed_in_cookie())
        address = f"/sales/plans/{plan.pk}/?show=compare"
        bare_page = "a bare signed-in view, 50 rows × 8 columns"
        sums = f"/sales/plans/{plan.pk}/sums/"
        page = f"page of a plan of {what}"
        for name, path, limit in (
            (page, address, "≤ 6 ×"),
            ("its sums, asked for by it", sums, ""),
        ):
            pairs = in_pairs(
                lambda path=path: client.get(path, {}),
                lambda: client.get("/bare/page/", {}),
                10 * rounds,
                3,
            )
            size = f"{len(client.get(path, {})) / 1024:.0f} KB"
            found.append(pairs.result(name, bare_page, limit, size))
    for each in (bare, plan):
        each.lines.all().delete()
    return found


def _lines() -> list[ProductLine]:
    """Lines with a product each, beside those of the other parts."""
    if not ProductLine.objects.filter(code="PL00").exists():
        ProductLine.objects.bulk_create(
            ProductLine(code=f"PL{n:02}", name=f"Planned line {n}") for n in range(LINES)
        )
        Product.objects.bulk_create(
            Product(code=f"PP{n:02}", name=f"Planned product {n}", product_line=line)
            for n, line in enumerate(ProductLine.objects.filter(code__startswith="PL"))
        )
    return list(ProductLine.objects.filter(code__startswith="PL").order_by("code"))


def _facts(partner_count: int) -> None:
    """A sale each month of the last year for every partner and line, one a quarter before."""
    data.clear_facts()
    keys = Partner.objects.order_by("pk").values("pk")
    Partner.objects.exclude(pk__in=keys[:partner_count]).update(state="prospect")
    Partner.objects.filter(pk__in=keys[:partner_count]).update(state="active")
    _execute(_FACTS)
    for table in ("sales_salesfact", "sales_salesdaily"):
        _execute(f"VACUUM ANALYZE {table}")


def _plan(code: str, lines: list[ProductLine]) -> TargetPlan:
    TargetPlan.objects.filter(code=code).delete()
    plan = TargetPlan.objects.create(
        code=code,
        name=code.title(),
        year=2026,
        starts_on=date(2026, 1, 1),
        territory=Territory.objects.get(code="BENCH"),
        amount=Decimal(1_200_000_000),
    )
    plan.product_lines.set(lines)
    return plan


def _empty(bare: TargetPlan) -> None:
    bare.lines.all().delete()
    _rest()


def _rest() -> None:
    """What was changed is not cleaned up while the next round runs."""
    _execute("VACUUM ANALYZE sales_targetplanline")


def _execute(sql: str, values: list[int] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
