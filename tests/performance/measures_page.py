"""The example of docs/algorithms/measures.md: its tables, and its books in a database."""

import json
import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings

from sales.models import FactBefore, Report
from tests import factories as make

PAGE = (Path(__file__).parents[2] / "docs/algorithms/measures.md").read_text()


def table(head):
    """The rows of the table whose header begins with `head`, as lists of text; “–” is None."""
    match = re.search(rf"^\| {re.escape(head)} \|.*\n\|[-|]+\|\n((?:\|.*\|\n)+)", PAGE, re.M)
    assert match, head
    return [
        [
            None if cell.strip() == "–" else cell.strip().strip("`")
            for cell in re.split(r"(?<!\\)\|", row)[1:-1]
        ]
        for row in match[1].splitlines()
    ]


def make_books():
    """The partner of the example, with everything the page says of it."""
    partner, others = _make_territories()
    lines = {
        code: make.make_product_line(code=code, role="focus" if code == "FOCUS" else "")
        for code in ("FOCUS", "PLAIN")
    }
    products = {
        code: make.make_product(code=code, product_line=lines[line], active_from=since)
        for code, line, since in table("product")
    }
    for kind, day, product, amount in table("sales"):
        make.make_fact(
            partner, kind=kind, occurred_on=day, product=products[product], amount=Decimal(amount)
        )
    for other, amount in others:
        make.make_fact(
            other, occurred_on="2013-08-01", product=products["PLUG"], amount=Decimal(amount)
        )
    for kind, month, line, amount in table("target"):
        make.make_target(
            partner,
            kind=kind,
            month=date.fromisoformat(month),
            product_line=lines.get(line),
            amount=Decimal(amount),
        )
    for paid, due, amount in table("paid on"):
        make.make_payment(partner, paid_on=paid, due_on=due, amount=Decimal(amount))
    _make_reports(partner)
    _make_corrections(partner, products["PLUG"])
    enters, decides = make.make_user(), make.make_user()
    for day, points, state in table("counts on"):
        decided_by = None if state == "proposed" else decides
        make.make_deduction(
            partner,
            decided_on=day,
            points=Decimal(points),
            state=state,
            entered_by=enters,
            decided_by=decided_by,
        )
    return partner


def _make_territories():
    """The partner in its territory, and the others with what they sold."""
    places, others = {}, []
    for code, above, population, gdp, sold in table("territory"):
        places[code] = make.make_territory(
            code=code, parent=places.get(above), population=population, gdp=gdp
        )
        if Decimal(sold):
            others.append((make.make_partner(code=f"IN-{code}", territory=places[code]), sold))
    return make.make_partner(code="EXAMPLE", territory=places["TOWN"]), others


def _make_reports(partner):
    rules = {kind: make.make_reporting_rule(kind=kind) for kind in ("sell_through", "sell_out")}
    user, zone = make.make_user(), ZoneInfo(settings.TIME_ZONE)
    for kind, due, came in table("report"):
        due_on = date.fromisoformat(due)
        end = due_on.replace(day=1)
        start = (
            end.replace(month=end.month - 1)
            if end.month > 1
            else end.replace(year=end.year - 1, month=12)
        )
        report = make.make_report(
            partner, rule=rules[kind], starts_on=start, ends_before=end, due_on=due_on
        )
        said = {"received_at": None}
        if came == "nothing to report":
            said |= {"nothing_at": datetime(due_on.year, due_on.month, 5, tzinfo=zone)}
            said |= {"nothing_by": user}
        elif came:
            # The last minute of that day, where the company is.
            day = date.fromisoformat(came)
            said = {"received_at": datetime(day.year, day.month, day.day, 23, 59, tzinfo=zone)}
        Report.objects.filter(pk=report.pk).update(**said)


def _make_corrections(partner, product):
    load = make.make_import()
    for number, (kind, day, deed) in enumerate(table("before a correction"), start=1):
        row = {"id": -number, "kind": kind, "occurred_on": day, "partner_id": partner.pk}
        row |= {"product_id": product.pk, "amount": 1}
        FactBefore.objects.create(
            load=load,
            partner=partner,
            kind="sales",
            fact_id=-number,
            removed=deed == "took it back",
            row=json.loads(json.dumps(row)),
        )
