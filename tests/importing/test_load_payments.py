"""Payments: the same loader as sales lines, with a due date and an invoice that may be empty."""

from datetime import date
from decimal import Decimal

import pytest

from core.importing.models import Import
from sales.models import FactBefore, Payment
from tests.importing.conftest import reasons
from tests.importing.test_load_sales import counts
from tests.importing.test_undo import undo

pytestmark = pytest.mark.django_db
GOOD = (
    "收款单号,客户编码,收款日期,到期日,收款金额,发票号\n"
    'Z1,P-1,2026/1/20,2026/1/15,"1,000.50",INV-1\n'
    "Z2,P-1,2026/1/25,,(200),\n"
)
MAPS = (
    "--map", "reference=收款单号", "partner=客户编码", "paid_on=收款日期", "due_on=到期日",
    "amount=收款金额", "invoice=发票号",
)  # fmt: skip


def stored():
    return list(
        Payment.objects.order_by("reference").values_list(
            "reference", "partner__code", "paid_on", "due_on", "amount", "invoice", "row_no"
        )
    )


ROWS = [
    ("Z1", "P-1", date(2026, 1, 20), date(2026, 1, 15), Decimal("1000.5"), "INV-1", 2),
    ("Z2", "P-1", date(2026, 1, 25), None, Decimal(-200), "", 3),
]


def test_payments_are_loaded_once_and_brought_up_to_date(load, network):
    assert counts(load("payments", GOOD, *MAPS)) == (2, 2, 0, 0, 0)
    assert stored() == ROWS
    assert counts(load("payments", GOOD, *MAPS)) == (2, 0, 0, 2, 0)
    changed = load("payments", GOOD.replace("INV-1", "INV-9"), *MAPS)
    assert counts(changed) == (2, 0, 1, 1, 0)
    assert stored()[0][5] == "INV-9"
    assert undo(changed["import"])["restored"] == 1
    assert stored() == ROWS
    assert FactBefore.objects.count() == 0


def test_what_may_be_empty_may_not_be_wrong(load, network):
    bad = GOOD.replace("2026/1/15", "soon").replace("INV-1", "I" * 101)
    result = load("payments", bad, *MAPS)
    assert counts(result) == (2, 1, 0, 0, 1)
    assert reasons(result) == [
        (2, "due_on", "“soon” is not a date such as 2026-01-05."),
        (2, "invoice", f"“{'I' * 40}” is too long or holds characters that cannot be read."),
    ]


def test_an_undone_file_leaves_nothing(load, network):
    first = load("payments", GOOD, *MAPS)
    assert undo(first["import"])["deleted"] == 2
    assert stored() == []
    assert Import.objects.get(pk=first["import"]).state == "undone"
