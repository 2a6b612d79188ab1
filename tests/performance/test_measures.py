"""Every measure against plain SQL over the rows themselves, and what holds for all of them."""

import json
import random
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from catalog.models import ProductLine
from core.errors import DomainError
from core.importing import engine
from core.models import Import
from core.periods import Period, add_months
from performance import measures
from performance.measuring import Wanted, line_keys, read_inputs, read_one
from sales.models import FactBefore, Report
from tests import factories as make

pytestmark = pytest.mark.django_db
KINDS = ("sell_in", "sell_through", "sell_out")
PERIODS = [("2013Q3", 1), ("2013-08", 1), ("2013", 1), ("2013Q2", 4)]


@pytest.fixture
def books():
    """Five partners with two years of everything, drawn by a fixed seed; the last has nothing."""
    chance = random.Random(7)
    whole = make.make_territory(code="WHOLE")
    east = make.make_territory(code="EAST", parent=whole, population=300, gdp=Decimal(70))
    west = make.make_territory(code="WEST", parent=whole, population=100, gdp=Decimal(50))
    south = make.make_territory(code="SOUTH", parent=whole, population=50)
    town = make.make_territory(code="TOWN", parent=east)
    places = [town, west, south, whole, east]
    partners = [
        make.make_partner(code=f"M{number}", territory=place) for number, place in enumerate(places)
    ]
    focus = make.make_product_line(code="FOCUS", role="focus")
    below = make.make_product_line(code="BELOW", parent=focus)
    other = make.make_product_line(code="OTHER", parent=focus, role="defensive")
    plain = make.make_product_line(code="PLAIN")
    lines = [focus, below, other, plain]
    products = [
        make.make_product(product_line=chance.choice(lines), active_from=chance.choice(since))
        for since in [(None, date(2012, 6, 1), date(2013, 1, 15), date(2013, 8, 1))] * 9
    ]
    for partner in partners[:-1]:
        _sell(partner, products, chance)
        _expect(partner, lines, chance)
        _report(partner, chance)
    _decide(partners[:-1], random.Random(8))
    return partners


def _decide(partners, chance):
    enters, decides = make.make_user(), make.make_user()
    for partner in partners:
        for _number in range(20):
            state = chance.choice(["proposed", "decided", "decided", "rejected"])
            make.make_deduction(
                partner,
                decided_on=date(2013, 1, 1) + timedelta(days=chance.randrange(400)),
                state=state,
                entered_by=enters,
                decided_by=None if state == "proposed" else decides,
            )


def _sell(partner, products, chance):
    for _number in range(120):
        day = date(2012, 1, 1) + timedelta(days=chance.randrange(730))
        amount = Decimal(chance.randrange(-400_000, 2_000_000)).scaleb(-4)
        make.make_fact(
            partner,
            kind=chance.choice(KINDS),
            occurred_on=day,
            product=chance.choice(products),
            amount=amount,
        )
    for number in range(40):
        day = date(2012, 1, 1) + timedelta(days=chance.randrange(730))
        due = chance.choice([None, day, day + timedelta(days=9), day - timedelta(days=20)])
        amount = Decimal(chance.randrange(1, 90_000) * (-1 if number % 9 == 0 else 1)).scaleb(-2)
        make.make_payment(partner, paid_on=day, due_on=due, amount=amount)
    load = make.make_import()
    for number in range(30):
        day = date(2012, 1, 1) + timedelta(days=chance.randrange(730))
        row = {"kind": chance.choice(KINDS), "occurred_on": str(day)}
        FactBefore.objects.create(
            load=load,
            partner=partner,
            kind="sales",
            fact_id=-number,
            removed=bool(number % 2),
            row=row,
        )


def _expect(partner, lines, chance):
    for number in range(24):
        month = add_months(date(2012, 1, 1), number)
        for kind in (*KINDS[:2], "collection"):
            for line in chance.sample([None, *lines], chance.randrange(3)):
                amount = Decimal(chance.randrange(10_000)).scaleb(-2)
                make.make_target(partner, kind=kind, month=month, product_line=line, amount=amount)


