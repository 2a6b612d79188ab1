"""The horizon: what lies before it is all there is."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection, transaction

from core import audit, feed
from core.models import Event
from tests import factories as make


@pytest.mark.django_db(transaction=True)
def test_horizon_stops_before_what_is_not_committed():
    partner = make.make_partner()
    written, go_on = threading.Event(), threading.Event()

    def write_slowly() -> None:
        try:
            with transaction.atomic():
                audit.record("partners.partner.updated", partner, by=None, reason="slow")
                written.set()
                go_on.wait(10)
        finally:
            connection.close()

    writer = threading.Thread(target=write_slowly)
    writer.start()
    assert written.wait(10)
    time.sleep(1.1)
    audit.record("partners.partner.updated", partner, by=None, reason="quick")
    while_open = feed.horizon()
    go_on.set()
    writer.join()

    slow, quick = Event.objects.get(reason="slow"), Event.objects.get(reason="quick")
    assert while_open <= slow.created_at < quick.created_at
    time.sleep(1.1)
    assert feed.horizon() > quick.created_at
