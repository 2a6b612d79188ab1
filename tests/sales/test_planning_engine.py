"""Splitting an amount and proposing targets: properties, and the numbers of the document."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import given, strategies as st

from core.errors import DomainError
from sales.attainment import attained
from sales.models import TargetPlanLine
from sales.planning.fair import Years, errors, forecast, potential, propose, quantile, trend
from sales.planning.grid import totals_of
from sales.planning.split import HISTORY, NOTHING, PEERS, Past, Weight, seasons, split, weigh

cents = st.decimals(min_value=-10_000, max_value=1_000_000, places=2)
rows = st.lists(
    st.builds(
        lambda months, group, growth: (tuple(months), group, growth),
        st.lists(cents, min_size=12, max_size=12),
        st.sampled_from(["dealer", "agent"]),
        st.decimals(min_value=-1, max_value=2, places=2),
    ),
    min_size=1,
    max_size=6,
).map(
    lambda found: [
        Past((number, 0), group, months, growth)
        for number, (months, group, growth) in enumerate(found, start=1)
    ]
)
totals = st.decimals(min_value=0, max_value=10_000_000, places=2)
places = st.sampled_from([2, 0, -2, -3])


def flat(year, group="dealer", key=(1, 0), growth=0):
    """A partner that sold the same in each month."""
    return Past(key, group, (Decimal(year) / 12,) * 12, Decimal(growth))


def total_of(cells):
    return sum(sum(months) for months in cells.values())


@given(rows, totals, places, st.sampled_from(["median", "zero"]))
def test_the_cells_sum_to_the_amount_exactly(past, total, to, newcomers):
    cells = split(total, weigh(past, newcomers), places=to)
    assert total_of(cells) == total
    assert set(cells) == {row.key for row in past}
    assert all(amount >= 0 for months in cells.values() for amount in months)


@given(rows, totals, places, st.randoms())
def test_the_order_of_the_rows_does_not_matter(past, total, to, random):
    mixed = random.sample(past, len(past))
    assert weigh(mixed) == weigh(past)
    assert split(total, weigh(mixed), places=to) == split(total, weigh(past), places=to)


@given(rows, totals, places)
def test_all_but_one_cell_are_multiples_of_the_rounding(past, total, to):
    unit = Decimal(1).scaleb(-to)
    cells = split(total, weigh(past), places=to)
    odd = [amount for months in cells.values() for amount in months if amount % unit]
    assert len(odd) <= 1
    assert sum(amount % unit for amount in odd) == total % unit


@given(rows, totals, st.data())
def test_locked_cells_keep_their_amount(past, total, data):
    keys = [row.key for row in past]
    cell = (data.draw(st.sampled_from(keys)), data.draw(st.integers(0, 11)))
    held = data.draw(st.decimals(min_value=0, max_value=total, places=2))
    cells = split(total, weigh(past), fixed={cell: held})
    assert cells[cell[0]][cell[1]] == held
    assert total_of(cells) == total


def test_without_an_amount_it_is_last_year_with_the_growth():
    past = [flat(1200, key=(1, 0), growth="0.1"), flat(2400, key=(2, 0))]
    cells = split(None, weigh(past), places=0)
    assert cells == {(1, 0): [Decimal(110)] * 12, (2, 0): [Decimal(200)] * 12}


def test_one_partner_gets_everything():
    assert split(Decimal(1200), weigh([flat(7)]), places=0) == {(1, 0): [Decimal(100)] * 12}


def test_without_any_history_all_cells_are_alike():
    weights = weigh([flat(0, key=(1, 0)), flat(0, key=(2, 0))])
    assert [weight.basis for weight in weights.values()] == [NOTHING, NOTHING]
    assert split(Decimal(240), weights, places=0) == {
        (1, 0): [Decimal(10)] * 12,
        (2, 0): [Decimal(10)] * 12,
    }


def test_newcomers_get_the_median_of_their_channel_type_or_nothing():
    past = [
        flat(1200, key=(1, 0)),
        flat(2400, key=(2, 0)),
        flat(9600, key=(3, 0)),
        flat(999, "agent", key=(4, 0)),
        flat(0, key=(5, 0)),
        flat(-12, key=(6, 0)),
        flat(0, "retailer", key=(7, 0)),
    ]
    weights = weigh(past)
    assert [weights[key, 0].basis for key in range(1, 8)] == [HISTORY] * 4 + [PEERS] * 2 + [NOTHING]
    assert sum(weights[5, 0].months).quantize(Decimal(1)) == 2400
    assert weights[5, 0] == weights[6, 0]
    assert weights[7, 0].months == (Decimal(0),) * 12
    assert weigh(past, "zero")[5, 0] == Weight((Decimal(0),) * 12, NOTHING)


def test_a_month_with_more_returns_than_sales_weighs_only_the_season_of_all():
    past = [Past((1, 0), "dealer", (Decimal(-60), Decimal(120), *[Decimal(0)] * 10))]
    # The season of all is this partner's own: nothing in January.
    assert weigh(past)[1, 0].months[:2] == (Decimal(0), Decimal(60))
    assert seasons([flat(-12)])[0] == [Decimal(1) / 12] * 12


def test_locked_cells_beyond_the_amount_are_refused():
    weights = weigh([flat(12)])
    with pytest.raises(DomainError) as refused:
        split(Decimal(10), weights, fixed={((1, 0), 0): Decimal(11)})
    assert refused.value.code == "locked_exceed"
    whole = {((1, 0), month): Decimal(1) for month in range(12)}
    with pytest.raises(DomainError) as refused:
        split(Decimal(13), weights, fixed=whole)
    assert refused.value.code == "all_locked"
    assert total_of(split(Decimal(12), weights, fixed=whole)) == 12


# --- Proposals -----------------------------------------------------------------------------------


def years(*nets, kin=(("dealer", "1"), ("dealer", ""))):
    return Years(tuple(Decimal(net) for net in nets), kin)


@given(st.lists(cents, min_size=2, max_size=3))
def test_a_trend_lies_within_its_bounds(nets):
    assert Decimal("-0.5") <= trend(nets) <= 1


@given(st.lists(st.tuples(cents, cents, cents), min_size=1, max_size=20), st.randoms())
def test_proposals_do_not_depend_on_the_order(nets, random):
    found = [years(*each) for each in nets]
    order = random.sample(range(len(found)), len(found))
    straight = propose(found)
    assert propose([found[place] for place in order]) == [straight[place] for place in order]


@given(st.lists(st.tuples(cents, cents, cents), min_size=1, max_size=20))
def test_an_interval_is_in_order_and_nothing_is_negative(nets):
    for fair in propose([years(*each) for each in nets]):
        known = [fair.own, fair.low, fair.high, fair.peers]
        assert all(amount is None or amount >= 0 for amount in known)
        assert (fair.low is None) == (fair.high is None)
        assert fair.low is None or fair.low <= fair.high


def test_peers_are_the_nearest_kin_of_which_there_are_three():
    near, far = (("dealer", "gold"), ("dealer", "")), (("dealer", "none"), ("dealer", ""))
    grown = [years(0, 100, 110, kin=near), years(0, 100, 120, kin=near)]
    two_of_near = propose([*grown, years(0, 100, 200, kin=far)])
    assert two_of_near[0].peers == Decimal("132.00")  # median of 10, 20 and 100 %
    three = propose([*grown, years(0, 100, 90, kin=near), years(0, 100, 500, kin=far)])
    assert three[0].peers == Decimal("121.00")  # median of −10, 10 and 20 %
    assert three[3].peers == Decimal("575.00")  # of all four: 15 %
    newcomer = propose([*grown, years(0, 100, 90, kin=near), years(0, 0, 0, kin=near)])[3]
    assert (newcomer.own, newcomer.peers) == (None, Decimal("110.00"))
    assert propose(grown)[0].peers is None


def test_quantiles_lie_between_neighbours():
    ordered = [Decimal(number) for number in (1, 2, 3, 4, 5)]
    assert quantile(ordered, Decimal("0.1")) == Decimal("1.4")
    assert quantile(ordered, Decimal("0.9")) == Decimal("4.6")
    assert quantile(ordered[:1], Decimal("0.9")) == 1


def test_potential_is_the_mean_of_what_is_known():
    assert potential((30, 100), (Decimal(50), Decimal(100))) == Decimal("0.4")
    assert potential((30, 100), None) == Decimal("0.3")
    assert potential(None, (Decimal(1), Decimal(0))) is None


# --- The document --------------------------------------------------------------------------------

TEXT = (Path(settings.BASE_DIR) / "docs/algorithms/planning.md").read_text(encoding="utf-8")


def table(title):
    """The rows of the table below a heading, as lists of cells."""
    part = TEXT.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def number(text):
    return Decimal(text.replace(",", "").replace("−", "-"))


def test_the_worked_split_of_the_document():
    document = table("A worked split")
    past, expected = [], {}
    for place, (name, group, growth, first, second, basis, *planned) in enumerate(document):
        months = (number(first), number(second), *[Decimal(0)] * 10)
        past.append(Past((place, 0), group, months, number(growth.removesuffix(" %")) / 100))
        expected[name] = (basis, [number(amount) for amount in planned])
    total = number(re.search(r"an amount of ([\d,]+)", TEXT)[1])
    weights = weigh(past)
    cells = split(total, weights, places=0)
    found = {
        name: (weights[place, 0].basis, [*cells[place, 0][:2], sum(cells[place, 0])])
        for place, name in enumerate(expected)
    }
    assert found == expected
    assert total_of(cells) == total


def test_the_worked_proposals_of_the_document():
    document = table("A worked proposal")
    given_ = [years(*map(number, row[1:4])) for row in document]
    found = propose(given_)
    for row, fair, nets in zip(document, found, given_, strict=True):
        told = [fair.own, fair.low, fair.high, fair.peers]
        assert [None if text == "–" else number(text) for text in row[5:9]] == told, row[0]
        assert number(row[4].removesuffix(" %")) == (trend(nets.nets) * 100).quantize(
            Decimal("0.1")
        )
    ratios = [str(ratio.quantize(Decimal("0.0001"))) for ratio in errors(given_)]
    assert ", ".join(ratios) in TEXT
    assert forecast(given_[0].nets) == found[0].own


def test_the_attainment_of_the_document():
    rows = table("Which targets count")
    counted = sum(number(row[4]) for row in rows)
    for _month, whole, *lines, counts in rows:
        by_line = sum(number(text) for text in lines if text != "–")
        assert number(counts) == (by_line if whole == "–" else number(whole))
    net, rate, target = re.search(r"Net sales of (\d+) .* are ([\d.]+) % of (\d+)", TEXT).groups()
    assert counted == number(target)
    assert attained(number(net), counted) * 100 == number(rate)
    assert (attained(number(net), None), attained(number(net), Decimal(0))) == (None, None)


def test_the_potential_of_the_document():
    rows = [[number(cell.removesuffix(" %")) for cell in row[1:]] for row in table("Potential")]
    last, people, gdp = (sum(column) for column in list(zip(*rows, strict=True))[:3])
    for mine, own_people, own_gdp, share, bears, index in rows:
        found = potential((own_people, people), (own_gdp, gdp))
        assert (mine / last * 100, found * 100) == (share, bears)
        assert (mine / last / found).quantize(Decimal("0.01")) == index


def test_the_comparison_of_the_document():
    cells = []
    for _month, *texts in table("Top-down and bottom-up"):
        top, manager, proposal, below, difference = (
            None if text == "–" else number(text) for text in texts
        )
        cell = TargetPlanLine(top_down=top, manager=manager, proposal=proposal)
        assert (cell.bottom_up, cell.difference) == (below, difference)
        cells.append(cell)
    totals = totals_of(cells)
    told = re.search(r"bottom-up (\d+) against (\d+), a difference of (\d+) or ([\d.]+) %", TEXT)
    assert [number(text) for text in told.groups()] == [
        totals.bottom_up,
        totals.against,
        totals.difference,
        totals.ratio * 100,
    ]