def _report(partner, chance):
    user = make.make_user()
    for kind in ("sell_through", "sell_out"):
        rule = make.make_reporting_rule(kind=kind)
        for number in range(24):
            start = add_months(date(2012, 1, 1), number)
            report = make.make_report(partner, rule=rule, starts_on=start)
            came = timezone.make_aware(datetime.combine(report.due_on, time.min)) + timedelta(
                hours=chance.choice([-30, 23, 24, 90])
            )
            deed = chance.randrange(4)
            said = {"received_at": came if deed < 2 else None}
            if deed == 2:
                said |= {"nothing_at": came, "nothing_by": user}
            Report.objects.filter(pk=report.pk).update(**said)


BOOKS = """
    WITH RECURSIVE line AS (
        SELECT id, role FROM catalog_productline WHERE parent_id IS NULL
        UNION ALL
        SELECT l.id, CASE l.role WHEN '' THEN line.role ELSE l.role END
        FROM catalog_productline l JOIN line ON line.id = l.parent_id
    ), sold AS (
        SELECT f.*, p.product_line_id AS line, p.active_from, line.role = 'focus' AS focus
        FROM sales_salesfact f
        JOIN catalog_product p ON p.id = f.product_id JOIN line ON line.id = p.product_line_id
        WHERE f.partner_id = %(partner)s AND f.kind = %(kind)s
          AND (%(lines)s::bigint[] IS NULL OR p.product_line_id = ANY(%(lines)s::bigint[]))
    ), now AS (
        SELECT * FROM sold WHERE occurred_on >= %(start)s AND occurred_on < %(end)s
    ), month AS (
        SELECT m, coalesce(sum(amount), 0) AS net
        FROM generate_series(%(start)s::timestamp, %(last)s, '1 month') m
        LEFT JOIN now ON date_trunc('month', occurred_on::timestamp) = m GROUP BY m
    ), week AS (
        SELECT w, coalesce(sum(amount), 0) AS net
        FROM (SELECT DISTINCT date_trunc('week', d) AS w
              FROM generate_series(%(start)s::timestamp, %(last)s, '1 day') d) weeks
        LEFT JOIN now ON date_trunc('week', occurred_on::timestamp) = w GROUP BY w
    ), target AS (
        SELECT t.*, line.role = 'focus' AS focus FROM sales_target t
        LEFT JOIN line ON line.id = t.product_line_id
        WHERE partner_id = %(partner)s AND kind = %(kind)s
          AND month >= %(start)s AND month < %(end)s
          AND (%(lines)s::bigint[] IS NULL OR product_line_id = ANY(%(lines)s::bigint[]))
    ), goal AS (
        SELECT month, coalesce(max(amount) FILTER (WHERE product_line_id IS NULL), sum(amount)) AS g
        FROM target GROUP BY month
    ), paid AS (
        SELECT *, due_on IS NOT NULL AND amount > 0 AS dated FROM sales_payment
        WHERE partner_id = %(partner)s AND paid_on >= %(start)s AND paid_on < %(end)s
    ), owed AS (
        SELECT *, (received_at AT TIME ZONE 'Asia/Shanghai')::date AS came,
               nothing_at IS NOT NULL AS nothing FROM sales_report
        WHERE partner_id = %(partner)s AND due_on >= %(start)s AND due_on < %(end)s
          AND (%(kind)s = '' OR kind = %(kind)s)
    ), corrected AS (
        SELECT * FROM sales_factbefore
        WHERE partner_id = %(partner)s AND row ->> 'kind' = %(kind)s
          AND row ->> 'occurred_on' >= %(start)s::text AND row ->> 'occurred_on' < %(end)s::text
    )
"""
AGO = """(SELECT sum(amount) FROM sold
    WHERE occurred_on >= %(start)s - interval '1 year'
      AND occurred_on < %(end)s - interval '1 year')
"""
NET = "(SELECT sum(amount) FROM now)"
GOAL = "(SELECT sum(g) FROM goal)"
DATED = "(SELECT sum(amount) FROM paid WHERE dated)"
OWED = "(SELECT nullif(count(*), 0) FROM owed)"
REPORTED = "((SELECT count(*) FROM now) + (SELECT count(*) FROM corrected WHERE removed))"
POTENTIAL = """(
    SELECT round(
        coalesce((people + produced) / 2, people, produced) * (
            SELECT sum(f.amount) FROM sales_salesfact f
            JOIN catalog_product c ON c.id = f.product_id
            JOIN partners_partner q ON q.id = f.partner_id
            JOIN accounts_territory x ON x.id = q.territory_id
            JOIN accounts_territory up ON up.id = a.parent_id AND starts_with(x.path, up.path)
            WHERE f.kind = %(kind)s AND f.occurred_on >= %(start)s AND f.occurred_on < %(end)s
              AND (%(lines)s::bigint[] IS NULL OR c.product_line_id = ANY(%(lines)s::bigint[]))
        ), 4)
    FROM (
        SELECT t.path, t.parent_id,
               t.population / (SELECT sum(population) FROM accounts_territory s
                               WHERE s.parent_id = t.parent_id) AS people,
               t.gdp / (SELECT sum(gdp) FROM accounts_territory s
                        WHERE s.parent_id = t.parent_id) AS produced
        FROM accounts_territory t
    ) a
    JOIN partners_partner p ON p.id = %(partner)s
    JOIN accounts_territory own ON own.id = p.territory_id AND starts_with(own.path, a.path)
    WHERE people IS NOT NULL OR produced IS NOT NULL ORDER BY length(a.path) DESC LIMIT 1
)"""
# Of each measure numerator and denominator; of those that divide nothing, NULL.
SQL = {
    "sell_in_net": (NET, "NULL"),
    "sell_through_net": (NET, "NULL"),
    "sell_out_net": (NET, "NULL"),
    "growth_yoy": (
        NET,
        AGO,
    ),
    "growth_qoq": (
        NET,
        "(SELECT sum(amount) FROM sold WHERE occurred_on BETWEEN %(before)s AND %(start)s - 1)",
    ),
    "active_months": ("(SELECT count(*) FROM month WHERE net > 0)", "NULL"),
    "active_month_share": (
        "(SELECT count(*) FROM month WHERE net > 0)",
        "(SELECT count(*) FROM month)",
    ),
    "active_week_share": (
        "(SELECT count(*) FROM week WHERE net > 0)",
        "(SELECT count(*) FROM week)",
    ),
    "monthly_variation": (
        "(SELECT round(stddev_pop(net), 6) FROM month HAVING EXISTS (SELECT FROM now))",
        "(SELECT round(avg(net), 6) FROM month HAVING EXISTS (SELECT FROM now))",
    ),
    "return_rate": (
        "(SELECT -coalesce(sum(amount) FILTER (WHERE amount < 0), 0) FROM now)",
        "(SELECT coalesce(sum(amount) FILTER (WHERE amount >= 0), 0) FROM now HAVING count(*) > 0)",
    ),
    "target_attainment": (NET, GOAL),
    "collection_attainment": ("(SELECT sum(amount) FROM paid)", GOAL),
    "focus_line_attainment": (
        "(SELECT sum(amount) FROM now WHERE focus)",
        "(SELECT sum(amount) FROM target WHERE focus)",
    ),
    "focus_line_share": ("(SELECT sum(amount) FROM now WHERE focus)", NET),
    "line_breadth": (
        "(SELECT count(*) FROM (SELECT FROM now GROUP BY line HAVING sum(amount) > 0) x)",
        "NULL",
    ),
    "product_breadth": (
        "(SELECT count(*) FROM (SELECT FROM now GROUP BY product_id HAVING sum(amount) > 0) x)",
        "NULL",
    ),
    "new_product_share": (
        "(SELECT sum(amount) FROM now WHERE occurred_on - active_from BETWEEN 0 AND 364)",
        NET,
    ),
    "territory_potential_share": (NET, POTENTIAL),
    "collection": ("(SELECT sum(amount) FROM paid)", "NULL"),
    "payment_timeliness": (
        "(SELECT sum(amount) FROM paid WHERE dated AND paid_on <= due_on)",
        DATED,
    ),
    "payment_days_late": (
        "(SELECT sum(amount * (paid_on - due_on)) FROM paid WHERE dated AND paid_on > due_on)",
        DATED,
    ),
    "reporting_timeliness": (
        "(SELECT count(*) FROM owed WHERE came <= due_on OR came IS NULL AND nothing)",
        OWED,
    ),
    "reporting_completeness": (
        "(SELECT count(*) FROM owed WHERE received_at IS NOT NULL OR nothing_at IS NOT NULL)",
        OWED,
    ),
    "reporting_correctness": (
        f"(SELECT greatest({REPORTED} - (SELECT count(*) FROM corrected), 0))",
        f"(SELECT nullif({REPORTED}, 0))",
    ),
    "decided_cases": (
        """(SELECT count(*) FROM performance_deduction WHERE partner_id = %(partner)s
            AND state = 'decided' AND decided_on >= %(start)s AND decided_on < %(end)s)""",
        "NULL",
    ),
}


