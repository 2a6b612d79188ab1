"""Rows that can be read and are still unlikely: a person should look before they are loaded.

The rules, each by what the books knew before the file:

- usual: the amount is at least ten times the usual one, in size. Usual is the average line of this
  partner and product line (of a payment: of this partner) over the twelve months before the file,
  where there are at least ten; else the median of the product (the partner) in the file itself.
- date: far from the other dates of the file, by Tukey's outer fences: three times the distance of
  the quartiles, or of a month if that is longer, beyond them.
- future: a day that has not come yet.
- product: this partner has lines, but none of this product.
- received: sold on, while the partner's own purchases are known and hold none of this product until
  that day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import Product
from core.importing.outcome import SHOWN
from sales.models import SalesDaily, SalesKind

if TYPE_CHECKING:
    from sales.loading.load import FactLoad

TIMES, ENOUGH, FENCE = 10, 10, 3


class Suspicion:
    """Looks at the good rows of a load; those of a task that wants them left out are rejected."""

    def __init__(self, load: FactLoad) -> None:
        self.load, self.kind, self.cursor = load, load.kind, load.cursor

    def look(self) -> None:
        """Count the rows of each rule and keep the first, or reject them all."""
        self.cursor.execute(
            """CREATE TEMP TABLE import_suspects
                   (row_no int, rule text, field text, value text, usual text) ON COMMIT DROP"""
        )
        self.cursor.execute("ANALYZE import_typed")
        self._unusual_amounts()
        self._odd_dates()
        if self.kind.has_products:
            self._new_products()
        self.cursor.execute("SELECT rule, count(*) FROM import_suspects GROUP BY 1 ORDER BY 1")
        outcome = self.load.outcome
        outcome.suspicious = dict(self.cursor.fetchall())
        if not outcome.suspicious:
            return
        self.cursor.execute("SELECT count(DISTINCT row_no) FROM import_suspects")
        outcome.suspicious["rows"] = self.cursor.fetchone()[0]
        if self.load.task.without_suspicious:
            self._reject()
        else:
            self._show()

    # --- The rules -------------------------------------------------------------------------------

    def _unusual_amounts(self) -> None:
        group = "product" if self.kind.has_products else "partner"
        self.cursor.execute(
            f"""INSERT INTO import_suspects
            WITH books AS MATERIALIZED ({self._usual_in_books()}),
            file AS MATERIALIZED (
                SELECT {group}, percentile_disc(0.5) WITHIN GROUP (ORDER BY abs(amount)) AS usual
                  FROM import_typed GROUP BY 1 HAVING count(*) >= {ENOUGH})
            SELECT t.row_no, 'usual', 'amount', t.amount::text,
                   round(coalesce(b.usual, f.usual), 2)::text
              FROM import_typed t {self._line_of("t")}
              LEFT JOIN books b ON b.partner = t.partner {self._same_line()}
              LEFT JOIN file f ON f.{group} = t.{group}
             WHERE coalesce(b.usual, f.usual) > 0
               AND abs(t.amount) >= {TIMES} * coalesce(b.usual, f.usual)"""
        )

    def _usual_in_books(self) -> str:
        partners = "SELECT DISTINCT partner FROM import_typed"
        since = f"(SELECT min({self.kind.day}) FROM import_typed)"
        if not self.kind.has_products:
            return f"""SELECT partner_id AS partner, avg(abs(amount)) AS usual
                         FROM {self.kind.table}
                        WHERE partner_id IN ({partners}) AND {self.kind.day} < {since}
                          AND {self.kind.day} >= {since} - interval '1 year'
                        GROUP BY 1 HAVING count(*) >= {ENOUGH}"""
        # Returns are part of net, and not above zero: so much was sold, and so much came back.
        return f"""SELECT partner_id AS partner, product_line_id AS line, kind,
                          sum(net - 2 * returns) / sum(lines) AS usual
                     FROM {SalesDaily._meta.db_table}
                    WHERE partner_id IN ({partners}) AND day < {since}
                      AND day >= {since} - interval '1 year'
                    GROUP BY 1, 2, 3 HAVING sum(lines) >= {ENOUGH}"""

    def _line_of(self, alias: str) -> str:
        if not self.kind.has_products:
            return ""
        return f"JOIN {Product._meta.db_table} p ON p.id = {alias}.product"

    def _same_line(self) -> str:
        return (
            "AND b.line = p.product_line_id AND b.kind = t.kind" if self.kind.has_products else ""
        )

    def _odd_dates(self) -> None:
        day, today = self.kind.day, timezone.localdate()  # where the people are
        self.cursor.execute(
            f"""INSERT INTO import_suspects
            WITH quartiles AS (
                SELECT percentile_disc(0.25) WITHIN GROUP (ORDER BY {day}) AS first,
                       percentile_disc(0.75) WITHIN GROUP (ORDER BY {day}) AS last
                  FROM import_typed),
            fences AS (
                SELECT first - {FENCE} * greatest(last - first, 31) AS low,
                       last + {FENCE} * greatest(last - first, 31) AS high FROM quartiles)
            SELECT row_no, CASE WHEN {day} > %s THEN 'future'
                                ELSE 'date' END, '{day}', {day}::text, NULL
              FROM import_typed, fences
             WHERE {day} < low OR {day} > high OR {day} > %s""",
            [today, today],
        )

    def _new_products(self) -> None:
        """Products that partners never had; sold on what they never got."""
        sold = f"'{SalesKind.SELL_THROUGH}', '{SalesKind.SELL_OUT}'"
        self.cursor.execute(
            f"""CREATE TEMP TABLE import_had ON COMMIT DROP AS
            SELECT f.partner_id AS partner, f.product_id AS product,
                   min(f.occurred_on) FILTER (WHERE f.kind = '{SalesKind.SELL_IN}') AS received
              FROM {self.kind.table} f
             WHERE f.partner_id IN (SELECT partner FROM import_typed)
             GROUP BY 1, 2"""
        )
        self.cursor.execute(
            f"""INSERT INTO import_suspects
            SELECT t.row_no, 'product', 'product', p.code, NULL
              FROM import_typed t JOIN {Product._meta.db_table} p ON p.id = t.product
             WHERE t.partner IN (SELECT partner FROM import_had)
               AND NOT EXISTS (SELECT FROM import_had h
                                WHERE h.partner = t.partner AND h.product = t.product)"""
        )
        self.cursor.execute(
            f"""INSERT INTO import_suspects
            WITH received AS MATERIALIZED (
                SELECT partner, product, min(received) AS received FROM (
                    SELECT partner, product, received FROM import_had WHERE received IS NOT NULL
                    UNION ALL
                    SELECT partner, product, occurred_on FROM import_typed
                     WHERE kind = '{SalesKind.SELL_IN}') r GROUP BY 1, 2)
            SELECT t.row_no, 'received', 'product', p.code, t.occurred_on::text
              FROM import_typed t JOIN {Product._meta.db_table} p ON p.id = t.product
             WHERE t.kind IN ({sold}) AND t.partner IN (SELECT partner FROM received)
               AND NOT EXISTS (SELECT FROM received r WHERE r.partner = t.partner
                                  AND r.product = t.product AND r.received <= t.occurred_on)"""
        )

    # --- What comes of it ------------------------------------------------------------------------

    def _show(self) -> None:
        self.cursor.execute(
            f"""SELECT row_no, rule, field, value, usual FROM import_suspects
                 ORDER BY row_no, rule LIMIT {SHOWN}"""
        )
        self.load.outcome.suspects = [
            (self.load.task.rejects.file_row(row), field, reason_of(rule, value, usual))
            for row, rule, field, value, usual in self.cursor.fetchall()
        ]

    def _reject(self) -> None:
        columns = "b.rule, b.field, b.value, b.usual"
        for row, cells, (rule, field, value, usual) in self.load.raw("import_suspects", columns):
            self.load.task.rejects.add(row, cells, field, reason_of(rule, value, usual))
        self.load.drop("import_suspects")


def reason_of(rule: str, value: str, usual: str | None) -> str:
    """Why a row is suspicious, in words."""
    if rule == "usual":
        amount = value.rstrip("0").rstrip(".") if "." in value else value
        return _("%(amount)s is at least ten times the usual amount, %(usual)s.") % {
            "amount": amount,
            "usual": usual,
        }
    if rule == "date":
        return _("%s lies far from the other dates of the file.") % value
    if rule == "future":
        return _("%s has not come yet.") % value
    if rule == "product":
        return _("This partner never had the product %s.") % value
    return _("Sold before it was received: no sell-in of %(product)s until %(day)s.") % {
        "product": value,
        "day": usual,
    }
