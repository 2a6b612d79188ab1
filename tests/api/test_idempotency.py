"""`Idempotency-Key`: sent again, answered again, done once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.test import APIClient, APIRequestFactory

from core.api.idempotency import once
from core.importing.models import Import
from core.models import KeptAnswer
from core.tasks import forget_answers
from sales.models import SalesFact
from tests import factories as make
from tests.api.test_bulk import line, ok, send
from tests.api.test_problems import problem
from tests.cast import make_cast
from tests.waiting import wait_for_a_waiter


def test_the_answer_is_given_again(caller):
    first = send(caller, [line(1), line(2, partner="NOBODY")], idempotency_key="k-1")
    assert ok(first)["created"] == 1
    assert "Idempotency-Replayed" not in first
    again = send(caller, [line(1), line(2, partner="NOBODY")], idempotency_key="k-1")
    assert again["Idempotency-Replayed"] == "true"
    assert (again.status_code, again["Content-Type"]) == (200, "application/json")
    assert again.content == first.content
    assert Import.objects.count() == 1
    other = ok(send(caller, [line(1)], idempotency_key="k-2"))
    assert (other["unchanged"], Import.objects.count()) == (1, 2)


def test_a_refusal_is_given_again(caller):
    found = [
        send(caller, [line(1, partner="X")], "?all_or_nothing=true", idempotency_key="k")
        for _time in range(2)
    ]
    assert [one.status_code for one in found] == [422, 422]
    assert found[0].content == found[1].content
    assert found[1]["Content-Type"] == "application/problem+json"
    assert found[1]["Idempotency-Replayed"] == "true"


def test_another_request_under_the_key_is_refused(caller):
    ok(send(caller, [line(1)], "?dry_run=true", idempotency_key="k"))
    for body, query in (([line(2)], "?dry_run=true"), ([line(1)], "")):
        response = send(caller, body, query, idempotency_key="k")
        problem(response, 422, "idempotency_key_reused")
    assert SalesFact.objects.count() == 0


def test_keys_of_others_are_others(caller, cast, as_user):
    ok(send(caller, [line(1)], idempotency_key="k"))
    finance = as_user(cast.finance)
    assert "Idempotency-Replayed" not in send(finance, [line(2)], idempotency_key="k")
    assert KeptAnswer.objects.visible_to(cast.finance).get().caller == cast.finance
    assert KeptAnswer.objects.count() == 2


def test_what_is_no_answer_is_not_kept(caller):
    problem(send(caller, b"[{", idempotency_key="k"), 400, "parse_error")
    ok(send(caller, [line(1)], idempotency_key="k"))


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "钥"])
def test_keys_that_are_none(caller, key):
    found = problem(send(caller, [line(1)], idempotency_key=key), 400, "invalid")
    assert found["errors"][0]["field"] == "Idempotency-Key"
    assert SalesFact.objects.count() == 0


def test_answers_are_forgotten_after_a_week(caller):
    ok(send(caller, [line(1)], idempotency_key="old"))
    ok(send(caller, [line(2)], idempotency_key="new"))
    KeptAnswer.objects.filter(key="old").update(created_at=timezone.now() - timedelta(days=7))
    # Also before the task has come by: the key may be used for something else.
    answer = send(caller, [line(3)], idempotency_key="old")
    assert (ok(answer)["created"], "Idempotency-Replayed" in answer) == (1, False)
    assert send(caller, [line(3)], idempotency_key="old")["Idempotency-Replayed"] == "true"
    KeptAnswer.objects.filter(key="old").update(created_at=timezone.now() - timedelta(days=7))
    forget_answers()
    assert [one.key for one in KeptAnswer.objects.all()] == ["new"]


def test_what_breaks_leaves_neither_answer_nor_writes(cast):
    request = Request(APIRequestFactory().post("/x/", {}, headers={"Idempotency-Key": "k"}))
    request.user = cast.director

    def answer():
        make.make_territory("Written", code="WRITTEN")
        raise MemoryError

    with pytest.raises(MemoryError):
        once(request, "", answer)
    assert not KeptAnswer.objects.exists()
    assert not type(cast.north).objects.filter(code="WRITTEN").exists()
    assert once(request, "", lambda: HttpResponse(b"done")).content == b"done"
    assert once(request, "", answer).content == b"done"


@pytest.mark.django_db(transaction=True)
def test_while_the_first_is_running_the_second_is_told_so():
    cast = make_cast()
    make.make_product("Cable", code="A-1", product_line=make.make_product_line(code="CAB"))

    def ask():
        try:
            client = APIClient()
            client.force_login(cast.director)
            return send(client, [line(1)], idempotency_key="k")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool, connection.cursor() as cursor:
        # Whoever loads facts waits for this lock.
        cursor.execute("SELECT pg_advisory_lock(hashtext('sales.facts'))")
        first = pool.submit(ask)
        wait_for_a_waiter()
        with ThreadPoolExecutor(1) as second:
            problem(second.submit(ask).result(30), 409, "request_running")
        cursor.execute("SELECT pg_advisory_unlock(hashtext('sales.facts'))")
        assert ok(first.result(30))["created"] == 1
    assert ask()["Idempotency-Replayed"] == "true"
    assert SalesFact.objects.count() == Import.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_is_done():
    cast = make_cast()
    make.make_product("Cable", code="A-1", product_line=make.make_product_line(code="CAB"))
    barrier = threading.Barrier(4)

    def ask():
        try:
            client = APIClient()
            client.force_login(cast.director)
            barrier.wait()
            return send(client, [line(1)], idempotency_key="k")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        answers = [one.result(60) for one in [pool.submit(ask) for _time in range(4)]]
    assert {one.status_code for one in answers} <= {200, 409}
    done = [one for one in answers if one.status_code == 200]
    assert sum("Idempotency-Replayed" not in one for one in done) == 1
    assert SalesFact.objects.count() == Import.objects.count() == 1