class PlainSQL:
    """(numerator, denominator) of every measure by plain SQL, for a period; asked once for each
    partner, kind, product lines and first day. No numerator is 0, as no rows are."""

    def __init__(self, period):
        self.period, self.known = period, {}

    def of(self, measure, partner, kind, lines):
        """Those of one measure."""
        lines = lines if measure.by_line else None
        key = partner.pk, measure.kind_for(kind), lines, measure.starts_on(self.period)
        if key not in self.known:
            self.known[key] = self.ask(*key)
        above, below = self.known[key][measure.code.removesuffix("_ytd")]
        return above or Decimal(0), below

    def ask(self, partner, kind, lines, start):
        values = {
            "partner": partner,
            "kind": kind,
            "lines": None if lines is None else list(lines),
            "start": start,
            "end": self.period.end,
            "last": self.period.end - timedelta(days=1),
            "before": self.period.previous().start,
        }
        with connection.cursor() as cursor:
            columns = ", ".join(", ".join(pair) for pair in SQL.values())
            cursor.execute(f"{BOOKS} SELECT {columns}", values)
            row = cursor.fetchone()
        return dict(zip(SQL, zip(row[::2], row[1::2], strict=True), strict=True))


def value_of(measure, numerator, denominator):
    if measure.denominator is None:
        return Decimal(numerator)
    if denominator is None or denominator <= 0:
        return None
    above = numerator - denominator if measure.code.startswith("growth") else numerator
    return (Decimal(above) / denominator).quantize(Decimal("0.000001"), ROUND_HALF_UP)


