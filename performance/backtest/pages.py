"""What the pages of backtests read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _, ngettext

from core.charts import Chart, Series
from core.figures import Figure
from core.phrases import clauses, listed
from core.templatetags.fmt import NONE, exact, percent
from partners.models import Level
from performance import bases
from performance.backtest import services
from performance.backtest.whatif import Base, Item, WhatIf
from performance.explain import item_label, shown
from performance.models import BacktestReport, BacktestResult, SchemeVersion

SHOWN = 8
ALIKE = Decimal("0.9")
STRONG = Decimal("0.8")


def version_backtests(request: HttpRequest, version: SchemeVersion) -> dict[str, Any]:
    """The backtests of a version, and which one stays, or would stay, with it."""
    rows = list(version.backtests.select_related("against__scheme", "job").order_by("-pk")[:20])
    draft = version.state == SchemeVersion.State.DRAFT
    attached = next((row for row in rows if row.state == BacktestReport.State.ATTACHED), None)
    return {
        "rows": rows,
        "draft": draft,
        "attached": attached or (services.matching(version) if draft else None),
        "outdated": any(row.state == BacktestReport.State.DONE for row in rows),
        "may_run": request.user.has_perm("performance.add_backtestreport"),
    }


def report_page(request: HttpRequest, row: BacktestReport) -> dict[str, Any]:
    """Figures, movers, distributions, weights, items, correlations, thresholds."""
    if row.state == BacktestReport.State.RUNNING:
        return {"known": False}
    found, labels = row.result, labels_of(row)
    pairs = _pairs(found["correlations"], labels)
    levels = {level.code: level for level in Level.objects.all()}
    last = found["periods"][-1]
    results = reverse("performance:backtestresult_list") + f"?report={row.pk}"
    seen = (
        BacktestResult.objects.visible_to(request.user)
        .filter(report=row)
        .exclude(change=None)
        .select_related("partner", "level_draft", "level_against")
    )
    return {
        "known": True,
        "figures": _figures(row, last, results),
        "last": last,
        "periods": [_of_period(each) for each in found["periods"]],
        "means": _means(found["periods"]),
        "distribution": _distribution(last),
        "up": seen.filter(change__gt=0).order_by("-change", "pk")[:SHOWN],
        "down": seen.filter(change__lt=0).order_by("change", "pk")[:SHOWN],
        "results": results,
        "levels": [{**each, "level": levels.get(each["level"])} for each in found["levels"]],
        "passages": [
            {**each, "from": levels.get(each["from"]), "to": levels.get(each["to"])}
            for each in found["passages"]
        ],
        "weights": [_weight(each, labels) for each in found["weights"]],
        "shares": _shares(found["weights"], labels),
        "items": [_item(each, labels) for each in found["items"]],
        "never": [labels[each["item"]] for each in found["items"] if each["never"]],
        "pairs": pairs[:SHOWN],
        "more_pairs": pairs[SHOWN:],
        "thresholds": [
            {**each, "level": levels.get(each["level"]), "name": each["level"]}
            for each in reversed(found["thresholds"])
        ],
    }


def labels_of(row: BacktestReport) -> dict[str, str]:
    """{code: what the items of the draft are called}."""
    return {item["code"]: item_label(item) for item in row.definitions["draft"]["items"]}


def _figures(row: BacktestReport, last: dict[str, Any], results: str) -> list[Figure]:
    moves, near = last["moves"], sum(e["below"] + e["above"] for e in row.result["thresholds"])
    mean = moves["mean_change"]
    return [
        Figure(_("Partners"), f"{row.partner_count:,}", note=_alone(moves), href=results),
        Figure(_("Higher level"), f"{moves['level_up']:,}", href=f"{results}&steps=1&sort=-change"),
        Figure(
            _("Lower level"), f"{moves['level_down']:,}", href=f"{results}&steps=-1&sort=change"
        ),
        Figure(_("Mean change of the total"), NONE if mean is None else _signed(mean)),
        Figure(
            _("Near a threshold"),
            f"{near:,}",
            note=_("within 2 points"),
            href=f"{results}&near=true",
        ),
    ]


def _alone(moves: dict[str, Any]) -> str:
    """How many only one of the two versions scores, if there are any; older reports do not say."""
    counts = (
        (moves.get("only_draft", 0), _("only by the draft: %(count)s")),
        (moves.get("only_against", 0), _("only in force: %(count)s")),
    )
    return listed([text % {"count": f"{count:,}"} for count, text in counts if count])


def _signed(value: Any) -> str:
    return f"{'+' if Decimal(value) > 0 else ''}{exact(Decimal(value).quantize(Decimal('0.01')))}"


def _of_period(each: dict[str, Any]) -> dict[str, Any]:
    published = each["published"]
    return {**each, "dot": _agrees(published), "since": since_text((published or {}).get("since"))}


def since_text(since: dict[str, int] | None) -> str:
    """Why a published period gives other figures by now; "" where that is not known."""
    if not since:
        return ""
    told = [
        (since["changed"], ngettext("%(n)s other total", "%(n)s other totals", since["changed"])),
        (since["left"], ngettext("%(n)s partner left", "%(n)s partners left", since["left"])),
        (
            since["joined"],
            ngettext("%(n)s partner joined", "%(n)s partners joined", since["joined"]),
        ),
        (
            since["late_lines"],
            ngettext("%(n)s late line", "%(n)s late lines", since["late_lines"]),
        ),
    ]
    return clauses([text % {"n": f"{count:,}"} for count, text in told if count])


def _agrees(published: dict[str, Any] | None) -> str:
    """What the scores of the version in force say of what was published."""
    if published is None:
        return ""
    if not published["same_version"]:
        return "other"
    return "same" if published["same_digest"] else "changed"


def _means(periods: list[dict[str, Any]]) -> Chart:
    return Chart(
        _("Mean total by period"),
        [each["period"] for each in periods],
        [
            Series(_("The draft"), [_number(each["draft"]["mean"]) for each in periods], "line"),
            Series(_("In force"), [_number(each["against"]["mean"]) for each in periods], "dashed"),
        ],
        height=220,
    )


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _distribution(last: dict[str, Any]) -> Chart:
    """How many partners have a total from 0 up to 10, from 10 up to 20 …, by both."""
    sides = [last["draft"]["bins"], last["against"]["bins"]]
    top = max(map(len, sides))
    counts = [[*side, *[0] * (top - len(side))] for side in sides]
    return Chart(
        _("Distribution of totals"),
        [f"{step * 10}–{step * 10 + 10}" for step in range(top)],
        [Series(_("The draft"), counts[0]), Series(_("In force"), counts[1])],
        height=240,
    )


def _weight(each: dict[str, Any], labels: dict[str, str]) -> dict[str, Any]:
    return {
        **each,
        "label": labels[each["item"]],
        "share": percent(each["share"], 0),
        "up": each["shifts"][0],
        "down": each["shifts"][1],
    }


def _shares(weights: list[dict[str, Any]], labels: dict[str, str]) -> Chart:
    """The weight of each item beside its part of the differences between partners."""
    return Chart(
        _("Weight and part of the differences"),
        [labels[each["item"]] for each in weights],
        [
            Series(_("Weight"), [Decimal(each["weight"]) / 100 for each in weights]),
            Series(_("Part of the differences"), [_number(each["share"]) for each in weights]),
        ],
        unit="percent",
        height=260,
    )


def _item(each: dict[str, Any], labels: dict[str, str]) -> dict[str, Any]:
    applies, asked = each["applies"], each["applies"] + each["missing"]
    alike = _number(each["most_alike"])
    return {
        **each,
        "label": labels[each["item"]],
        "applying": percent(Decimal(applies) / asked, 0) if asked else NONE,
        "capped": percent(Decimal(each["capped"]) / applies, 0) if applies else NONE,
        "alike": percent(alike, 0),
        "hardly": not each["never"] and alike is not None and alike >= ALIKE,
    }


def _pairs(found: list[dict[str, Any]], labels: dict[str, str]) -> list[dict[str, Any]]:
    """Pairs of items, the strongest correlation first."""
    rows = []
    for each in found:
        size = max((abs(Decimal(each[n])) for n in ("pearson", "spearman") if each[n]), default=-1)
        names = [labels[code] for code in each["items"]]
        rows.append({**each, "names": names, "size": size, "strong": size >= STRONG})
    return sorted(rows, key=lambda row: (-row["size"], row["items"]))


def result_page(request: HttpRequest, row: BacktestResult) -> dict[str, Any]:
    """One partner in a backtest: both totals over the periods."""
    levels = {level.code: level for level in Level.objects.all()}
    periods = [
        {
            **each,
            "change": _change(each),
            "level": levels.get(each["level"]),
            "level_against": levels.get(each["level_against"]),
        }
        for each in row.periods
    ]
    draft = [_number(each["total"]) for each in periods]
    against = [_number(each["total_against"]) for each in periods]
    chart = Chart(
        _("Totals by period"),
        [each["period"] for each in periods],
        [Series(_("The draft"), draft, "line"), Series(_("In force"), against, "dashed")],
        height=240,
    )
    return {"periods": periods[::-1], "chart": chart}


def _change(each: dict[str, Any]) -> str:
    if each["total"] is None or each["total_against"] is None:
        return NONE
    return _signed(Decimal(each["total"]) - Decimal(each["total_against"]))


# --- what if -------------------------------------------------------------------------------


def what_if_page(base: Base, found: WhatIf) -> dict[str, Any]:
    """Total, level and rank now and as supposed, and where the difference comes from."""
    levels = {level.code: level for level in Level.objects.all()}
    now, then = found.now, found.then
    moved = base.stored is not None and now.total is not None and base.stored != now.total
    return {
        "now": now,
        "then": then,
        "rank_now": found.rank_now,
        "rank_then": found.rank_then,
        "level_now": levels.get(now.level or ""),
        "level_then": levels.get(then.level or ""),
        "change": None if found.change is None else _signed(found.change),
        "tone": _tone(found.change),
        "rows": [_what_if_row(item) for item in found.items],
        "missing": _missing(base, then.total, levels),
        "stored": base.stored if moved else None,
    }


def _tone(change: Decimal | None) -> str:
    if not change:
        return ""
    return "better" if change > 0 else "worse"


def _what_if_row(item: Item) -> dict[str, Any]:
    unit = bases.of(item.definition).unit
    return {
        "label": item_label(item.definition),
        "stays": item.stays,
        "weight": item.definition["weight"],
        "value_now": shown(item.value_now, unit),
        "value_then": shown(item.value_then, unit),
        "points_now": item.now.points,
        "points_then": item.then.points,
        "gain": _signed(item.gain),
        "tone": _tone(item.gain),
        "moved": item.value_now != item.value_then or bool(item.gain),
    }


def _missing(base: Base, total: Decimal | None, levels: dict[str, Level]) -> str:
    """How far the next level is then."""
    above = [
        (Decimal(row["min_total"]), row["level"])
        for row in base.found["levels"]
        if total is not None and Decimal(row["min_total"]) > total
    ]
    if not above or total is None:
        return ""
    needed, code = min(above)
    values = {"points": needed - total, "level": levels.get(code, code)}
    return _("%(points)s more for %(level)s") % values
