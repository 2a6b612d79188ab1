"""A scheme version as plain values: what is hashed, checked and compiled for the engine."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from performance import bases, measures, scoring
from performance.models import (
    Basis,
    MinimumRule,
    Role,
    SchemeItem,
    SchemeVersion,
    SchemeVeto,
    TargetSource,
    VetoEffect,
    VetoSide,
)

Definition = dict[str, Any]


@measures.at_once()
def definition(version: SchemeVersion) -> Definition:
    """Everything that decides a score, by codes instead of keys and numbers as text.

    Two versions with the same definition score alike, whatever their numbers or names. What came
    later than the first published scores is named only where a version uses it, so that the
    digests of the others stay what they were.
    """
    found = {
        "scheme": version.scheme.code,
        "scope": {name: sorted(codes) for name, codes in sorted(version.scope.items())},
        "items": [
            item_definition(item)
            for item in version.items.select_related("product_line", "source_scheme")
        ],
        "levels": [
            {
                "level": level.level.code,
                "min_total": plain(level.min_total),
                **_used(keep_total=plain(level.keep_total)),
            }
            for level in version.levels.select_related("level").order_by("-min_total")
        ],
    }
    return found | _used(
        vetoes=[
            veto_definition(veto)
            for veto in version.vetoes.select_related("product_line").order_by("code")
        ],
        deduction_cap=plain(version.deduction_cap) if version.deduction_cap else None,
        grace=version.grace,
        most_steps_up=version.most_steps_up,
        most_steps_down=version.most_steps_down,
    )


def _used(**values: Any) -> Definition:
    """What is not empty."""
    return {name: value for name, value in values.items() if value not in (None, "", 0, [], {})}


def item_definition(item: SchemeItem) -> Definition:
    found = {
        "code": item.code,
        "measure": item.measure,
        "kind": item.kind,
        "product_line": item.product_line.code if item.product_line else None,
        "weight": plain(item.weight),
        "target_source": item.target_source,
        "target": plain(item.target),
        "curve": item.curve,
        "cap": plain(item.cap),
        "gate": plain(item.gate),
        "missing": item.missing,
        **measures.frozen_derived(item.measure),
    }
    rated = item.basis == Basis.RATING
    found |= _used(
        name=item.name,
        name_en=item.name_en,
        basis=item.basis if item.basis != Basis.MEASURE else None,
        role=item.role if item.role != Role.WEIGHTED else None,
        anchors=item.anchors if rated else None,
        raters=item.raters if rated else None,
        source_scheme=item.source_scheme.code if item.source_scheme else None,
        source_items=sorted(item.source_items),
    )
    if item.minimum is not None:
        found |= {"minimum": plain(item.minimum), "minimum_rule": item.minimum_rule}
    return found


def veto_definition(veto: SchemeVeto) -> Definition:
    return {
        "code": veto.code,
        "name": veto.name,
        **_used(name_en=veto.name_en),
        "measure": veto.measure,
        "kind": veto.kind,
        "product_line": veto.product_line.code if veto.product_line else None,
        "side": veto.side,
        "bound": plain(veto.bound),
        "effect": veto.effect,
        **measures.frozen_derived(veto.measure),
    }


def plain(value: Decimal | None) -> str | None:
    """A number as text without trailing zeros: 40.00 and 40 are the same weight."""
    if value is None:
        return None
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def compile_item(item: Definition) -> scoring.Item:
    """A checked item of a definition, ready for the engine."""
    return scoring.Item(
        code=item["code"],
        weight=Decimal(item["weight"]),
        read=scoring.compile_curve(item["curve"], Decimal(item["cap"])),
        compares=item["target_source"] != TargetSource.NONE,
        gate=None if item["gate"] is None else Decimal(item["gate"]),
        higher=bases.of(item).higher,
        missing=item["missing"],
        bonus=item.get("role") == Role.BONUS,
        minimum=Decimal(item["minimum"]) if "minimum" in item else None,
        above=item.get("minimum_rule") == MinimumRule.ABOVE,
    )


def compile_card(found: Definition) -> scoring.Card:
    """A checked definition, ready for the engine."""
    rungs = [
        scoring.Rung(
            row["level"],
            Decimal(row["min_total"]),
            Decimal(row.get("keep_total", row["min_total"])),
        )
        for row in found["levels"]
    ]
    return scoring.Card(
        items=tuple(map(compile_item, found["items"])),
        ladder=tuple(sorted(rungs, key=lambda rung: rung.reach)),
        vetoes=tuple(
            scoring.Veto(
                code=veto["code"],
                below=veto["side"] == VetoSide.BELOW,
                bound=Decimal(veto["bound"]),
                zero=veto["effect"] == VetoEffect.ZERO,
            )
            for veto in found.get("vetoes", [])
        ),
        deduction_cap=Decimal(found.get("deduction_cap", 0)),
        grace=found.get("grace", 0),
        most_up=found.get("most_steps_up"),
        most_down=found.get("most_steps_down"),
    )
