"""What one version of a scheme says differently from another, in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from core.phrases import listed
from core.templatetags.fmt import exact
from partners.models import Level
from performance import bases
from performance.definitions import Definition, definition
from performance.explain import curve_text, item_label, minimum_text, named, shown, veto_text
from performance.models import Basis, Role, SchemeVersion, TargetSource
from performance.models.schemes import MissingPolicy
from sales.models import SalesKind

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
Words = dict[str, str]


@dataclass(frozen=True)
class Change:
    """One thing that is new, gone or different. `fields` is [(what, before, after)]; of what is new
    only after is told, of what is gone only before."""

    section: str
    label: str
    what: str
    fields: list[tuple[str, str, str]]


def between(before: SchemeVersion, after: SchemeVersion) -> list[Change]:
    """Everything that `after` says differently: items, vetoes, levels, then what it says itself."""
    old, new = definition(before), definition(after)
    names = {level.code: str(level) for level in Level.objects.all()}

    def level_words(row: Definition) -> Words:
        return _level(row, names)

    return [
        *_rows(_("Items"), old["items"], new["items"], _item, _item_name),
        *_order(old["items"], new["items"]),
        *_rows(_("Vetoes"), old.get("vetoes", []), new.get("vetoes", []), _veto, named),
        *_rows(
            _("Levels"),
            old["levels"],
            new["levels"],
            level_words,
            lambda row: names.get(row["level"], row["level"]),
            key="level",
        ),
        *_whole(before, after),
    ]


def _rows(
    section: str,
    old: list[Definition],
    new: list[Definition],
    words: Callable[[Definition], Words],
    label: Callable[[Definition], str],
    key: str = "code",
) -> list[Change]:
    was, now = ({row[key]: row for row in rows} for rows in (old, new))
    found = []
    for code, row in now.items():
        if code not in was:
            fields = [(name, "", text) for name, text in words(row).items() if text]
            found.append(Change(section, label(row), ADDED, fields))
        elif row != was[code]:
            fields = _compared(words(was[code]), words(row))
            if fields:
                found.append(Change(section, label(row), CHANGED, fields))
    for code, row in was.items():
        if code not in now:
            fields = [(name, text, "") for name, text in words(row).items() if text]
            found.append(Change(section, label(row), REMOVED, fields))
    return found


def _compared(old: Words, new: Words) -> list[tuple[str, str, str]]:
    names = dict.fromkeys([*old, *new])
    return [
        (name, old.get(name, ""), new.get(name, ""))
        for name in names
        if old.get(name, "") != new.get(name, "")
    ]


def _order(old: list[Definition], new: list[Definition]) -> list[Change]:
    """Items that both have stand in another order."""
    both = {row["code"] for row in old} & {row["code"] for row in new}
    was, now = ([row for row in rows if row["code"] in both] for rows in (old, new))
    if [row["code"] for row in was] == [row["code"] for row in now]:
        return []
    text = listed(map(_item_name, was)), listed(map(_item_name, now))
    return [Change(_("Items"), _("Order of the items"), CHANGED, [(_("Order"), *text)])]


# --- in words ------------------------------------------------------------------------------


def _item_name(item: Definition) -> str:
    return item_label(item) if bases.find(item) else str(item["code"])


def _item(item: Definition) -> Words:
    """What an item says, field by field."""
    read = bases.find(item)
    unit = read.unit if read else ""
    fixed = item["target_source"] == TargetSource.FIXED
    words = {
        _("Name"): named(item),
        _("Based on"): str(Basis(bases.basis_of(item)).label),
        _("Measure"): str(read.label) if read else item["measure"],
        _("Kind of sales"): str(SalesKind(item["kind"]).label) if item["kind"] else "",
        _("Product line"): item["product_line"] or "",
        _("Role"): str(Role(item.get("role", Role.WEIGHTED)).label),
        _("Weight"): exact(item["weight"]),
        _("Target"): shown(item["target"], unit)
        if fixed
        else str(TargetSource(item["target_source"]).label),
        _("Curve"): _curve(item),
        _("Gate"): shown(item["gate"], unit) if item["gate"] is not None else "",
        _("When it does not apply"): str(MissingPolicy(item["missing"]).label),
        _("Minimum"): minimum_text(item),
        _("Least number of raters"): str(item.get("raters", "")),
        _("Other scheme"): item.get("source_scheme", ""),
        _("Its items"): listed(item.get("source_items", [])),
    }
    marks = sorted(item.get("anchors", {}).items())
    return words | {_("Mark %(mark)s means") % {"mark": mark}: said for mark, said in marks}


def _curve(item: Definition) -> str:
    try:
        return curve_text(item)
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return json.dumps(item["curve"], ensure_ascii=False)  # a draft may hold what is no curve


def _veto(veto: Definition) -> Words:
    words = {_("Name"): named(veto)}
    read = bases.find(veto)
    return words | {_("Rule"): veto_text(veto) if read else veto["measure"]}


def _level(row: Definition, names: dict[str, str]) -> Words:
    keep = row.get("keep_total")
    return {
        _("From a total of"): exact(row["min_total"]),
        _("Kept from"): exact(keep) if keep is not None else "",
    }


_RULES = (
    *("deduction_cap", "grace", "most_steps_up", "most_steps_down"),
    *("rating_days", "review_days", "appeal_days", "answer_days"),
)


def _whole(before: SchemeVersion, after: SchemeVersion) -> list[Change]:
    """What a version says itself: scope, deductions, rules of levels, windows."""
    from performance.schemes.pages import scope_words

    fields = _compared(dict(scope_words(before)), dict(scope_words(after)))
    found = [Change(_("Scope"), _("Scope"), CHANGED, fields)] if fields else []
    rules = _compared(_rules(before), _rules(after))
    return [*found, *([Change(_("Rules"), _("Rules"), CHANGED, rules)] if rules else [])]


def _rules(version: SchemeVersion) -> Words:
    words = {}
    for name in _RULES:
        value = getattr(version, name)
        label = str(version._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
        words[label] = _("any") if value is None else exact(value)
    return words
