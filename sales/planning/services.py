"""The verbs of planning. Who may, the edges ask; here only what is possible."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pgtrigger
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet, Sum
from django.utils.translation import gettext as _

from accounts.models import Territory
from core import audit, crud
from core.errors import Conflict, DomainError
from sales.models import TargetPlan, TargetPlanGrowth, TargetPlanHint, TargetPlanLine
from sales.models.planning_guards import PLAN_CLOSED
from sales.planning import fair, reading
from sales.planning.split import MONTHS, Key, Weight, split, weigh

BATCH = 20_000  # cells a statement
ENTRIES = ("manager", "proposal")
# What can be taken over as planned: the amounts of cells, by their keys.
_COLUMN = "SELECT id, {} AS taken FROM sales_targetplanline WHERE plan_id = %(plan)s"
# The proposal of each row in units of the plan, shared out over its months as core.money.allocate
# does: rounded down, and what is left goes to the largest remainders, the earlier month first.
# Integers all the way, as there.
_SUGGESTED = """
    SELECT id, (floor + (place <= units - sum(floor) OVER part)::int) * %(unit)s AS taken
      FROM (SELECT id, partner_id, product_line_id, units, div(units * weight, whole) AS floor,
                   row_number() OVER (PARTITION BY partner_id, product_line_id
                                      ORDER BY mod(units * weight, whole) DESC, month) AS place
              FROM (SELECT l.id, l.partner_id, l.product_line_id, l.month,
                           round(coalesce(h.own, h.peers) / %(unit)s) AS units,
                           trunc(coalesce(l.top_down, 0) * 100) AS weight,
                           sum(trunc(coalesce(l.top_down, 0) * 100)) OVER (
                               PARTITION BY l.partner_id, l.product_line_id) AS whole
                      FROM sales_targetplanline l
                      JOIN sales_targetplanhint h ON h.plan_id = l.plan_id
                           AND h.partner_id = l.partner_id
                           AND h.product_line_id IS NOT DISTINCT FROM l.product_line_id
                     WHERE l.plan_id = %(plan)s AND coalesce(h.own, h.peers) IS NOT NULL) weighed
             WHERE whole > 0) shared
    WINDOW part AS (PARTITION BY partner_id, product_line_id)"""
SOURCES = {
    "top_down": _COLUMN.format("top_down"),
    "manager": _COLUMN.format("manager"),
    "proposal": _COLUMN.format("proposal"),
    "bottom_up": _COLUMN.format("coalesce(manager, proposal)"),
    "suggested": _SUGGESTED,
}
_TAKE = """
    UPDATE sales_targetplanline l SET before = l.amount, step = %(step)s, amount = t.taken
      FROM ({source}) t
     WHERE t.id = l.id AND NOT l.locked AND t.taken IS NOT NULL
       AND l.amount IS DISTINCT FROM t.taken AND l.id IN ({chosen})"""
_GIVE_BACK = """
    UPDATE sales_targetplanline SET amount = before, before = NULL, step = NULL
     WHERE plan_id = %s AND step = %s AND NOT locked"""
_UPSERT = """
    INSERT INTO sales_targetplanline (created_at, plan_id, partner_id, product_line_id, month,
           last_year, top_down, amount, locked, comment)
    SELECT now(), %(plan)s, partner_id, product_line_id, month, last_year, amount, amount, false, ''
      FROM json_populate_recordset(NULL::sales_targetplanline, %(rows)s)
        ON CONFLICT ON CONSTRAINT target_line_once DO UPDATE SET
           last_year = EXCLUDED.last_year, top_down = EXCLUDED.top_down,
           amount = CASE WHEN sales_targetplanline.locked THEN sales_targetplanline.amount
                    ELSE EXCLUDED.amount END"""
# Of what the plan no longer covers.
_DROP = """
    DELETE FROM sales_targetplanline l WHERE l.plan_id = %(plan)s AND NOT EXISTS (
           SELECT FROM unnest(%(partners)s::bigint[], %(lines)s::bigint[]) k (partner, line)
            WHERE k.partner = l.partner_id AND k.line = coalesce(l.product_line_id, 0))"""
_COPY = """
    INSERT INTO {table} ({columns}) SELECT {values} FROM {table} WHERE plan_id = %s"""


def hold_draft(plan: TargetPlan) -> None:
    """Nobody submits or signs the plan until this transaction ends. Conflict `frozen` when it is no
    draft."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT state FROM sales_targetplan WHERE id = %s FOR KEY SHARE", [plan.pk])
        row = cursor.fetchone()
    if row is None or row[0] != TargetPlan.State.DRAFT:
        raise Conflict("frozen", _(PLAN_CLOSED))


def _tell_nobody(done: int, total: int | None = None, message: str = "") -> None:
    pass


