"""The life of each partner as deeds of a story: met, taken on, at work, at rest or gone."""

from __future__ import annotations

import random
from datetime import date, timedelta
from functools import partial

from accounts.models import User
from channel_crm.demo import names, plans as fates
from channel_crm.demo.clock import early, office_hours
from channel_crm.demo.people import PARTNER_ADMIN, PARTNER_MEMBER, SECOND_ADMIN
from channel_crm.demo.plans import Plan, portal_partners
from channel_crm.demo.story import Story
from channel_crm.demo.writing import amend, enter
from core import workflow
from partners.models import Contact, Membership, Partner, Site

NOTE = "演示数据：由程序生成，并非真实企业。Generated demo data, not a real company."
_SUSPENDED = ("两期货款逾期未付，暂停发货", "连续两个月未提货", "跨区销售调查期间暂停")
_EXITED = ("合同到期不再续签", "转型做其他行业", "连续三个季度未完成任务，双方协商退出")
_PAUSED = ("门店搬迁，暂停发货", "财务资料更新期间暂停", "库存盘点期间暂停")


def tell_lives(story: Story, plans: list[Plan]) -> None:
    """Everything that happens to each partner, and who of its people gets portal access."""
    for plan in plans:
        _Life(story, plan).tell()
    first, second = portal_partners(plans)
    moment = early(story.until - timedelta(days=20), hour=11)
    for person, plan in ((PARTNER_ADMIN, first), (PARTNER_MEMBER, first), (SECOND_ADMIN, second)):
        user = story.users[person.username]
        all_below = person is PARTNER_ADMIN
        story.tell(moment, partial(_give_access, story, plan, user, all_below))


def _give_access(story: Story, plan: Plan, user: User, all_below: bool) -> None:
    partner = story.partners[plan.code]
    enter(Membership(user=user, partner=partner, include_sub_partners=all_below), by=story.director)


class _Life:
    """One partner's deeds; each is done by its manager unless said otherwise."""

    def __init__(self, story: Story, plan: Plan) -> None:
        self.story, self.plan = story, plan
        self.manager = story.users[plan.manager]
        self.rng = random.Random(f"life {plan.code}")

    def tell(self) -> None:
        plan = self.plan
        self._on(plan.met_on, self.meet)
        for contact in plan.contacts[1:]:
            self._on(contact.since, partial(self.add_contact, contact))
        if plan.onboarded_on:
            self._on(plan.onboarded_on, partial(self.fire, "onboard", plan.onboarded_on))
            self._on(plan.onboarded_on + timedelta(days=1), self.add_sites)
        if plan.started_on:
            self._on(plan.started_on, self.begin)
            self._incidents(plan.started_on)
        if plan.fate == fates.SUSPENDED and plan.ended_on:
            reason = self.rng.choice(_SUSPENDED)
            self._on(plan.ended_on, partial(self.fire, "suspend", plan.ended_on, reason))
        if plan.fate == fates.EXITED and plan.ended_on:
            reason = self.rng.choice(_EXITED)
            self._on(plan.ended_on, partial(self.fire, "leave", plan.ended_on, reason))

    def _incidents(self, started: date) -> None:
        """What happens to anybody now and then in the time of the network."""
        first = max(started, self.story.start) + timedelta(days=30)
        span = (min(self.story.until, self.plan.ended_on or self.story.until) - first).days - 40
        if span < 1:
            return
        if self.rng.random() < 0.5:
            self._on(first + timedelta(days=self.rng.randrange(span)), self.change_phone)
        if self.rng.random() < 0.06:
            day = first + timedelta(days=self.rng.randrange(span))
            back = day + timedelta(days=self.rng.randint(6, 30))
            self._on(day, partial(self.fire, "suspend", day, self.rng.choice(_PAUSED)))
            self._on(back, partial(self.fire, "resume", back))

    def _on(self, day: date, deed: object) -> None:
        if day <= self.story.until:
            self.story.tell(office_hours(day, self.rng), deed)  # type: ignore[arg-type]

    @property
    def partner(self) -> Partner:
        return self.story.partners[self.plan.code]

    # --- the deeds -------------------------------------------------------------------------------

    def meet(self) -> None:
        """The partner is entered, with its first contact."""
        plan = self.plan
        partner = Partner(
            code=plan.code,
            name=plan.name,
            short_name=plan.short_name,
            legal_name=plan.name,
            channel_type=plan.channel_type,
            credit_code=plan.credit_code,
            territory=self.story.territories[plan.territory],
            owner=self.manager,
            note=NOTE,
        )
        partner.normalise()
        enter(partner, by=self.manager)
        self.story.partners[plan.code] = partner
        self.add_contact(plan.contacts[0], first=True)

    def add_contact(self, contact: fates.Contact, first: bool = False) -> None:
        row = Contact(
            partner=self.partner,
            name=contact.name,
            role=contact.role,
            phone=contact.phone,
            email=contact.email,
            is_primary=first,
        )
        enter(row, by=self.manager)

    def add_sites(self) -> None:
        partner = self.partner
        rows = [
            Site(
                partner=partner, kind=kind, name=name, address=address, territory=partner.territory
            )
            for kind, name, address in self.plan.sites
        ]
        enter(*rows, by=self.manager)

    def fire(self, transition: str, day: date, reason: str = "") -> None:
        self.story.partners[self.plan.code] = workflow.fire(
            self.partner, transition, by=self.manager, on=day, reason=reason
        )

    def begin(self) -> None:
        """Cooperation begins, at the level and under the distributor that were agreed."""
        parent = self.story.partners[self.plan.parent] if self.plan.parent else None
        agreed = {"level": self.story.levels[self.plan.level], "parent": parent}
        amend([self.partner], [agreed], by=self.manager)
        self.fire("activate", self.plan.started_on or self.story.start)

    def change_phone(self) -> None:
        contact = Contact.objects.get(partner=self.partner, role="sales")
        changed = {"phone": names.phone(int(contact.phone[4:]) + 5)}
        amend([contact], [changed], by=self.manager)
