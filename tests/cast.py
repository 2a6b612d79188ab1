"""The fixed cast: the same people in every test of who may see and do what.

North and South are two provinces under one country; each has a manager and a partner with a person
of its own. The stranger is signed in but has neither a territory nor a partner.
"""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import Territory, User
from partners.models import Partner
from tests import factories as make


@dataclass(frozen=True)
class Cast:
    country: Territory
    north: Territory
    south: Territory
    director: User
    administrator: User
    finance: User
    north_manager: User
    south_manager: User
    north_partner: Partner
    south_partner: Partner
    north_person: User
    south_person: User
    stranger: User


def make_cast() -> Cast:
    country = make.make_territory("Country", level="country", code="CN")
    north = make.make_territory("North", parent=country, level="province", code="N")
    south = make.make_territory("South", parent=country, level="province", code="S")
    north_partner = make.make_partner("Northern Trading", territory=north, code="NORTH-1")
    south_partner = make.make_partner("Southern Trading", territory=south, code="SOUTH-1")
    return Cast(
        country=country,
        north=north,
        south=south,
        director=make.make_user("director", username="director"),
        administrator=make.make_user("administrator", username="administrator"),
        finance=make.make_user("finance", username="finance"),
        north_manager=make.make_user(
            "sales_manager", username="north_manager", territories=[north]
        ),
        south_manager=make.make_user(
            "sales_manager", username="south_manager", territories=[south]
        ),
        north_partner=north_partner,
        south_partner=south_partner,
        north_person=make.make_membership(north_partner).user,
        south_person=make.make_membership(south_partner, role="partner_member").user,
        stranger=make.make_user("sales_manager", username="stranger"),
    )