@transaction.atomic
def split_plan(
    *,
    plan: TargetPlan,
    by: Any,
    on: date,
    progress: Callable[..., None] = _tell_nobody,
    job: int | None = None,
) -> int:
    """Share the plan's amount out over its partners, product lines and months by last year's share
    and season with the growth of their territories, as seen from the day `on`; returns the number
    of cells.

    Locked cells keep their amount, the others get the new one; entries from below and comments
    stay. Cells of what the plan no longer covers go. `progress` is told of the cells; `job` is
    noted with the event, by which a job knows that it has done its work. Raises DomainError
    `no_partners`, `locked_exceed` or `all_locked`, Conflict `frozen` when it is no draft.
    """
    hold_draft(plan)
    plan = TargetPlan.objects.select_related("territory").get(pk=plan.pk)
    progress(0, None, _("Reading what was sold …"))
    basis = reading.read_basis(plan, on)
    if not basis.pasts:
        raise DomainError("no_partners", _("There are no partners in the territory of the plan."))
    weights = weigh(basis.pasts, plan.newcomers)
    places = {month: number for number, month in enumerate(plan.months)}
    fixed = {
        ((partner, line or 0), places[month]): amount
        for partner, line, month, amount in plan.lines.filter(
            locked=True, amount__isnull=False
        ).values_list("partner", "product_line", "month", "amount")
    }
    progress(0, None, _("Sharing the amount out …"))
    cells = split(plan.amount, weights, places=plan.rounding, fixed=fixed)
    _write_cells(plan, basis, cells, progress)
    _write_hints(plan, basis, weights)
    count = len(cells) * len(places)
    planned = plan.lines.aggregate(total=Sum("amount"))["total"]
    TargetPlan.objects.filter(pk=plan.pk).update(undo=None)
    data = {"cells": count, "amount": str(planned)} | _noted(job)
    audit.record("sales.targetplan.split", plan, by=by, data=data)
    return count


def _noted(job: int | None) -> dict[str, int]:
    return {"job": job} if job else {}


def cells_of_split(plan: TargetPlan) -> int:
    """How many cells a split of the plan would write."""
    return reading.partners_in(plan).count() * max(1, plan.product_lines.count()) * MONTHS


def _write_cells(
    plan: TargetPlan,
    basis: reading.Basis,
    cells: dict[Key, list[Decimal]],
    progress: Callable[..., None],
) -> None:
    keys = [past.key for past in basis.pasts]
    rows = [
        {
            "partner_id": past.key[0],
            "product_line_id": past.key[1] or None,
            "month": str(month),
            "last_year": str(past.months[number]),
            "amount": str(cells[past.key][number]),
        }
        for past in basis.pasts
        for number, month in enumerate(plan.months)
    ]
    with connection.cursor() as cursor:
        values = {
            "plan": plan.pk,
            "partners": [partner for partner, _line in keys],
            "lines": [line for _partner, line in keys],
        }
        cursor.execute(_DROP, values)
        for start in range(0, len(rows), BATCH):
            progress(start, len(rows))
            part = json.dumps(rows[start : start + BATCH])
            cursor.execute(_UPSERT, {"plan": plan.pk, "rows": part})


def _write_hints(plan: TargetPlan, basis: reading.Basis, weights: dict[Key, Weight]) -> None:
    proposals = fair.propose(basis.years)
    plan.hints.all().delete()
    TargetPlanHint.objects.bulk_create(
        [
            TargetPlanHint(
                plan=plan,
                partner_id=past.key[0],
                product_line_id=past.key[1] or None,
                basis=weights[past.key].basis,
                last_year=past.total,
                own=proposal.own,
                own_low=proposal.low,
                own_high=proposal.high,
                peers=proposal.peers,
            )
            for past, proposal in zip(basis.pasts, proposals, strict=True)
        ],
        batch_size=2000,
    )


@transaction.atomic
def set_growth(*, plan: TargetPlan, territory: Territory, rate: Decimal | None, by: Any) -> None:
    """By how much a territory of the plan grows, a fraction: 0.1 is 10 %; None takes the rate away.
    The next split goes by it. Raises DomainError `outside` or `bad_rate`, Conflict `frozen`."""
    hold_draft(plan)
    if not territory.path.startswith(plan.territory.path):
        raise DomainError("outside", _("The territory is outside of the plan."), "territory")
    if rate is not None and not (rate.is_finite() and -1 <= rate <= 10):
        raise DomainError("bad_rate", _("Growth lies between −100 % and 1,000 %."), "rate")
    row = TargetPlanGrowth.objects.filter(plan=plan, territory=territory).first()
    before = None if row is None else str(row.rate)
    if rate is None:
        if row is not None:
            row.delete()
    else:
        TargetPlanGrowth.objects.update_or_create(
            plan=plan, territory=territory, defaults={"rate": rate}
        )
    after = None if rate is None else f"{rate:.4f}"
    if before != after:
        change = {_("growth of %s") % territory: [before, after]}
        audit.record("sales.targetplan.updated", plan, by=by, changes=change)


