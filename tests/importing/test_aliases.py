"""What partners call and count is translated into our products and units."""

from decimal import Decimal

import pytest

from sales.models import ProductAlias, SalesFact
from tests import factories as make
from tests.importing.conftest import reasons
from tests.importing.test_load_sales import counts

pytestmark = pytest.mark.django_db
HEAD = "reference,partner,product,unit,occurred_on,quantity,amount\n"


def rows(*lines):
    return HEAD + "".join(f"R{n},{line},2026-01-05,3,30\n" for n, line in enumerate(lines))


def stored():
    facts = SalesFact.objects.order_by("reference")
    return list(facts.values_list("product__code", "quantity", "amount"))


@pytest.fixture
def products(network):
    partner, cable = network
    cable.unit = "EA"
    cable.save()
    other = make.make_partner("Two", code="P-2")
    plug = make.make_product("Plug", code="A-2", unit="EA")
    make.make_alias(partner, code="CABLE-X", product=cable)
    make.make_alias(partner, code="cable-x", unit="case", product=cable, factor=12)
    make.make_alias(None, code="CABLE-X", product=plug)
    make.make_alias(None, code="A-2", unit="BOX", product=plug, factor="2.5")
    return partner, other


def test_the_alias_of_the_partner_wins_then_that_of_the_unit(load, products):
    result = load(
        "sales",
        rows(
            "P-1,Cable-X,", "P-1,CABLE-X,CASE", "P-1,cable-x,pallet", "P-2,CABLE-X,case",
            "P-2,A-2,box", "P-2,A-2,ea", "P-2,A-1,",
        ),
    )  # fmt: skip
    assert counts(result) == (7, 7, 0, 0, 0)
    assert stored() == [
        ("A-1", Decimal(3), Decimal(30)),
        ("A-1", Decimal(36), Decimal(30)),
        ("A-1", Decimal(3), Decimal(30)),
        ("A-2", Decimal(3), Decimal(30)),
        ("A-2", Decimal("7.5"), Decimal(30)),
        ("A-2", Decimal(3), Decimal(30)),
        ("A-1", Decimal(3), Decimal(30)),
    ]


def test_a_unit_that_nothing_converts_is_refused(load, products):
    result = load("sales", rows("P-2,A-1,case", "P-2,A-1,-", "P-2,X-9,case"))
    assert counts(result) == (3, 1, 0, 0, 2)
    assert reasons(result) == [
        (
            2,
            "unit",
            "The product is not counted in “case”. An alias says how many of ours it is.",
        ),
        (4, "product", "There is no product with the code “X-9”."),
    ]


def test_a_quantity_that_has_no_room_in_our_unit_is_refused(load, products):
    ProductAlias.objects.filter(unit="case").update(factor="99999999")
    line = HEAD + "R1,P-1,CABLE-X,case,2026-01-05,99999999,1\n"
    assert reasons(load("sales", line)) == [(2, "quantity", "“99999999” is too large in our unit.")]


def test_aliases_come_from_a_file_too(load, network):
    file = "partner,code,unit,product,factor\nP-1,X,case,A-1,12\n,Y,,A-1,\n"
    assert counts(load("aliases", file)) == (2, 2, 0, 0, 0)
    assert counts(load("aliases", file)) == (2, 0, 0, 2, 0)
    assert counts(load("aliases", file.replace(",12", ",24"))) == (2, 0, 1, 1, 0)
    assert list(
        ProductAlias.objects.values_list("partner__code", "code", "unit", "product__code", "factor")
    ) == [("P-1", "X", "case", "A-1", Decimal(24)), (None, "Y", "", "A-1", Decimal(1))]
