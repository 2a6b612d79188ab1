"""Files keep arriving with the code of a partner that was merged into another one."""

from datetime import date

import pytest

from core.importing import codes
from partners.models import Contact, Partner
from partners.services import merge_partners
from sales.models import Payment, SalesFact, Target
from tests import factories as make
from tests.importing.conftest import reasons

SALES = "reference,partner,product,occurred_on,quantity,amount\n1,{},A-1,2026-01-01,1,5\n"
pytestmark = pytest.mark.django_db


@pytest.fixture
def merged(network):
    kept, _product = network
    for code in ("OLDER", "00017"):
        drop = make.make_partner(code=code)
        merge_partners(keep=kept, drop=drop, by=None, on=date(2026, 11, 25), reason="same")
    return kept


@pytest.mark.parametrize(
    ("kind", "model", "text"),
    [
        ("sales", SalesFact, SALES),
        ("payments", Payment, "reference,partner,paid_on,amount\n1,{},2026-01-01,5\n"),
        ("targets", Target, "partner,month,amount\n{},2026-01,5\n"),
        ("contacts", Contact, "partner,name\n{},Somebody\n"),
    ],
)  # fmt: skip
def test_the_old_code_means_the_kept_partner(load, merged, kind, model, text):
    for code in ("older", "17"):
        result = load(kind, text.format(code), name=f"{code}.csv")
        assert result["rejected"] == 0, reasons(result)
    assert list(model.objects.values_list("partner", flat=True)) == [merged.pk]


def test_a_parent_may_be_named_by_the_old_code(load, merged):
    make.make_territory(code="T")
    load("partners", "code,name,territory,parent\nNEW,New,T,OLDER\n")
    assert Partner.objects.get(code="NEW").parent == merged


def test_master_data_of_the_merged_partner_change_nobody(load, merged):
    make.make_territory(code="T")
    result = load("partners", "code,name,territory\nOLDER,Other name,T\n")
    assert reasons(result) == [(2, "", "It was merged into another partner: change that one.")]
    assert not Partner.objects.filter(name="Other name").exists()


def test_the_kept_partner_must_be_visible(cast):
    drop = make.make_partner(code="OLD", territory=cast.north)
    merge_partners(
        keep=cast.south_partner, drop=drop, by=None, on=date(2026, 11, 25), reason="same"
    )
    north = Partner.objects.visible_to(cast.north_manager)
    assert codes.find(north, ["OLD"]) == {}
    assert codes.find(Partner.objects.visible_to(cast.south_manager), ["OLD"]) == {
        "OLD": cast.south_partner
    }


def test_old_codes_are_looked_up_without_a_join(merged, django_assert_num_queries):
    """A join of partners with themselves was planned by statistics that knew no rows yet: loading
    ten thousand took a minute and a half instead of seconds."""
    with django_assert_num_queries(3) as queries:
        found = codes.find(Partner.objects.all(), ["OLDER", "unknown"], lost_zeros=False)
    assert found == {"OLDER": merged}
    assert [query["sql"] for query in queries if "JOIN" in query["sql"]] == []
