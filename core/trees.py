"""Trees by path: the subtree of a row is one index range.

`path` is "/<id>/<id>/" from the root to the row itself; `sort_path` says the same in codes, so that
rows sorted by it stand below their parent in order of the codes. Triggers keep both: also for rows
written in bulk or by SQL, and a parent that lies below the row is refused by the database.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.scoping import ScopedQuerySet

_SET_PATH = pgtrigger.Trigger(
    name="set_path",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("parent_id", "code"),
    declare=[("above", "text"), ("codes", "text")],
    func=pgtrigger.Func(
        """
        IF NEW.parent_id IS NULL THEN
            NEW.path := '/' || NEW.id || '/';
            NEW.sort_path := upper(NEW.code) || chr(1);
        ELSE
            SELECT path, sort_path INTO above, codes
              FROM {meta.db_table} WHERE id = NEW.parent_id;
            NEW.path := above || NEW.id || '/';
            NEW.sort_path := codes || upper(NEW.code) || chr(1);
        END IF;
        RETURN NEW;
        """
    ),
)
# One statement may move rows that lie above each other, in any order. After it all parents stand,
# so the circle is looked for and the paths below are made from the parents, not from old paths.
_MOVE_SUBTREE = pgtrigger.Trigger(
    name="move_subtree",
    when=pgtrigger.After,
    operation=pgtrigger.UpdateOf("parent_id", "code"),
    condition=pgtrigger.Condition(
        "OLD.parent_id IS DISTINCT FROM NEW.parent_id OR OLD.code IS DISTINCT FROM NEW.code"
    ),
    func=pgtrigger.Func(
        """
        IF EXISTS (
            WITH RECURSIVE above AS (
                SELECT NEW.parent_id AS id
                UNION
                SELECT t.parent_id FROM {meta.db_table} t JOIN above USING (id))
            SELECT FROM above WHERE id = NEW.id)
        THEN
            RAISE EXCEPTION 'row % cannot be placed below itself', NEW.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'tree_cycle';
        END IF;
        WITH RECURSIVE below AS (
            SELECT id, path, sort_path FROM {meta.db_table} WHERE id = NEW.id
            UNION ALL
            SELECT t.id, b.path || t.id || '/', b.sort_path || upper(t.code) || chr(1)
              FROM {meta.db_table} t JOIN below b ON t.parent_id = b.id)
        UPDATE {meta.db_table} t SET path = b.path, sort_path = b.sort_path
          FROM below b
         WHERE t.id = b.id AND (t.path, t.sort_path) IS DISTINCT FROM (b.path, b.sort_path);
        RETURN NULL;
        """
    ),
)


class TreeQuerySet(ScopedQuerySet):
    """Adds the questions one asks of a tree."""

    def subtree_of(self, roots: Any) -> Self:
        """The given rows and all below them; `roots` is one row or several."""
        rows = roots if isinstance(roots, Iterable) else [roots]
        below = Q(pk__in=[])
        for row in rows:
            below |= Q(path__startswith=row.path)
        return self.filter(below)


class TreeModel(models.Model):
    """A row with a parent of its own kind, and a `code`."""

    parent = models.ForeignKey(
        "self",
        verbose_name=_("parent"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="children",
    )
    path = models.TextField(editable=False, default="", db_collation="C")
    sort_path = models.TextField(editable=False, default="", db_collation="C")

    objects = TreeQuerySet.as_manager()

    class Meta:
        abstract = True
        triggers = [_SET_PATH, _MOVE_SUBTREE]
        indexes = [models.Index(fields=["path"], name="%(app_label)s_%(class)s_path")]

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        kept = type(self)._base_manager.values_list("path", "sort_path").get(pk=self.pk)
        self.path, self.sort_path = kept

    @property
    def depth(self) -> int:
        """0 for a root."""
        return self.path.count("/") - 2

    def subtree(self) -> models.QuerySet:
        """The row and all below it."""
        return type(self).objects.subtree_of(self)

    def ancestors(self) -> models.QuerySet:
        """The rows above it, from the root down, without itself."""
        keys = [int(key) for key in self.path.strip("/").split("/")[:-1] if key]
        return type(self).objects.filter(pk__in=keys).order_by("sort_path")
