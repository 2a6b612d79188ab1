"""Taking an import of master data back, by what the history says that it did.

Each row that an import wrote has an event with its number, and in it the old and new value of each
field, as JSON. PostgreSQL reads them as the types of the columns, so rows are compared and put back
set by set; a field that was not changed keeps the value that it has.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any, cast

from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection, models
from django.utils.translation import gettext as _

from core import bulk, context
from core.crud import refusal, verb_of
from core.errors import Blocked, Conflict, DomainError, Problem
from core.importing.models import Import
from core.importing.registry import UndoPlan
from core.models import Event
from core.phrases import listed

NAMED = 5
EVENTS, IMPORTS = Event._meta.db_table, Import._meta.db_table
# The events of the import, each with the row that it tells of. A row that is gone is no concern.
_WRITTEN = f"""
    {EVENTS} e JOIN {{table}} t ON t.id = e.object_id
     WHERE e.data -> 'import' = %(load)s AND e.content_type_id = %(type)s"""
# The values of a side of the changes, 0 old or 1 new, by column.
_VALUES = """
    (SELECT jsonb_object_agg(%(columns)s::jsonb ->> c.key, c.value -> {side})
       FROM jsonb_each(e.changes) c WHERE %(columns)s::jsonb ? c.key)"""
# Rows that are no longer as the import left them, or that have been written over in between. What
# was taken back since does not count.
_CHANGED = f"""
    SELECT count(*) OVER (), e.object_repr FROM {_WRITTEN} AND (
           jsonb_populate_record(t, {_VALUES.format(side=1)}) IS DISTINCT FROM t
        OR EXISTS (
           SELECT FROM {EVENTS} l
            WHERE l.content_type_id = e.content_type_id AND l.object_id = e.object_id
              AND l.id > e.id AND NOT l.data ? 'undone'
              AND CASE e.verb WHEN %(created)s THEN l.changes <> '{{{{}}}}'
                  ELSE l.changes ?| ARRAY(SELECT jsonb_object_keys(e.changes)) END
              AND NOT EXISTS (SELECT FROM {IMPORTS} i WHERE i.state = 'undone'
                               AND to_jsonb(i.id) = l.data -> 'import')))
     ORDER BY e.id LIMIT {NAMED}"""
_RECORD = f"""
    INSERT INTO {EVENTS} (verb, actor_id, source, request_id, content_type_id, object_id,
           object_repr, scope_id, changes, reason, data)
    SELECT CASE e.verb WHEN %(created)s THEN %(deleted)s ELSE e.verb END, %(by)s, %(source)s,
           %(request)s, e.content_type_id, e.object_id, e.object_repr, e.scope_id,
           (SELECT jsonb_object_agg(c.key, jsonb_build_array(c.value -> 1, c.value -> 0))
              FROM jsonb_each(e.changes) c),
           %(reason)s, jsonb_build_object('undone', %(load)s)
      FROM {_WRITTEN} ORDER BY e.id DESC"""
_DELETE = f"""
    DELETE FROM {{table}} USING (SELECT t.id FROM {_WRITTEN} AND e.verb = %(created)s) gone
     WHERE {{table}}.id = gone.id"""
_RESTORE = f"""
    UPDATE {{table}} AS t SET ({{columns}}) = (
           SELECT {{columns}} FROM jsonb_populate_record(t, {_VALUES.format(side=0)})){{also}}
      FROM {EVENTS} e WHERE e.id = ANY(%(events)s) AND t.id = e.object_id"""


class Undo:
    """One import and what undoing it does."""

    def __init__(self, model: type[models.Model], load: Import) -> None:
        self.model, self.load = model, load
        self.created, self.updated, self.deleted = (
            verb_of(cast(Any, model), what) for what in ("created", "updated", "deleted")
        )
        self.type = ContentType.objects.get_for_model(model)
        self.events = Event.objects.filter(data__import=load.pk, content_type=self.type)
        self.table = connection.ops.quote_name(model._meta.db_table)

    def plan(self) -> UndoPlan:
        """What it would delete and put back, and what stands in the way."""
        deleted = self._rows(self.created).count()
        restored = self._rows(self.updated).count()
        return UndoPlan(deleted, restored, [*self._changed_later(), *self._still_used()])

    def run(self, *, by: Any) -> UndoPlan:
        """Do it in the open transaction, in the name of `by`. Blocked as the plan says, Conflict
        when the database refuses what would be put back."""
        # Who writes these rows, or rows that refer to them, waits or has been waited for.
        written = self.model._base_manager.filter(pk__in=self.events.values("object_id"))
        len(written.order_by("pk").select_for_update().values_list("pk"))
        plan = self.plan()
        if plan.problems:
            raise Blocked(plan.problems)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            self._record(cursor, by)
            cursor.execute(_DELETE.format(table=self.table), self._values)
        # In halves from the last row to the first, as two rows may have handed on a unique value.
        updated = self.events.filter(verb=self.updated).order_by("-id")
        bulk.in_parts(list(updated.values_list("pk", "object_repr")), self._restore, _refuse)
        try:
            connection.check_constraints()
        except IntegrityError as error:
            text = _("A record that its rows referred to before was deleted meanwhile.")
            raise Conflict("row_gone", text) from error
        return plan

    def _rows(self, verb: str) -> models.QuerySet:
        keys = self.events.filter(verb=verb).values("object_id")
        return self.model._base_manager.filter(pk__in=keys)

    # --- What stands in the way -------------------------------------------------------------------

    def _changed_later(self) -> list[Problem]:
        with connection.cursor() as cursor:
            cursor.execute(_CHANGED.format(table=self.table), self._values)
            found = cursor.fetchall()
        if not found:
            return []
        names = listed(name for _count, name in found)
        text = _("Changed after the import: %(what)s (%(count)d): %(names)s%(more)s.") % {
            "what": self.model._meta.verbose_name_plural,
            "count": found[0][0],
            "names": names,
            "more": " …" if found[0][0] > len(found) else "",
        }
        return [Problem("changed_later", text)]

    def _still_used(self) -> list[Problem]:
        """One problem for each model whose rows refer to rows that would go."""
        relations = [
            cast(Any, one)
            for one in self.model._meta.get_fields(include_hidden=True)
            if one.auto_created and not one.concrete and (one.one_to_many or one.one_to_one)
        ]
        # What has no constraint follows from other rows as a rule: said only if these are gone.
        bound = [one for one in relations if one.on_delete is not models.DO_NOTHING]
        loose = [one for one in relations if one.on_delete is models.DO_NOTHING]
        counts = self._users(bound) or self._users(loose)
        text = _("Rows that it created are still used by: %(what)s (%(count)d).")
        return [
            Problem("still_used", text % {"what": name, "count": count})
            for name, count in sorted(counts.items())
        ]

    def _users(self, relations: Sequence[Any]) -> dict[str, int]:
        """{plural name: number of rows} of those that refer to rows that would go and stay."""
        gone = self.events.filter(verb=self.created).values("object_id")
        counts: dict[str, int] = {}
        for relation in relations:
            users = relation.related_model
            rows = users._base_manager.filter(**{f"{relation.field.name}__in": gone})
            if users is self.model:
                moved = self.events.filter(
                    verb=self.updated, changes__has_key=relation.field.name
                ).values("object_id")
                rows = rows.exclude(pk__in=gone).exclude(pk__in=moved)
            count = rows.count()
            if count:
                named = users._meta.auto_created or users
                name = str(named._meta.verbose_name_plural)
                counts[name] = counts.get(name, 0) + count
        return counts

    # --- Writing ----------------------------------------------------------------------------------

    @cached_property
    def _values(self) -> dict[str, Any]:
        columns = {one.name: one.column for one in self.model._meta.concrete_fields}
        return {
            "load": json.dumps(self.load.pk),
            "type": self.type.pk,
            "columns": json.dumps(columns),
            "created": self.created,
            "deleted": self.deleted,
        }

    def _record(self, cursor: Any, by: Any) -> None:
        current = context.current()
        values = {
            "by": by.pk if by else None,
            "source": current.source,
            "request": current.request_id,
            "reason": _("Taken back with import #%d.") % self.load.pk,
        }
        cursor.execute(_RECORD.format(table=self.table), self._values | values)

    def _restore(self, rows: Sequence[tuple[int, str]]) -> None:
        quote = connection.ops.quote_name
        also = "updated_at" in {one.name for one in self.model._meta.fields}
        sql = _RESTORE.format(
            table=self.table,
            columns=", ".join(quote(column) for column in self._changed_columns),
            also=", updated_at = statement_timestamp()" if also else "",
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, self._values | {"events": [key for key, _name in rows]})

    @cached_property
    def _changed_columns(self) -> list[str]:
        """Of all rows together: a trigger that follows a column rests when nobody changed it."""
        keys = self.events.filter(verb=self.updated).values_list(
            models.Func(models.F("changes"), function="jsonb_object_keys"), flat=True
        )
        names = set(keys.distinct().order_by())
        fields: list[Any] = [one for one in self.model._meta.concrete_fields if one.name in names]
        return [one.column for one in fields]


def _refuse(row: tuple[int, str], error: IntegrityError | DomainError) -> None:
    if isinstance(error, DomainError):
        raise error
    text = _("“%(name)s” cannot be as it was before: %(reason)s")
    reason = refusal(error).message
    raise Conflict("not_restored", text % {"name": row[1], "reason": reason}) from error
