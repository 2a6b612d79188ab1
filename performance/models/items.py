"""How the items of a score are stored: compact text, the same text that the digest is over."""

from __future__ import annotations

import json
from typing import Any

from django.db import models

# One array for each item, in this order; numbers as text, so that no decimal is lost. Names would
# be more than half of what is written.
LAYOUT = (
    "code",
    "weight",
    "value",
    "target",
    "points",
    "x",
    "status",
    "step",
    "numerator",
    "denominator",
    "lines",
)
# Only of a derived measure, after the others: [[code, value], …] of the measures it is made of.
PARTS = "parts"


class ItemsField(models.TextField):
    """A list of dicts with the names of LAYOUT; in the database a JSON array of arrays as text.

    Text, not jsonb: taking jsonb apart is most of the time of writing the scores, and nothing
    searches in it. Where something must, `items::jsonb` does.
    """

    def from_db_value(self, value: str | None, *_args: Any) -> list[dict[str, Any]] | None:
        return None if value is None else unpack(value)

    def to_python(self, value: Any) -> Any:
        return unpack(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> str | None:
        return value if value is None or isinstance(value, str) else pack(value)

    def value_to_string(self, obj: Any) -> str:
        items: Any = self.value_from_object(obj)
        return pack(items)


def pack(items: list[dict[str, Any]]) -> str:
    """The stored text of items."""
    rows = [
        [item[name] for name in LAYOUT] + ([item[PARTS]] if PARTS in item else []) for item in items
    ]
    return json.dumps(rows, separators=(",", ":"))


def unpack(text: str) -> list[dict[str, Any]]:
    """Items from their stored text."""
    return [dict(zip((*LAYOUT, PARTS)[: len(row)], row, strict=True)) for row in json.loads(text)]
