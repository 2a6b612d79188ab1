"""What a backtest says of weights and items, against plain recomputation."""

from array import array
from decimal import Decimal
from statistics import correlation

import pytest
from hypothesis import given, settings, strategies as st

from performance import scoring
from performance.backtest import figures

READ = scoring.compile_curve({"kind": "proportional"}, Decimal(200))
POINTS = st.one_of(st.just(figures.NONE), st.integers(0, 2_000_000))


@st.composite
def schemes(draw):
    """(weights in hundredths that sum to 100, cases)."""
    count = draw(st.integers(2, 5))
    cuts = sorted(draw(st.lists(st.integers(0, 100), min_size=count - 1, max_size=count - 1)))
    weights = [100 * (b - a) for a, b in zip([0, *cuts], [*cuts, 100], strict=True)]
    rows = draw(
        st.lists(
            st.tuples(
                st.lists(POINTS, min_size=count, max_size=count),
                st.integers(-2000, 1000),
                st.booleans(),
            ),
            min_size=1,
            max_size=6,
        )
    )
    return weights, [figures.Case(*row) for row in rows]


def engine_total(weights, case):
    """The total by the engine itself, in hundredths; weights of any size."""
    items = [scoring.Item(str(n), Decimal(w), READ) for n, w in enumerate(weights)]
    scores = [
        scoring.ItemScore(
            None if p == figures.NONE else Decimal(p).scaleb(-4), None, scoring.SCORED, 0
        )
        for p in case.points
    ]
    base = scoring.total(items, scores)
    if base is None:
        return None
    return 0 if case.zeroed else max(0, int(base * 100) + case.extra)


def with_moved(weights, at, by):
    """The weights written out after one was moved and the others shared the rest."""
    others = sum(weights) - weights[at]
    return [
        Decimal(weight + by) if n == at else Decimal(weight * (others - by)) / others
        for n, weight in enumerate(weights)
    ]


@settings(max_examples=150, deadline=None)
@given(schemes(), st.integers(-1500, 1500))
def test_a_moved_weight_gives_the_total_of_the_engine(scheme, by):
    weights, cases = scheme
    for at in range(len(weights)):
        if weights[at] == sum(weights):
            continue
        step = figures.moved(weights, at, by)
        # The same proportions in whole numbers, so that no division is cut off.
        others = sum(weights) - weights[at]
        whole = [
            (w + step) * others if n == at else w * (others - step) for n, w in enumerate(weights)
        ]
        assert sum(whole) == sum(weights) * others
        for case in cases:
            sums = figures.sums_of(weights, case)
            found = figures.total_at(weights, at, step, case, sums)
            assert found == engine_total(whole, case)


def test_an_item_that_takes_everything_leaves_nothing_to_the_others():
    case = figures.Case([figures.NONE, 500_000])
    sums = figures.sums_of([9800, 200], case)
    assert figures.total_at([9800, 200], 0, 200, case, sums) is None
    assert figures.total_at([9800, 200], 0, 199, case, sums) == 5000


@settings(max_examples=100, deadline=None)
@given(schemes())
def test_the_slope_is_the_limit_of_small_moves(scheme):
    weights, cases = scheme
    for at in range(len(weights)):
        if not weights[at] or weights[at] == sum(weights):
            continue
        for case in cases:
            sums = figures.sums_of(weights, case)
            if not sums.weights:
                continue
            small = Decimal("0.0000001")  # of a hundredth
            moved = with_moved(weights, at, small)
            applying = [(w, p) for w, p in zip(moved, case.points, strict=True) if p >= 0]
            total = sum(w * p for w, p in applying) / sum(w for w, _p in applying)
            before = Decimal(sums.weighted) / sums.weights
            difference = (total - before) / figures.POINT / (small / figures.HUNDREDTH)
            slope = figures.slope(weights, at, case, sums)
            assert abs(difference - slope) < Decimal("0.0001")


@settings(max_examples=60, deadline=None)
@given(schemes())
def test_sensitivity_agrees_with_scoring_again(scheme):
    weights, cases = scheme
    bound = 6000

    def place(number, total):
        return int(total is not None and total >= bound)

    found = figures.sensitivities(weights, cases, (500, -500), place)
    before = [engine_total(weights, case) for case in cases]
    for at, each in enumerate(found):
        for shift in each.shifts:
            after = before
            if weights[at] != sum(weights):
                others = sum(weights) - weights[at]
                whole = [
                    (w + shift.by) * others if n == at else w * (others - shift.by)
                    for n, w in enumerate(weights)
                ]
                after = [engine_total(whole, case) for case in cases]
            pairs = zip(scoring.rank(before), scoring.rank(after), strict=True)
            changes = [abs(a - b) for a, b in pairs if a is not None and b is not None]
            assert shift.ranks == sum(1 for change in changes if change)
            assert shift.most == max(changes, default=0)
            assert shift.levels == sum(
                place(0, a) != place(0, b) for a, b in zip(before, after, strict=True)
            )


