"""A scheme with all stages over the small network, and its people."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from accounts.models import Territory, User
from partners.models import Partner
from performance.models import Evaluation, Scheme, SchemeVersion
from performance.process import rating
from performance.services import evaluate, publish_version
from tests import factories as make
from tests.performance.network import GROWTH, LINEAR, TODAY, make_network

PERIOD = "2013Q3"  # ends before 2013-10-01
SOON = date(2013, 10, 6)
MARKS = {"kind": "linear", "points": [["1", "0"], ["5", "100"]]}


@dataclass
class Staged:
    partners: dict[str, Partner]
    version: SchemeVersion
    director: User
    other_director: User
    manager: User
    second: User


def make_staged(**windows) -> Staged:
    """Sell-in against the median (60) and service by rating (40), or with `rating_days=0` growth in
    its place; ratings until 2013-10-10, review until 2013-10-20, appeals for 10 days. Two managers
    see all four partners."""
    partners = make_network()
    country = make.make_territory("Country", level="country", code="ALL")
    Territory.objects.exclude(pk=country.pk).filter(parent=None).update(parent=country)
    for territory in Territory.objects.exclude(pk=country.pk):
        territory.refresh_from_db()
    scheme = Scheme.objects.create(code="staged", name="Staged")
    fields = {"rating_days": 10, "review_days": 20, "appeal_days": 10} | windows
    version = SchemeVersion.objects.create(scheme=scheme, number=1, **fields)
    version.items.create(
        position=1,
        code="sales",
        measure="sell_in_net",
        weight=Decimal(60),
        target_source="peer_median",
        curve=LINEAR,
    )
    rated = {
        "basis": "rating",
        "name": "服务",
        "name_en": "Service",
        "curve": MARKS,
        "anchors": {"1": "bad", "3": "fair", "5": "very good"},
    }
    measured = {"measure": "growth_yoy", "curve": GROWTH}
    version.items.create(
        position=2,
        code="service",
        weight=Decimal(40),
        **(rated if fields["rating_days"] else measured),
    )
    version = publish_version(version=version, by=None, on=TODAY)
    people = [
        make.make_user(role, username=name, email=f"{name}@example.com", territories=[country])
        for role, name in (
            *(("director", "d1"), ("director", "d2")),
            *(("sales_manager", "m1"), ("sales_manager", "m2")),
        )
    ]
    return Staged(partners, version, *people)


def run(on=SOON, **fields) -> Evaluation:
    return evaluate(scheme_code="staged", period=PERIOD, by=None, on=on, **fields)


def give(evaluation, partner, by, mark, evidence="seen"):
    return rating.rate(
        evaluation=evaluation,
        item_code="service",
        partner=partner,
        mark=mark,
        evidence=evidence,
        by=by,
    )
