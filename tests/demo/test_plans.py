"""What the demo network is made of, before it is written: the same each time, and coined."""

from collections import Counter
from datetime import date

from channel_crm.demo import market, names, products, regions, sales
from channel_crm.demo.network import default_until
from channel_crm.demo.plans import make_plans, portal_partners
from channel_crm.demo.sales import ERP, REPORT
from partners.credit_code import credit_code_problem

START, UNTIL = date(2023, 11, 1), date(2026, 10, 31)


def test_the_end_of_last_month():
    assert default_until(date(2026, 11, 23)) == UNTIL
    assert default_until(date(2026, 11, 1)) == UNTIL
    assert default_until(date(2026, 1, 31)) == date(2025, 12, 31)


def test_the_whole_network():
    plans = make_plans(START, UNTIL)
    assert len(plans) == sum(sum(region.provinces.values()) for region in regions.REGIONS) == 153
    assert len({plan.code[1:3] for plan in plans}) == 31
    assert plans == make_plans(START, UNTIL)
    for unique in ("code", "name", "short_name", "credit_code"):
        assert len({getattr(plan, unique) for plan in plans}) == len(plans)
    assert set(Counter(plan.fate for plan in plans)) == {
        "active", "prospect", "onboarding", "suspended", "exited"
    }  # fmt: skip


def test_codes_are_valid_and_marked():
    for plan in make_plans(START, UNTIL):
        assert credit_code_problem(plan.credit_code) is None
        assert plan.credit_code[8:11] == "DEM"
    assert names.credit_code("610000", 1) == "91610000DEM0000140"


def test_parents_come_first_and_children_start_later():
    plans = make_plans(START, UNTIL)
    by_code = {plan.code: plan for plan in plans}
    children = [plan for plan in plans if plan.parent]
    assert len(children) > 30
    for plan in children:
        assert plan.started_on is None or by_code[plan.parent].met_on < plan.started_on
        assert by_code[plan.parent].fate == "active"


def test_nobody_with_portal_access_has_left():
    first, second = portal_partners(make_plans(START, UNTIL))
    assert (first.fate, second.fate) == ("active", "active")
    assert first.code[:3] != second.code[:3]


def test_facts_are_reproducible_and_hold_together():
    plans = make_plans(START, UNTIL, 0.12)
    facts = sales.make_facts(plans, START, UNTIL)
    assert sales.digest(facts) == sales.digest(sales.make_facts(plans, START, UNTIL))
    references = {(fact.source, fact.reference): fact for fact in facts}
    assert len(references) == len(facts)
    assert {fact.source for fact in facts} == {ERP, REPORT}
    assert all(START <= fact.day <= UNTIL for fact in facts)
    assert all(fact.quantity and fact.cents % fact.quantity == 0 for fact in facts)
    for fact in facts:
        assert (fact.quantity < 0) == (fact.cents < 0) == (fact.reverses is not None)
        if fact.reverses:
            sold = references[fact.source, fact.reverses]
            assert sold.day < fact.day
            assert sold.quantity >= -fact.quantity
            assert (sold.partner, sold.product) == (fact.partner, fact.product)


def test_only_products_on_sale_are_sold():
    on_sale = {article.code: article for article in products.articles(START)}
    facts = sales.make_facts(make_plans(START, UNTIL, 0.12), START, UNTIL)
    for fact in facts:
        article = on_sale[fact.product]
        if not fact.reverses:
            assert article.active_from <= fact.day
            assert article.active_to is None or fact.day < article.active_to


def test_the_season():
    steady = market.Character(market.STEADY, 100_000, 0.1, 0.1, 0.01)
    year = [market.season(month, steady) for month in market.months(date(2026, 1, 1), 12)]
    assert min(year) == year[1]  # the lunar new year of 2026 is in February
    assert max(year) == year[11]
    assert market.is_holiday(date(2026, 2, 17))
    assert market.new_year(2025) == date(2025, 1, 29)
    assert market.season(date(2025, 1, 1), steady) < year[0]  # there it was in January


def test_those_who_fill_their_stock_order_at_the_end_of_the_quarter():
    plans = [p for p in make_plans(START, UNTIL) if p.character.kind == market.STUFFING]
    months: Counter[bool] = Counter()
    for fact in sales.make_facts(plans, START, UNTIL):
        if fact.source == ERP and not fact.reverses:
            months[fact.day.month % 3 == 0] += fact.cents
    assert months[True] > months[False]
