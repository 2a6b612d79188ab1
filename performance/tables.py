"""Columns, names, colours and limits that several tables share."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.utils.html import conditional_escape
from django.utils.translation import get_language, gettext_lazy

from core.periods import Period
from core.tables import EMPTY, Column
from partners.views import person, person_cell
from performance import measures
from performance.models import DerivedMeasure

# What a table leaves out whose rows nobody writes by hand.
READ_ONLY = frozenset({"create", "edit", "delete", "bulk"})
STATE_COLORS = {
    "draft": "secondary",
    "published": "green",
    "retired": "secondary",
    "running": "blue",
    "computed": "yellow",
    "rating": "yellow",
    "review": "yellow",
    "appeal": "green",
    "final": "green",
    "superseded": "secondary",
    "failed": "red",
    "proposed": "yellow",
    "decided": "red",
    "rejected": "secondary",
}

PARTNER = Column(
    "partner", label=gettext_lazy("partner"), source="partner__name", sort=("partner__pinyin",)
)
PARTNER_CODE = Column("code", label=gettext_lazy("code"), source="partner__code")


def scheme_name(name: str | None, name_en: str | None) -> str:
    """The name of a scheme in the language of the page."""
    return (name_en if get_language() == "en" and name_en else name) or ""


def scheme_cell(name: str | None, name_en: str | None) -> str:
    """The name as a cell."""
    return conditional_escape(scheme_name(name, name_en))


def scheme_column(path: str, *, name: str = "scheme") -> Column:
    """The scheme behind `path`."""
    return Column(
        name,
        label=gettext_lazy("scheme"),
        source=(f"{path}__name", f"{path}__name_en"),
        render=scheme_cell,
        export=scheme_name,
    )


def period_name(code: str) -> str:
    """“2013Q3” as it is said."""
    return Period.parse(code, settings.FISCAL_YEAR_START).label if code else EMPTY


def person_column(name: str, label: Any, **options: Any) -> Column:
    """Somebody by the full name."""
    return Column(
        name,
        label=label,
        source=tuple(f"{name}__{part}" for part in ("username", "first_name", "last_name")),
        render=person_cell,
        export=person,
        **options,
    )


def measure_column() -> Column:
    """The measure of an item by its name, which of a derived one is in its row."""
    made = DerivedMeasure.objects.filter(code=OuterRef("measure"))
    return Column(
        "measure",
        source=("measure", Subquery(made.values("name")), Subquery(made.values("name_en"))),
        sort=("measure",),
        render=lambda *named: conditional_escape(measure_name(*named)),
        export=measure_name,
    )


def measure_name(code: str, name: str | None, name_en: str | None) -> str:
    """The name of a measure in the language of the page."""
    declared = measures.REGISTRY.get(code)
    return str(declared.label) if declared else scheme_name(name, name_en) or code
