"""Reports: owed as the rules say, received as the lines in the books say."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings, strategies as st

from core.errors import Conflict
from core.importing import engine
from core.models import Event, Import
from sales.forms import ReportingRuleForm
from sales.loading import undo
from sales.loading.kinds import SALES
from sales.models import FactBefore, Report, SalesFact
from sales.services import reporting
from tests import factories as make

pytestmark = pytest.mark.django_db
JANUARY, MARCH = date(2026, 1, 1), date(2026, 3, 1)
NOW = datetime(2026, 3, 5, 9, tzinfo=UTC)


def at(month, day):
    return datetime(2026, month, day, 12, tzinfo=UTC)


def through(partner, recorded_at=NOW, **fields):
    return make.make_fact(partner, kind="sell_through", recorded_at=recorded_at, **fields)


def owed():
    rows = Report.objects.order_by("partner", "starts_on")
    return list(rows.values_list("partner", "starts_on", "ends_before", "due_on"))


def states(on):
    return list(Report.objects.with_state(on).order_by("starts_on").values_list("state", flat=True))


# --- Who owes -------------------------------------------------------------------------------------


def test_each_period_that_is_over_is_owed_once():
    partner = make.make_partner()
    make.make_reporting_rule(due_days=10)
    assert [reporting.make_reports(on=day) for day in (MARCH - timedelta(1), MARCH, MARCH)] == [
        1,
        1,
        0,
    ]
    assert owed() == [
        (partner.pk, date(2026, 1, 1), date(2026, 2, 1), date(2026, 2, 10)),
        (partner.pk, date(2026, 2, 1), date(2026, 3, 1), date(2026, 3, 10)),
    ]


@pytest.mark.parametrize(
    ("frequency", "periods"),
    [
        ("week", [date(2026, 1, 5), date(2026, 1, 12)]),
        ("month", [date(2026, 1, 1)]),
        ("quarter", []),
    ],
)
def test_a_rule_asks_for_whole_periods_that_begin_in_its_time(frequency, periods):
    make.make_partner()
    make.make_reporting_rule(frequency=frequency, ends_before=date(2026, 1, 19))
    reporting.make_reports(on=MARCH)
    assert [row[1] for row in owed()] == periods


def test_a_partner_owes_while_there_is_business_with_it():
    always = make.make_partner()
    new = make.make_partner(started_on=date(2026, 1, 31))
    later = make.make_partner(started_on=date(2026, 2, 1))
    gone = make.make_partner(state="exited", ended_on=date(2026, 1, 1))
    make.make_partner(state="exited", ended_on=date(2025, 12, 31))
    make.make_partner(state="prospect")
    make.make_reporting_rule(ends_before=date(2026, 2, 1))
    reporting.make_reports(on=MARCH)
    assert [row[0] for row in owed()] == [always.pk, new.pk, gone.pk]
    assert not Report.objects.filter(partner=later).exists()


def test_every_limit_of_a_scope_counts(cast):
    level = make.make_level()
    place = make.make_territory(parent=cast.north)
    inside = make.make_partner(territory=place, channel_type="dealer", level=level)
    make.make_partner(territory=cast.south, channel_type="dealer", level=level)
    make.make_partner(territory=place, channel_type="agent", level=level)
    make.make_partner(territory=place, channel_type="dealer")
    rule = make.make_reporting_rule(channel_types=["dealer"])
    rule.levels.add(level)
    rule.territories.add(cast.north)
    assert list(reporting.in_scope(rule)) == [inside]
    rule.partners.add(cast.north_partner)
    assert list(reporting.in_scope(rule)) == []


def edited(rule, **changes):
    data = {"name": rule.name, "kind": rule.kind, "frequency": rule.frequency}
    data |= {"due_days": rule.due_days, "starts_on": "2026-01-01", **changes}
    form = ReportingRuleForm(data, instance=rule)
    assert form.is_valid(), form.errors
    return reporting.save_rule(form=form, by=None, on=MARCH)


def test_reports_that_have_not_come_follow_a_changed_rule(cast):
    rule = edited(make.make_reporting_rule())
    assert Report.objects.count() == 4
    through(cast.south_partner)
    edited(rule, due_days=20, territories=[cast.north.pk], ends_before="2026-02-01")
    assert sorted(owed()) == [
        (cast.north_partner.pk, JANUARY, date(2026, 2, 1), date(2026, 2, 20)),
        (cast.south_partner.pk, JANUARY, date(2026, 2, 1), date(2026, 2, 10)),  # it has come
    ]


def test_an_old_rule_can_still_be_changed():
    rule = make.make_reporting_rule(starts_on=date(2001, 1, 1))
    assert edited(rule, starts_on="2001-01-01", name="Renamed").name == "Renamed"
    data = {"name": "x", "kind": "sell_in", "frequency": "month", "due_days": 5}
    assert set(ReportingRuleForm({**data, "starts_on": "2001-01-01"}).errors) == {"starts_on"}


def test_what_is_reported_by_a_rule_does_not_change():
    rule = make.make_report().rule
    data = {"name": "x", "kind": "sell_out", "frequency": "week", "due_days": 5}
    form = ReportingRuleForm({**data, "starts_on": "2026-01-01"}, instance=rule)
    assert set(form.errors) == {"kind"}


# --- What has come --------------------------------------------------------------------------------


def test_states_by_day():
    partner = make.make_partner()
    report = make.make_report(partner)
    assert (report.due_on, states(date(2026, 2, 10))) == (date(2026, 2, 10), ["expected"])
    assert states(date(2026, 2, 11)) == ["missing"]
    through(partner, at(2, 11))
    assert states(MARCH) == ["late"]
    through(partner, at(2, 10))
    assert states(MARCH) == ["received"]


def test_lines_of_another_kind_partner_or_month_are_no_report():
    report = make.make_report()
    through(make.make_partner())
    make.make_fact(report.partner, kind="sell_out")
    through(report.partner, occurred_on=date(2026, 2, 1))
    through(report.partner, occurred_on=date(2025, 12, 31))
    assert states(MARCH) == ["missing"]


def test_a_report_made_after_its_lines_knows_them():
    partner = make.make_partner()
    through(partner, at(2, 3))
    make.make_reporting_rule(ends_before=date(2026, 2, 1))
    reporting.make_reports(on=MARCH)
    assert Report.objects.get().received_at == at(2, 3)


def write(path, partner, product, *rows):
    lines = [f"x,{ref},{partner.code},{product.code},{day},1,{amount}" for ref, day, amount in rows]
    header = "source,reference,partner,product,occurred_on,quantity,amount\n"
    path.write_text(header + "\n".join(lines) + "\n")


def test_load_change_undo_and_load_again(tmp_path):
    report = make.make_report()
    product, path = make.make_product(), tmp_path / "sales.csv"

    def load(*rows):
        write(path, report.partner, product, *rows)
        row = Import(kind="sales", file_name="sales.csv")
        constants = {"kind": "sell_through"}
        engine.run(
            path, row, engine.Options(constants=constants), by=None, error_path=tmp_path / "e"
        )
        report.refresh_from_db()
        return row

    first = load(("a", "2026-01-05", 10))
    came = report.received_at
    assert (came, report.load) == (first.created_at, first)
    second = load(("a", "2026-01-05", 12))  # a change does not make it later
    assert (report.received_at, report.load) == (came, first)
    engine.undo(second, by=None)
    report.refresh_from_db()
    assert (report.received_at, report.load) == (came, first)
    third = load(("a", "2026-02-05", 12))  # the only line moves to another month
    assert (report.received_at, report.load) == (None, None)
    engine.undo(third, by=None)
    engine.undo(first, by=None)
    report.refresh_from_db()
    assert (report.received_at, report.load) == (None, None)
    again = load(("b", "2026-01-06", 10))
    assert (report.received_at, report.load) == (again.created_at, again)


def recomputed():
    """{report: when it came} by a plain look at all lines and what they were."""
    out = {}
    for report in Report.objects.all():

        def mine(row, report=report):
            return (
                row["partner_id"] == report.partner_id
                and row["kind"] == report.kind
                and str(report.starts_on) <= str(row["occurred_on"]) < str(report.ends_before)
            )

        lines = [line for line in SalesFact.objects.values() if mine(line)]
        keys = {line["id"] for line in lines}
        before = [
            one.row for one in FactBefore.objects.all() if one.fact_id in keys and mine(one.row)
        ]
        out[report.pk] = min(map(came, (*lines, *before)), default=None)
    return out


def came(row):
    """When the file of a line came; when it was recorded, if it came by none."""
    if row["load_id"]:
        return Import.objects.get(pk=row["load_id"]).created_at
    when = row["recorded_at"]
    return datetime.fromisoformat(when) if isinstance(when, str) else when


place = st.integers(0, 2)
kind = st.sampled_from(["sell_in", "sell_through"])
DAYS = (date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 9))
moment = st.integers(0, 10**6).map(lambda seconds: NOW + timedelta(seconds=seconds))
STEPS = st.one_of(
    st.tuples(st.just("insert"), place, kind, st.lists(st.tuples(place, moment), max_size=4)),
    st.tuples(st.just("change"), place, kind, place, moment),
    st.tuples(st.just("delete"), place, place),
    st.tuples(st.just("make"), place),
    st.tuples(st.just("truncate")),
)


def run_sql(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)


def take(step, partners, product, load):
    match step:
        case "insert", partner, what, lines:
            SalesFact.objects.bulk_create(
                SalesFact(
                    partner=partners[partner], product=product, occurred_on=DAYS[day], kind=what,
                    recorded_at=when, source="x", reference=str(uuid4()), quantity=1, amount=1,
                )
                for day, when in lines
            )  # fmt: skip
        case "change", partner, what, day, when:
            rows = SalesFact.objects.filter(partner=partners[partner])
            with connection.cursor() as cursor:
                changed = (
                    f"SELECT id FROM sales_salesfact WHERE partner_id = {partners[partner].pk}"
                )
                undo.keep(cursor, SALES, make.make_import(), changed)
            rows.update(
                partner=partners[day], kind=what, occurred_on=DAYS[day], recorded_at=when, load=load
            )
        case "delete", partner, day:
            doomed = SalesFact.objects.filter(partner=partners[partner], occurred_on=DAYS[day])
            FactBefore.objects.filter(fact_id__in=doomed.values("pk")).delete()
            doomed.delete()
        case "make", days:
            reporting.make_reports(on=MARCH - timedelta(days=20 * days))
        case ("truncate",):
            run_sql("SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE sales_salesfact CASCADE")


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEPS, min_size=2, max_size=12))
def test_what_has_come_is_exact_after_any_sequence_of_writes(steps):
    with transaction.atomic():
        product, load = make.make_product(), make.make_import()
        partners = [make.make_partner() for _number in range(3)]
        make.make_reporting_rule()
        make.make_reporting_rule(frequency="week", kind="sell_in", starts_on=date(2026, 1, 26))
        for step in [("make", 1), *steps]:
            take(step, partners, product, load)
            assert dict(Report.objects.values_list("pk", "received_at")) == recomputed()
        transaction.set_rollback(True)


# --- Nothing to report ----------------------------------------------------------------------------


def test_nothing_to_report_is_confirmed_and_taken_back(cast):
    report = make.make_report(cast.north_partner)
    reporting.confirm_nothing(report=report, by=cast.north_manager, at=NOW)
    assert states(MARCH) == ["nothing"]
    with pytest.raises(Conflict):
        reporting.confirm_nothing(report=report, by=cast.director, at=NOW)
    reporting.withdraw_nothing(report=report, by=cast.director)
    assert states(MARCH) == ["missing"]
    with pytest.raises(Conflict):
        reporting.withdraw_nothing(report=report, by=cast.director)
    assert [(e.verb, e.actor) for e in Event.objects.order_by("id")] == [
        ("sales.report.nothing", cast.north_manager),
        ("sales.report.withdrawn", cast.director),
    ]


def test_lines_count_more_than_the_word_that_there_are_none(cast):
    report = make.make_report(cast.north_partner)
    reporting.confirm_nothing(report=report, by=cast.director, at=at(2, 2))
    through(cast.north_partner, at(2, 20))
    assert states(MARCH) == ["late"]
    with pytest.raises(Conflict) as refused:
        reporting.confirm_nothing(report=report, by=cast.director, at=NOW)
    assert refused.value.code == "report_in"