@settings(max_examples=60, deadline=None)
@given(schemes(), st.randoms(use_true_random=False))
def test_the_order_of_partners_changes_nothing(scheme, random):
    weights, cases = scheme

    def place(number, total):
        return int((total or 0) >= 5000)

    mixed = list(cases)
    random.shuffle(mixed)
    assert figures.sensitivities(weights, cases, (500,), place) == figures.sensitivities(
        weights, mixed, (500,), place
    )
    columns = [array("i", each) for each in zip(*(c.points for c in cases), strict=True)]
    others = [array("i", each) for each in zip(*(c.points for c in mixed), strict=True)]
    assert figures.correlations(columns) == figures.correlations(others)


@pytest.mark.parametrize(
    ("weights", "at", "by", "moved"),
    [
        ([3000, 7000], 0, 500, 500),
        ([300, 9700], 0, -500, -300),
        ([9800, 200], 0, 500, 200),
        ([10000], 0, 500, 0),
    ],
)
def test_a_weight_stays_between_nothing_and_all(weights, at, by, moved):
    assert figures.moved(weights, at, by) == moved


def floats(values):
    return [float(value) for value in values]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=30))
def test_correlations_agree_with_the_standard_library(pairs):
    xs, ys = (list(each) for each in zip(*pairs, strict=True))
    (found,) = figures.correlations([array("i", xs), array("i", ys)])
    if len(set(xs)) == 1 or len(set(ys)) == 1:
        assert (found.pearson, found.spearman) == (None, None)
        return
    assert float(found.pearson) == pytest.approx(correlation(xs, ys), abs=0.0001)
    ranks = [floats(plain_ranks(each)) for each in (xs, ys)]
    assert float(found.spearman) == pytest.approx(correlation(*ranks), abs=0.0001)


def plain_ranks(values):
    """The mean place of each value, counted out."""
    return [
        sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2
        for value in values
    ]


def test_correlation_looks_at_those_to_whom_both_apply():
    first = array("i", [1, 2, 3, figures.NONE, 9])
    second = array("i", [2, 4, 6, 100, figures.NONE])
    (found,) = figures.correlations([first, second])
    assert (found.count, str(found.pearson), str(found.spearman)) == (3, "1.0000", "1.0000")


def test_discrimination():
    found = figures.discrimination([[100, 100, figures.NONE], [0, 0, 0]])
    assert found == figures.Discrimination(
        applies=5,
        missing=1,
        distinct=2,
        points=0,
        most_alike=Decimal("0.6000"),
        deviation=Decimal("0.0049"),
        never=True,
    )
    assert not figures.discrimination([[100, 100], [0, 1]]).never
    nobody = figures.discrimination([[figures.NONE]])
    assert (nobody.applies, nobody.never, nobody.most_alike) == (0, True, None)


@settings(max_examples=60, deadline=None)
@given(schemes())
def test_the_shares_of_the_items_sum_to_one(scheme):
    weights, cases = scheme
    shares = figures.spread(weights, cases, [figures.sums_of(weights, case) for case in cases])
    assert len(shares) == len(weights)
    if shares[0] is not None:
        assert abs(sum(shares) - 1) < Decimal("0.001")


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        (None, None),
        (4799, None),
        (4800, (0, -200)),
        (5000, (0, 0)),
        (5200, (0, 200)),
        (5201, None),
        (5350, (1, 150)),
        (5100, (0, 100)),
    ],
)
def test_near_a_threshold(total, expected):
    assert figures.margin(total, [5000, 5200] if expected == (1, 150) else [5000]) == expected


def test_of_two_as_near_the_one_above():
    assert figures.margin(5100, [5000, 5200]) == (1, -100)


def test_a_summary():
    found = figures.summary([None, 1000, 2000, 3000, 9999, 10500])
    assert found == figures.Summary(
        count=5,
        mean=Decimal("52.9980"),
        lowest=1000,
        quartiles=(2000, 3000, 9999),
        highest=10500,
        bins=[0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1],
    )
    assert figures.summary([]).bins == [0] * 10
