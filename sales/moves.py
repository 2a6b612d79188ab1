"""How sales, payments, aliases and targets move when partners are merged."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.db import connection
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from partners import moves
from sales.control.comparing import LOCK as TOTALS_LOCK, reconcile
from sales.loading.kinds import PAYMENTS, SALES
from sales.models import ControlTotal, FactBefore, Report


def move_earlier_facts(field: Any, merging: moves.Merging) -> list[str]:
    """Facts as they were before an import: undone later, they come back at the kept partner."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE {FactBefore._meta.db_table} SET partner_id = %(keep)s,
                       row = jsonb_set(row, '{{partner_id}}', to_jsonb(%(keep)s::bigint))
                 WHERE partner_id = %(drop)s""",
            {"keep": merging.keep.pk, "drop": merging.drop.pk},
        )
    return []


def move_facts(field: Any, merging: moves.Merging) -> list[str]:
    """All facts by one UPDATE; the control totals of the kept partner are counted again."""
    moves.repoint(field, merging)
    _count_again(merging)
    return []


def move_totals(field: Any, merging: moves.Merging) -> list[str]:
    """What a source says of both partners for one period cannot be told apart: the kept one's stays
    and will differ, until the source says it anew."""
    names = moves.once("source", "kind", "starts_on", "ends_before")(field, merging)
    _count_again(merging)
    return names


def _count_again(merging: moves.Merging) -> None:
    """Facts and totals move one after the other, in either order."""
    totals = ControlTotal.objects.filter(partner__in=[merging.keep, merging.drop])
    reconcile(list(totals.values_list("pk", flat=True)))


def move_reports(field: Any, merging: moves.Merging) -> list[str]:
    """Reports that both owe are kept once; when the kept partner's came, its lines say, which may
    have moved before."""
    names = moves.once("rule", "starts_on")(field, merging)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE {Report._meta.db_table} r SET received_at = s.at, load_id = s.load
                  FROM (SELECT o.id, first.at, first.load FROM {Report._meta.db_table} o
                          LEFT JOIN LATERAL sales_first_report(
                               o.partner_id, o.kind, o.starts_on, o.ends_before) first ON true
                         WHERE o.partner_id = %s) s
                 WHERE s.id = r.id
                   AND (r.received_at, r.load_id) IS DISTINCT FROM (s.at, s.load)""",
            [merging.keep.pk],
        )
    return names


_FROZEN = [
    f"sales.{model}:{name}_{verb}"
    for model, name in (
        ("TargetPlanLine", "frozen"),
        ("TargetPlanHint", "frozen"),
        ("Target", "planned"),
    )
    for verb in ("update", "delete")
]


def move_planned(*key: str) -> moves.Mover:
    """Targets and the plans that they come from move together, the signed ones too: they say the
    same afterwards. Where both partners have a cell, the kept one's stays."""

    def move(field: Any, merging: moves.Merging) -> list[str]:
        with pgtrigger.ignore(*_FROZEN):
            return moves.once(*key)(field, merging)

    return move


def register() -> None:
    """Called when the app is ready. Facts are one UPDATE under the lock of those who load them, so
    that the triggers keep the rollup."""
    moves.register("sales.salesfact.partner", move=move_facts, lock=SALES.lock)
    moves.register("sales.payment.partner", move=move_facts, lock=PAYMENTS.lock)
    moves.register("sales.controltotal.partner", move=move_totals, lock=TOTALS_LOCK)
    moves.register("sales.factbefore.partner", move=move_earlier_facts)
    moves.register("sales.report.partner", move=move_reports)
    moves.register("sales.reportingrule_partners.partner", move=moves.once("reportingrule"))
    moves.stays(
        "sales.adjustment.partner", _("History of closed months; what moves is adjusted there too.")
    )
    moves.register("sales.target.partner", move=move_planned("month", "kind", "product_line"))
    moves.register(
        "sales.targetplanline.partner", move=move_planned("plan", "month", "product_line")
    )
    moves.register("sales.targetplanhint.partner", move=move_planned("plan", "product_line"))
    moves.register("sales.productalias.partner", move=moves.once(Upper("code"), Upper("unit")))
    moves.stays("sales.salesdaily.partner", _("Follows the sales lines by itself."))
