"""The cockpit: how is it, what moves it, what is to be done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _, ngettext

from accounts.models import Territory
from core import navigation
from core.charts import Chart, Series
from core.figures import Figure, versus
from core.models import Job
from core.periods import Period
from core.templatetags.fmt import in_unit, percent
from insights import selectors
from insights.partner_page import trend_chart, trend_grades
from partners import page
from partners.models import Partner
from performance.models import Appeal, Evaluation
from sales.attainment import attained
from sales.completeness import completeness
from sales.grades import grade_badge
from sales.models import SalesKind

RANKED = 8
SILENT_DAYS = 60
SILENT_SHOWN = 3
PERIODS_OFFERED = 8
LINES_SHOWN = 5
BELOW_SHOWN = 10


@dataclass(frozen=True)
class Todo:
    """One thing that waits. `tone` colours the dot: red, yellow, blue or green."""

    text: str
    href: str
    tone: str = ""
    when: str = ""


@login_required
def cockpit(request: HttpRequest) -> HttpResponse:
    """The start page, for the territory and the period in the address."""
    user = request.user
    if user.is_partner_user:
        return own_figures(request)
    period = page.period_of(request)
    visible = Partner.objects.visible_to(user)
    territory = _territory(request)
    if territory is not None:
        visible = visible.filter(
            territory__in=Territory.objects.filter(path__startswith=territory.path).values("pk")
        )
    scope = None if territory is None and (user.is_superuser or user.is_global) else visible
    context: dict[str, Any] = {
        "section": "cockpit",
        "greeting": _greeting(),
        "period": period,
        "periods": _periods(period),
        "territory": territory,
        "territories": _territories(user),
    }
    silent: list[selectors.Silent] = []
    network = selectors.network(visible, period.start, period.end)
    if user.has_perm("sales.view_salesfact"):
        targets = user.has_perm("sales.view_target")
        day = navigation.data_day() or timezone.localdate()
        quiet, silent = selectors.silent(visible, day, SILENT_DAYS, SILENT_SHOWN)
        context["figures"] = [
            *sales_figures(scope, period, user, targets=targets),
            *network_figures(network, quiet),
        ]
        context["trend"] = trend_chart(scope, period, targets=targets)
        context["grades"] = trend_grades(scope, period)
        context["mix"] = mix(scope, period)
    context["todos"] = todos(network, user, silent)
    if user.has_perm("performance.view_score"):
        evaluation = selectors.latest_evaluation()
        context["evaluation"] = evaluation
        context["ranking"] = selectors.ranking(evaluation, user, RANKED) if evaluation else []
        context["ranking_url"] = _ranking_url(evaluation)
    return render(request, "insights/cockpit.html", context)


def own_figures(request: HttpRequest) -> HttpResponse:
    """The start page of a partner's person: their own company and the partners below it."""
    user, period = request.user, page.period_of(request)
    visible = Partner.objects.visible_to(user)
    own = Partner.objects.filter(memberships__user=user).select_related("owner", "level").first()
    context: dict[str, Any] = {
        "section": "cockpit",
        "greeting": _greeting(),
        "period": period,
        "periods": _periods(period),
        "own": own,
    }
    if own and user.has_perm("sales.view_salesfact"):
        targets = user.has_perm("sales.view_target")
        context["figures"] = sales_figures(visible, period, user, targets=targets)
        context["trend"] = trend_chart(visible, period, targets=targets)
        context["grades"] = trend_grades(visible, period)
        context["mix"] = mix(visible, period)
        below = visible.exclude(pk=own.pk)
        context["below"] = selectors.largest(below, period.start, period.end, BELOW_SHOWN)
        context["below_count"] = below.count()
    return render(request, "insights/own.html", context)


def _greeting() -> str:
    hour = timezone.localtime().hour
    if hour < 12:
        return _("Good morning")
    return _("Good afternoon") if hour < 18 else _("Good evening")


def _territory(request: HttpRequest) -> Territory | None:
    key = request.GET.get("territory", "")
    return Territory.objects.filter(pk=int(key[:18])).first() if key.isdecimal() else None


def _territories(user: Any) -> list[Territory]:
    """What one may narrow to: the roots and what lies under them, or one's own territories."""
    if not (user.is_superuser or user.is_global):
        return list(user.territories.order_by("sort_path"))
    tops = Territory.objects.filter(parent__isnull=True)
    return list(Territory.objects.filter(parent__in=tops.values("pk")).order_by("sort_path")[:60])


def _periods(period: Period) -> list[Period]:
    day = navigation.data_day() or timezone.localdate()
    step = Period.containing("quarter", day, period.fiscal_start)
    out = []
    for _index in range(PERIODS_OFFERED):
        out.append(step)
        step = step.previous()
    return out if period in out else [period, *out]


def _ranking_url(evaluation: Evaluation | None) -> str:
    try:
        return reverse("performance:evaluation_detail", args=[evaluation.pk]) if evaluation else ""
    except NoReverseMatch:
        return ""


