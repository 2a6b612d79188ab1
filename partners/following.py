"""Nothing new can point to a partner that was merged into another one.

A form that was opened before the merge, or a row that waited for its end, names the partner that is
gone. The database lets such a row point to the kept partner instead, whoever writes it. Every model
of the house with a foreign key to the partner is given the trigger, so that no app can forget it.
"""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.db import models
from django.db.models.signals import class_prepared
from django.dispatch import receiver

from core.models import Model

PARTNER = "partners.partner"


def _trigger(field: Any) -> pgtrigger.Trigger:
    # The lock waits for a merge that is under way, and then reads what it did. A row that keeps
    # its partner does not wait: it is locked itself, and the merge would wait for it.
    return pgtrigger.Trigger(
        name=f"follow_{field.name}",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf(field.attname),
        condition=pgtrigger.Condition(f"NEW.{field.attname} IS NOT NULL"),
        declare=[("kept", "bigint")],
        func=f"""
        IF TG_OP = 'INSERT' OR NEW.{field.attname} IS DISTINCT FROM OLD.{field.attname} THEN
            SELECT merged_into_id INTO kept FROM partners_partner
             WHERE id = NEW.{field.attname} FOR KEY SHARE;
            NEW.{field.attname} := coalesce(kept, NEW.{field.attname});
        END IF;
        RETURN NEW;
        """,
    )


@receiver(class_prepared)
def _follow_merges(sender: type[models.Model], **kwargs: Any) -> None:
    if not issubclass(sender, Model):
        return
    for field in sender._meta.local_fields:
        if field.is_relation and field.name != "merged_into" and _is_partner(sender, field):
            _trigger(field).register(sender)  # type: ignore[arg-type]  # a class is meant


def _is_partner(sender: Any, field: Any) -> bool:
    model = field.remote_field.model
    if model == "self":
        model = sender
    label = model if isinstance(model, str) else model._meta.label
    return str(label).lower() == PARTNER
