"""What a load refers to is checked and held as sets, or row by row where the server insists."""

import threading

import pytest
from django.db import IntegrityError, connection, connections, transaction

from sales.models import SalesDaily, SalesFact
from tests import factories as make
from tests.importing.test_load_sales import GOOD, counts
from tests.waiting import wait_for_a_waiter


def ask(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def run(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_after_a_load_the_database_checks_every_row_again(load, network):
    load("sales", GOOD)
    assert ask("SHOW session_replication_role") == "origin"
    with pytest.raises(IntegrityError, match="foreign key"), transaction.atomic():
        run("SET CONSTRAINTS ALL IMMEDIATE; UPDATE sales_salesfact SET partner_id = 0")


def test_a_role_that_may_not_skip_the_checks_loads_the_same(load, network):
    """A managed server, where nobody of ours is superuser."""
    if ask("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):  # else we are one
        run(
            "CREATE ROLE channel_crm_plain; GRANT USAGE ON SCHEMA public TO channel_crm_plain;"
            " GRANT ALL ON ALL TABLES IN SCHEMA public TO channel_crm_plain;"
            " GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO channel_crm_plain;"
            " SET LOCAL ROLE channel_crm_plain"
        )
    assert counts(load("sales", GOOD)) == (2, 2, 0, 0, 0)
    run("RESET ROLE")
    assert SalesFact.objects.count() == SalesDaily.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_partner_that_is_deleted_while_its_file_is_loaded_stops_the_load(load):
    partner, _product = make.make_partner(code="P-1"), make.make_product(code="A-1")
    deleted = threading.Event()

    def delete():
        try:
            with transaction.atomic():
                partner.delete()
                deleted.set()
                wait_for_a_waiter()  # the load, which wants to hold the partner
        finally:
            connections.close_all()

    other = threading.Thread(target=delete)
    other.start()
    deleted.wait(10)
    answer = load("sales", GOOD, fails=True)
    other.join()
    assert answer["error"] == "row_gone"
    assert SalesFact.objects.count() == SalesDaily.objects.count() == 0