def sales_figures(scope: Any, period: Period, user: Any, *, targets: bool) -> list[Figure]:
    """Sell-in with its comparison, and how far the target is reached."""
    unit, day = user.amount_unit, navigation.data_day() or timezone.localdate()
    now, ago = selectors.net_and_ago(scope, selectors.same_span(period, day))
    change, tone = versus(now, ago)
    mark = grade_badge(completeness(scope, period.start, period.end).get(SalesKind.SELL_IN))
    out = [Figure(_("Sell-in net"), in_unit(now, unit), change, tone, str(period.label), mark=mark)]
    goal = selectors.target(scope, period.start, period.end) if targets else None
    if goal:
        gap = goal - now
        note = (
            _("%(amount)s to go") % {"amount": in_unit(gap, unit)}
            if gap > 0
            else _("Target reached")
        )
        tone = "better" if gap <= 0 else ""
        target = _("Target %(amount)s") % {"amount": in_unit(goal, unit)}
        reached = percent(attained(now, goal))
        out.append(Figure(_("Target attainment"), reached, note, tone, target, mark=mark))
    return out


def network_figures(network: selectors.Network, quiet: int) -> list[Figure]:
    """Partners in business, partners fallen silent."""
    started, active = network.started, network.in_business
    new = _("%(count)s new in the period") % {"count": started} if started else ""
    where = reverse("partners:partner_list") + "?state=active&state=suspended"
    out = [Figure(_("Partners in business"), f"{active:,}", new, "better", "", where)]
    note = _("bought within a year, but not in %(days)s days") % {"days": SILENT_DAYS}
    out.append(Figure(_("Fallen silent"), f"{quiet:,}", "", "", note))
    return out


def mix(scope: Any, period: Period) -> Chart:
    """The sell-in of the period by product line, small ones together."""
    rows = [
        (name, amount)
        for name, amount in selectors.by_line(scope, period.start, period.end)
        if amount > 0
    ]
    shown, rest = rows[:LINES_SHOWN], rows[LINES_SHOWN:]
    if rest:
        shown.append((_("Others"), sum(amount for _name, amount in rest)))
    series = [Series(_("Sell-in"), [amount for _name, amount in shown])]
    labels = [name for name, _amount in shown]
    return Chart(_("By product line"), labels, series, unit="amount", kind="pie", height=250)


def todos(network: selectors.Network, user: Any, silent: list[selectors.Silent]) -> list[Todo]:
    """What waits for this user, the urgent first."""
    out: list[Todo] = []
    base = reverse("partners:partner_list")
    failed = Job.objects.visible_to(user).filter(state=Job.State.FAILED)
    recent = failed.filter(finished_at__gte=timezone.now() - timedelta(days=7)).count()
    if recent and user.has_perm("core.view_job"):
        text = ngettext("%(count)s job failed this week", "%(count)s jobs failed this week", recent)
        out.append(Todo(text % {"count": recent}, reverse("core:job_list"), "red"))
    for row in silent:
        text = _("%(partner)s has bought nothing since %(day)s")
        href = reverse("partners:partner_detail", args=[row.partner.pk])
        out.append(Todo(text % {"partner": row.partner, "day": row.last.isoformat()}, href, "red"))
    orphans = network.unowned
    if orphans:
        text = ngettext(
            "%(count)s partner has no owner", "%(count)s partners have no owner", orphans
        )
        query = urlencode({"unowned": "true"})
        out.append(Todo(text % {"count": orphans}, f"{base}?{query}", "yellow"))
    waiting = network.onboarding
    if waiting:
        text = ngettext(
            "%(count)s partner is being onboarded",
            "%(count)s partners are being onboarded",
            waiting,
        )
        out.append(Todo(text % {"count": waiting}, f"{base}?state=onboarding"))
    out += _process_todos(user)
    if user.has_perm("performance.view_evaluation"):
        for evaluation in Evaluation.objects.filter(state=Evaluation.State.COMPUTED).select_related(
            "scheme"
        )[:3]:
            text = _("%(evaluation)s is computed and waits to be published")
            out.append(Todo(text % {"evaluation": evaluation}, _ranking_url(evaluation), "yellow"))
    return out


def _process_todos(user: Any) -> list[Todo]:
    """Marks to give, reviews to finish, appeals to answer."""
    out = []
    open_now = Evaluation.objects.select_related("scheme")
    if user.has_perm("performance.add_rating"):
        for evaluation in open_now.filter(
            state=Evaluation.State.RATING, raters__user=user
        ).order_by("rating_before", "pk")[:3]:
            text = _("%(evaluation)s: rate your partners until %(day)s")
            values = {"evaluation": evaluation, "day": evaluation.last_day_of_ratings.isoformat()}
            href = reverse("performance:evaluation_rate", args=[evaluation.pk])
            out.append(Todo(text % values, href, "yellow"))
    if user.has_perm("performance.publish_evaluation"):
        for evaluation in open_now.filter(state=Evaluation.State.REVIEW)[:3]:
            href = reverse("performance:evaluation_detail", args=[evaluation.pk])
            text = _("%(evaluation)s is in review") % {"evaluation": evaluation}
            out.append(Todo(text, f"{href}?tab=review", "yellow"))
    if user.has_perm("performance.decide_appeal"):
        waiting = Appeal.objects.visible_to(user).undecided().count()
        if waiting:
            text = ngettext(
                "%(count)s appeal waits for an answer",
                "%(count)s appeals wait for an answer",
                waiting,
            )
            href = f"{reverse('performance:appeal_list')}?state=filed&state=taken"
            out.append(Todo(text % {"count": waiting}, href, "yellow"))
    return out
