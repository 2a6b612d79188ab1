"""Partners that may be one company, and who is told of them."""

import io
import json
from datetime import date

import pytest
from django.db import connection

from core.importing import records
from partners import duplicates
from partners.models import NotDuplicate, Partner
from partners.services import merge_partners, say_not_duplicate
from tests import factories as make
from tests.importing.conftest import load  # noqa: F401  a fixture

pytestmark = pytest.mark.django_db
NAME, CREDIT = "Same name, but for the form of the company", "Same organisation in the credit code"


def found(user, **options):
    return duplicates.pairs(user, **options)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("华联（上海）商贸有限公司", "华联(上海) 商贸股份有限公司", True),
        ("华联集团有限责任公司", "华联", True),
        ("ＡＣＭＥ Trading Co., Ltd.", "Acme trading", True),
        ("Acme, Inc.", "ACME LLC", True),
        ("Zinc", "Z", False),
        ("华联上海分公司", "华联上海", False),
        ("有限公司", "股份有限公司", True),
        ("王五烟酒行（个体工商户）", "王五烟酒行", True),
        ("华联管理合伙企业（有限合伙）", "华联管理合伙企业", True),
        ("华联·商贸〔上海〕", "华联・商贸上海", True),
        ("Acme Trading Pte. Ltd.", "ACME TRADING", True),
        ("Acme Trading", "Acme Tools", False),
        ("Sun Rise", "Sun Set", False),
    ],
)
def test_names_are_compared_without_form_width_case_and_marks(one, other, same):
    with connection.cursor() as cursor:
        cursor.execute("SELECT partners_name_key(%s), partners_name_key(%s)", [one, other])
        first, second = cursor.fetchone()
    assert (first == second) is same


@pytest.mark.parametrize(
    ("phone", "key"),
    [
        ("+86 138-0013-8000", "13800138000"),
        ("０１３８００１３８０００", "13800138000"),
        ("0086 21 5555 1234", "2155551234"),
        ("(021) 5555-1234", "2155551234"),
        ("ext. 12", ""),
        ("+86-0755-8888 8888", "75588888888"),
        ("021-55551234-801", "2155551234"),
        ("(021) 5555-1234 转 801", "2155551234"),
        ("021-55551234分机8", "2155551234"),
        ("+86 21 5555 1234 ext. 801", "2155551234"),
        ("021-5555 1234x801", "2155551234"),
        ("13800138000 / 021-55551234", "13800138000"),
        ("021-55551234、13800138000", "2155551234"),
        ("021/5555 1234", "2155551234"),
        ("1380013-8000", "13800138000"),
        ("wx13800138000", "13800138000"),
    ],
)
def test_phones_are_compared_by_their_digits(phone, key):
    contact = make.make_contact(phone=phone)
    contact.refresh_from_db()
    assert contact.phone_key == key


def test_pairs_say_why(cast):
    one = make.make_partner("华联商贸有限公司", credit_code="91310000DEM000015A"[:17] + "A")
    two = make.make_partner("HL", legal_name="华联商贸", credit_code="91440000DEM000015B")
    make.make_contact(one, phone="13800138000")
    make.make_contact(two, phone="+86 138 0013 8000")
    make.make_contact(cast.north_partner, phone="138-0013-8000")
    assert found(cast.director) == [
        (one.pk, two.pk, [CREDIT, NAME, "Same phone 13800138000"]),
        (cast.north_partner.pk, one.pk, ["Same phone 13800138000"]),
        (cast.north_partner.pk, two.pk, ["Same phone 13800138000"]),
    ]
    assert found(cast.director, of=cast.north_partner) == found(cast.director)[1:]


def test_the_name_of_a_merged_partner_is_one_of_the_kept_one(cast):
    old = make.make_partner("华联商贸有限公司", territory=cast.south)
    merge_partners(keep=cast.north_partner, drop=old, by=None, on=date(2026, 11, 25), reason="same")
    assert found(cast.director) == []
    assert suspects(cast.north_manager, ["NEW-1,华联商贸,N,"])[1] == {"double": 1, "rows": 1}
    assert suspects(cast.south_manager, ["NEW-1,华联商贸,N,"])[1] == {}
    new = make.make_partner("华联商贸", territory=cast.north)
    assert found(cast.north_manager) == [(cast.north_partner.pk, new.pk, [NAME])]


def test_what_many_share_says_nothing(cast):
    for _number in range(duplicates.SHARED_BY_MOST + 1):
        make.make_partner("Chain Store")
    assert found(cast.director) == []


def test_nobody_learns_of_a_partner_elsewhere(cast):
    make.make_partner("Northern Trading Ltd", territory=cast.south)
    assert len(found(cast.director)) == 1
    assert found(cast.north_manager) == found(cast.south_manager) == []


def test_what_was_dismissed_is_not_proposed_again(cast):
    twin = make.make_partner("Northern Trading Ltd", territory=cast.north)
    say_not_duplicate(one=twin, other=cast.north_partner, by=cast.north_manager)
    say_not_duplicate(one=cast.north_partner, other=twin, by=cast.director)
    assert NotDuplicate.objects.values_list("first", "second", "by").get() == (
        cast.north_partner.pk,
        twin.pk,
        cast.north_manager.pk,
    )
    assert found(cast.director) == []


HEADER = "code,name,territory,credit_code\n"


def suspects(by, lines):
    names = HEADER.strip().split(",")
    rows = [dict(zip(names, line.split(","), strict=True)) for line in lines]
    outcome = records.load(
        "partners",
        io.BytesIO(json.dumps(rows).encode()),
        lines=False,
        most=10,
        name="api",
        sha256="",
        by=by,
        dry_run=True,
    ).outcome
    return outcome.suspects, outcome.suspicious


def test_the_check_of_a_file_names_what_looks_like_a_known_partner(cast):
    twin = "It looks like “Northern Trading”, which has the code NORTH-1."
    lines = ["NEW-1,Northern Trading Co. Ltd.,N,", "NEW-2,Other,N,", "north-1,Northern Trading,N,"]
    assert suspects(cast.director, lines) == ([(1, "name", twin)], {"double": 1, "rows": 1})
    assert suspects(cast.north_manager, lines)[1] == {"double": 1, "rows": 1}
    assert suspects(cast.south_manager, lines) == ([], {})


def test_a_credit_code_is_known_in_small_letters_too(cast):
    Partner.objects.filter(pk=cast.north_partner.pk).update(credit_code="91310000DEM000015A")
    found, _counts = suspects(cast.director, ["NEW-1,Other,N,91440000dem000015b"])
    assert [(row, field) for row, field, _reason in found] == [(1, "credit_code")]


def test_a_suspicious_row_can_be_left_out(cast, load):  # noqa: F811
    result = load("partners", HEADER + "NEW-1,NORTHERN TRADING INC,N,\n", "--without-suspicious")
    assert (result["rejected"], Partner.objects.filter(code="NEW-1").exists()) == (1, False)
