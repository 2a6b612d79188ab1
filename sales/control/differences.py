"""The rows in which a source and our books differ, by the list of references it sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from sales.control.comparing import facts_of, kind_column
from sales.models import ControlReference, ControlTotal


class Status(models.TextChoices):
    """Where a row is missing; or that it is in both, with another amount."""

    MISSING_HERE = "missing_here", _("Missing here")
    MISSING_THERE = "missing_there", _("Missing there")
    DIFFERENT = "different", _("Different amount")


@dataclass(frozen=True)
class Difference:
    """One row; the amount is None where the row is missing."""

    reference: str
    status: str
    amount_there: Decimal | None
    amount_here: Decimal | None

    def get_status_display(self) -> str:
        """The status in words."""
        return str(Status(self.status).label)


class Differences:
    """The differing rows of one total in the order of their references: sliced and counted like a
    queryset. Empty while the source has sent no list (`known` is false)."""

    def __init__(self, total: ControlTotal) -> None:
        self.total = total
        facts = facts_of(total.kind)
        of_partner = "AND partner_id = %(partner)s" if total.partner_id else ""
        self._values: dict[str, Any] = {
            "total": total.pk,
            "source": total.source,
            "kind": total.kind,
            "start": total.starts_on,
            "end": total.ends_before,
            "partner": total.partner_id,
        }
        self._rows = f"""
            SELECT reference,
                   CASE WHEN here.amount IS NULL THEN '{Status.MISSING_HERE.value}'
                        WHEN there.amount IS NULL THEN '{Status.MISSING_THERE.value}'
                        ELSE '{Status.DIFFERENT.value}' END AS status,
                   there.amount AS amount_there, here.amount AS amount_here
              FROM (SELECT reference, amount FROM {ControlReference._meta.db_table}
                     WHERE total_id = %(total)s) AS there
              FULL JOIN (SELECT reference, amount FROM {facts.table}
                          WHERE source = %(source)s AND {kind_column(facts)} = %(kind)s
                            AND {facts.day} >= %(start)s AND {facts.day} < %(end)s
                            {of_partner}) AS here USING (reference)
             WHERE there.amount IS DISTINCT FROM here.amount"""

    @property
    def known(self) -> bool:
        """Whether the references of the source are known: it sent them, or says it has no row."""
        return self.total.rows == 0 or self.total.references.exists()

    def count(self) -> int:
        """How many there are."""
        if not self.known:
            return 0
        return self._read(f"SELECT count(*) FROM ({self._rows}) AS found")[0][0]

    def __getitem__(self, part: slice) -> list[Difference]:
        """Those of a page."""
        if not self.known:
            return []
        start, stop = part.start or 0, part.stop
        limit = "" if stop is None else f"LIMIT {max(0, stop - start)}"
        found = self._read(f"{self._rows} ORDER BY reference {limit} OFFSET {start}")
        return [Difference(*row) for row in found]

    def __iter__(self) -> Iterator[Difference]:
        return iter(self[:])

    def wanted(self, most: int) -> list[str]:
        """The references, at most so many, that the source would have to send again: those missing
        here or different."""
        if not self.known:
            return []
        found = self._read(
            f"SELECT reference FROM ({self._rows}) AS found"
            f" WHERE status <> '{Status.MISSING_THERE.value}' ORDER BY reference LIMIT {most:d}"
        )
        return [reference for (reference,) in found]

    def _read(self, sql: str) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(sql, self._values)
            return cursor.fetchall()
