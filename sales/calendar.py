"""The matrix of the reporting calendar: a page of partners, the latest periods of one rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef
from django.http import QueryDict

from accounts.models import Territory
from partners.models import Partner
from sales import frequencies
from sales.completeness import Completeness, completeness
from sales.models import Report, ReportingRule

PERIODS = 12
ROWS = 50
ICONS = {
    Report.State.EXPECTED: "clock",
    Report.State.RECEIVED: "check",
    Report.State.LATE: "clock-exclamation",
    Report.State.MISSING: "x",
    Report.State.NOTHING: "circle-off",
}
Cell = dict[str, Any]


@dataclass(frozen=True)
class Calendar:
    """What the page shows. `rows` are (partner, one cell a period; None where nothing is owed)."""

    rule: ReportingRule | None
    rules: list[ReportingRule]
    territories: list[Territory]
    territory: Territory | None
    state: str
    periods: list[str]
    rows: list[tuple[Partner, list[Cell | None]]]
    total: int
    page: int
    found: Completeness | None
    links: dict[str, str]

    @property
    def legend(self) -> list[tuple[str, Any, str]]:
        """(state, its word, its icon)."""
        return [(state.value, state.label, ICONS[state]) for state in Report.State]


def read(query: QueryDict, user: Any, on: date) -> Calendar:
    """The part that the address asks for, of what `user` may see on the day `on`."""
    rules = list(ReportingRule.objects.asking_for(user).order_by("name"))
    rule = _chosen(rules, query.get("rule", "")) or (rules[0] if rules else None)
    territories = _territories(user)
    territory = _chosen(territories, query.get("territory", ""))
    state = query.get("state", "") if query.get("state", "") in Report.State.values else ""
    if rule is None:
        return Calendar(None, [], territories, territory, state, [], [], 0, 1, None, {})
    periods = frequencies.before(rule.frequency, _until(query, on), PERIODS)
    reports = Report.objects.with_state(on).filter(
        rule=rule, starts_on__gte=periods[0][0], starts_on__lt=periods[-1][1]
    )
    shown = reports.filter(state=state) if state else reports
    seen = Partner.objects.visible_to(user)
    if territory is not None:
        below = Territory.objects.filter(path__startswith=territory.path)
        seen = seen.filter(territory__in=below.values("pk"))
    partners = seen.filter(Exists(shown.filter(partner=OuterRef("pk"))))
    total = partners.count()
    page = min(max(1, _number(query.get("page", ""))), max(1, -(-total // ROWS)))
    here = list(partners.order_by("pinyin", "pk")[(page - 1) * ROWS : page * ROWS])
    found = completeness(seen, periods[0][0], periods[-1][1], rule=rule).get(rule.kind)
    return Calendar(
        rule=rule,
        rules=rules,
        territories=territories,
        territory=territory,
        state=state,
        periods=[frequencies.label(*period) for period in periods],
        rows=_rows(here, reports, [first for first, _after in periods]),
        total=total,
        page=page,
        found=found,
        links=_links(query, rule, periods, page, total, on),
    )


def _rows(partners: list[Partner], reports: Any, starts: list[date]) -> list[Any]:
    cells: dict[tuple[int, date], Cell] = {}
    found = reports.filter(partner__in=[partner.pk for partner in partners])
    for row in found.values("pk", "partner_id", "starts_on", "state", "due_on", "reminders"):
        state = Report.State(row["state"])
        words = {"label": state.label, "icon": ICONS[state]}
        cells[row["partner_id"], row["starts_on"]] = row | words
    return [(partner, [cells.get((partner.pk, first)) for first in starts]) for partner in partners]


def _links(
    query: QueryDict, rule: ReportingRule, periods: Any, page: int, total: int, on: date
) -> dict[str, str]:
    """Where the arrows lead: earlier and later periods, the pages; and the list of what is open."""
    kept = {key: query[key] for key in ("territory", "state", "until") if query.get(key)}
    base = {"rule": rule.pk, **kept}
    earlier = periods[0][1] - timedelta(days=1)
    links = {"earlier": "?" + urlencode({**base, "until": earlier.isoformat()})}
    later, _after = frequencies.containing(rule.frequency, on)
    if periods[-1][1] < later:
        forward = frequencies.between(rule.frequency, periods[-1][1], on)
        ahead = [after for _first, after in forward][:PERIODS]
        links["later"] = "?" + urlencode({**base, "until": ahead[-1].isoformat()})
    if page > 1:
        links["previous"] = "?" + urlencode({**base, "page": page - 1})
    if page * ROWS < total:
        links["next"] = "?" + urlencode({**base, "page": page + 1})
    wanted = [("rule", rule.pk), ("state", "missing"), ("state", "late")]
    if "territory" in kept:
        wanted.append(("territory", kept["territory"]))
    links["open"] = urlencode(wanted)
    return links


def _territories(user: Any) -> list[Territory]:
    """What one may narrow to: the roots and what lies under them, or one's own territories."""
    if user.is_partner_user:
        return []
    if not (user.is_superuser or user.is_global):
        return list(user.territories.order_by("sort_path"))
    tops = Territory.objects.filter(parent__isnull=True)
    return list(Territory.objects.filter(parent__in=tops.values("pk")).order_by("sort_path")[:60])


def _chosen(rows: list[Any], key: str) -> Any:
    return next((row for row in rows if str(row.pk) == key), None)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else 1


def _until(query: QueryDict, on: date) -> date:
    """The day up to which periods are shown; never after `on`."""
    try:
        day = date.fromisoformat(query.get("until", ""))
    except ValueError:
        return on
    return min(max(day, date(1992, 1, 1)), on)
