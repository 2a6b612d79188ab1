"""Merges beside each other and beside writers, on committed rows."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.db import connections, transaction

from core.errors import Conflict
from partners.models import Contact, Partner
from partners.services import merge_partners
from sales.control import comparing
from sales.models import ControlTotal, SalesFact
from tests import factories as make
from tests.waiting import wait_for_a_waiter

pytestmark = pytest.mark.django_db(transaction=True)


def merge(keep, drop):
    try:
        merge_partners(keep=keep, drop=drop, by=None, on=date(2026, 11, 25), reason="same")
    except Conflict as error:
        return error.code
    finally:
        connections.close_all()
    return "merged"


def test_merges_both_ways_at_once_leave_one_partner():
    one, two, three = (make.make_partner() for _number in range(3))
    make.make_fact(one), make.make_fact(two), make.make_fact(three)
    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(merge, *pair) for pair in ((one, two), (two, one), (three, two))]
        codes = sorted(job.result(60) for job in jobs)
    assert codes == ["merged", "merged_already", "merged_already"] or codes == [
        "merged",
        "merged",
        "merged_already",
    ]
    assert not SalesFact.objects.filter(partner__state="merged").exists()
    assert not Partner.objects.filter(merged_into__merged_into__isnull=False).exists()


@pytest.mark.parametrize("first", ["contact", "merge"])
def test_a_contact_that_comes_meanwhile_is_not_lost(first):
    keep, drop = make.make_partner(), make.make_partner()

    def add():
        make.make_contact(drop)
        connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            if first == "contact":
                make.make_contact(drop)
                other = pool.submit(merge, keep, drop)
            else:
                merge_partners(keep=keep, drop=drop, by=None, on=date(2026, 11, 25), reason="same")
                other = pool.submit(add)
            wait_for_a_waiter()
        other.result(60)
    assert Contact.objects.get().partner == keep


def test_a_row_that_is_being_edited_does_not_keep_the_merge_from_its_end():
    """Neither waits for the other: the row is locked, and so is the partner."""
    keep, drop = make.make_partner(), make.make_partner()
    contact = make.make_contact(drop)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Contact.objects.select_for_update().get(pk=contact.pk)
            other = pool.submit(merge, keep, drop)
            wait_for_a_waiter()
            contact.phone = "1"
            contact.save()
        assert other.result(60) == "merged"
    contact.refresh_from_db()
    assert (contact.partner, contact.phone) == (keep, "1")


def test_a_total_that_is_posted_meanwhile_does_not_keep_the_merge_from_its_end():
    keep, drop = make.make_partner(), make.make_partner()
    make.make_fact(drop), make.make_control_total(keep)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            comparing.lock()
            other = pool.submit(merge, keep, drop)
            wait_for_a_waiter()
            make.make_control_total(drop)
        assert other.result(60) == "merged"
    assert set(ControlTotal.objects.values_list("partner", flat=True)) == {keep.pk}
