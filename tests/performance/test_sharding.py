"""However the partners of an evaluation are cut into shards, it comes out to the byte as in one."""

from datetime import date
from decimal import Decimal

import pytest
from django.core import serializers
from hypothesis import HealthCheck, example, given, settings, strategies as st

from performance import run, sharding
from performance.definitions import definition
from performance.models import Deduction, Evaluation, Score
from performance.services import _prepare, evaluate
from tests import factories as make
from tests.performance.network import TODAY, make_network, make_scheme
from tests.performance.test_engine_split import make_ruled

pytestmark = pytest.mark.django_db


def prepared(version):
    """An evaluation of 2013Q3 that is to be computed."""
    from core.periods import Period

    return _prepare(version.scheme, Period.parse("2013Q3"), "")


def stored(evaluation):
    rows = Score.objects.filter(evaluation=evaluation).order_by("partner")
    texts = [row["fields"] for row in serializers.serialize("python", rows)]
    Score.objects.filter(evaluation=evaluation)._raw_delete(using="default")
    return texts


def whole(evaluation):
    found = definition(evaluation.scheme_version)
    outcome = run.compute(evaluation.pk, found, evaluation.period, lambda *_: None)
    return outcome, stored(evaluation)


def cut(evaluation, bounds):
    """The same in shards that end at these places; each goes through its text."""
    found, period = definition(evaluation.scheme_version), evaluation.period
    partners = run.scope_partners(found["scope"])
    benchmarks = run.benchmarks_of(found, period, partners, evaluation.pk)
    ends = sorted({min(end, len(partners)) for end in bounds} | {len(partners)})
    parts, start = [], 0
    for end in ends:
        keys = sorted(key for key, _code in partners)[start:end]
        if keys:
            part = sharding.score_some(evaluation, range(keys[0], keys[-1] + 1), benchmarks)
            parts.append(sharding.Part.unpack(part.pack()))
        start = end
    sharded = sharding.Sharded(found, period, partners, benchmarks, parts)
    return sharding.write(evaluation.pk, sharded), stored(evaluation)


SALE = st.tuples(
    st.sampled_from("ABCDEFG"),
    st.sampled_from(["BELOW", "PLAIN"]),
    st.dates(date(2012, 6, 1), date(2013, 10, 31)),
    st.decimals(-999, 9999, places=4),
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    sales=st.lists(SALE, max_size=25),
    bounds=st.lists(st.integers(1, 7), max_size=7),
    kind=st.sampled_from(["plain", "ruled"]),
)
@example(sales=[], bounds=[1, 2, 3, 4, 5, 6], kind="ruled")
def test_cut_anywhere_comes_out_as_in_one(sales, bounds, kind):
    from django.db import transaction

    with transaction.atomic():
        network = make_network()
        make.make_partner(code="H", state="prospect")  # among their keys, but not in the scope
        network |= {code: make.make_partner(code=code) for code in "GFE"}
        version = make_scheme() if kind == "plain" else make_ruled()
        articles = {
            code: make.make_product(product_line=make.make_product_line(code=f"{code}2"))
            for code in ("BELOW", "PLAIN")
        }
        for number, (code, line, day, amount) in enumerate(sales):
            make.make_fact(
                network[code],
                product=articles[line],
                occurred_on=day,
                amount=amount,
                reference=f"H{number}",
            )
        evaluation = prepared(version)
        assert cut(evaluation, bounds) == whole(evaluation)
        transaction.set_rollback(True)


def test_deductions_and_counts_are_summed_over_the_shards():
    network = make_network()
    evaluation = prepared(make_ruled())
    users = [make.make_user(username=name) for name in ("one", "two")]
    for code, points in (("A", "2.5"), ("B", "10"), ("B", "0.5"), ("D", "4")):
        Deduction.objects.create(
            partner=network[code],
            decided_on=date(2013, 8, 1),
            points=Decimal(points),
            reason="Late",
            entered_by=users[0],
            decided_by=users[1],
            state=Deduction.State.DECIDED,
        )
    outcome, rows = cut(evaluation, [1, 2, 3])
    assert (outcome, rows) == whole(evaluation)
    assert outcome.watermark["deductions"] == "17.00"
    assert outcome.watermark["kinds"]["sell_in"]["lines"] == 6
    assert [str(row["deducted"]) for row in rows] == ["2.50", "10.50", "0.00", "4.00"]


def test_few_partners_are_not_cut(settings):
    settings.EVALUATION_SHARD = 4
    make_network()
    evaluation = evaluate(scheme_code=make_scheme().scheme.code, period="2013Q3", by=None, on=TODAY)
    assert sharding.score_if_many(evaluation, lambda *_: None) is None
    assert evaluation.state == Evaluation.State.COMPUTED


def test_who_comes_late_to_help_finds_nothing_to_do():
    make_network()
    evaluation = prepared(make_scheme())
    assert sharding.help_with(evaluation.pk) == 0
