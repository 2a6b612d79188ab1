"""What the planning page reads: a page of partners, the territories of the plan, the comparison of
top-down and bottom-up. The same number of queries for one partner as for a page of them.

Everything is within the partners that the user may see; a sum never tells of others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Count, DecimalField, F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from accounts.models import Territory
from catalog.models import ProductLine
from core.money import allocate, round_money
from core.scoping import sees_everything
from partners.models import Partner
from sales.attainment import attained
from sales.models import TargetPlan, TargetPlanHint, TargetPlanLine
from sales.planning.fair import potential
from sales.planning.reading import read_nets

ZERO = Decimal(0)
PAGE = 25  # partners
# The sums over more cells than this come after the page: until there they take some 10 ms.
SUMMED_WITH_PAGE = 10_000
ROWS = 60  # of a plan by product line: so many at most, though never less than a partner
BOTTOM_UP = Coalesce("manager", "proposal")
_ENTERED = Q(manager__isnull=False) | Q(proposal__isnull=False)
WITHOUT_FIGURE = Q(manager__isnull=True, proposal__isnull=True)


@dataclass
class Totals:
    """Sums over cells. `against` is the top-down amount of those cells that have an entry from
    below: with it the entries are compared."""

    cells: int = 0
    entered: int = 0
    last_year: Decimal = ZERO
    top_down: Decimal = ZERO
    bottom_up: Decimal = ZERO
    against: Decimal = ZERO
    amount: Decimal = ZERO

    def add(self, other: Totals) -> None:
        """Add the sums of other cells."""
        for name in vars(self):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def difference(self) -> Decimal | None:
        """Bottom-up − top-down where something was entered; None where nothing was."""
        return self.bottom_up - self.against if self.entered else None

    @property
    def ratio(self) -> Decimal | None:
        """The difference ÷ top-down."""
        return self.difference / self.against if self.entered and self.against else None  # type: ignore[operator]

    @property
    def growth(self) -> Decimal | None:
        """What is planned against last year, as a fraction."""
        return (self.amount - self.last_year) / self.last_year if self.last_year > 0 else None


class Cell(NamedTuple):
    """What a page reads of a `TargetPlanLine`: no model instance a cell, for there are hundreds."""

    partner: int
    product_line: int | None
    pk: int
    month: date
    last_year: Decimal | None
    top_down: Decimal | None
    manager: Decimal | None
    proposal: Decimal | None
    amount: Decimal | None
    locked: bool
    comment: str

    bottom_up = TargetPlanLine.bottom_up
    difference = TargetPlanLine.difference
    ratio = TargetPlanLine.ratio


def totals_of(cells: Iterable[Cell]) -> Totals:
    """The sums of some cells."""
    found = Totals()
    for cell in cells:
        below, top_down = cell.bottom_up, cell.top_down or ZERO
        found.cells += 1
        found.last_year += cell.last_year or ZERO
        found.top_down += top_down
        found.amount += cell.amount or ZERO
        if below is not None:
            found.entered += 1
            found.bottom_up += below
            found.against += top_down
    return found


@dataclass
class Row:
    """A partner (and product line) with its twelve cells; a month without a cell is None. Where it
    is not `writable`, nothing is entered. `reached` is the attainment of the months that are over.
    """

    partner: Partner
    product_line: Any
    hint: TargetPlanHint | None
    cells: list[Cell | None]
    plan: TargetPlan
    totals: Totals = field(default_factory=Totals)
    writable: bool = True
    reached: Decimal | None = None

    @property
    def pk(self) -> str:
        return f"{self.partner.pk}-{self.product_line.pk if self.product_line else 0}"

    @property
    def first(self) -> Cell | None:
        """A cell by which the row is asked for."""
        return next((cell for cell in self.cells if cell), None)

    @property
    def entered(self) -> Decimal | None:
        """The sum of the manager's entries; None without any."""
        return _sum(cell.manager for cell in self.cells if cell)

    @property
    def proposed(self) -> Decimal | None:
        """The sum of the partner's entries; None without any."""
        return _sum(cell.proposal for cell in self.cells if cell)

    @property
    def with_fair(self) -> list[tuple[Cell | None, Decimal | None]]:
        """Each cell with the proposal for it."""
        return list(zip(self.cells, self.fair, strict=True))

    @property
    def fair(self) -> list[Decimal | None]:
        """The proposal by month, in the season of the top-down split and the unit of the plan, as
        `services.take_over` plans it."""
        season = [(cell.top_down or ZERO) if cell else ZERO for cell in self.cells]
        if self.hint is None or self.hint.suggested is None or not any(season):
            return [None] * len(season)
        places = self.plan.rounding
        return [*allocate(round_money(self.hint.suggested, places), season, places)]


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, ZERO) if known else None


