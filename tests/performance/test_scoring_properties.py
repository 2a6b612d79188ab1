"""What holds for every curve, value and weight."""

from dataclasses import replace
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


# --- a whole card ------------------------------------------------------------------------------

totals = st.decimals(min_value=0, max_value=200, places=2)
part = st.decimals(min_value=0, max_value=2, places=6)


@st.composite
def ladders(draw):
    """Levels that rise, each kept from its own total or a lower one."""
    reaches = sorted(draw(st.sets(st.integers(0, 150), min_size=1, max_size=5)))
    return tuple(
        scoring.Rung(f"level-{n}", Decimal(reach), Decimal(draw(st.integers(0, reach))))
        for n, reach in enumerate(reaches)
    )


@st.composite
def cards(draw):
    """A card with every rule there is, the values of its items and vetoes, and a standing."""
    ladder = draw(ladders())
    size = draw(st.integers(1, 6))
    items = tuple(
        item_of(
            PROPORTIONAL,
            Decimal(120),
            draw(st.integers(1, 100)),
            bonus=n > 0 and draw(st.booleans()),
            minimum=draw(st.none() | st.integers(0, 100).map(Decimal)),
            above=draw(st.booleans()),
        )
        for n in range(size)
    )
    vetoes = tuple(
        scoring.Veto(f"veto-{n}", draw(st.booleans()), draw(part), draw(st.booleans()))
        for n in range(draw(st.integers(0, 2)))
    )
    steps = st.none() | st.integers(1, 4)
    card = scoring.Card(
        items=items,
        ladder=ladder,
        vetoes=vetoes,
        deduction_cap=Decimal(draw(st.integers(0, 30))),
        grace=draw(st.integers(0, 3)),
        most_up=draw(steps),
        most_down=draw(steps),
    )
    values = [draw(st.none() | part) for _ in vetoes]
    standing = scoring.Standing(draw(st.integers(0, len(ladder))), draw(st.integers(0, 4)))
    return card, [draw(st.none() | part) for _ in items], values, standing


taken = st.decimals(min_value=0, max_value=50, places=2)


def judged(card, values, looked_at, standing, deductions):
    scores = [scoring.score_item(i, value) for i, value in zip(card.items, values, strict=True)]
    return card.judge(scores, deductions=deductions, values=looked_at, standing=standing)


@given(cards(), taken)
def test_a_total_adds_up_and_is_never_below_zero(drawn, deductions):
    card, values, looked_at, standing = drawn
    outcome = judged(card, values, looked_at, standing, deductions)
    assert 0 <= outcome.deducted <= min(deductions, card.deduction_cap)
    assert outcome.bonus >= 0
    if outcome.base is None:
        assert (outcome.total, outcome.level) == (None, None)
        return
    summed = max(outcome.base + outcome.bonus - outcome.deducted, Decimal(0))
    zeroed = any(v.zero for v in card.vetoes if v.code in outcome.vetoes)
    assert outcome.total == (0 if zeroed else summed)
    assert outcome.total.as_tuple().exponent == -2


@given(cards(), taken, st.randoms())
def test_the_order_of_items_and_vetoes_does_not_matter_to_a_card(drawn, deductions, random):
    card, values, looked_at, standing = drawn
    items = random.sample(list(zip(card.items, values, strict=True)), len(values))
    vetoes = random.sample(list(zip(card.vetoes, looked_at, strict=True)), len(looked_at))
    other = replace(card, items=tuple(i for i, _ in items), vetoes=tuple(v for v, _ in vetoes))
    here = judged(card, values, looked_at, standing, deductions)
    there = judged(other, [v for _, v in items], [v for _, v in vetoes], standing, deductions)
    assert here._replace(vetoes=()) == there._replace(vetoes=())
    assert set(here.vetoes) == set(there.vetoes)


@given(ladders(), totals, totals, st.integers(0, 5), st.integers(0, 3), st.integers(0, 3))
def test_a_higher_total_never_gives_a_lower_level(ladder, one, other, place, forgiven, grace):
    standing = scoring.Standing(min(place, len(ladder)), forgiven)
    for most in (None, 1, 2):
        card = scoring.Card(items=(), ladder=ladder, grace=grace, most_up=most, most_down=most)
        low, high = (card.step(value, standing)[0] for value in sorted((one, other)))
        assert low <= high


@given(ladders(), totals, st.integers(1, 5), st.integers(0, 3))
def test_a_level_changes_by_no_more_than_the_steps(ladder, value, place, most):
    place = min(place, len(ladder))
    card = scoring.Card(items=(), ladder=ladder, most_up=most + 1, most_down=most + 1)
    now, held = card.step(value, scoring.Standing(place))
    assert abs(now - place) <= most + 1
    assert (held == "steps") is (abs(now - place) == most + 1 and now != card.reached(value))


@given(ladders(), totals, st.integers(0, 5))
def test_without_rules_the_total_decides(ladder, value, place):
    plain = tuple(replace(rung, keep=rung.reach) for rung in ladder)
    card = scoring.Card(items=(), ladder=plain)
    assert card.plain
    standing = scoring.Standing(min(place, len(plain)))
    assert card.step(value, standing) == (card.reached(value), "")


@given(cards(), taken, taken)
def test_more_deductions_never_raise_a_total(drawn, one, other):
    card, values, looked_at, standing = drawn
    less, more = (
        judged(card, values, looked_at, standing, points).total for points in sorted((one, other))
    )
    assert less is None or less >= more
