"""What holds for every curve, value and weight."""

from decimal import Decimal

from hypothesis import given, strategies as st

from performance import scoring

numbers = st.decimals(min_value=-1000, max_value=1000, places=6)
caps = st.integers(min_value=1, max_value=200).map(Decimal)


@st.composite
def curves(draw):
    """A valid curve of any kind, and whether more is better; and its cap."""
    cap, higher = draw(caps), draw(st.booleans())
    kind = draw(st.sampled_from(scoring.CURVE_KINDS))
    if kind == "proportional":
        return {"kind": kind}, True, cap
    if kind == "pass":
        return {"kind": kind, "at_least" if higher else "at_most": str(draw(numbers))}, higher, cap
    xs = sorted(draw(st.sets(numbers, min_size=2, max_size=6)))
    heights = st.decimals(min_value=0, max_value=cap, places=4)
    ys = sorted((draw(heights) for _ in xs), reverse=not higher)
    if kind == "linear":
        return (
            {"kind": kind, "points": [[str(x), str(y)] for x, y in zip(xs, ys, strict=True)]},
            higher,
            cap,
        )
    bounds = [None, *map(str, xs[1:])]
    return (
        {"kind": kind, "bands": [[b, str(y)] for b, y in zip(bounds, ys, strict=True)]},
        higher,
        cap,
    )


def item_of(curve, cap=Decimal(100), weight=1, **more):
    return scoring.Item("a", Decimal(weight), scoring.compile_curve(curve, cap), **more)


@given(curves(), numbers)
def test_points_lie_between_zero_and_the_cap(drawn, x):
    curve, _higher, cap = drawn
    assert 0 <= scoring.score_item(item_of(curve, cap), x).points <= cap


@given(curves(), numbers, numbers)
def test_a_better_value_never_scores_less(drawn, one, other):
    curve, higher, cap = drawn
    item = item_of(curve, cap)
    worse, better = sorted((one, other), reverse=not higher)
    assert scoring.score_item(item, worse).points <= scoring.score_item(item, better).points


rows = st.lists(
    st.tuples(st.integers(1, 100), st.none() | st.decimals(min_value=0, max_value=2, places=6)),
    min_size=1,
    max_size=9,
)
PROPORTIONAL = {"kind": "proportional"}


def total_of(drawn, missing=scoring.RENORMALISE):
    items = [item_of(PROPORTIONAL, weight=weight, missing=missing) for weight, _ in drawn]
    return scoring.total(
        items, [scoring.score_item(item, row[1]) for item, row in zip(items, drawn, strict=True)]
    )


@given(rows, st.randoms())
def test_the_order_of_items_does_not_matter(drawn, random):
    shuffled = list(drawn)
    random.shuffle(shuffled)
    assert total_of(drawn) == total_of(shuffled)


@given(rows)
def test_what_does_not_apply_is_as_if_it_were_not_there(drawn):
    applicable = [row for row in drawn if row[1] is not None]
    assert total_of(drawn) == (total_of(applicable) if applicable else None)


@given(rows)
def test_counting_as_zero_is_a_value_of_zero(drawn):
    zeros = [(weight, Decimal(0) if value is None else value) for weight, value in drawn]
    assert total_of(drawn, scoring.AS_ZERO) == total_of(zeros)


@given(rows)
def test_the_total_lies_between_the_items(drawn):
    values = [min(value * 100, Decimal(100)) for _, value in drawn if value is not None]
    if values:
        low, high = min(values), max(values)
        assert low - Decimal("0.01") <= total_of(drawn) <= high + Decimal("0.01")


@given(st.lists(st.none() | st.integers(0, 20).map(Decimal), max_size=30))
def test_rank_is_one_more_than_the_number_of_better_ones(totals):
    for total, rank in zip(totals, scoring.rank(totals), strict=True):
        better = sum(
            1 for other in totals if other is not None and total is not None and other > total
        )
        assert rank == (None if total is None else better + 1)
