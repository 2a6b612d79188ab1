"""Partners that may be one company, found by keys that the database keeps (migration 0007).

A key that many partners share is the name of a chain or the number of a switchboard and says
nothing. What a merged partner was called, the one that was kept may be called again. A user is told
only of partners that they see.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from partners.models import Contact, NotDuplicate, Partner

SHARED_BY_MOST = 10
_KEPT = "coalesce(merged_into_id, id)"
# Of a credit code the characters 9 to 17 name the organisation, wherever it is registered.
_KEYS = f"""
    seen AS MATERIALIZED (
        SELECT {_KEPT} AS id, name_key, legal_name_key, substr(credit_code, 9, 9) AS organisation
          FROM {Partner._meta.db_table} WHERE {_KEPT} IN ({{visible}})),
    keys AS (
        SELECT 'name' AS kind, name_key AS key, id FROM seen WHERE name_key <> ''
         UNION SELECT 'name', legal_name_key, id FROM seen WHERE legal_name_key <> ''
         UNION SELECT 'credit_code', organisation, id FROM seen WHERE organisation <> ''
         UNION SELECT 'phone', c.phone_key, c.partner_id FROM {Contact._meta.db_table} c
                 JOIN seen ON seen.id = c.partner_id WHERE c.phone_key <> '')"""
_PAIRS = f"""
    WITH {_KEYS}, shared AS (
        SELECT kind, key, id, count(*) OVER (PARTITION BY kind, key) AS shared_by FROM keys)
    SELECT a.id, b.id, array_agg(DISTINCT a.kind), min(a.key) FILTER (WHERE a.kind = 'phone')
      FROM shared a JOIN shared b USING (kind, key)
     WHERE a.shared_by BETWEEN 2 AND {SHARED_BY_MOST} AND a.id < b.id
       AND (%s::bigint IS NULL OR %s IN (a.id, b.id))
       AND NOT EXISTS (SELECT FROM {NotDuplicate._meta.db_table} n
                        WHERE n.first_id = a.id AND n.second_id = b.id)
     GROUP BY a.id, b.id ORDER BY count(DISTINCT a.kind) DESC, a.id, b.id"""
_LIKE = f"""
    SELECT given.place, p.code, p.name, bool_and(found.by_credit_code)
      FROM (SELECT place, code, credit, partners_name_key(name) AS key
              FROM unnest(%s::int[], %s::text[], %s::text[], %s::text[])
                   AS raw (place, code, name, credit)) given
      JOIN LATERAL (
            SELECT {_KEPT} AS id, false AS by_credit_code FROM {Partner._meta.db_table}
             WHERE given.key <> '' AND name_key = given.key
             UNION SELECT {_KEPT}, false FROM {Partner._meta.db_table}
                    WHERE given.key <> '' AND legal_name_key = given.key
             UNION SELECT {_KEPT}, true FROM {Partner._meta.db_table}
                    WHERE credit_code IS NOT NULL
                      AND substr(credit_code, 9, 9) = nullif(substr(upper(given.credit), 9, 9), '')
           ) found ON true
      JOIN {Partner._meta.db_table} p ON p.id = found.id AND p.id IN ({{visible}})
     WHERE NOT EXISTS (SELECT FROM {Partner._meta.db_table} known
                        WHERE upper(known.code) = upper(given.code))
     GROUP BY given.place, p.id ORDER BY given.place, p.code"""


@dataclass(frozen=True)
class Pair:
    """Two partners, the one that is longer known first, and why they may be one company."""

    first: Partner
    second: Partner
    reasons: list[str]


def pairs(user: Any, *, of: Partner | None = None) -> list[tuple[int, int, list[str]]]:
    """(key, key, reasons) of the pairs among the partners that `user` sees, those with most reasons
    first; only those `of` one partner if it is given. Pairs that were dismissed are left out."""
    visible, params = _visible(user)
    key = of.pk if of else None
    with connection.cursor() as cursor:
        cursor.execute(_PAIRS.format(visible=visible), [*params, key, key])
        rows = cursor.fetchall()
    return [(first, second, _words(kinds, phone)) for first, second, kinds, phone in rows]


def with_partners(found: Sequence[tuple[int, int, list[str]]]) -> list[Pair]:
    """The same with the partners read, in one query."""
    keys = {key for first, second, _reasons in found for key in (first, second)}
    rows = Partner.objects.select_related("territory", "owner").in_bulk(keys)
    return [Pair(rows[first], rows[second], reasons) for first, second, reasons in found]


def _words(kinds: list[str], phone: str | None) -> list[str]:
    words = {
        "name": _("Same name, but for the form of the company"),
        "credit_code": _("Same organisation in the credit code"),
        "phone": _("Same phone %s") % phone,
    }
    return [words[kind] for kind in ("credit_code", "name", "phone") if kind in kinds]


def like_new(rows: Sequence[tuple[str, str, str]], by: Any) -> Iterator[tuple[int, str, str]]:
    """(place of the row, field, reason) for each of `rows`, (code, name, credit code) of a file,
    whose code is new and which looks like a partner that `by` sees (None: the operator)."""
    visible, params = _visible(by)
    codes, names, credit = zip(*rows, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            _LIKE.format(visible=visible),
            [list(range(len(rows))), list(codes), list(names), list(credit), *params],
        )
        for place, code, name, by_credit_code in cursor.fetchall():
            reason = _("It looks like “%(name)s”, which has the code %(code)s.")
            field = "credit_code" if by_credit_code else "name"
            yield place, field, reason % {"name": name, "code": code}


def _visible(user: Any) -> tuple[str, tuple[Any, ...]]:
    """The SQL, with its parameters, of the keys of the partners that `user` sees."""
    rows = Partner.objects.all() if user is None else Partner.objects.visible_to(user)
    sql, params = rows.order_by().values("pk").query.sql_with_params()
    return sql, params
