"""The demo accounts: one table, from which users are made and accounts are printed."""

from __future__ import annotations

from typing import NamedTuple

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from accounts.models import Territory, User
from accounts.roles import Role
from channel_crm.demo import regions

PASSWORD = "channel-demo"


class Person(NamedTuple):
    """Somebody who signs in with `username` and the demo password."""

    username: str
    role: Role
    family_name: str
    given_name: str
    does: str
    region: regions.Region | None = None


DIRECTOR = "director"
STAFF = (
    Person(DIRECTOR, Role.DIRECTOR, "林", "砚舟", "渠道总监"),
    Person("north", Role.SALES_MANAGER, "韩", "立冬", "北方区销售经理", regions.NORTH),
    Person("east", Role.SALES_MANAGER, "沈", "嘉宁", "华东区销售经理", regions.EAST),
    Person("south", Role.SALES_MANAGER, "许", "海帆", "华南区销售经理", regions.SOUTH),
    Person("central", Role.SALES_MANAGER, "彭", "远川", "中部区销售经理", regions.CENTRAL),
    Person("northwest", Role.SALES_MANAGER, "秦", "朗", "西北区销售经理", regions.NORTHWEST),
    Person("southwest", Role.SALES_MANAGER, "苏", "清榆", "西南区销售经理", regions.SOUTHWEST),
    Person("marketing", Role.MARKETING, "喻", "欣怡", "市场部"),
    Person("service", Role.SERVICE, "姜", "静安", "客户服务"),
    Person("finance", Role.FINANCE, "严", "文清", "财务"),
    Person("trainer", Role.TRAINER, "范", "志远", "培训讲师"),
    Person("admin", Role.ADMINISTRATOR, "陶", "明哲", "系统管理员"),
    Person("erp", Role.INTEGRATION, "", "ERP", "接口账号"),
)
# People of partners: who they work for is decided by the network (see plans.portal_partners).
PARTNER_ADMIN = Person("boss", Role.PARTNER_ADMIN, "窦", "建平", "伙伴管理员，看得到下级伙伴")
PARTNER_MEMBER = Person("clerk", Role.PARTNER_MEMBER, "章", "晓岚", "伙伴员工")
SECOND_ADMIN = Person("dealer", Role.PARTNER_ADMIN, "葛", "雅琪", "另一家伙伴的管理员")
PARTNER_PEOPLE = (PARTNER_ADMIN, PARTNER_MEMBER, SECOND_ADMIN)
EVERYBODY = STAFF + PARTNER_PEOPLE


def make_users() -> dict[str, User]:
    """Create the accounts: {username: user}. They share a password, and so one hash of it."""
    password = make_password(PASSWORD)
    return {person.username: _make(person, password) for person in EVERYBODY}


def _make(person: Person, password: str) -> User:
    user = User(
        username=person.username,
        role=person.role,
        last_name=person.family_name,
        first_name=person.given_name,
        email=f"{person.username}@demo.example",
        amount_unit=User.AmountUnit.WAN,
        password=password,
        date_joined=timezone.now(),
    )
    user.save()
    if person.region:
        user.territories.set(Territory.objects.filter(code__in=person.region.provinces))
    return user


def accounts() -> list[Person]:
    """The demo accounts that this database has. Their passwords may have been changed since."""
    users = {user.username: user for user in User.objects.filter(is_active=True)}
    there = [person for person in EVERYBODY if person.username in users]
    return [person for person in there if users[person.username].email.endswith("@demo.example")]