def lines_for(plan: TargetPlan, user: Any, within: Territory | None = None) -> QuerySet:
    """The cells of the plan that `user` may see, in a territory with all below."""
    rows = TargetPlanLine.objects.filter(plan=plan)
    if not sees_everything(user):
        rows = rows.filter(partner__in=Partner.objects.visible_to(user).values("pk"))
    if within is not None and within.pk != plan.territory_id:
        rows = rows.filter(partner__territory__path__startswith=within.path)
    return rows.order_by()


def page_size(lines: int) -> int:
    """How many partners a page has that shows so many product lines of each."""
    return min(PAGE, max(1, ROWS // max(1, lines)))


def partners_of(lines: QuerySet, text: str = "") -> QuerySet:
    """The partners with cells among `lines`, in the order of the page; `text` searches them."""
    partners = Partner.objects.filter(pk__in=lines.values("partner"))
    if text:
        partners = partners.filter(
            Q(name__icontains=text) | Q(code__icontains=text) | Q(pinyin__icontains=text)
        )
    return partners.order_by("pinyin", "pk")


def rows_of(plan: TargetPlan, partners: Iterable[Partner], line: int | None = None) -> list[Row]:
    """The rows of these partners, in their order; of one product line of the plan, if given."""
    partners = list(partners)
    cells = TargetPlanLine.objects.filter(plan=plan, partner__in=partners)
    hints = TargetPlanHint.objects.filter(plan=plan, partner__in=partners)
    if line is not None:
        cells, hints = cells.filter(product_line=line), hints.filter(product_line=line)
    by_key = {(hint.partner_id, hint.product_line_id): hint for hint in hints}
    place = {month: number for number, month in enumerate(plan.months)}
    known = {partner.pk: partner for partner in partners}
    ordered = cells.order_by("product_line__code", "month")
    found = [Cell._make(values) for values in ordered.values_list(*Cell._fields)]
    lines = ProductLine.objects.in_bulk({cell.product_line for cell in found} - {None})
    rows: dict[tuple[int, int | None], Row] = {}
    for cell in found:
        key = (cell.partner, cell.product_line)
        row = rows.get(key)
        if row is None:
            line_of = lines.get(cell.product_line)
            months: list[Cell | None] = [None] * len(place)
            row = rows[key] = Row(known[cell.partner], line_of, by_key.get(key), months, plan)
        row.cells[place[cell.month]] = cell
    for row in rows.values():
        row.totals = totals_of(cell for cell in row.cells if cell)
    order = {partner.pk: number for number, partner in enumerate(partners)}
    return sorted(rows.values(), key=lambda row: order[row.partner.pk])


def set_reached(plan: TargetPlan, rows: Sequence[Row], on: date) -> None:
    """Tell of each row what was reached in the months of the plan that are over on the day `on`."""
    end = min(plan.period.end, on.replace(day=1))
    if not rows or end <= plan.starts_on:
        return
    partners = sorted({row.partner.pk for row in rows})
    nets = read_nets(plan, plan.starts_on, end, partners)
    for row in rows:
        months = nets.get((row.partner.pk, row.product_line.pk if row.product_line else 0), {})
        due = [cell.amount or ZERO for cell in row.cells if cell and cell.month < end]
        row.reached = attained(sum(months.values(), ZERO), sum(due, ZERO))


# --- Territories ---------------------------------------------------------------------------------


@dataclass
class Part:
    """A territory below the one that is looked at. Shares are fractions of the whole shown."""

    territory: Territory
    totals: Totals
    partners: int
    rate: Decimal | None  # its own growth rate
    share: Decimal | None = None  # of last year's sales
    potential: Decimal | None = None

    @property
    def percent(self) -> Decimal | None:
        """Its own growth rate in per cent."""
        return None if self.rate is None else self.rate * 100

    @property
    def index(self) -> Decimal | None:
        """Own share ÷ share of the potential: below 1 there is more to be had."""
        if self.share is None or not self.potential:
            return None
        return self.share / self.potential


def sums(lines: QuerySet) -> Totals:
    """The sums of these cells, in one query."""
    return _totals(lines.aggregate(**_aggregates()))


def own_sums(lines: QuerySet) -> Totals:
    """The sums of what a partner may be told: its own entries alone, not those of its manager. What
    is planned it is told when the plan is signed."""
    row = lines.aggregate(
        cells=Count("pk"),
        entered=Count("proposal"),
        last_year=Sum("last_year"),
        bottom_up=Sum("proposal"),
        amount=Sum("amount"),
    )
    return Totals(**{name: value or ZERO for name, value in row.items()})


def _totals(row: dict[str, Any]) -> Totals:
    return Totals(**{name: row[f"sum_{name}"] for name in Totals.__dataclass_fields__})


def _aggregates() -> dict[str, Any]:
    """The fields of Totals, not called like columns, for which later expressions take them."""
    amount: Any = DecimalField(max_digits=24, decimal_places=2)
    nothing = Value(ZERO, output_field=amount)
    return {
        "sum_cells": Count("pk"),
        "sum_entered": Count("pk", filter=_ENTERED),
        "sum_last_year": Coalesce(Sum("last_year"), nothing),
        "sum_top_down": Coalesce(Sum("top_down"), nothing),
        "sum_bottom_up": Coalesce(Sum(BOTTOM_UP), nothing),
        "sum_against": Coalesce(Sum("top_down", filter=_ENTERED), nothing),
        "sum_amount": Coalesce(Sum("amount"), nothing),
    }


@dataclass
class Overview:
    """The sums of cells, those of the territories, and how many partners lack a figure."""

    totals: Totals
    parts: list[Part]
    waiting: int


def has_many(lines: QuerySet) -> bool:
    """Whether these cells are too many to be summed while somebody waits for the page."""
    # In the order of the unique index, which alone is read then.
    keys = lines.order_by("partner").values("partner")
    return bool(keys[SUMMED_WITH_PAGE : SUMMED_WITH_PAGE + 1])


def overview(plan: TargetPlan, lines: QuerySet, within: Territory, user: Any) -> Overview:
    """What stands above the grid, in one pass over the cells, summed by partner.

    The parts are the territories right below `within` that have cells among `lines`; what hangs on
    `within` itself comes first, as the territory itself. Shares, also those of the potential, are
    of what `user` sees."""
    children = list(Territory.objects.filter(parent=within).order_by("sort_path"))
    rates = dict(plan.growths.values_list("territory", "rate"))
    found = {
        child.pk: Part(child, Totals(), 0, rates.get(child.pk)) for child in [within, *children]
    }
    paths = [(child.path, child.pk) for child in children]
    whole, waiting = Totals(), 0
    grouped = lines.values("partner", "partner__territory__path").annotate(**_aggregates())
    for row in grouped:
        path = row["partner__territory__path"]
        part = found[next((pk for above, pk in paths if path.startswith(above)), within.pk)]
        totals = _totals(row)
        part.totals.add(totals)
        part.partners += 1
        whole.add(totals)
        waiting += totals.entered < totals.cells
    kept = [part for part in found.values() if part.totals.cells]
    if not plan.is_whole_for(user):
        shown = {part.territory.pk for part in kept}
        paths_seen = tuple(user.territory_paths)
        children = [one for one in children if one.pk in shown or one.path.startswith(paths_seen)]
    _set_shares(kept, children)
    return Overview(whole, kept, waiting)


def _set_shares(kept: list[Part], children: list[Territory]) -> None:
    """Shares of what is shown together, and of the potential of these territories, also of those
    where there is nobody yet."""
    whole = sum((part.totals.last_year for part in kept), ZERO)
    people = sum(child.population or 0 for child in children)
    produced = sum((child.gdp or ZERO for child in children), ZERO)
    known = {child.pk for child in children}
    for part in kept:
        if whole > 0:
            part.share = part.totals.last_year / whole
        place = part.territory
        if place.pk in known:
            part.potential = potential(
                None if place.population is None else (place.population, people),
                None if place.gdp is None else (place.gdp, produced),
            )


# --- What an amendment changes -------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """A cell whose amount differs between two versions; None where one of them has no such cell."""

    cell: TargetPlanLine
    old: Decimal | None
    new: Decimal | None

    @property
    def difference(self) -> Decimal:
        return (self.new or ZERO) - (self.old or ZERO)


def changes(plan: TargetPlan, user: Any, limit: int) -> tuple[int, list[Change]]:
    """(how many, the first `limit`) cells that `user` sees whose amount is not that of the version
    that the plan amends."""
    if plan.amends is None:
        return 0, []
    mine, theirs = lines_for(plan, user), lines_for(plan.amends, user)
    differ = mine.annotate(old=_same_cell(plan.amends_id)).filter(
        Q(old__isnull=True) | ~Q(old=F("amount"))
    )
    gone = theirs.annotate(now=_same_cell(plan.pk)).filter(now__isnull=True)
    order = ("partner__pinyin", "partner", "product_line__code", "month")
    found = [
        Change(cell, cell.old, cell.amount)
        for cell in differ.select_related("partner", "product_line").order_by(*order)[:limit]
    ]
    left = limit - len(found)
    found += [
        Change(cell, cell.amount, None)
        for cell in gone.select_related("partner", "product_line").order_by(*order)[:left]
    ]
    return differ.count() + gone.count(), found


def _same_cell(plan_id: int | None) -> Subquery:
    """The amount of the cell of another version for the same partner, product line and month."""
    line = Coalesce("product_line_id", Value(0))
    rows = (
        TargetPlanLine.objects.filter(
            plan=plan_id, partner=OuterRef("partner"), month=OuterRef("month")
        )
        .annotate(_line=line)
        .filter(_line=Coalesce(OuterRef("product_line_id"), Value(0)))
    )
    return Subquery(rows.values("amount")[:1])
