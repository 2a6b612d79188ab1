"""What sales put into the list of partners."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, Subquery, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core import navigation, tables
from core.periods import Period
from core.templatetags.fmt import signed_percent
from insights import selectors
from sales.models import SalesDaily, SalesKind


def register() -> None:
    """Sell-in of the quarter of the newest data, and its change on the year before."""
    may_see = "sales.view_salesfact"
    for column in (
        tables.Column(
            "sell_in",
            label=_("sell-in this quarter"),
            source=lambda request: _net(request, ago=False),
            kind="amount",
            sort=(),
            permission=may_see,
        ),
        tables.Column(
            "year_on_year",
            label=_("year on year"),
            source=lambda request: (_net(request, ago=False), _net(request, ago=True)),
            kind="percent",
            sort=(),
            shown=False,  # two more sums a row cost half as much as the whole list
            permission=may_see,
            render=_change_cell,
            export=_change,
        ),
    ):
        tables.add_column("partners.partner", column)


def _net(request: HttpRequest, *, ago: bool) -> Subquery:
    """A range of the rollup's primary key for each row of the page; it is not worth sorting by."""
    day = navigation.data_day() or timezone.localdate()
    period = Period.containing("quarter", day, settings.FISCAL_YEAR_START)
    span = selectors.same_span(period, day)
    start, end = span[2:] if ago else span[:2]
    return _sum_between(start, end)


def _sum_between(start: date, end: date) -> Subquery:
    rows = SalesDaily.objects.filter(
        partner=OuterRef("pk"), kind=SalesKind.SELL_IN, day__gte=start, day__lt=end
    )
    return Subquery(rows.order_by().values("partner").annotate(total=Sum("net")).values("total"))


def _change(now: Decimal | None, ago: Decimal | None) -> Any:
    """The relative change; None where there is nothing to compare with."""
    return round((now or 0) / ago - 1, 4) if ago and ago > 0 else None


def _change_cell(now: Decimal | None, ago: Decimal | None) -> str:
    change = _change(now, ago)
    if change is None:
        return tables.EMPTY
    tone = "better" if change > 0 else "worse" if change < 0 else ""
    return f'<span class="{tone}">{signed_percent(change)}</span>'
