"""Products as partners call and count them, over the staged rows."""

from __future__ import annotations

from typing import Any

from django.db.models.functions import Upper

from catalog.models import Product
from core.importing import staging
from core.importing.values import is_nothing
from core.text import normalise_code
from sales.models import ProductAlias

TABLE = "import_alias"


def make_table(cursor: Any, partner: str, joins: str, product: str, unit: str) -> bool:
    """Make TABLE (partner, code, unit, product, factor): what aliases say of the partners, texts of
    products and units that stand together in the rows; False, and no table, when they say nothing.

    `partner` is the SQL of the partner's key and `unit` that of the unit, after `joins`, `product`
    that of the text. An alias wins over a code of ours; of several the one of the partner, then the
    one of the unit.
    """
    if not ProductAlias.objects.exists():
        return False
    staging.make_lookup(cursor, "import_alias_code", product, "text", _known)
    cursor.execute(
        f"""CREATE TEMP TABLE {TABLE} ON COMMIT DROP AS
        SELECT DISTINCT ON (r.partner, r.text, r.unit)
               r.partner, r.text, r.unit, a.product_id AS product, a.factor
          FROM (SELECT DISTINCT {partner} AS partner, {product} AS text, {unit} AS unit, c.value
                  FROM {staging.TABLE} s {joins} JOIN import_alias_code c ON c.text = {product}) r
          JOIN {ProductAlias._meta.db_table} a ON upper(a.code) = r.value
               AND (a.partner_id IS NULL OR a.partner_id = r.partner)
               AND (a.unit = '' OR upper(a.unit) = r.unit)
         ORDER BY r.partner, r.text, r.unit, a.partner_id IS NULL, a.unit = ''"""
    )
    found: bool = cursor.rowcount > 0
    cursor.execute(f"ANALYZE {TABLE}")
    return found


def units(texts: list[str]) -> dict[str, str]:
    """{text: unit in capitals}; words for nothing are left out."""
    return {text: normalise_code(text).upper() for text in texts if not is_nothing(text)}


def counts_in(product: str, unit: str) -> str:
    """The SQL of whether the product with the key `product` is counted in `unit`; true as well
    where none is given or the product has none."""
    table = Product._meta.db_table
    return (
        f"({unit} = '' OR EXISTS (SELECT FROM {table} p"
        f" WHERE p.id = {product} AND upper(p.unit) IN ('', {unit})))"
    )


def _known(texts: list[str]) -> dict[str, str]:
    """{text: code in capitals} of those for which there is an alias."""
    codes = {text: normalise_code(text).upper() for text in texts}
    wanted = ProductAlias.objects.annotate(_code=Upper("code")).filter(_code__in=codes.values())
    known = set(wanted.values_list("_code", flat=True))
    return {text: code for text, code in codes.items() if code in known}
