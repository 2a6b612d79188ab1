"""What happened, deed by deed, in the order of time: the same verbs that people use, played under
a clock that stands at the moment of each deed, so that histories read as they would have been."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from itertools import groupby

from django.conf import settings

from accounts.models import Territory, User
from catalog.models import ProductLine
from channel_crm.demo import loading, measures, schemes
from channel_crm.demo.clock import at, early
from channel_crm.demo.people import DIRECTOR
from channel_crm.demo.plans import Plan
from channel_crm.demo.sales import Fact
from channel_crm.demo.targets import yearly_targets
from channel_crm.demo.writing import amend
from core.periods import Period, add_months
from partners.models import Level, Partner
from performance import services
from performance.models import Evaluation, Score
from sales.models import Target

PUBLISHED_QUARTERS = 5  # before the current one: a year and the quarter to compare it with
RICH_QUARTERS = 2
TRIED_QUARTERS = 8  # that the backtest of a draft looks at
ArrivesOn = Callable[[Fact, date], date]


@dataclass
class Story:
    """The deeds of a network, and what they need to know of each other."""

    start: date
    until: date
    users: dict[str, User]
    products: dict[str, int]
    partners: dict[str, Partner] = field(default_factory=dict)
    _deeds: list[tuple[datetime, int, Callable[[], object]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.territories = {row.code: row for row in Territory.objects.all()}
        self.levels = {level.code: level for level in Level.objects.order_by("rank")}

    def tell(self, moment: datetime, deed: Callable[[], object]) -> None:
        """Let `deed` happen at `moment`; what falls on the same moment keeps its order."""
        self._deeds.append((moment, len(self._deeds), deed))

    def play(self) -> None:
        """Do everything that was told, in the order of time."""
        for moment, _number, deed in sorted(self._deeds, key=lambda told: told[:2]):
            with at(moment):
                deed()

    @property
    def director(self) -> User:
        """Who publishes."""
        return self.users[DIRECTOR]


def tell_sales(story: Story, facts: list[Fact], arrives_on: ArrivesOn) -> None:
    """Each month's sales come in on the first night after it, late ones when they arrive."""
    latest = story.until + timedelta(days=1)
    for month, rows in groupby(facts, key=lambda fact: fact.day.replace(day=1)):
        night = min(add_months(month, 1), latest)
        nights: dict[date, list[Fact]] = defaultdict(list)
        for fact in rows:
            nights[max(night, arrives_on(fact, story.until))].append(fact)
        for day, arrived in nights.items():
            story.tell(early(day, hour=1), partial(_load, story, arrived, arrives_on))


def _load(story: Story, facts: list[Fact], arrives_on: ArrivesOn) -> None:
    partners = {code: partner.pk for code, partner in story.partners.items()}
    days = [arrives_on(fact, story.until) for fact in facts]
    loading.load(facts, days, partners, story.products)


def tell_targets(story: Story, plans: list[Plan]) -> None:
    """Targets of a year are set before it begins; those of a newcomer when it begins."""
    told: dict[datetime, list[tuple[Plan, Period]]] = defaultdict(list)
    year = Period.containing("year", story.start, settings.FISCAL_YEAR_START)
    while year.start <= story.until:
        for plan in plans:
            if plan.started_on and plan.started_on < year.end:
                day = max(year.start - timedelta(days=11), plan.started_on)
                told[early(day, hour=20)].append((plan, year))
        year = year.next()
    for moment, entries in told.items():
        story.tell(moment, partial(_set_targets, story, entries))


def _set_targets(story: Story, entries: list[tuple[Plan, Period]]) -> None:
    lines = dict(ProductLine.objects.values_list("code", "pk"))
    Target.objects.bulk_create(
        [
            target
            for plan, year in entries
            for target in yearly_targets(
                plan, year, story.start, story.partners[plan.code].pk, lines
            )
        ],
        batch_size=1000,
    )


def tell_evaluations(story: Story) -> None:
    """Closed quarters are evaluated and published, the current one is only computed."""
    current = Period.containing("quarter", story.until, settings.FISCAL_YEAR_START)
    quarters = [current.previous()]
    while len(quarters) < PUBLISHED_QUARTERS and quarters[-1].start >= story.start:
        quarters.append(quarters[-1].previous())
    quarters = [quarter for quarter in quarters if quarter.start >= story.start]
    if quarters:
        day = quarters[-1].start
        made = partial(measures.make_measures, by=story.director)
        story.tell(early(day, hour=9), made)
        opened = partial(schemes.make_rich_scheme, by=story.director, on=day)
        story.tell(early(day, hour=10), opened)
    for age, quarter in enumerate(quarters, start=1):
        _tell_quarter(story, quarter, rich=age <= RICH_QUARTERS)
    now = story.until + timedelta(days=1)
    for code in (schemes.BASIC, schemes.RICH) if quarters else (schemes.BASIC,):
        story.tell(early(now, hour=3), partial(_evaluate, code, current, now))
    last = current if current.end <= now else current.previous()
    story.tell(early(now, hour=4), partial(schemes.make_schedules, last, by=story.director))
    story.tell(early(now, hour=5), partial(schemes.make_card, by=story.director, on=now))
    if quarters:
        tried = _quarters_before(current, story.start)
        story.tell(early(now, hour=9), partial(schemes.try_draft, tried, by=story.director))


def _quarters_before(current: Period, start: date) -> list[Period]:
    """The last whole quarters since `start`, oldest first."""
    found = [current.previous()]
    while len(found) < TRIED_QUARTERS and found[-1].previous().start >= start:
        found.append(found[-1].previous())
    return found[::-1]


def _tell_quarter(story: Story, quarter: Period, *, rich: bool) -> None:
    latest = story.until + timedelta(days=1)
    computed = min(quarter.end + timedelta(days=5), latest)
    published = min(quarter.end + timedelta(days=8), latest)
    for code in (schemes.BASIC, schemes.RICH) if rich else (schemes.BASIC,):
        story.tell(early(computed), partial(_evaluate, code, quarter, computed))
        publish = partial(_publish, story, code, quarter, published)
        story.tell(early(published, hour=10), publish)


def _evaluate(code: str, quarter: Period, on: date) -> None:
    services.evaluate(scheme_code=code, period=quarter.code, by=None, on=on)


def _publish(story: Story, code: str, quarter: Period, on: date) -> None:
    evaluation = Evaluation.objects.get(scheme__code=code, period_code=quarter.code)
    services.publish_evaluation(evaluation=evaluation, by=story.director, on=on)
    if code == schemes.BASIC:
        _move_levels(story, evaluation)


def _move_levels(story: Story, evaluation: Evaluation) -> None:
    """Who was there for the whole period moves one level towards what the score says."""
    ladder = list(story.levels.values())
    place = {level.pk: number for number, level in enumerate(ladder)}
    scores = Score.objects.filter(
        evaluation=evaluation, partner__started_on__lte=evaluation.starts_on
    )
    reached = dict(scores.values_list("partner_id", "level_id"))
    movers, moves = [], []
    for partner in story.partners.values():
        now, wanted = (
            place.get(partner.level_id or 0, 0),
            place.get(reached.get(partner.pk) or 0, 0),
        )
        if partner.pk in reached and now != wanted:
            movers.append(partner)
            moves.append({"level": ladder[now + (1 if wanted > now else -1)]})
    amend(movers, moves, by=story.director, reason=f"{evaluation.period_code} 考核结果")
