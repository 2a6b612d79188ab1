"""A scheme version as plain values: what is hashed, checked and compiled for the engine."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from performance import measures, scoring
from performance.models import SchemeVersion, TargetSource

Definition = dict[str, Any]


def definition(version: SchemeVersion) -> Definition:
    """Everything that decides a score, by codes instead of keys and numbers as text.

    Two versions with the same definition score alike, whatever their numbers or names.
    """
    return {
        "scheme": version.scheme.code,
        "scope": {name: sorted(codes) for name, codes in sorted(version.scope.items())},
        "items": [_item(item) for item in version.items.select_related("product_line")],
        "levels": [
            {"level": level.level.code, "min_total": plain(level.min_total)}
            for level in version.levels.select_related("level").order_by("-min_total")
        ],
    }


def _item(item: Any) -> Definition:
    return {
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
        higher=measures.get(item["measure"]).higher,
        missing=item["missing"],
    )


def compile_levels(found: Definition) -> list[tuple[Decimal, str]]:
    """[(minimum total, level code)] for `scoring.level`."""
    return [(Decimal(row["min_total"]), row["level"]) for row in found["levels"]]
