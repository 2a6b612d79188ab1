"""Builds the demo network, all or nothing."""

from __future__ import annotations

import random
import time
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.divisions import load_divisions
from channel_crm.demo import (
    clients,
    clock,
    control,
    deductions,
    doubles,
    payments,
    people,
    planning,
    process,
    products,
    reports,
    results,
    sales,
    story,
    webhooks,
)
from channel_crm.demo.lives import NOTE, tell_lives
from channel_crm.demo.plans import make_plans
from core.errors import Conflict
from core.models import Event
from core.periods import Period, add_months
from partners.models import Contact, Partner, Site
from performance.models import Evaluation, Score
from sales.models import Payment, SalesFact, Target, TargetPlan

MONTHS = 36


def default_until(today: date) -> date:
    """The last day of the last month that is over."""
    return Period.containing("month", today).start - timedelta(days=1)


def is_there() -> bool:
    """Whether this database has the demo network already."""
    return Partner.objects.filter(note=NOTE).exists()


@transaction.atomic
def build(
    *, until: date, force: bool = False, scale: float = 1.0, months: int = MONTHS
) -> dict[str, Any]:
    """Generate the network with sales up to `until`; the same `until` gives the same facts.

    Where it is there already, nothing changes. Conflict `other_partners` where the database has
    partners of its own, unless `force`. Returns counts and the digest of the facts. `scale` and
    `months` make it smaller for tests.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('channel_crm.demo'))")
    if is_there():
        return {"created": False, "until": None} | _counts()
    if Partner.objects.exists() and not force:
        message = _("This database has partners of its own. Use --force to add the demo network.")
        raise Conflict("other_partners", message)
    began = time.monotonic()
    start = add_months(until, 1 - months)
    digest = _generate(start, until, scale)
    seconds = round(time.monotonic() - began, 1)
    return {"created": True, "until": until} | _counts() | {"digest": digest, "seconds": seconds}


def _generate(start: date, until: date, scale: float) -> str:
    plans = make_plans(start, until, scale)
    facts = sales.make_facts(plans, start, until)
    opening = min(plan.met_on for plan in plans) - timedelta(days=30)
    with clock.at(clock.office_hours(opening, random.Random("opening"))):
        load_divisions(by=None)
        planning.set_potential()
        users = people.make_users()
        told = story.Story(start, until, users, products.make_products(start))
    tell_lives(told, plans)
    doubles.tell_doubles(told, plans)
    story.tell_sales(told, facts, reports.arrives_on)
    control.tell_control(told, facts)
    payments.tell_payments(told, facts)
    story.tell_targets(told, plans)
    planning.tell_planning(told, plans)
    reports.tell_reports(told, plans)
    story.tell_evaluations(told)
    process.tell_process(told)
    deductions.tell_deductions(told, plans)
    results.tell_results(told)
    told.play()
    process.make_stages(told)
    webhooks.make_webhook(users, timezone.now())
    clients.make_clients(users, timezone.localdate())
    return sales.digest(facts)


def _counts() -> dict[str, int]:
    models = {
        "partners": Partner,
        "contacts": Contact,
        "sites": Site,
        "facts": SalesFact,
        "payments": Payment,
        "targets": Target,
        "plans": TargetPlan,
        "evaluations": Evaluation,
        "scores": Score,
        "events": Event,
    }
    return {name: model._default_manager.count() for name, model in models.items()}
