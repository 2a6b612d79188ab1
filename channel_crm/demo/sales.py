"""Three years of sales: whole quantities at prices in cents, drawn from what the market expects."""

from __future__ import annotations

import hashlib
import math
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import count
from operator import attrgetter
from typing import NamedTuple

from channel_crm.demo import market, products
from channel_crm.demo.plans import Plan
from channel_crm.demo.products import Article
from core.periods import add_months
from sales.models import SalesKind

ERP, REPORT = "erp", "partner-report"
_FOCUS = {"C6A", "C7", "FIN", "FOUT", "FPAT", "SWP"}


class Fact(NamedTuple):
    """One line; `cents` is its amount × 100. `reverses` is a reference of the same source."""

    source: str
    reference: str
    kind: str
    partner: str
    product: str
    day: date
    quantity: int
    cents: int
    reverses: str | None = None


class _Order(NamedTuple):
    day: date
    partner: str
    lines: list[tuple[str, int, int]]  # product, quantity, cents
    returns: float


def make_facts(plans: list[Plan], start: date, until: date) -> list[Fact]:
    """Every sale of the network from `start` to `until`, in the order of the days."""
    orders: list[_Order] = []
    resold: list[Fact] = []
    articles = _by_line(products.articles(start))
    for plan in plans:
        if plan.started_on:
            for month, days, share in _months_of(plan, start, until):
                shop = _Shop(plan, month, days, share, start, articles)
                orders += shop.orders()
                resold += shop.resales()
    bought = list(_numbered(sorted(orders, key=attrgetter("day", "partner"))))
    returned = _returns([fact for fact, _rate in bought], [rate for _fact, rate in bought], until)
    rows = [fact for fact, _rate in bought] + list(returned) + resold
    return sorted(rows, key=lambda fact: (fact.day, fact.source, fact.reference))


def digest(facts: Iterable[Fact]) -> str:
    """SHA-256 over all facts: the same network has the same."""
    found = hashlib.sha256()
    for fact in facts:
        found.update("\t".join(map(str, fact)).encode() + b"\n")
    return found.hexdigest()


def _by_line(articles: list[Article]) -> dict[str, list[Article]]:
    found: dict[str, list[Article]] = defaultdict(list)
    for article in articles:
        found[article.line].append(article)
    return found


def _months_of(plan: Plan, start: date, until: date) -> Iterator[tuple[date, list[date], float]]:
    """Months in which the partner trades: first day, its working days there, their share."""
    first = max(start, plan.started_on or start)
    last = min(until, plan.sells_until or until)
    month = first.replace(day=1)
    while month <= last:
        after = add_months(month, 1)
        days = [month + timedelta(n) for n in range((after - month).days)]
        working = [day for day in days if day.weekday() < 5 and not market.is_holiday(day)]
        mine = [day for day in working if first <= day <= last]
        if mine:
            yield month, mine, len(mine) / len(working)
        month = after


