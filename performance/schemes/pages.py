"""What the tabs of scheme and version pages read."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from accounts.models import Territory
from core.charts import Chart, Series
from core.phrases import listed, per_cent
from core.templatetags.fmt import exact
from partners.models import Level, Partner
from performance import bases, measures, scoring
from performance.definitions import Definition, compile_item, definition, item_definition
from performance.explain import curve_text, item_label, minimum_text, reads_text, shown, veto_text
from performance.models import Role, Scheme, SchemeVersion, TargetSource
from performance.schemes.validation import item_problems, problems

STEPS = 40


def scheme_page(request: HttpRequest, scheme: Scheme) -> dict[str, Any]:
    """The versions of a scheme, its schedules and latest evaluations."""
    return {
        "versions": scheme.versions.order_by("-number"),
        "schedules": scheme.schedules.all(),
        "evaluations": scheme.evaluations.select_related("scheme")[:8],
        "may_draft": request.user.has_perm("performance.add_schemeversion"),
    }


@measures.at_once()
def version_page(request: HttpRequest, version: SchemeVersion) -> dict[str, Any]:
    """Items with their curves, levels, scope; for a draft also what is wrong with it."""
    draft = version.state == SchemeVersion.State.DRAFT
    found = definition(version)
    wrong = problems(version) if draft else []
    broken = {problem.field for problem in wrong}
    rows = [
        _item_row(row, item, f"items.{item['code']}" in broken)
        for row, item in zip(version.items.all(), found["items"], strict=True)
    ]
    return {
        "rows": rows,
        "weights": sum(
            (Decimal(i["weight"]) for i in found["items"] if i.get("role") != Role.BONUS),
            Decimal(0),
        ),
        "levels": version.levels.select_related("level"),
        "vetoes": [
            {"veto": row, "text": _veto_words(veto)}
            for row, veto in zip(
                version.vetoes.order_by("code"), found.get("vetoes", []), strict=True
            )
        ],
        "scope": scope_words(version),
        "rules": rule_sentences(version),
        "windows": _windows(version),
        "problems": wrong,
        "editable": draft and request.user.has_perm("performance.change_schemeversion"),
    }


# What a scope is told by: the name of the choice, and where its codes have their names.
_SCOPE: dict[str, tuple[Any, Any]] = {
    "states": (gettext_lazy("States"), Partner.State),
    "channel_types": (gettext_lazy("Channel types"), Partner.ChannelType),
    "levels": (gettext_lazy("Levels"), Level),
    "territories": (gettext_lazy("Territories"), Territory),
}


def scope_words(version: SchemeVersion) -> list[tuple[str, str]]:
    """[(what, its choices in words)] of the scope; what restricts nothing is left out."""
    return [
        (str(_SCOPE[name][0]), _scope_words(name, codes))
        for name, codes in version.scope.items()
        if codes
    ]


def rule_sentences(version: SchemeVersion) -> list[str]:
    """How deductions count and levels change, in sentences; only what is not the default."""
    said = []
    if version.deduction_cap:
        values = {"cap": exact(version.deduction_cap)}
        said.append(_("Decided deductions take away at most %(cap)s points.") % values)
    if version.grace:
        said.append(
            ngettext(
                "Too low a total is forgiven %(count)s time in a row before a level is lost.",
                "Too low a total is forgiven %(count)s times in a row before a level is lost.",
                version.grace,
            )
            % {"count": version.grace}
        )
    if version.most_steps_up:
        said.append(
            _("Levels rise by at most %(count)s at once.") % {"count": version.most_steps_up}
        )
    if version.most_steps_down:
        said.append(
            _("Levels fall by at most %(count)s at once.") % {"count": version.most_steps_down}
        )
    return said


def _windows(version: SchemeVersion) -> list[tuple[str, str]]:
    """The stages that an evaluation goes through, with their days."""
    stages = (
        (_("Ratings"), version.rating_days, _("after the end of the period")),
        (_("Review"), version.review_days, _("after the end of the period")),
        (_("Appeals"), version.appeal_days, _("after publishing")),
        (
            _("Answers to appeals"),
            version.answer_days if version.appeal_days else 0,
            _("after an appeal was filed"),
        ),
    )
    return [
        (label, f"{ngettext('%(days)s day', '%(days)s days', days) % {'days': days}} {until}")
        for label, days, until in stages
        if days
    ]


def _veto_words(veto: Definition) -> str:
    return veto_text(veto) if bases.find(veto) else str(veto["measure"])


def item_preview(form: Any) -> dict[str, Any]:
    """The curve of an item that is being written, what is wrong with it, and what the weights sum
    to with it."""
    form.is_valid()
    item = item_definition(form.instance)
    problems = [
        (form.fields[name].label if name in form.fields else "", error)
        for name, errors in form.errors.items()
        for error in errors
    ]
    item["weight"] = item["weight"] or "0"
    wanting = {"basis", "measure", "target_source", "cap", "curve_kind", "curve_text"}
    drawable = form.instance.curve and not wanting & set(form.errors) and bases.find(item)
    if drawable:
        told = {str(error) for _label, error in problems}
        problems += [
            ("", message)
            for _code, message in (capitalised(*each) for each in item_problems(item))
            if message not in told
        ]
    return {
        "chart": curve_chart(_("Curve"), item) if drawable else None,
        "curve": curve_text(item) if drawable else "",
        "problems": problems,
        "weights": _weights_with(form),
    }


def capitalised(code: str, message: str) -> tuple[str, str]:
    """A problem whose message stands by itself."""
    return code, capfirst(message)


def _weights_with(form: Any) -> Decimal | None:
    """The sum of the weights of the draft, with the item as it is written now."""
    version, weight = (form.cleaned_data.get(name) for name in ("version", "weight"))
    if version is None or weight is None:
        return None
    others = version.items.exclude(pk=form.instance.pk).exclude(role=Role.BONUS)
    total = sum(others.values_list("weight", flat=True), Decimal(0))
    return total if form.cleaned_data.get("role") == Role.BONUS else total + weight


def example_summary(example: Any) -> dict[str, Any]:
    """An example as its card shows it: items with weight, and the rules that set it apart."""
    items = example.document["items"]
    return {
        "example": example,
        "items": [
            (item_label(_full(item)), exact(item["weight"]), item.get("role") == Role.BONUS)
            for item in items
        ],
        "levels": example.document.get("levels", []),
    }


def _full(item: Definition) -> Definition:
    """An item of a file with the keys that words read."""
    return {"measure": "", "kind": "", "product_line": None, **item}


def _scope_words(name: str, codes: list[str]) -> str:
    """The codes of a scope as people know them; one that no longer exists stays as it is."""
    named = _SCOPE[name][1]
    if issubclass(named, Model):
        words = {row.code: str(row) for row in named.objects.filter(code__in=codes)}
    else:
        words = dict(named.choices)
    return listed(str(words.get(code, code)) for code in codes)


def _item_row(row: Any, item: Definition, broken: bool) -> dict[str, Any]:
    measure = bases.find(item)
    readable = measure is not None and not broken
    return {
        "item": row,
        "measure": measure,
        "label": item_label(item) if measure else row.measure,
        "reads": reads_text(item) if measure else "",
        "anchors": sorted(item.get("anchors", {}).items()),
        "minimum": minimum_text(item),
        "bonus": item.get("role") == Role.BONUS,
        "curve": curve_text(item) if readable else "",
        "target": _target_text(row, item, measure),
        "chart": curve_chart(row.code, item) if readable else None,
    }


def _target_text(row: Any, item: Definition, measure: bases.Reads | None) -> str:
    """What an item's value is compared with."""
    if measure and row.target_source == TargetSource.FIXED:
        return shown(item["target"], measure.unit)
    if measure and measures.TARGETS in measure.needs and row.target_source == TargetSource.NONE:
        return _("The partner’s own targets")
    return str(row.get_target_source_display())


