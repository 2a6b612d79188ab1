"""Two companies that somebody entered a second time, so that there is something to merge."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from channel_crm.demo import names
from channel_crm.demo.clock import early
from channel_crm.demo.lives import NOTE
from channel_crm.demo.plans import ACTIVE, Plan
from channel_crm.demo.story import Story
from channel_crm.demo.writing import enter
from partners.models import Contact, Partner

_FORM, _ELSEWHERE = "有限公司", "440300"


def tell_doubles(story: Story, plans: list[Plan]) -> None:
    """One has been registered in another city since; the other was entered with a short name and a
    credit code that is not its own, and is known by its phone."""
    moved, noted = [plan for plan in plans if plan.fate == ACTIVE][-2:]
    day = story.until - timedelta(days=12)
    serial = int(moved.credit_code[11:16])
    renamed = moved.name.removesuffix(_FORM) + "股份" + _FORM
    code = names.credit_code(_ELSEWHERE, serial)
    story.tell(early(day, hour=9), partial(_enter, story, moved, renamed, code))
    code = names.credit_code(noted.credit_code[2:8], int(noted.credit_code[11:16]) + 9000)
    short = noted.name.removesuffix(_FORM)
    story.tell(early(day, hour=10), partial(_enter, story, noted, short, code))


def _enter(story: Story, plan: Plan, name: str, credit_code: str) -> None:
    known = story.partners[plan.code]
    partner = Partner(
        code=f"{plan.code}-2",
        name=name,
        channel_type=plan.channel_type,
        credit_code=credit_code,
        territory=known.territory,
        owner=story.users[plan.manager],
        note=NOTE,
    )
    partner.normalise()
    enter(partner, by=story.users[plan.manager])
    person = plan.contacts[0]
    phone = f"+86 {person.phone[:3]} {person.phone[3:7]} {person.phone[7:]}"
    enter(
        Contact(partner=partner, name=person.name, role=person.role, phone=phone),
        by=story.users[plan.manager],
    )
