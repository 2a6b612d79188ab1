"""Who the partners are and what becomes of them: plans, made of the seed and the dates alone."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from accounts.divisions import Division, divisions
from channel_crm.demo import market, names, products, regions
from channel_crm.demo.market import Character

ACTIVE, SUSPENDED, EXITED = "active", "suspended", "exited"
PROSPECT, ONBOARDING = "prospect", "onboarding"

_KINDS = {
    market.STEADY: 54, market.RISING: 16, market.FAILING: 14, market.STUFFING: 10,
    market.SEASONAL: 14, market.ERRATIC: 12, market.NEWCOMER: 14,
}  # fmt: skip
_FATES = {ACTIVE: 126, PROSPECT: 7, ONBOARDING: 5, SUSPENDED: 5, EXITED: 7}
_TYPES = {"dealer": 56, "integrator": 18, "retailer": 16, "agent": 12, "ecommerce": 5}
_MEDIAN = {
    "distributor": 420_000, "agent": 190_000, "dealer": 62_000, "retailer": 34_000,
    "ecommerce": 210_000, "integrator": 95_000,
}  # fmt: skip
_GROWTH = {market.RISING: (0.3, 0.65), market.FAILING: (-0.42, -0.18)}
_NOISE = {market.STEADY: 0.1, market.ERRATIC: 0.35}
_RETURNS = {market.STUFFING: 0.05, market.FAILING: 0.04}
_SHORT = {"内蒙古自治区": "内蒙古", "黑龙江省": "黑龙江"}


@dataclass(frozen=True)
class Contact:
    """A person at a partner."""

    role: str
    name: str
    phone: str
    email: str
    since: date


@dataclass(frozen=True)
class Plan:
    """One partner from its first appearance to its fate. Dates that never come are None."""

    code: str
    name: str
    short_name: str
    channel_type: str
    credit_code: str
    territory: str
    manager: str
    parent: str | None
    level: str
    fate: str
    character: Character
    mix: dict[str, float]
    contacts: tuple[Contact, ...]
    sites: tuple[tuple[str, str, str], ...]  # kind, name, address
    met_on: date
    onboarded_on: date | None
    started_on: date | None
    ended_on: date | None  # suspended or exited
    reports: bool  # whether it reports what it sells on

    @property
    def sells_until(self) -> date | None:
        """The day on which it bought the last time; None while it goes on."""
        return self.ended_on - timedelta(days=25) if self.ended_on else None


@dataclass(frozen=True)
class Place:
    """Where a partner sits: its territory and the name it takes into the company's name."""

    code: str
    label: str


def make_plans(start: date, until: date, scale: float = 1.0) -> list[Plan]:
    """All partners of a network with sales from `start` to `until`, parents before their children.

    `scale` shrinks the network for tests; provinces that round to nobody are left out.
    """
    counts = [
        (region.manager, province, round(count * scale))
        for region in regions.REGIONS
        for province, count in region.provinces.items()
    ]
    total, heads = sum(n for *_, n in counts), sum(1 for *_, n in counts if n)
    rng = random.Random("partners")
    kinds = _deck(_KINDS, total, rng)
    fates = _deck(_FATES, total - heads, rng)
    types = _deck(_TYPES, total - heads, rng)
    words = iter(names.coined_words())
    by_province = _places()
    plans: list[Plan] = []
    for manager, province, count in counts:
        places = by_province[province]
        head: Plan | None = None
        for number in range(count):
            maker = _Maker(start, until, manager, province, next(words), len(plans) + 1)
            kind = kinds[len(plans)]
            if head is None:
                head = maker.head(places[0], kind, sum(c for _, p, c in counts if p == province))
                plans.append(head)
            else:
                place = places[1 + (number - 1) % (len(places) - 1)]
                plans.append(maker.other(place, kind, fates.pop(), types.pop(), head, number))
    return plans


def portal_partners(plans: list[Plan]) -> tuple[Plan, Plan]:
    """Whose people have portal access: the distributor with most partners below it, and a partner
    of another province without any."""
    below = [plan.parent for plan in plans if plan.parent]
    first = max((p for p in plans if p.fate == ACTIVE), key=lambda p: (below.count(p.code), p.code))
    others = [p for p in plans if p.fate == ACTIVE and p.code[:3] != first.code[:3]]
    return first, max(others, key=lambda p: (p.parent is not None, p.character.size))


