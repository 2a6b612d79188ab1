"""What totals say of our books equals a plain count, whoever writes facts or totals, and when."""

import json
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings, strategies as st

from core.periods import add_months
from partners.models import Partner
from sales.control import services
from sales.control.comparing import reconcile, touched_by
from sales.loading.kinds import PAYMENTS, SALES
from sales.models import ControlTotal, Payment, SalesFact
from tests import factories as make
from tests.importing.conftest import _media, load, network  # noqa: F401  fixtures

pytestmark = pytest.mark.django_db
HEAD = "reference,partner,product,occurred_on,quantity,amount,kind,source\n"


def plain(total):
    """(rows, amount) that a plain query finds for a total."""
    payment = total.kind == "payment"
    day = "paid_on" if payment else "occurred_on"
    found = (Payment if payment else SalesFact).objects.filter(
        **{"source": total.source, f"{day}__gte": total.starts_on, f"{day}__lt": total.ends_before}
    )
    if not payment:
        found = found.filter(kind=total.kind)
    if total.partner_id:
        found = found.filter(partner=total.partner_id)
    return found.count(), found.aggregate(sum=Sum("amount"))["sum"] or 0


def compared():
    return [(t.pk, t.books_rows, t.books_amount) for t in ControlTotal.objects.order_by("pk")]


def counted():
    return [(t.pk, *plain(t)) for t in ControlTotal.objects.order_by("pk")]


def post(source="erp", period="2026-01", rows=0, amount="0", kind="sell_in", partner=None):
    start, end = services.days_of(period)
    return services.post(
        by=None, source=source, kind=kind, starts_on=start, ends_before=end, partner=partner,
        rows=rows, amount=Decimal(amount),
    )[0]  # fmt: skip


def undo(number):
    out = StringIO()
    call_command("undo", str(number), stdout=out, language="en")
    assert "error" not in json.loads(out.getvalue().splitlines()[-1])


which, day = st.integers(0, 1), st.integers(0, 40)
ROW = st.tuples(st.integers(0, 7), which, day, st.integers(-9, 9), st.booleans(), which)
STEP = st.one_of(
    st.tuples(st.just("load"), st.lists(ROW, max_size=6, unique_by=lambda row: (row[0], row[5]))),
    st.tuples(st.just("undo")),
    st.tuples(st.just("day"), day, which, st.booleans(), st.none() | which),
    st.tuples(st.just("month"), st.integers(0, 2), which, st.booleans(), st.none() | which),
)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(STEP, max_size=8))
def test_totals_equal_a_plain_count_after_every_step(load, steps):  # noqa: F811
    tag = Partner.objects.count()  # names of this example alone
    partners = [make.make_partner(code=f"P{n}-{tag}") for n in (0, 1)]
    product, loads = make.make_product().code, []
    for step in steps:
        match step:
            case "load", rows:
                text = "".join(
                    f"{n},{partners[who].code},{product},{date(2026, 1, 1) + timedelta(at)},1,"
                    f"{amount}.25,{'sell_out' if out else 'sell_in'},s{source}-{tag}\n"
                    for n, who, at, amount, out, source in rows
                )
                if rows:
                    loads.append(load("sales", HEAD + text)["import"])
            case ("undo",):
                if loads:
                    undo(loads.pop())
            case length, at, source, out, who:
                start = date(2026, 1, 1) + timedelta(at)
                if length == "month":
                    start = add_months(date(2026, 1, 1), at)
                post(
                    f"s{source}-{tag}",
                    str(start)[: 10 if length == "day" else 7],
                    kind="sell_out" if out else "sell_in",
                    partner=None if who is None else partners[who],
                )
        assert compared() == counted()


def test_payments_are_counted_apart(load, network):  # noqa: F811
    text = "reference,partner,paid_on,amount,source\nZ1,P-1,2026-01-05,10.5,erp\n"
    money, goods = post(kind="payment", rows=1, amount="10.5"), post()
    number = load("payments", text)["import"]
    assert compared() == [(money.pk, 1, Decimal("10.5")), (goods.pk, 0, 0)] == counted()
    undo(number)
    assert compared() == [(money.pk, 0, 0), (goods.pk, 0, 0)]


def test_a_line_that_moves_to_another_month_leaves_the_old_one(load, network):  # noqa: F811
    january, february = post(), post(period="2026-02")
    load("sales", HEAD + "R1,P-1,A-1,2026-01-05,1,7,sell_in,erp\n")
    moved = load("sales", HEAD + "R1,P-1,A-1,2026-02-05,1,7,sell_in,erp\n")["import"]
    assert compared() == [(january.pk, 0, 0), (february.pk, 1, 7)]
    undo(moved)
    assert compared() == [(january.pk, 1, 7), (february.pk, 0, 0)]


def test_replacing_a_period_counts_what_it_took_out(load, network):  # noqa: F811
    total = post()
    rows = "R1,P-1,A-1,2026-01-05,1,7,sell_in,erp\nR2,P-1,A-1,2026-01-06,1,8,sell_in,erp\n"
    load("sales", HEAD + rows)
    first = HEAD + rows.splitlines()[0] + "\n"
    replaced = load("sales", first, "--replace=partners", "--replace-last=2026-01-31")
    assert replaced["removed"] == 1
    assert compared() == [(total.pk, 1, 7)]


def test_only_totals_of_the_days_of_a_load_are_touched(network):  # noqa: F811
    file = make.make_import()
    make.make_fact(network[0], load=file, source="erp", occurred_on=date(2026, 1, 15))
    hit = [post(), post(period="2026-01-15"), post(partner=network[0])]
    post(period="2026-01-14"), post(period="2026-02"), post(source="other"), post(kind="payment")
    assert sorted(touched_by(SALES, file)) == [total.pk for total in hit]
    assert touched_by(PAYMENTS, file) == []


def test_without_totals_a_load_asks_twice_and_no_more(network):  # noqa: F811
    with CaptureQueriesContext(connection) as asked:
        reconcile(touched_by(SALES, make.make_import()))
    own = [query["sql"] for query in asked if "core_import" not in query["sql"]]
    assert [sql[:6] for sql in own] == ["SELECT", "SELECT"]


def test_many_totals_take_as_many_queries_as_one(network):  # noqa: F811
    def cost(keys):
        with CaptureQueriesContext(connection) as asked:
            reconcile(keys)
        return len(asked)

    one = [post().pk]
    many = one + [post(period=f"2026-01-{day:02d}").pk for day in range(1, 29)]
    assert cost(many) == cost(one)


def test_a_request_ends_when_the_totals_match(network):  # noqa: F811
    total = post(rows=1, amount="100", source="test")
    services.ask_again(total, by=None, at=total.created_at)
    reconcile([total.pk])
    assert ControlTotal.objects.get().comparison == "requested"
    make.make_fact(network[0])
    reconcile([total.pk])
    found = ControlTotal.objects.get()
    assert (found.comparison, found.requested_at) == ("matches", None)
