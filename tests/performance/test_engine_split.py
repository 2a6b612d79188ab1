"""Scoring without writing: the digests of what is written stay what they were before the two were
taken apart."""

from decimal import Decimal

import pytest

from core.periods import Period
from performance import run
from performance.definitions import definition
from performance.models import Score
from performance.services import evaluate
from tests import factories as make
from tests.performance.network import LINEAR, SEVEN, TODAY, make_network, make_scheme

pytestmark = pytest.mark.django_db

# Taken with the code as it was before scoring and writing were taken apart.
BEFORE = {
    "plain": "f76309c6844bba77021f3e2586cc47f0c5d3c2ed2118e32b52d2d783e72cb9d2",
    "ruled": "988b03a344758a7c7698fd4ca4f99a03e6f1a99b693b5980d05cf968bffdfcd6",
}


def make_ruled():
    """A version with everything that goes beyond weights."""
    levels = [make.make_level(code=code, rank=900 + n) for n, code in enumerate(("low", "high"))]
    version = make_scheme(SEVEN, code="ruled", publish=False, deduction_cap=Decimal(20), grace=1)
    version.items.create(
        position=90,
        code="on_top",
        measure="line_breadth",
        role="bonus",
        weight=Decimal(5),
        target_source="peer_median",
        curve=LINEAR,
    )
    for level, least, keep in zip(levels, (20, 60), (15, None), strict=True):
        version.levels.create(level=level, min_total=Decimal(least), keep_total=keep)
    version.vetoes.create(
        code="returns",
        name="Returns",
        measure="return_rate",
        side="above",
        bound=Decimal("0.5"),
        effect="no_level",
    )
    version.publish(by=None, on=TODAY)
    version.save()
    return version


@pytest.mark.parametrize("kind", ["plain", "ruled"])
def test_digests_stay_what_they_were(kind):
    make_network()
    version = make_scheme() if kind == "plain" else make_ruled()
    evaluation = evaluate(scheme_code=version.scheme.code, period="2013Q3", by=None, on=TODAY)
    assert evaluation.digest == BEFORE[kind]


def score(version, code="2013Q3", **given):
    return run.score(definition(version), Period.parse(code), lambda *_: None, **given)


@pytest.mark.parametrize("kind", ["plain", "ruled"])
def test_scoring_alone_gives_the_same_and_writes_nothing(kind):
    make_network()
    version = make_scheme() if kind == "plain" else make_ruled()
    scored = score(version)
    assert run.digest_of(scored) == BEFORE[kind]
    assert Score.objects.count() == 0
    evaluation = evaluate(scheme_code=version.scheme.code, period="2013Q3", by=None, on=TODAY)
    assert (evaluation.peers, evaluation.watermark) == (scored.peers, scored.watermark)


def test_definitions_that_share_what_is_read_score_as_they_do_alone():
    make_network()
    first, second = make_scheme(), make_ruled()
    period = Period.parse("2013Q3")
    shared = run.share([definition(first), definition(second)], period)
    together = [run.digest_of(score(version, shared=shared)) for version in (first, second)]
    assert together == [BEFORE["plain"], BEFORE["ruled"]]
