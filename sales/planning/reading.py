"""What the past says of a plan's partners: a handful of queries, whatever their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection
from django.db.models import QuerySet

from accounts.models import Territory
from catalog.models import ProductLine
from core.periods import add_months
from partners.models import Partner
from sales.models import Payment, SalesDaily, TargetKind, TargetPlan
from sales.planning.fair import Years
from sales.planning.split import MONTHS, ZERO, Key, Past

YEARS = 3
# Those with whom there is or will be business.
STATES = (Partner.State.ONBOARDING, Partner.State.ACTIVE, Partner.State.SUSPENDED)


@dataclass(frozen=True)
class Basis:
    """The rows of a plan, in order of partner and product line, and what they sold."""

    pasts: list[Past]
    years: list[Years]


def basis_end(plan: TargetPlan, on: date) -> date:
    """The day before which the last year ends: the beginning of the plan or, when it is made
    earlier, of the month of the day `on`. What is called last year are the twelve complete months
    before it, each standing for the same month of the plan."""
    return min(plan.starts_on, on.replace(day=1))


def partners_in(plan: TargetPlan) -> QuerySet:
    """The partners that a split of the plan covers."""
    return Partner.objects.filter(
        territory__path__startswith=plan.territory.path, state__in=STATES
    ).order_by()


def read_basis(plan: TargetPlan, on: date) -> Basis:
    """What the plan's partners sold (or paid) in the three years up to `basis_end`."""
    end = basis_end(plan, on)
    growths = _growths(plan)
    columns = ("pk", "channel_type", "level", "territory__path")
    partners = list(partners_in(plan).order_by("pk").values_list(*columns))
    lines = sorted(plan.product_lines.values_list("pk", flat=True)) or [0]
    nets = read_nets(plan, add_months(end, -12 * YEARS), end)
    place = {month.month: number for number, month in enumerate(plan.months)}
    nothing: list[list[Decimal]] = [[ZERO] * MONTHS for _year in range(YEARS)]
    pasts, years = [], []
    for partner, channel, level, path in partners:
        growth = _nearest(path, growths)
        for line in lines:
            found = nothing
            if (partner, line) in nets:
                found = [[ZERO] * MONTHS for _year in range(YEARS)]
                for month, net in nets[partner, line].items():
                    ago = (end.year - month.year) * 12 + end.month - month.month
                    found[YEARS - 1 - (ago - 1) // 12][place[month.month]] = net
            key: Key = (partner, line)
            pasts.append(Past(key, channel, tuple(found[-1]), growth))
            first, second, third = (sum(year, ZERO) for year in found)
            kin = ((channel, str(level or ""), str(line)), (channel, "", str(line)))
            years.append(Years((first, second, third), kin))
    return Basis(pasts, years)


def _growths(plan: TargetPlan) -> list[tuple[str, Decimal]]:
    """(path, rate), the deepest territory first."""
    rows = plan.growths.values_list("territory__path", "rate")
    return sorted(rows, key=lambda row: -len(row[0]))


def _nearest(path: str, growths: list[tuple[str, Decimal]]) -> Decimal:
    return next((rate for above, rate in growths if path.startswith(above)), ZERO)


def read_nets(
    plan: TargetPlan, start: date, end: date, partners: Sequence[int] | None = None
) -> dict[Key, dict[date, Decimal]]:
    """{(partner, line of the plan): {month: net, two places}} in [start, end), from the rollup: of
    the partners that are in the plan's territory now, or of those whose keys are given."""
    values: dict[str, object] = {"start": start, "end": end, "path": f"{plan.territory.path}%"}
    if partners is None:
        who = f"""JOIN {Partner._meta.db_table} p ON p.id = f.partner_id
             JOIN {Territory._meta.db_table} t ON t.id = p.territory_id AND t.path LIKE %(path)s"""
    else:
        values["partners"] = list(partners)
        who = "JOIN unnest(%(partners)s::bigint[]) chosen (id) ON chosen.id = f.partner_id"
    if plan.kind == TargetKind.COLLECTION:
        what = f"""SELECT f.partner_id, 0 AS line, date_trunc('month', f.paid_on)::date AS month,
                          round(sum(f.amount), 2) AS net
                     FROM {Payment._meta.db_table} f {{of}}
                    WHERE f.paid_on >= %(start)s AND f.paid_on < %(end)s"""
    else:
        values |= {"kind": plan.kind} | _lines_below(plan)
        what = f"""SELECT f.partner_id, m.line, date_trunc('month', f.day)::date AS month,
                          round(sum(f.net), 2) AS net
                     FROM {SalesDaily._meta.db_table} f {{of}}
                     JOIN unnest(%(below)s::bigint[], %(lines)s::bigint[]) m (below, line)
                          ON m.below = f.product_line_id
                    WHERE f.kind = %(kind)s AND f.day >= %(start)s AND f.day < %(end)s"""
    found: dict[Key, dict[date, Decimal]] = {}
    with connection.cursor() as cursor:
        cursor.execute(what.format(of=who) + " GROUP BY 1, 2, 3", values)
        for partner, line, month, net in cursor.fetchall():
            found.setdefault((partner, line), {})[month] = net
    return found


def _lines_below(plan: TargetPlan) -> dict[str, list[int]]:
    """Each product line with the line of the plan that it belongs to; all of them with 0 where the
    plan has no lines."""
    chosen = list(plan.product_lines.values_list("path", "pk"))
    below, lines = [], []
    for pk, path in ProductLine.objects.values_list("pk", "path"):
        line = next((key for above, key in chosen if path.startswith(above)), None)
        if line is not None or not chosen:
            below.append(pk)
            lines.append(line or 0)
    return {"below": below, "lines": lines}
