"""A small network with sales of two years, targets and returns, for the tests of evaluations."""

from datetime import date
from decimal import Decimal

from performance.models import Scheme, SchemeVersion
from performance.services import publish_version
from tests import factories as make

TODAY = date(2014, 2, 1)
LINEAR = {"kind": "linear", "points": [["0", "0"], ["1", "100"]]}
GROWTH = {"kind": "linear", "points": [["-0.1", "0"], ["0", "60"], ["0.15", "100"]]}
FALLING = {"kind": "linear", "points": [["0", "100"], ["0.2", "0"]]}
SEVEN = [
    # measure, weight, target source, curve
    ("sell_in_net", 30, "peer_median", LINEAR),
    ("target_attainment", 20, "none", LINEAR),
    ("growth_yoy", 10, "none", GROWTH),
    ("focus_line_share", 10, "none", LINEAR),
    ("active_months", 10, "none", {"kind": "linear", "points": [["0", "0"], ["3", "100"]]}),
    ("line_breadth", 10, "peer_median", LINEAR),
    ("return_rate", 10, "none", FALLING),
]


def make_network():
    """Partners A (many sales), B (few, returns), C (last year only), D (nothing)."""
    partners = {code: make.make_partner(code=code) for code in "ABCD"}
    focus = make.make_product_line(code="FOCUS", role="focus")
    below = make.make_product_line(code="BELOW", parent=focus)
    plain = make.make_product_line(code="PLAIN")
    articles = {line.code: make.make_product(product_line=line) for line in (below, plain)}

    def sell(code, line, day, amount):
        make.make_fact(
            partners[code],
            product=articles[line],
            occurred_on=date.fromisoformat(day),
            amount=Decimal(amount),
        )

    sell("A", "BELOW", "2013-07-01", "1000.5001")  # the first day of the quarter
    sell("A", "PLAIN", "2013-08-15", "3000.4999")
    sell("A", "PLAIN", "2013-09-30", "-500")  # the last day, a return
    sell("A", "PLAIN", "2013-10-01", "99999")  # the day after
    sell("A", "PLAIN", "2012-07-31", "2000")
    sell("B", "PLAIN", "2013-07-10", "100")
    sell("B", "PLAIN", "2013-07-11", "-130")
    sell("B", "BELOW", "2013-08-01", "50")
    sell("C", "PLAIN", "2012-09-30", "777.77")
    for month, amount in (("2013-07-01", 1000), ("2013-08-01", 1500)):
        make.make_target(partners["A"], month=date.fromisoformat(month), amount=Decimal(amount))
    # A month with a row for all lines: the rows by line do not count.
    make.make_target(partners["A"], month=date(2013, 7, 1), product_line=focus, amount=Decimal(400))
    for line in (focus, plain):  # only by line: they sum
        make.make_target(
            partners["B"], month=date(2013, 9, 1), product_line=line, amount=Decimal(20)
        )
    return partners


def make_scheme(items=SEVEN, *, code="seven", publish=True, levels=(), **fields):
    scheme = Scheme.objects.create(code=code, name=code)
    version = SchemeVersion.objects.create(scheme=scheme, number=1, **fields)
    for position, (measure, weight, target_source, curve) in enumerate(items):
        version.items.create(
            position=position,
            code=measure,
            measure=measure,
            weight=Decimal(weight),
            target_source=target_source,
            curve=curve,
        )
    for level, minimum in levels:
        version.levels.create(level=level, min_total=Decimal(minimum))
    if publish:
        version = publish_version(version=version, by=None, on=TODAY)
    return version
