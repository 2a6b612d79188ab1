"""Triggers that hold a target plan together, whoever writes, also by SQL.

The lines of a plan change only while it is a draft, a signed plan stands, and the targets of a
signed plan say what its lines say. Rows are checked once a statement, through its transition table.
A refusal carries its message as the hint: `core.crud.refusal` shows it.
"""

from __future__ import annotations

import pgtrigger
from django.utils.translation import gettext_noop

PLAN_CLOSED = gettext_noop("Only the draft of a plan can be changed. Begin an amendment.")
PLAN_SIGNED = gettext_noop("The plan is signed and stands. Begin an amendment.")
OUTSIDE = gettext_noop("The partner, the month or the product line is outside of the plan.")
TARGET_PLANNED = gettext_noop(
    "The target belongs to a signed plan and changes only by an amendment of the plan."
)
TARGET_COVERED = gettext_noop(
    "A signed plan has targets by product line for this partner and month; a target for all lines "
    "together would take their place."
)

_OPERATIONS = {
    "insert": (pgtrigger.Insert, pgtrigger.Referencing(new="touched"), ("touched",)),
    "update": (
        pgtrigger.Update,
        pgtrigger.Referencing(old="touched", new="changed"),
        ("touched", "changed"),
    ),
    "delete": (pgtrigger.Delete, pgtrigger.Referencing(old="touched"), ("touched",)),
}


def _raise(hint: str) -> str:
    return f"RAISE EXCEPTION 'frozen' USING ERRCODE = 'restrict_violation', HINT = '{hint}';"


def _trigger(name: str, operation: str, func: str, **more: object) -> pgtrigger.Trigger:
    kind, referencing, _sources = _OPERATIONS[operation]
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=kind,
        referencing=referencing,
        func=func,
        **more,  # type: ignore[arg-type]
    )


def frozen_with_plan() -> list[pgtrigger.Trigger]:
    """Refuse every change of rows whose plan is no draft.

    The plan is locked as a foreign key locks it: who signs or submits it waits for who writes its
    lines, and the other way round, so that nothing slips in between reading and freezing.
    """
    body = """
        FOR found IN SELECT p.state FROM sales_targetplan p
                      WHERE p.id IN (SELECT t.plan_id FROM {rows} t) ORDER BY p.id FOR KEY SHARE
        LOOP
            IF found <> 'draft' THEN {refuse} END IF;
        END LOOP;
    """
    return [
        _trigger(
            f"frozen_{name}",
            name,
            "".join(body.format(rows=rows, refuse=_raise(PLAN_CLOSED)) for rows in sources)
            + "RETURN NULL;",
            declare=[("found", "text")],
        )
        for name, (_kind, _referencing, sources) in _OPERATIONS.items()
    ]


def in_scope() -> pgtrigger.Trigger:
    """A new line lies within the plan: partner in its territory, month in its year, and one of its
    product lines, or none where it has none. A partner that moves away later keeps its lines."""
    return _trigger(
        "in_scope",
        "insert",
        f"""
        IF EXISTS (
            SELECT FROM touched t
              JOIN sales_targetplan p ON p.id = t.plan_id
              JOIN accounts_territory whole ON whole.id = p.territory_id
              JOIN partners_partner q ON q.id = t.partner_id
              JOIN accounts_territory part ON part.id = q.territory_id
             WHERE part.path NOT LIKE whole.path || '%'
                OR t.month < p.starts_on OR t.month >= p.starts_on + interval '1 year'
                OR CASE WHEN t.product_line_id IS NULL
                   THEN EXISTS (SELECT FROM sales_targetplan_product_lines l
                                 WHERE l.targetplan_id = p.id)
                   ELSE NOT EXISTS (SELECT FROM sales_targetplan_product_lines l
                                     WHERE l.targetplan_id = p.id
                                       AND l.productline_id = t.product_line_id) END)
        THEN {_raise(OUTSIDE)} END IF;
        RETURN NULL;
        """,
    )