class _Shop:
    """One partner in one month. Its generator depends on nothing else."""

    def __init__(
        self,
        plan: Plan,
        month: date,
        days: list[date],
        share: float,
        start: date,
        articles: dict[str, list[Article]],
    ) -> None:
        self.plan, self.month, self.days = plan, month, days
        self.articles = articles
        self.rng = random.Random(f"sales {plan.code} {month}")
        self.wanted = share * market.demand(month, start, plan.character, plan.started_on)
        years = max(0, (month - start).days) / 365
        self.lines = list(plan.mix)
        self.weights = [
            weight * (1.18**years if line in _FOCUS else 1) for line, weight in plan.mix.items()
        ]
        self.discount = 0.8 - 0.045 * math.log10(max(plan.character.size, 10_000) / 10_000)

    def orders(self) -> list[_Order]:
        """What it buys from the maker."""
        amount = market.purchase(self.wanted, self.month, self.plan.character, self.rng)
        if amount < 500:
            return []
        number = min(8, max(1, round(amount / 90_000 + self.rng.uniform(0.6, 2.4))))
        parts = self._parts(amount, number)
        return [
            self._order(day, part)
            for day, part in zip(self._order_days(number), parts, strict=True)
        ]

    def resales(self) -> list[Fact]:
        """What it sells on, as it reports it; at its own price."""
        amount = market.resale(self.wanted, self.plan.character, self.rng) * 1.12
        if not self.plan.reports or amount < 500:
            return []
        number = min(12, max(3, round(amount / 45_000 + self.rng.uniform(2, 5))))
        days = sorted(self.rng.choices(self.days, k=number))
        head = f"{self.plan.code}-{self.month:%Y%m}"
        return [
            Fact(REPORT, f"{head}-{nr:03d}", SalesKind.SELL_THROUGH.value, self.plan.code, *line)
            for nr, (day, part) in enumerate(
                zip(days, self._parts(amount, number), strict=True), start=1
            )
            for line in [self._resold(day, part)]
        ]

    def _resold(self, day: date, part: float) -> tuple[str, date, int, int]:
        product, quantity, cents = self._line(day, part, self._draw(1)[0], self.discount + 0.08)
        return product, day, quantity, cents

    def _order_days(self, number: int) -> list[date]:
        """A partner that fills its stock for the quarter's figure orders in the last days."""
        late = self.plan.character.kind == market.STUFFING and self.month.month % 3 == 0
        return sorted(self.rng.choices(self.days[-6:] if late else self.days, k=number))

    def _parts(self, amount: float, number: int) -> list[float]:
        shares = [self.rng.uniform(0.5, 1.5) for _ in range(number)]
        whole = math.fsum(shares)  # the same in every Python, which sum() is not
        return [amount * share / whole for share in shares]

    def _order(self, day: date, amount: float) -> _Order:
        lines = self._draw(min(len(self.lines), self.rng.randint(3, 6)))
        parts = self._parts(amount, len(lines))
        bought = [
            self._line(day, part, line, self.discount)
            for line, part in zip(lines, parts, strict=True)
        ]
        return _Order(day, self.plan.code, bought, self._return_rate())

    def _return_rate(self) -> float:
        """What was pushed in at the end of a quarter comes back more often."""
        pushed = self.plan.character.kind == market.STUFFING and self.month.month % 3 == 0
        return self.plan.character.returns * (2 if pushed else 1)

    def _draw(self, number: int) -> list[str]:
        """`number` product lines by weight; repeated draws fall together."""
        return list(dict.fromkeys(self.rng.choices(self.lines, self.weights, k=number)))

    def _line(self, day: date, amount: float, line: str, rate: float) -> tuple[str, int, int]:
        """Product, whole quantity and amount in cents nearest to `amount`."""
        offered = [
            article
            for article in self.articles[line]
            if article.active_from <= day and (article.active_to is None or day < article.active_to)
        ]
        article = self.rng.choice(offered)
        price = round(float(article.price) * 100 * (rate + self.rng.uniform(-0.012, 0.012)))
        quantity = max(1, round(amount * 100 / price))
        return article.code, quantity, quantity * price


def _numbered(orders: list[_Order]) -> Iterator[tuple[Fact, float]]:
    """The lines of all orders with order numbers that rise within each day."""
    numbers: dict[date, Iterator[int]] = defaultdict(lambda: count(1))
    for order in orders:
        head = f"SO{order.day:%Y%m%d}{next(numbers[order.day]):04d}"
        for nr, (product, quantity, cents) in enumerate(order.lines, start=1):
            kind = SalesKind.SELL_IN.value
            fact = Fact(
                ERP, f"{head}-{nr:02d}", kind, order.partner, product, order.day, quantity, cents
            )
            yield fact, order.returns


def _returns(facts: list[Fact], rates: list[float], until: date) -> Iterator[Fact]:
    """Some lines come back, whole or in part, some weeks later, at the price they were sold for."""
    for fact, rate in zip(facts, rates, strict=True):
        rng = random.Random(f"return {fact.reference}")
        day = fact.day + timedelta(days=rng.randint(4, 40))
        if rng.random() >= rate or day > until:
            continue
        quantity = max(1, round(fact.quantity * rng.choice((0.1, 0.25, 0.5, 1))))
        yield fact._replace(
            reference=f"RT{fact.reference[2:]}",
            day=day,
            quantity=-quantity,
            cents=-quantity * (fact.cents // fact.quantity),
            reverses=fact.reference,
        )
