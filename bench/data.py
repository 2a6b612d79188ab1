"""Synthetic rows in bulk, by SQL: deterministic, and as many as asked for."""

from __future__ import annotations

from django.db import connection

from accounts.models import Territory, User
from catalog.models import Product, ProductLine
from partners.models import Level, Partner

LINES, PRODUCTS, TERRITORIES = 12, 300, 340


def base() -> None:
    """Territories, product lines and products; once."""
    if Territory.objects.exists():
        return
    country = Territory.objects.create(code="BENCH", name="Bench", level="country")
    Territory.objects.bulk_create(
        Territory(code=f"B{n:03}", name=f"City {n}", level="city", parent=country)
        for n in range(TERRITORIES)
    )
    ProductLine.objects.bulk_create(
        ProductLine(code=f"BL{n:02}", name=f"Line {n}", role="focus" if n % 4 == 0 else "")
        for n in range(LINES)
    )
    lines = list(ProductLine.objects.order_by("code"))
    Product.objects.bulk_create(
        Product(code=f"BP{n:04}", name=f"Product {n}", product_line=lines[n * LINES // PRODUCTS])
        for n in range(PRODUCTS)
    )


def partners(count: int) -> None:
    """Bring the number of partners to `count`."""
    have = Partner.objects.count()
    if have >= count:
        return
    towns = list(Territory.objects.filter(level="city").order_by("code"))
    levels = list(Level.objects.all())
    owner, _created = User.objects.get_or_create(
        username="bench-owner", defaults={"role": "sales_manager", "last_name": "Owner"}
    )
    rows = []
    for n in range(have, count):
        row = Partner(
            code=f"BC{n:06}",
            name=f"Partner {n} Trading Company",
            short_name=f"Partner {n}",
            channel_type=("distributor", "dealer", "agent")[n % 3],
            territory=towns[n % len(towns)],
            level=levels[n % len(levels)],
            owner=owner,
            state="active" if n % 10 else "suspended",
        )
        row.pinyin = f"partner {n}"
        rows.append(row)
    Partner.objects.bulk_create(rows, batch_size=2000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE partners_partner")


def facts(count: int, partner_count: int, *, days: int = 1096) -> None:
    """`count` sell-in lines in order of the day over three years, spread over the first
    `partner_count` partners and all products; 2 % returns. Needs a connection in autocommit."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH p AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM partners_partner),
                 a AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM catalog_product)
            INSERT INTO sales_salesfact
                (partner_id, product_id, occurred_on, kind, source, reference, quantity, amount)
            SELECT p.id, a.id, date '2023-01-01' + (g.n * %(days)s / %(count)s)::int, 'sell_in',
                   'bench', 'B' || g.n, 1 + g.n %% 20,
                   CASE WHEN (g.n + g.n / %(partners)s) %% 50 = 0 THEN -1 ELSE 1 END
                       * (100 + g.n * 7919 %% 90000) / 10.0
            FROM generate_series(0::bigint, %(count)s - 1) AS g(n)
            JOIN p ON p.n = g.n * 7919 %% %(partners)s
            -- multiplied and shifted, not the rest: else partner and product would go together
            JOIN a ON a.n = (g.n * 2654435761 %% 4294967296) * %(products)s >> 32
            ORDER BY g.n
            """,
            {"count": count, "days": days, "partners": partner_count, "products": PRODUCTS},
        )
        # Outside a transaction: sizes and visibility are those of a database at rest.
        cursor.execute("VACUUM ANALYZE sales_salesfact")
        cursor.execute("VACUUM ANALYZE sales_salesdaily")


def scores(evaluation_id: int, items: list[str]) -> None:
    """A score with points for each of `items` for every partner. Needs autocommit."""
    parts = [
        f"""'["{code}","8.33","' || n || '.0000",null,"' || n * {at + 7} %% 1200 / 10.0 || '000","""
        f""""0.' || n %% 1000 || '","scored",0,"' || n || '","1000.0000",' || n %% 90 || ']'"""
        for at, code in enumerate(items)
    ]
    texts = " || ',' || ".join(parts)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO performance_score
                (evaluation_id, partner_id, total, rank, level_id, items, base)
            SELECT %s, id, (10000 - n %% 10000) / 100.0, n + 1, level_id, '[' || {texts} || ']', 0
            FROM (SELECT id, level_id, row_number() OVER (ORDER BY id) - 1 AS n
                  FROM partners_partner) AS p
            """,
            [evaluation_id],
        )
        cursor.execute("VACUUM ANALYZE performance_score")


def clear_facts() -> None:
    """Drop all facts with their rollup, and evaluations."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE sales_salesfact, sales_salesdaily, performance_score CASCADE")
