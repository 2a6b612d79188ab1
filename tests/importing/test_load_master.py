"""`load` of master data: parents in any order, repeats, what is refused, and history."""

from datetime import date
from decimal import Decimal

import pytest

from accounts.models import Territory
from catalog.models import Product, ProductLine
from core.models import Event
from partners.models import Contact, Partner
from sales.models import Target
from tests import factories as make
from tests.importing.conftest import reasons
from tests.importing.test_load_sales import counts

TREE = "code,name,parent,level\nC,Child,B,city\nB,Middle,A,province\nA,Root,,country\n"


def test_parents_may_come_later(load):
    assert counts(load("territories", TREE)) == (3, 3, 0, 0, 0)
    child = Territory.objects.get(code="C")
    assert [one.code for one in child.ancestors()] == ["A", "B"]
    assert counts(load("territories", TREE)) == (3, 0, 0, 3, 0)


def test_unknown_parents_and_circles_are_refused(load):
    result = load("territories", "code,name,parent\nX,X,Y\nY,Y,X\nZ,Z,NOWHERE\nA,A,\n")
    assert counts(result) == (4, 1, 0, 0, 3)
    assert [(row, field) for row, field, _reason in reasons(result)] == [
        (2, "parent"),
        (3, "parent"),
        (4, "parent"),
    ]


def test_a_circle_of_known_rows_is_refused_by_row(load):
    load("territories", TREE)
    result = load("territories", "code,name,parent,level\nA,Root,C,country\nB,Center,A,province\n")
    assert counts(result) == (2, 0, 1, 0, 1)
    assert reasons(result) == [(2, "parent", "A record cannot be placed below itself.")]
    assert Territory.objects.get(code="B").name == "Center"


def test_the_same_row_again_is_no_news_and_another_is_refused(load):
    text = "code,name\nRUM,Rum\nRUM,Rum\nrum,Rhum\n"
    result = load("product_lines", text)
    assert counts(result) == (3, 1, 0, 1, 1)
    assert reasons(result) == [(4, "code", "The row repeats row 2 with other values.")]


def test_products_need_their_line_and_a_price_that_is_one(load):
    make.make_product_line("Cables", code="CAB")
    text = (
        "code,name,product_line,unit,list_price\n"
        "A,Ａ,cab,EA,1.5\n"
        "B,B,,EA,1\n"
        "C,C,CAB,EA,-1\n"
        "D,D,NONE,EA,x\n"
    )
    result = load("products", text)
    assert counts(result) == (4, 1, 0, 0, 3)
    assert reasons(result) == [
        (3, "product_line", "The cell is empty."),
        (4, "list_price", "Ensure this value is greater than or equal to 0."),
        (5, "product_line", "“NONE” is not known."),
        (5, "list_price", "“x” is not a number such as -1234.5."),
    ]
    assert Product.objects.get().list_price == Decimal("1.5")


def test_partners_are_active_have_events_and_pinyin(load):
    make.make_territory(code="BJ")
    owner = make.make_user("sales_manager", username="li")
    text = (
        "编码,客户名称,区域,渠道类型,负责人,信用代码\n"
        "P1,北京测试,BJ,Dealer,LI,\n"
        "Ｐ２,上海,bj,agent,,bad\n"
    )
    names = (
        "--map",
        "code=编码",
        "name=客户名称",
        "territory=区域",
        "channel_type=渠道类型",
        "owner=负责人",
        "credit_code=信用代码",
    )
    result = load("partners", text, *names)
    assert counts(result) == (2, 1, 0, 0, 1)
    assert [(row, field) for row, field, _reason in reasons(result)] == [(3, "credit_code")]
    partner = Partner.objects.get()
    assert (partner.code, partner.state, partner.owner, partner.pinyin) == (
        "P1",
        "active",
        owner,
        "beijingceshi bjcs",
    )
    event = Event.objects.get(verb="partners.partner.created")
    assert (event.object_id, event.scope_id, event.source) == (partner.pk, partner.pk, "import")
    assert event.changes["name"] == [None, "北京测试"]


def test_an_update_touches_only_mapped_fields_and_says_what_changed(load):
    make.make_territory(code="BJ")
    load("partners", "code,name,short_name,territory\nP1,One,Uno,BJ\n")
    assert counts(load("partners", "code,name,territory\np1,Won,BJ\n")) == (1, 0, 1, 0, 0)
    partner = Partner.objects.get()
    assert (partner.code, partner.name, partner.short_name) == ("P1", "Won", "Uno")
    event = Event.objects.get(verb="partners.partner.updated")
    assert event.changes["name"] == ["One", "Won"]


def test_what_the_database_refuses_is_refused_by_row(load):
    make.make_territory(code="BJ")
    code = "91350100M000100Y43"
    text = f"code,name,territory,credit_code\nP1,One,BJ,{code}\nP2,Two,BJ,{code}\nP3,Three,BJ,\n"
    result = load("partners", text)
    assert counts(result) == (3, 2, 0, 0, 1)
    assert reasons(result) == [(3, "credit_code", "Another record has this value already.")]