@pytest.mark.parametrize(("code", "fiscal"), PERIODS)
def test_every_measure_is_what_plain_sql_says(books, code, fiscal):
    """Every measure, for each kind that can be chosen, with and without a product line."""
    period = Period.parse(code, fiscal)
    focus = line_keys("FOCUS")
    assert set(focus) == set(
        ProductLine.objects.filter(code__in=["FOCUS", "BELOW", "OTHER"]).values_list(
            "pk", flat=True
        )
    )
    wanted = [
        Wanted(measure, kind, lines)
        for measure in measures.REGISTRY.values()
        if not measure.absent
        for kind in (["", *KINDS] if measure.kind is None else [""])
        for lines in (None, focus)
        if measure.starts_on(period) <= add_months(period.end, -3)
        or measure.grain != measures.QUARTER
    ]
    with connection.cursor() as cursor:
        inputs, _seen = read_inputs(cursor, [each.pk for each in books], period, wanted)
    wrong, applied, plain = [], set(), PlainSQL(period)
    for each, read in zip(wanted, inputs, strict=True):
        measure = each.measure
        values = read.values(measure)
        for number, partner in enumerate(books):
            above, below = plain.of(measure, partner, each.kind, each.lines)
            told = value_of(measure, above, below)
            found = (values[number], read.numerators[number], read.denominators[number])
            if told is not None:
                applied.add(measure.code.removesuffix("_ytd"))
            if measure.denominator is None:
                agrees = (found[0], found[1]) == (told, above)
            else:
                agrees = found[0] == told and (told is None or found[1:] == (above, below))
            if not agrees:
                wrong.append((measure.code, each.kind, each.lines, partner.code, found, told))
    assert wrong == []
    assert len(applied) == len({each.measure.code.removesuffix("_ytd") for each in wanted})