def curve_chart(title: str, item: Definition) -> Chart:
    """The curve from a little below its first bound to a little above its last."""
    (low, high), reads = _range(item["curve"]), bases.of(item)
    compared = item["target_source"] != TargetSource.NONE
    if compared or reads.lowest is not None:
        low = max(low, Decimal(0) if compared else reads.lowest)
    if not compared and isinstance(reads, bases.Source) and reads.highest is not None:
        high = min(high, reads.highest)
    compiled, bounds = compile_item(item), _bounds(item["curve"])
    xs = sorted({*_even(low, high), *(x for x in bounds if low <= x <= high)})
    ratio = compared or reads.unit == measures.RATIO
    labels = [per_cent(exact(x * 100)) if ratio else exact(x) for x in xs]
    points = [compiled.read(x)[0] for x in xs]
    kind = "step" if item["curve"]["kind"] in (scoring.BANDS, scoring.PASS) else "line"
    return Chart(title, labels, [Series(_("Points"), points, kind)], height=170, minimum=0)


def _even(low: Decimal, high: Decimal) -> list[Decimal]:
    """Some STEPS multiples of a round number (1, 2 or 5 × 10ⁿ) between the two, for an axis that
    people can read."""
    rough = (high - low) / STEPS
    tenth = Decimal(1).scaleb(rough.adjusted())
    step = next(size * tenth for size in (1, 2, 5, 10) if size * tenth >= rough)
    first, last = (low / step).to_integral(ROUND_CEILING), (high / step).to_integral(ROUND_FLOOR)
    return [number * step for number in range(int(first), int(last) + 1)]


def _range(curve: dict[str, Any]) -> tuple[Decimal, Decimal]:
    bounds = _bounds(curve)
    low, high = min(bounds), max(bounds)
    margin = (high - low) / 4 or abs(low) / 2 or Decimal(1)
    if curve["kind"] == scoring.PROPORTIONAL:
        return low, high + margin
    return low - margin, high + margin


def _bounds(curve: dict[str, Any]) -> list[Decimal]:
    """Where a curve bends or jumps."""
    if curve["kind"] == scoring.LINEAR:
        return [Decimal(x) for x, _y in curve["points"]]
    if curve["kind"] == scoring.BANDS:
        return [Decimal(low) for low, _y in curve["bands"][1:]]
    if curve["kind"] == scoring.PASS:
        return [Decimal(curve["at_least"] if "at_least" in curve else curve["at_most"])]
    return [Decimal(0), Decimal(1)]