# What somebody changed after it was taken over is not given back with the rest.
LEAVE_STEP = pgtrigger.Trigger(
    name="leave_step",
    when=pgtrigger.Before,
    operation=pgtrigger.Update,
    condition=pgtrigger.Condition(
        "OLD.step IS NOT NULL AND NEW.step = OLD.step AND NEW.amount IS DISTINCT FROM OLD.amount"
    ),
    func="NEW.step = NULL; NEW.before = NULL; RETURN NEW;",
)
SIGNED_STANDS = [
    pgtrigger.Trigger(
        name="signed_stands",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Condition("OLD.state IN ('signed', 'superseded')"),
        func=f"""
        IF to_jsonb(OLD) - 'state' - 'updated_at' <> to_jsonb(NEW) - 'state' - 'updated_at'
           OR (OLD.state <> NEW.state AND (OLD.state <> 'signed' OR NEW.state <> 'superseded'))
        THEN {_raise(PLAN_SIGNED)} END IF;
        RETURN NEW;
        """,
    ),
    pgtrigger.Trigger(
        name="signed_stays",
        when=pgtrigger.Before,
        operation=pgtrigger.Delete,
        condition=pgtrigger.Condition("OLD.state <> 'draft'"),
        func=f"{_raise(PLAN_SIGNED)} RETURN OLD;",
    ),
]

# The row is what a line of a plan says that is signed, or is being signed in this transaction.
_AS_PLANNED = """
    EXISTS (SELECT FROM sales_targetplan p JOIN sales_targetplanline l ON l.plan_id = p.id
             WHERE p.id = t.plan_id AND p.state IN ('submitted', 'signed') AND p.kind = t.kind
               AND l.partner_id = t.partner_id AND l.month = t.month
               AND l.product_line_id IS NOT DISTINCT FROM t.product_line_id
               AND l.amount = t.amount)"""
_NEW_ROWS = """
    IF EXISTS (SELECT FROM {rows} t WHERE t.plan_id IS NOT NULL AND NOT {as_planned})
    THEN {planned} END IF;
    IF EXISTS (SELECT FROM {rows} t JOIN sales_target o
                   ON o.partner_id = t.partner_id AND o.month = t.month AND o.kind = t.kind
                WHERE t.plan_id IS NULL AND t.product_line_id IS NULL
                  AND o.plan_id IS NOT NULL AND o.product_line_id IS NOT NULL)
    THEN {covered} END IF;
"""


def _new_rows(rows: str) -> str:
    return _NEW_ROWS.format(
        rows=rows,
        as_planned=_AS_PLANNED,
        planned=_raise(TARGET_PLANNED),
        covered=_raise(TARGET_COVERED),
    )


# Of a plan that was superseded, rows go over to the new version or go.
TARGETS_OF_PLANS = [
    _trigger("planned_insert", "insert", _new_rows("touched") + "RETURN NULL;"),
    _trigger(
        "planned_update",
        "update",
        f"""
        IF EXISTS (SELECT FROM touched o JOIN changed t USING (id)
                     JOIN sales_targetplan p ON p.id = o.plan_id
                    WHERE p.state = 'signed'
                      AND (o.partner_id, o.product_line_id, o.month, o.kind, o.amount, o.plan_id)
                          IS DISTINCT FROM
                          (t.partner_id, t.product_line_id, t.month, t.kind, t.amount, t.plan_id))
        THEN {_raise(TARGET_PLANNED)} END IF;
        {_new_rows("changed")}
        RETURN NULL;
        """,
    ),
    _trigger(
        "planned_delete",
        "delete",
        f"""
        IF EXISTS (SELECT FROM touched o JOIN sales_targetplan p ON p.id = o.plan_id
                    WHERE p.state = 'signed')
        THEN {_raise(TARGET_PLANNED)} END IF;
        RETURN NULL;
        """,
    ),
]