def test_all_are_read_in_one_statement(books, django_assert_num_queries):
    wanted = [Wanted(measure) for measure in measures.REGISTRY.values() if not measure.absent]
    period = Period.parse("2013Q3")
    for partners in (books[:1], books):
        # One for the focus lines, one for everything.
        with django_assert_num_queries(2), connection.cursor() as cursor:
            read_inputs(cursor, [each.pk for each in partners], period, wanted)


def test_what_is_read_for_one_is_what_is_read_among_all(books):
    period = Period.parse("2013Q3")
    wanted = [Wanted(measure) for measure in measures.REGISTRY.values() if not measure.absent]
    with connection.cursor() as cursor:
        inputs, _seen = read_inputs(cursor, [each.pk for each in books], period, wanted)
    for each, read in zip(wanted, inputs, strict=True):
        one = read_one(books[3].pk, period, each.measure)
        assert one.values(each.measure) == [read.values(each.measure)[3]]
        assert one.lines == [read.lines[3]]


def test_many_partners_are_read_as_few_are(books):
    """Above FEW the server plans otherwise; the answer is the same."""
    more = [make.make_partner() for _number in range(60)]
    period = Period.parse("2013")
    wanted = [Wanted(measures.get(code)) for code in ("sell_in_net", "product_breadth")]
    with connection.cursor() as cursor:
        few, _seen = read_inputs(cursor, [each.pk for each in books], period, wanted)
        all_of_them = [each.pk for each in [*more, *books]]
        many, _seen = read_inputs(cursor, all_of_them, period, wanted)
    assert [each.numerators[60:] for each in many] == [each.numerators for each in few]
    assert {value for each in many for value in each.numerators[:60]} == {Decimal(0)}


def test_a_variation_says_nothing_of_a_month(books):
    measure = measures.get("monthly_variation")
    with pytest.raises(DomainError) as refused:
        read_one(books[0].pk, Period.parse("2013-08"), measure)
    assert refused.value.code == "period_too_short"
    row = make.make_derived_measure(expression="monthly_variation", span="year_to_date")
    made = measures.get(row.code)
    assert read_one(books[0].pk, Period.parse("2013-08"), made).values(made)[0] is not None
    with pytest.raises(DomainError):  # January and February
        read_one(books[0].pk, Period.parse("2013-02"), made)


def test_what_is_absent_is_not_read(books):
    for measure in measures.REGISTRY.values():
        if measure.absent:
            with pytest.raises(DomainError) as refused:
                read_one(books[0].pk, Period.parse("2013Q3"), measure)
            assert refused.value.code == "absent"


def load(tmp_path, text, *options):
    path = tmp_path / "file.csv"
    path.write_text(text)
    out = StringIO()
    call_command("load", "sales", str(path), *options, stdout=out, language="en")
    return json.loads(out.getvalue().splitlines()[-1])


def test_correctness_follows_files_that_correct_and_are_undone(tmp_path, settings):
    settings.MEDIA_ROOT = str(tmp_path / "media")
    partner = make.make_partner(code="P-1")
    make.make_product(code="A-1")
    head = "reference,occurred_on,partner,product,quantity,amount,kind\n"
    rows = [f"R{n},2013-08-0{n},P-1,A-1,1,{n}00,sell_through\n" for n in range(1, 5)]
    measure, period = measures.get("reporting_correctness"), Period.parse("2013Q3")

    def told():
        inputs = read_one(partner.pk, period, measure)
        return inputs.numerators[0], inputs.denominators[0]

    assert load(tmp_path, head + "".join(rows))["created"] == 4
    assert told() == (4, 4)
    assert load(tmp_path, head + "".join(rows))["unchanged"] == 4  # the same again corrects nothing
    assert told() == (4, 4)
    changed = load(tmp_path, head + rows[0].replace("100", "111") + rows[1])
    assert changed["updated"] == 1
    assert told() == (3, 4)
    engine.undo(Import.objects.latest("pk"), by=None)
    assert told() == (4, 4)
