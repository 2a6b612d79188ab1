"""One row of each model with pages, and what a person types to make or change one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from partners.models import Partner
from tests import factories as make
from tests.cast import Cast


@dataclass(frozen=True)
class Sample:
    """`row(partner)` makes one that belongs to the partner (shared data ignores it).

    `typed(cast)` is what a create form is given; `change` is (field, new value) of an edit, and
    `shown` what of a row can be found in a list.
    """

    row: Callable[[Partner], Any]
    typed: Callable[[Cast], dict[str, Any]] | None = None
    change: tuple[str, Any] | None = None
    shared: bool = False


def _partner(partner: Partner) -> Partner:
    return make.make_partner(territory=partner.territory)


def _in_review(cast: Cast) -> Any:
    return make.make_correction(cast.north_partner, state="rejected").evaluation


SAMPLES: dict[str, Sample] = {
    "accounts.user": Sample(
        row=lambda partner: make.make_user("service"),
        typed=lambda cast: {
            "username": "newcomer",
            "email": "newcomer@example.com",
            "role": "finance",
            "language": "en",
            "is_active": "on",
            "first_name": "New",
            "last_name": "Comer",
            "password": "correct-horse-9",
        },
        change=("first_name", "Changed"),
        shared=True,
    ),
    "accounts.territory": Sample(
        row=lambda partner: make.make_territory(),
        typed=lambda cast: {
            "code": "NEW",
            "name": "New land",
            "level": "city",
            "parent": cast.north.pk,
        },
        change=("name", "Changed"),
        shared=True,
    ),
    "accounts.apiclient": Sample(
        row=lambda partner: make.make_api_client(), change=("note", "Changed"), shared=True
    ),
    "catalog.productline": Sample(
        row=lambda partner: make.make_product_line(),
        typed=lambda cast: {"code": "NEW", "name": "New line", "role": "focus"},
        change=("name", "Changed"),
        shared=True,
    ),
    "catalog.product": Sample(
        row=lambda partner: make.make_product(),
        typed=lambda cast: {
            "code": "NEW",
            "name": "New product",
            "product_line": make.make_product_line().pk,
            "unit": "box",
            "list_price": "12.50",
        },
        change=("name", "Changed"),
        shared=True,
    ),
    "partners.level": Sample(
        row=lambda partner: make.make_level(),
        typed=lambda cast: {"code": "new", "name": "New", "rank": "77", "color": "blue"},
        change=("name", "Changed"),
        shared=True,
    ),
    "partners.partner": Sample(
        row=_partner,
        typed=lambda cast: {
            "code": "NEW-1",
            "name": "New Trading",
            "channel_type": "dealer",
            "territory": cast.north.pk,
        },
        change=("name", "Changed"),
    ),
    "partners.contact": Sample(
        row=lambda partner: make.make_contact(partner),
        typed=lambda cast: {"partner": cast.north_partner.pk, "name": "Someone", "role": "sales"},
        change=("name", "Changed"),
    ),
    "partners.site": Sample(
        row=lambda partner: make.make_site(partner),
        typed=lambda cast: {"partner": cast.north_partner.pk, "name": "Depot", "kind": "warehouse"},
        change=("name", "Changed"),
    ),
    "partners.membership": Sample(
        row=lambda partner: make.make_membership(partner),
        typed=lambda cast: {
            "partner": cast.north_partner.pk,
            "user": make.make_user("partner_member").pk,
        },
        change=("include_sub_partners", True),
    ),
    "core.import": Sample(row=lambda partner: make.make_import(), shared=True),
    "core.webhookendpoint": Sample(
        row=lambda partner: make.make_webhook(event_types=["partners.partner.*"]),
        typed=lambda cast: {
            "name": "ERP",
            "url": "https://erp.example.com/hook",
            "owner": cast.administrator.pk,
            "objects": ["partners.partner"],
            "verbs": "partners.contact.created",
        },
        change=("name", "Changed"),
        shared=True,
    ),
    "core.webhookdelivery": Sample(row=lambda partner: make.make_delivery(), shared=True),
    "core.importprofile": Sample(
        row=lambda partner: make.make_import_profile(), change=("name", "Changed"), shared=True
    ),
    "sales.salesfact": Sample(row=lambda partner: make.make_fact(partner)),
    "sales.payment": Sample(row=lambda partner: make.make_payment(partner)),
    "sales.productalias": Sample(
        row=lambda partner: make.make_alias(partner),
        typed=lambda cast: {
            "partner": cast.north_partner.pk,
            "code": "THEIRS",
            "unit": "case",
            "product": make.make_product().pk,
            "factor": "12",
        },
        change=("code", "changed"),
    ),
    "sales.controltotal": Sample(
        row=lambda partner: make.make_control_total(partner),
        typed=lambda cast: {
            "source": "erp",
            "kind": "sell_in",
            "period": "2026-03",
            "rows": "3",
            "amount": "12.5000",
        },
        change=("rows", 7),
    ),
    "sales.target": Sample(
        row=lambda partner: make.make_target(
            partner, product_line=make.make_product_line(), month=date(2026, 3, 1)
        ),
        typed=lambda cast: {
            "partner": cast.north_partner.pk,
            "month": "2026-05-01",
            "kind": "sell_in",
            "amount": "1000.00",
        },
        change=("amount", "2345.00"),
    ),
    "sales.targetplan": Sample(
        row=lambda partner: make.make_plan_line(partner).plan,
        typed=lambda cast: {
            "name": "The north next year",
            "code": "NORTH-27",
            "year": "2027",
            "kind": "sell_in",
            "territory": cast.north.pk,
            "newcomers": "median",
            "rounding": "0",
        },
        change=("name", "Changed"),
    ),
    "sales.targetplanline": Sample(row=lambda partner: make.make_plan_line(partner)),
    "sales.reportingrule": Sample(
        row=lambda partner: make.make_reporting_rule(),
        typed=lambda cast: {
            "name": "New rule",
            "kind": "sell_out",
            "frequency": "week",
            "due_days": "3",
            "starts_on": "2026-01-05",
            "channel_types": ["dealer"],
            "levels": [make.make_level().pk],
            "territories": [cast.north.pk],
            "partners": [cast.north_partner.pk],
        },
        change=("due_days", 20),
        shared=True,
    ),
    "sales.report": Sample(row=lambda partner: make.make_report(partner)),
    "sales.closedperiod": Sample(row=lambda partner: make.make_closed_period(), shared=True),
    "sales.adjustment": Sample(row=lambda partner: make.make_adjustment(partner)),
    "performance.scheme": Sample(
        row=lambda partner: make.make_scheme(),
        typed=lambda cast: {"code": "new-scheme", "name": "New scheme"},
        change=("name", "Changed"),
        shared=True,
    ),
    "performance.schemeversion": Sample(
        row=lambda partner: make.make_scheme_version(), change=("note", "Changed"), shared=True
    ),
    "performance.schemeitem": Sample(
        row=lambda partner: make.make_scheme_item(),
        typed=lambda cast: {
            "version": make.make_scheme_version().pk,
            "position": "1",
            "code": "net",
            "basis": "measure",
            "role": "weighted",
            "measure": "sell_in_net",
            "weight": "100",
            "cap": "120",
            "target_source": "peer_median",
            "missing": "zero",
            "curve_kind": "proportional",
        },
        change=("code", "changed"),
        shared=True,
    ),
    "performance.schemelevel": Sample(
        row=lambda partner: make.make_scheme_level(),
        typed=lambda cast: {
            "version": make.make_scheme_version().pk,
            "level": make.make_level().pk,
            "min_total": "70",
            "keep_total": "65",
        },
        change=("min_total", "75.00"),
        shared=True,
    ),
    "performance.schemeveto": Sample(
        row=lambda partner: make.make_scheme_veto(),
        typed=lambda cast: {
            "version": make.make_scheme_version().pk,
            "code": "returns",
            "name": "Too many returns",
            "measure": "return_rate",
            "side": "above",
            "bound": "0.2",
            "effect": "no_level",
        },
        change=("name", "Changed"),
        shared=True,
    ),
    "performance.derivedmeasure": Sample(
        row=lambda partner: make.make_derived_measure(),
        typed=lambda cast: {
            "code": "sell_through_rate",
            "name": "Sell-through rate",
            "unit": "ratio",
            "definition": "Sell-through ÷ sell-in.",
            "expression": "sell_through_net / sell_in_net",
            "places": "4",
            "zero": "zero",
            "span": "year_to_date",
            "higher": "on",
        },
        change=("name", "Changed"),
        shared=True,
    ),
    "performance.deduction": Sample(
        row=lambda partner: make.make_deduction(partner),
        typed=lambda cast: {
            "partner": cast.north_partner.pk,
            "decided_on": "2026-02-03",
            "points": "2.50",
            "reason": "Sold across the border",
        },
        change=("reason", "Changed"),
    ),
    "performance.rating": Sample(
        row=lambda partner: make.make_rating(make.make_evaluation(), partner)
    ),
    "performance.correction": Sample(
        row=lambda partner: make.make_correction(partner),
        typed=lambda cast: {
            "evaluation": _in_review(cast).pk,
            "partner": cast.north_partner.pk,
            "level": make.make_level().pk,
            "reason": "Floods in June",
        },
    ),
    "performance.appeal": Sample(
        row=lambda partner: make.make_appeal(partner, by_partner=True),
        typed=lambda cast: {
            "evaluation": make.make_published(cast.north_partner).pk,
            "partner": cast.north_partner.pk,
            "claim": "A delivery was not counted",
        },
    ),
    "performance.scorechange": Sample(row=lambda partner: make.make_score_change(partner)),
    "performance.evaluationschedule": Sample(
        row=lambda partner: make.make_schedule(),
        typed=lambda cast: {
            "scheme": make.make_scheme().pk,
            "every": "quarter",
            "days_after": "5",
            "active": "on",
        },
        change=("days_after", 9),
        shared=True,
    ),
    "performance.evaluation": Sample(row=lambda partner: make.make_evaluation(), shared=True),
    "performance.backtestreport": Sample(row=lambda partner: make.make_backtest(), shared=True),
    "performance.backtestresult": Sample(row=lambda partner: make.make_backtest_result(partner)),
    "performance.consequence": Sample(
        row=lambda partner: make.make_consequence(partner),
        typed=lambda cast: {
            "kind": "award",
            "partner": cast.north_partner.pk,
            "effective_on": "2026-06-01",
            "reason": "Best growth of the year",
        },
        change=("reason", "Changed"),
    ),
    "performance.improvementplan": Sample(
        row=lambda partner: make.make_improvement_plan(partner),
        typed=lambda cast: {
            "partner": cast.north_partner.pk,
            "goal": "Reach the target again",
            "owner": cast.north_manager.pk,
            "starts_on": "2026-04-15",
            "due_on": "2026-07-15",
            "scheme": make.make_scheme().pk,
            "retest_period": "2026Q2",
            "goal_total": "60.00",
        },
        change=("goal", "Changed"),
    ),
    "performance.planaction": Sample(
        row=lambda partner: make.make_plan_action(make.make_improvement_plan(partner)),
        typed=lambda cast: {
            "plan": make.make_improvement_plan(cast.north_partner).pk,
            "what": "Train two people",
            "owner": cast.north_manager.pk,
            "due_on": "2026-05-15",
        },
        change=("what", "Changed"),
    ),
    "performance.score": Sample(row=lambda partner: make.make_score(partner)),
}
