"""Facts in order of their change, for millions of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet

from core.api.changes import ChangePages, Place


class FactPages(ChangePages):
    """First the lines that were never changed, by id, then those that were, by time.

    A load takes its ids under the lock of all writers, so that no smaller id can appear later: the
    key serves as index, and the many new lines need no other. A line that changes goes over to the
    few that have an index, behind all that was given.
    """

    def walk(
        self, queryset: QuerySet, start: Place, until: datetime, size: int
    ) -> tuple[list[Any], Place, bool]:
        new = queryset.filter(revised=None, pk__gt=start.new, recorded_at__lt=until)
        if self.since in self.request.query_params:
            new = new.filter(recorded_at__gte=start.at)
        rows = list(self.view.read(new.order_by("pk")).annotate(_key=F("pk"))[: size + 1])
        keys = [row.pop("_key") for row in rows]
        if len(rows) > size:
            return rows[:size], start._replace(new=keys[size - 1]), True
        start = start._replace(new=max(start.new, self._last_before(until)))
        revised = queryset.filter(revised=True)
        changed, place, more = super().walk(revised, start, until, size - len(rows))
        return rows + changed, place, more

    def _last_before(self, until: datetime) -> int:
        """The last id of what was recorded before `until`; it is near the end of the key."""
        recorded = self.view.model.objects.filter(recorded_at__lt=until).order_by("-pk")
        return recorded.values_list("pk", flat=True).first() or 0
