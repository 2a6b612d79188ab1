"""What is stored of the items of a score: the text that a run writes by hand is the packed one."""

import hashlib
import json
from datetime import date

import pytest
from django.db import connection

from performance import run
from performance.definitions import definition
from performance.models import Evaluation
from performance.models.items import LAYOUT, pack, unpack
from performance.services import evaluate
from tests.performance.network import make_network, make_scheme

pytestmark = pytest.mark.django_db


def evaluated():
    make_network()
    make_scheme()
    return evaluate(scheme_code="seven", period="2013Q3", by=None, on=date(2014, 2, 1))


def stored(evaluation):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.code, s.total, s.rank, l.code, s.items FROM performance_score s "
            "JOIN partners_partner p ON p.id = s.partner_id "
            "LEFT JOIN partners_level l ON l.id = s.level_id "
            'WHERE s.evaluation_id = %s ORDER BY p.code COLLATE "C"',
            [evaluation.pk],
        )
        return cursor.fetchall()


def test_a_run_writes_what_pack_would_write():
    rows = stored(evaluated())
    assert [pack(unpack(row[-1])) for row in rows] == [row[-1] for row in rows]
    assert [list(item) for item in unpack(rows[0][-1])] == [list(LAYOUT)] * 7


def test_the_digest_can_be_worked_out_from_what_is_stored():
    evaluation = evaluated()
    head = {
        "definition": definition(evaluation.scheme_version),
        "period": "2013Q3",
        "start": "2013-07-01",
    }
    text = json.dumps(head, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n"
    for row in stored(evaluation):
        text += "\t".join(str(cell) for cell in row) + "\n"
    assert hashlib.sha256(text.encode()).hexdigest() == evaluation.digest


def test_many_lines_go_to_the_server_in_pieces(monkeypatch):
    monkeypatch.setattr(run, "LINES_AT_ONCE", 1)
    evaluation = evaluated()
    assert Evaluation.objects.get().scores.count() == 4
    assert evaluation.partner_count == 4