@transaction.atomic
def enter(*, line: TargetPlanLine, values: dict[str, Any], by: Any) -> TargetPlanLine:
    """Write an entry from below, the planned amount, the comment or the lock of one cell. Raises
    ValidationError, also when the amount of a locked cell would change, Conflict `frozen` when the
    plan is no draft."""
    hold_draft(line.plan)
    row = (
        TargetPlanLine.objects.select_for_update(of=("self",))
        .select_related("plan", "partner", "product_line")
        .get(pk=line.pk)
    )
    for name, value in values.items():
        setattr(row, name, value)
    crud.save(row, by=by)
    return row


@transaction.atomic
def take_over(
    *, plan: TargetPlan, lines: QuerySet, source: str, by: Any, job: int | None = None
) -> int:
    """Plan what `source` (a key of SOURCES) says, in those of `lines` that are not locked and have
    it; returns how many changed. One statement, whatever their number; until the next split or
    taking over, `undo_take` gives back what was planned before. Conflict `frozen` when the plan is
    no draft."""
    hold_draft(plan)
    chosen, values = lines.filter(plan=plan).values("pk").query.sql_with_params()
    step = uuid4()
    named = {"plan": plan.pk, "step": step, "unit": Decimal(1).scaleb(-plan.rounding)}
    named |= {f"chosen{place}": value for place, value in enumerate(values)}
    chosen %= tuple(f"%(chosen{place})s" for place in range(len(values)))
    with connection.cursor() as cursor:
        cursor.execute(_TAKE.format(source=SOURCES[source], chosen=chosen), named)
        count: int = cursor.rowcount
    if count:
        TargetPlan.objects.filter(pk=plan.pk).update(undo=step)
    if count or job:
        data = {"source": source, "cells": count} | _noted(job)
        audit.record("sales.targetplan.taken", plan, by=by, data=data)
    return count


@transaction.atomic
def undo_take(*, plan: TargetPlan, by: Any, job: int | None = None) -> int:
    """Plan again what was planned before amounts were taken over the last time, where nobody
    has changed or locked the cell since; returns the number of cells. Conflict `frozen` when the
    plan is no draft, `nothing_taken` when there is nothing to give back."""
    row = TargetPlan.objects.select_for_update().get(pk=plan.pk)
    hold_draft(row)
    if row.undo is None:
        raise Conflict("nothing_taken", _("There is nothing to give back."))
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, [row.pk, row.undo])
        count: int = cursor.rowcount
    TargetPlan.objects.filter(pk=row.pk).update(undo=None)
    audit.record("sales.targetplan.given_back", row, by=by, data={"cells": count} | _noted(job))
    return count


@transaction.atomic
def amend_plan(*, plan: TargetPlan, reason: str, by: Any) -> TargetPlan:
    """A new version of a signed plan, to be changed, submitted and signed like the first; with all
    its cells. Raises DomainError `reason_required`, Conflict `not_signed` or `already_open`."""
    if not reason.strip():
        raise DomainError("reason_required", _("Give a reason."), "reason")
    old = TargetPlan.objects.select_for_update().get(pk=plan.pk)
    if old.state != TargetPlan.State.SIGNED:
        raise Conflict("not_signed", _("Only a signed plan is amended."))
    new = TargetPlan(
        code=old.code,
        name=old.name,
        year=old.year,
        starts_on=old.starts_on,
        kind=old.kind,
        territory_id=old.territory_id,
        amount=old.amount,
        newcomers=old.newcomers,
        rounding=old.rounding,
        version=old.version + 1,
        amends=old,
        reason=reason.strip(),
    )
    try:
        with transaction.atomic():
            new.save()
    except IntegrityError as error:
        raise Conflict(
            "already_open", _("A version of this plan is being worked on already.")
        ) from error
    new.product_lines.set(old.product_lines.all())
    # A partner that has moved away since keeps its cells.
    with pgtrigger.ignore("sales.TargetPlanLine:in_scope"), connection.cursor() as cursor:
        for model in (TargetPlanGrowth, TargetPlanHint, TargetPlanLine):
            cursor.execute(*_copy(model, old, new))
    changes = audit.diff({}, audit.snapshot(new))
    audit.record("sales.targetplan.amended", new, by=by, reason=new.reason, changes=changes)
    return new


def _copy(model: Any, old: TargetPlan, new: TargetPlan) -> tuple[str, list[int]]:
    """INSERT … SELECT of the rows of one version as those of another."""
    own = {"plan_id": "%s", "created_at": "now()", "step": "NULL", "before": "NULL"}
    names = [one.column for one in model._meta.concrete_fields if not one.primary_key]
    names = [name for name in names if name != "updated_at"]
    sql = _COPY.format(
        table=model._meta.db_table,
        columns=", ".join(names),
        values=", ".join(own.get(name, name) for name in names),
    )
    return sql, [new.pk, old.pk]