def _deck(shares: dict[str, int], count: int, rng: random.Random) -> list[str]:
    """`count` draws in which each kind has its share as exactly as whole numbers allow."""
    row = [kind for kind, share in shares.items() for _ in range(share)]
    cards = [row[(2 * number + 1) * len(row) // (2 * count)] for number in range(count)]
    rng.shuffle(cards)
    return cards


def _places() -> dict[str, list[Place]]:
    """By province: itself, then its cities with the capital first, then county-level cities."""
    _country, provinces, cities, counties = divisions()
    found = {row.code: [Place(row.code, _SHORT.get(row.name, row.name[:2]))] for row in provinces}
    for row in cities:
        if row.name.endswith("市"):
            found[row.code[:2] + "0000"].append(Place(row.code, row.name[:-1]))
    for row in counties:
        _add_county(found[row.code[:2] + "0000"], row)
    return found


def _add_county(places: list[Place], row: Division) -> None:
    """Districts of a municipality, which has no cities; elsewhere county-level cities."""
    municipality = places[0].code in ("110000", "120000", "310000", "500000")
    if municipality:
        places.append(Place(row.code, places[0].label))
    elif row.name.endswith("市") and len(places) < 12:
        places.append(Place(row.code, row.name[:-1]))


@dataclass
class _Maker:
    """Makes one plan. All chance comes from a generator of its own: plans are independent."""

    start: date
    until: date
    manager: str
    province: str
    word: str
    serial: int

    def __post_init__(self) -> None:
        self.rng = random.Random(f"partner {self.serial} {self.word}")

    def head(self, place: Place, kind: str, weight: int) -> Plan:
        """The distributor of a province: there before all others, and there to stay."""
        kind = market.STEADY if kind in (market.NEWCOMER, market.ERRATIC) else kind
        size = self._size("distributor") * math.sqrt(weight / 4)
        return self._plan(place, "distributor", self._character(kind, size), ACTIVE, None, 1)

    def other(
        self, place: Place, kind: str, fate: str, type_: str, head: Plan, number: int
    ) -> Plan:
        """Any other partner; dealers and retailers mostly buy under the distributor."""
        if fate in (SUSPENDED, EXITED):
            kind = market.FAILING
        below = type_ in ("dealer", "retailer") and self.rng.random() < 0.7
        parent = head.code if below and fate != EXITED else None
        character = self._character(kind, self._size(type_))
        return self._plan(place, type_, character, fate, parent, number + 1)

    def _size(self, type_: str) -> float:
        return _MEDIAN[type_] * self.rng.lognormvariate(0, 0.45)

    def _character(self, kind: str, size: float) -> Character:
        low, high = _GROWTH.get(kind, (0.01, 0.15))
        return Character(
            kind=kind,
            size=size,
            growth=self.rng.uniform(low, high),
            noise=_NOISE.get(kind, 0.16),
            returns=_RETURNS.get(kind, 0.012) * self.rng.uniform(0.6, 1.5),
            cold=self.province in regions.COLD,
        )

    def _plan(
        self, place: Place, type_: str, character: Character, fate: str, parent: str | None, nr: int
    ) -> Plan:
        code = f"P{self.province[:2]}{nr:03d}"
        met, onboarded, started, ended = self._dates(character.kind, fate, nr == 1)
        short_name = f"{place.label}{self.word}"
        return Plan(
            code=code,
            name=names.company(place.label, self.word, type_, self.rng),
            short_name=short_name,
            channel_type=type_,
            credit_code=names.credit_code(self.province, self.serial),
            territory=place.code,
            manager=self.manager,
            parent=parent,
            level=_level(character.size) if started else "registered",
            fate=fate,
            character=character,
            mix=self._mix(character.size),
            contacts=tuple(self._contacts(code, character.size, met)),
            sites=tuple(self._sites(short_name, character.size)),
            met_on=met,
            onboarded_on=onboarded,
            started_on=started,
            ended_on=ended,
            reports=self.rng.random() < 0.85,
        )

    def _dates(
        self, kind: str, fate: str, head: bool
    ) -> tuple[date, date | None, date | None, date | None]:
        """First met, onboarding, start of cooperation, end of it."""
        rng, until = self.rng, self.until
        if fate == PROSPECT:
            return until - timedelta(rng.randint(4, 100)), None, None, None
        if fate == ONBOARDING:
            onboarded = until - timedelta(rng.randint(2, 35))
            return onboarded - timedelta(rng.randint(15, 90)), onboarded, None, None
        started = self.start - timedelta(rng.randint(2300, 3400) if head else rng.randint(60, 2000))
        if kind == market.NEWCOMER:
            days = (until - self.start).days
            started = self.start + timedelta(rng.randint(days // 4, days * 7 // 8))
        onboarded = started - timedelta(rng.randint(10, 40))
        met = onboarded - timedelta(rng.randint(15, 120))
        ended = {
            SUSPENDED: until - timedelta(rng.randint(6, 70)),
            EXITED: until - timedelta(rng.randint(60, 300)),
        }.get(fate)
        return met, onboarded, started, ended

    def _mix(self, size: float) -> dict[str, float]:
        """Product lines the partner carries and how much of each: bigger ones carry more lines."""
        weights = {code: weight for code, _n, _p, _r, weight in products.LINES if weight}
        count = min(
            len(weights), max(3, round(1.6 * math.log(size / 4000) + self.rng.uniform(-1, 2)))
        )
        liked = sorted(weights, key=lambda code: self.rng.random() ** (1 / weights[code]))[-count:]
        return {
            code: weights[code] * self.rng.uniform(0.4, 1.8) for code in weights if code in liked
        }

    def _contacts(self, code: str, size: float, met: date) -> Iterator[Contact]:
        roles = ["owner", "sales", "finance", "warehouse"][: 2 + (size > 60_000) + (size > 250_000)]
        for position, role in enumerate(roles):
            name = "".join(names.person(self.rng))
            since = met + timedelta(position and self.rng.randint(1, 40))
            phone = names.phone(self.serial * 10 + position)
            yield Contact(role, name, phone, f"{role}@{code.lower()}.example", since)

    def _sites(self, short_name: str, size: float) -> Iterator[tuple[str, str, str]]:
        street = f"{self.word}路 {self.rng.randint(1, 299)} 号"
        yield "office", f"{short_name}总部", street
        if size > 90_000:
            yield (
                "warehouse",
                f"{short_name}仓库",
                f"{self.word}物流园 {self.rng.randint(1, 20)} 号库",
            )


def _level(size: float) -> str:
    for code, least in (("gold", 450_000), ("silver", 150_000), ("bronze", 50_000)):
        if size >= least:
            return code
    return "registered"
