"""Target plans: the one of the year that runs, signed and amended once, and drafts of the next."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from django.conf import settings
from django.db.models import OuterRef, Subquery

from accounts.divisions import COUNTRY
from accounts.models import Territory, User
from catalog.models import ProductLine
from channel_crm.demo import regions
from channel_crm.demo.clock import early
from channel_crm.demo.people import PARTNER_ADMIN, SECOND_ADMIN
from channel_crm.demo.plans import Plan, portal_partners
from channel_crm.demo.story import Story
from channel_crm.demo.writing import amend, enter
from core import workflow
from core.periods import Period, add_months
from partners.models import Partner
from sales.models import Target, TargetKind, TargetPlan, TargetPlanLine
from sales.planning import services

GROWTH = {COUNTRY: "0.08", "320000": "0.12", "440000": "0.1", "650000": "0"}
ENTERED = 4  # partners for whom each manager has entered something
BY_LINE, LINES = "440000", ("FIB", "SWP")


def set_potential() -> None:
    """Population and GDP of the provinces, made up from how many partners each has."""
    rng = random.Random("potential")
    counts = {code: count for region in regions.REGIONS for code, count in region.provinces.items()}
    places = list(Territory.objects.filter(code__in=counts).order_by("code"))
    for place in places:
        weight = counts[place.code]
        place.population = round(weight * rng.uniform(7_000_000, 12_000_000), -4)
        place.gdp = Decimal(round(weight * rng.uniform(0.6e12, 1.1e12), -9))
    Territory.objects.bulk_update(places, ["population", "gdp"])


def tell_planning(story: Story, plans: list[Plan]) -> None:
    """The plan of the year that runs, if it began within the story, and what is planned by now."""
    year = Period.containing("year", story.until, settings.FISCAL_YEAR_START)
    made = year.start - timedelta(days=11)
    if made > story.start:
        story.tell(early(made, hour=21), partial(_make, story, year, made))
        story.tell(early(made + timedelta(days=3), hour=10), partial(_sign, story, year, made))
        amended = add_months(year.start, 6) + timedelta(days=9)
        if amended <= story.until:
            story.tell(early(amended, hour=15), partial(_amend, story, year, amended))
            signed = partial(_sign, story, year, amended)
            story.tell(early(amended + timedelta(days=1), hour=10), signed)
    today = story.until + timedelta(days=1)
    story.tell(early(today, hour=5), partial(_draft, story, year.next(), plans, today))


def _plan(
    story: Story, year: Period, code: str, place: str, name: str, **fields: object
) -> TargetPlan:
    plan = TargetPlan(
        code=code,
        name=f"{year.start.year} 年{name}",
        year=year.start.year,
        starts_on=year.start,
        territory=story.territories[place],
        rounding=TargetPlan.Rounding.HUNDREDS,
        **fields,
    )
    enter(plan, by=story.director)
    return plan


def _grow(story: Story, plan: TargetPlan) -> None:
    for code, rate in GROWTH.items():
        services.set_growth(
            plan=plan, territory=story.territories[code], rate=Decimal(rate), by=story.director
        )


def _code(year: Period) -> str:
    return f"SI-{year.start.year}"


def _make(story: Story, year: Period, on: date) -> None:
    """Split from above; what was agreed with the partners is the entry from below, and planned."""
    plan = _plan(story, year, _code(year), COUNTRY, "提货任务", newcomers=TargetPlan.Newcomers.ZERO)
    _grow(story, plan)
    services.split_plan(plan=plan, by=story.director, on=on)
    agreed = Target.objects.filter(
        partner=OuterRef("partner"),
        month=OuterRef("month"),
        kind=TargetKind.SELL_IN,
        product_line__isnull=True,
    )
    plan.lines.update(manager=Subquery(agreed.values("amount")[:1]))
    services.take_over(plan=plan, lines=plan.lines.all(), source="bottom_up", by=story.director)
    workflow.fire(plan, "submit", by=story.director, on=on)


def _sign(story: Story, year: Period, on: date) -> None:
    plan = TargetPlan.objects.get(code=_code(year), state=TargetPlan.State.SUBMITTED)
    workflow.fire(plan, "sign", by=story.users["finance"], on=on)


def _amend(story: Story, year: Period, on: date) -> None:
    """A tenth less in the north-west, from the last quarter on."""
    signed = TargetPlan.objects.get(code=_code(year), state=TargetPlan.State.SIGNED)
    reason = "西北区工程项目延期，四季度任务下调一成"
    plan = services.amend_plan(plan=signed, reason=reason, by=story.director)
    paths = [story.territories[code].path for code in regions.NORTHWEST.provinces]
    lines = [
        line
        for line in plan.lines.select_related("partner__territory", "plan")
        .filter(month__gte=add_months(year.start, 9))
        .order_by("pk")
        if line.partner.territory.path.startswith(tuple(paths))
    ]
    values = [{"amount": round(line.amount * Decimal("0.9"), -2)} for line in lines]
    amend(lines, values, by=story.director)
    workflow.fire(plan, "submit", by=story.director, on=on)


def _draft(story: Story, year: Period, plans: list[Plan], on: date) -> None:
    """Next year: split, and half entered from below; one province also by product line."""
    due = on + timedelta(days=14)
    plan = _plan(story, year, _code(year), COUNTRY, "提货任务", due_on=due)
    _grow(story, plan)
    services.split_plan(plan=plan, by=story.director, on=on)
    rng = random.Random(f"entries {year.code}")
    for region in regions.REGIONS:
        manager = story.users[region.manager]
        partners = Partner.objects.visible_to(manager)
        largest = partners.filter(target_hints__plan=plan, target_hints__basis="history").order_by(
            "-target_hints__last_year", "pk"
        )[:ENTERED]
        for partner in largest:
            _enter(plan, partner, "manager", rng.uniform(0.88, 1.1), rng, by=manager)
    for person, found in zip((PARTNER_ADMIN, SECOND_ADMIN), portal_partners(plans), strict=True):
        partner = story.partners[found.code]
        _enter(
            plan, partner, "proposal", rng.uniform(0.85, 1), rng, by=story.users[person.username]
        )
    by_line = _plan(
        story, year, f"ST-{year.start.year}-GD", BY_LINE, "广东重点产品线分销任务",
        kind=TargetKind.SELL_THROUGH,
    )  # fmt: skip
    by_line.product_lines.set(ProductLine.objects.filter(code__in=LINES))
    if Partner.objects.filter(territory__path__startswith=by_line.territory.path).exists():
        services.split_plan(plan=by_line, by=story.director, on=on)


def _enter(
    plan: TargetPlan, partner: Partner, name: str, level: float, rng: random.Random, *, by: User
) -> None:
    lines = list(
        TargetPlanLine.objects.select_related("plan", "partner", "product_line")
        .filter(plan=plan, partner=partner, top_down__isnull=False)
        .order_by("month")
    )
    values = [
        {name: round(line.top_down * Decimal(level * rng.uniform(0.95, 1.05)), -2)}
        for line in lines
        if line.top_down is not None
    ]
    amend(lines, values, by=by)
