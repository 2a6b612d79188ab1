"""What sales and performance put on the page of a partner."""

from __future__ import annotations

from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from core import navigation
from core.charts import Chart, Series
from core.figures import Figure, versus
from core.periods import Period
from core.templatetags.fmt import in_unit, percent
from insights import selectors
from partners import page
from partners.models import Partner
from performance.models import Evaluation, Score
from performance.telling import told
from sales.attainment import attained
from sales.completeness import completeness
from sales.grades import grade_badge
from sales.models import SalesKind

SCORECARDS = 6


def register() -> None:
    """Figures, trend and scorecards."""
    page.register_figures(sales_figures, permission="sales.view_salesfact")
    page.register_figures(score_figures, permission="performance.view_score")
    page.register_panel(
        page.Panel("insights/_trend.html", trend, permission="sales.view_salesfact", order=10)
    )
    page.register_panel(
        page.Panel(
            "insights/_scorecards.html", scorecards, permission="performance.view_score", order=20
        )
    )


def _only(partner: Partner) -> Any:
    return Partner.objects.filter(pk=partner.pk)


def sales_figures(partner: Partner, period: Period, user: Any) -> list[Figure]:
    """Sell-in with its comparison, and how far the target is reached."""
    only, day = _only(partner), navigation.data_day() or period.end
    now, ago = selectors.net_and_ago(only, selectors.same_span(period, day))
    change, tone = versus(now, ago)
    goal = (
        selectors.target(only, period.start, period.end)
        if user.has_perm("sales.view_target")
        else None
    )
    unit = user.amount_unit
    mark = grade_badge(completeness(only, period.start, period.end).get(SalesKind.SELL_IN))
    figures = [
        Figure(
            _("Sell-in %(period)s") % {"period": period.label},
            in_unit(now, unit),
            change,
            tone,
            order=10,
            mark=mark,
        )
    ]
    if goal:
        note = _("Target %(amount)s") % {"amount": in_unit(goal, unit)}
        reached = percent(attained(now, goal))
        figures.append(Figure(_("Target attainment"), reached, note=note, order=20, mark=mark))
    return figures


def _published(partner: Partner, user: Any) -> Any:
    scores = Score.objects.visible_to(user).filter(
        partner=partner, evaluation__state=Evaluation.State.PUBLISHED
    )
    return scores.select_related("evaluation__scheme", "level").order_by(
        "-evaluation__ends_before", "-evaluation_id"
    )


def score_figures(partner: Partner, period: Period, user: Any) -> list[Figure]:
    """The newest published score with its rank; for people of the partner without the rank, and its
    level where the total is not told."""
    score = next(iter(told(_published(partner, user)[:1], user)), None)
    if score is None or (score.total is None and not score.withheld):
        return []
    note = score.evaluation.period.label
    if score.withheld:
        level = str(score.level) if score.level else "—"
        return [Figure(_("Level"), level, "", "", note, _score_url(score), order=30)]
    rank = _("Rank %(rank)s of %(count)s") % {
        "rank": score.rank,
        "count": score.evaluation.partner_count,
    }
    rank = "" if score.outside else rank
    return [Figure(_("Score"), str(score.total), rank, "", note, _score_url(score), order=30)]


def _score_url(score: Score) -> str:
    try:
        return reverse("performance:score_detail", args=[score.pk])
    except NoReverseMatch:
        return ""


def trend_chart(partners: Any, period: Period, *, targets: bool = True) -> Chart:
    """Twelve months up to the end of the period: sell-in, sell-through if any, target."""
    months = selectors.months(period)
    sums = selectors.monthly(partners, months[0], period.end)
    labels = [date_format(month, "Y-m") for month in months]
    series = [Series(_("Sell-in"), [sums.get((month, SalesKind.SELL_IN), 0) for month in months])]
    through = [sums.get((month, SalesKind.SELL_THROUGH), 0) for month in months]
    if any(through):
        series.append(Series(_("Sell-through"), through))
    goals = selectors.monthly_targets(partners, months[0], period.end) if targets else {}
    if goals:
        series.append(Series(_("Target"), [goals.get(month) for month in months], "dashed"))
    return Chart(_("Sales by month"), labels, series, unit="amount")


def trend_grades(partners: Any, period: Period) -> list[tuple[Any, str]]:
    """(kind of sales, grade) of the sales in `trend_chart`, those of which reports are owed."""
    found = completeness(partners, selectors.months(period)[0], period.end)
    shown = (SalesKind.SELL_IN, SalesKind.SELL_THROUGH)
    return [(kind.label, grade_badge(found[kind])) for kind in shown if kind in found]


def trend(partner: Partner, period: Period, user: Any) -> dict[str, Any]:
    """The sales of the last twelve months."""
    chart = trend_chart(_only(partner), period, targets=user.has_perm("sales.view_target"))
    return {"chart": chart, "grades": trend_grades(_only(partner), period)}


def scorecards(partner: Partner, period: Period, user: Any) -> dict[str, Any]:
    """The latest published scores, newest first, with the change against the one before."""
    found = told(_published(partner, user)[: SCORECARDS + 1], user)
    rows = []
    for index, score in enumerate(found[:SCORECARDS]):
        before = next(
            (s for s in found[index + 1 :] if s.evaluation.scheme_id == score.evaluation.scheme_id),
            None,
        )
        known = before is not None and None not in (before.total, score.total)
        rows.append(
            {
                "score": score,
                "href": _score_url(score),
                "change": score.total - before.total if known else None,
            }
        )
    return {"rows": rows, "outside": user.is_partner_user}
