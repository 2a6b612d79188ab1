"""Columns of numbers given in thousands, 万 or millions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from core.errors import DomainError
from core.importing.mapping import units_in

if TYPE_CHECKING:
    from core.importing.registry import Field

# What is multiplied by, and how a column name says so.
WORDS = {"1000": "thousand", "10000": "万", "1000000": "million"}
_UNITS = (
    (re.compile(r"百万|million|\bmn\b", re.I), "1000000"),
    (re.compile(r"万"), "10000"),
    # Thousand grams, metres, watts and litres are units of their own.
    (re.compile(r"千(?![克米瓦升])|thousand|'000|\b000s?\b", re.I), "1000"),
)


def suggested(column: str) -> str:
    """The scale that the unit in a column name says: 金额(万元), Amount (thousand); else ""."""
    for unit in units_in(column):
        for sign, scale in _UNITS:
            if sign.search(unit):
                return scale
    return ""


def checked(fields: Iterable[Field], chosen: Mapping[str, str]) -> dict[str, Decimal]:
    """{field: what its numbers are multiplied by} of those that are. Raises DomainError
    `bad_scale`."""
    numbers = {field.name for field in fields if field.number}
    for name, scale in chosen.items():
        if name not in numbers:
            raise DomainError("bad_scale", _("“%s” is no field with numbers.") % name, name)
        if scale not in ("1", *WORDS):
            raise DomainError(
                "bad_scale",
                _("“%(scale)s” is none of: %(scales)s.")
                % {"scale": scale, "scales": ", ".join(["1", *WORDS])},
                name,
            )
    return {name: Decimal(scale) for name, scale in chosen.items() if scale != "1"}
