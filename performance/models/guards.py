"""Triggers that keep published rows as they were published, also against plain SQL.

Rows are checked once a statement through its transition table: a trigger per row would cost more
than writing the scores of a whole evaluation.
"""

from __future__ import annotations

import pgtrigger

_OPERATIONS = {
    "insert": (pgtrigger.Insert, pgtrigger.Referencing(new="touched")),
    "update": (pgtrigger.Update, pgtrigger.Referencing(old="touched", new="changed")),
    "delete": (pgtrigger.Delete, pgtrigger.Referencing(old="touched")),
}


def frozen_with_parent(
    parent: str, key: str, states: tuple[str, ...], message: str
) -> list[pgtrigger.Trigger]:
    """Refuse insert, update and delete of rows whose parent row is in one of `states`.

    `parent` is the parent's table and `key` the column that points to it.
    """
    listed = ", ".join(f"'{state}'" for state in states)
    template = f"""
        IF EXISTS (SELECT 1 FROM <rows> t JOIN {parent} p ON p.id = t.{key}
                   WHERE p.state IN ({listed})) THEN
            RAISE EXCEPTION '{message}' USING ERRCODE = 'restrict_violation';
        END IF;
    """
    triggers = []
    for name, (operation, referencing) in _OPERATIONS.items():
        sources = ["touched", "changed"] if name == "update" else ["touched"]
        body = "".join(template.replace("<rows>", source) for source in sources)
        triggers.append(
            pgtrigger.Trigger(
                name=f"frozen_{name}",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=operation,
                referencing=referencing,
                func=body + "RETURN NULL;",
            )
        )
    return triggers