def test_targets_by_month_and_line(load, network):
    text = (
        "partner,product_line,month,kind,amount\n"
        "P-1,,2026-01,,1000\n"
        "P-1,CAB,2026年2月,collection,5.25\n"
        "P-1,,2026-13,,1\n"
        "P-1,,2026-03,,1.005\n"
    )
    result = load("targets", text)
    assert counts(result) == (4, 2, 0, 0, 2)
    assert list(
        Target.objects.order_by("month").values_list(
            "month", "kind", "product_line__code", "amount"
        )
    ) == [
        (date(2026, 1, 1), "sell_in", None, Decimal(1000)),
        (date(2026, 2, 1), "collection", "CAB", Decimal("5.25")),
    ]
    assert counts(load("targets", text.replace("1000", "2000"))) == (4, 0, 1, 1, 2)
    short = "partner,month,amount\nP-1,2026-01,2000\n"
    assert counts(load("targets", short)) == (1, 0, 0, 1, 0)


def test_contacts_are_known_by_partner_and_name(load, network):
    text = "partner,name,phone,role\nP-1,王强,13800000000,sales\n"
    assert counts(load("contacts", text)) == (1, 1, 0, 0, 0)
    assert counts(load("contacts", text.replace("138", "139"))) == (1, 0, 1, 0, 0)
    assert Contact.objects.get().phone == "13900000000"


def test_a_manager_cannot_load_what_they_could_not_see(load, cast):
    text = "code,name,territory\nNEW-1,New,N\nNEW-2,Lost,S\nSOUTH-1,Taken,N\n"
    result = load("partners", text, "--by", "north_manager")
    assert counts(result) == (3, 1, 0, 0, 2)
    assert sorted(row for row, _field, _reason in reasons(result)) == [3, 4]
    assert set(Partner.objects.values_list("name", flat=True)) == {
        "Northern Trading",
        "Southern Trading",
        "New",
    }


def test_a_batch_costs_the_same_queries_for_3_rows_and_300(load, django_assert_max_num_queries):
    make.make_territory(code="BJ")
    for count in (3, 300):
        rows = "".join(f"Q{count}-{i},Name {i},BJ\n" for i in range(count))
        with django_assert_max_num_queries(22):
            load("partners", "code,name,territory\n" + rows)


def test_rows_that_are_known_cost_the_same_queries_for_3_and_300(
    load, django_assert_max_num_queries
):
    make.make_territory(code="BJ")
    make.make_territory(code="SH")
    head = "code,name,territory,level\n"
    for count in (3, 300):
        rows = head + "".join(f"K{count}-{i},Name {i},BJ,gold\n" for i in range(count))
        load("partners", rows)
        with django_assert_max_num_queries(22):
            assert counts(load("partners", rows)) == (count, 0, 0, count, 0)
        with django_assert_max_num_queries(22):
            changed = rows.replace("BJ,gold", "SH,silver")
            assert counts(load("partners", changed)) == (count, 0, count, 0, 0)


def test_one_row_that_is_refused_does_not_cost_the_others_a_query_each(
    load, django_assert_max_num_queries
):
    make.make_territory(code="BJ")
    make.make_partner(code="TAKEN", credit_code="91350100M000100Y43")
    rows = [f"R{i},Name {i},BJ,\n" for i in range(300)]
    rows[200] = rows[200].replace(",\n", ",91350100M000100Y43\n")
    with django_assert_max_num_queries(120):
        result = load("partners", "code,name,territory,credit_code\n" + "".join(rows))
    assert counts(result) == (300, 299, 0, 0, 1)
    assert [row for row, _field, _reason in reasons(result)] == [202]


def test_bulk_writes_renew_updated_at(load):
    make.make_territory(code="BJ")
    load("partners", "code,name,territory\nP1,One,BJ\nP2,Two,BJ\n")
    before = dict(Partner.objects.values_list("code", "updated_at"))
    load("partners", "code,name,territory\nP1,Won,BJ\nP2,Two,BJ\n")
    after = dict(Partner.objects.values_list("code", "updated_at"))
    assert (after["P1"] > before["P1"], after["P2"] == before["P2"]) == (True, True)


def test_ten_thousand_partners_a_hundred_deep(load, django_assert_max_num_queries):
    """The worst order: each batch of a thousand rows has ten generations of parents."""
    make.make_territory(code="BJ")
    rows = "".join(
        f"Q{i},北京网络科技{i},BJ,{f'Q{i - 100}' if i >= 100 else ''}\n" for i in range(10_000)
    )
    with django_assert_max_num_queries(2500):
        result = load("partners", "code,name,territory,parent\n" + rows)
    assert counts(result) == (10_000, 10_000, 0, 0, 0)


@pytest.mark.parametrize("kind", ["territories", "product_lines"])
def test_dry_runs_write_nothing(load, kind):
    assert counts(load(kind, "code,name\nA,A\n", "--dry-run")) == (1, 1, 0, 0, 0)
    assert (Territory.objects.count(), ProductLine.objects.count(), Event.objects.count()) == (
        0,
        0,
        0,
    )


def test_a_channel_type_may_be_said_in_the_words_of_the_trade(load):
    make.make_territory(code="T")
    words = ("Reseller", "wholesaler", "经销商", "Retailer", "gift shop")
    rows = "".join(f"P{n},P,T,{word}\n" for n, word in enumerate(words))
    result = load("partners", "code,name,territory,channel_type\n" + rows)
    assert counts(result) == (5, 4, 0, 0, 1)
    found = Partner.objects.order_by("code").values_list("channel_type", flat=True)
    assert list(found) == ["dealer", "distributor", "dealer", "retailer"]
    assert [(row, field) for row, field, _reason in reasons(result)] == [(6, "channel_type")]
