"""Schemes that come with the program as files, to be read and copied."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.utils.translation import get_language, gettext_lazy as _

from performance.schemes import files

FOLDER = Path(__file__).with_name("example_schemes")
# In the order in which they are offered, with what they show.
_TOLD = {
    "first-use": _(
        "A start for everybody: nine items from target attainment to a judgement by people, "
        "deductions for decided cases, levels that do not jump."
    ),
    "quarterly-distributor": _(
        "The quarterly card of a distributor: attainment, focus products, order changes, forecast, "
        "quality of information and direct sales."
    ),
    "annual": _(
        "The year: attainment × 70 % + the mean of the quarterly results without sales × 30 %."
    ),
    "capability": _(
        "A capability score: every metric must be above zero, and the total at least 70."
    ),
    "points-with-minimum": _(
        "Points from several sources, with a minimum from one of them that nothing can replace."
    ),
}


@dataclass(frozen=True)
class Example:
    """One file: `name` in addresses, `told` what it shows."""

    name: str
    told: Any
    document: files.Document

    @property
    def title(self) -> str:
        """Its name in the language of the page."""
        english = get_language() == "en" and self.document.get("name_en")
        return str(english or self.document["name"])

    @property
    def sources(self) -> list[str]:
        """The schemes whose results it uses."""
        return sorted({i["source_scheme"] for i in self.document["items"] if "source_scheme" in i})

    def copy(self, names: dict[str, str], source: str | None) -> files.Document:
        """The document under another code and names, resting on the scheme `source`."""
        document = deepcopy(self.document) | names
        for item in document["items"]:
            if source and "source_scheme" in item:
                item["source_scheme"] = source
        return files.parse(document)


@cache
def every() -> tuple[Example, ...]:
    """All examples."""
    return tuple(
        Example(name, told, files.parse((FOLDER / f"{name}.json").read_bytes()))
        for name, told in _TOLD.items()
    )


def find(name: str) -> Example | None:
    """The example of that name."""
    return next((example for example in every() if example.name == name), None)
