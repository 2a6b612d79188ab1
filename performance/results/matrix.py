"""The heat map: every partner of an evaluation × the points of its items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import DecimalField, Func, QuerySet
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from core.tables import Column
from core.templatetags.fmt import NONE
from core.views.listing import Listing
from performance import bases, measures
from performance.definitions import Definition, item_definition
from performance.explain import Stored, item_label, shown
from performance.models import Evaluation, TargetSource
from performance.models.items import LAYOUT
from performance.models.schemes import CODE

# Lower bounds of the colours, in points; the last is for more than full marks.
BANDS = (Decimal(0), Decimal(40), Decimal(60), Decimal(75), Decimal(90), Decimal("100.0001"))
TENTH = Decimal("0.1")
ITEM = "item."


class ItemPoints(Func):
    """The points of an item, cut out of the stored text to order by.

    What stands before an item is skipped and its fields counted, which is right because codes and
    numbers hold neither quotes nor commas (performance.models.items). Reading the text as JSON
    would take five times as long, and is most of the time of a page of 20,000 partners.
    """

    template = (
        "nullif(trim(both '\"' from split_part("
        "split_part(%(expressions)s, '[\"%(code)s\",', 2), ',', %(nth)s)), 'null')::numeric"
    )
    output_field = DecimalField()

    def __init__(self, code: str) -> None:
        CODE(code)
        super().__init__("items", code=code, nth=LAYOUT.index("points"))


def definitions(evaluation: Evaluation) -> list[Definition]:
    """The items of the version of an evaluation, in the order in which scores store them."""
    rows = evaluation.scheme_version.items.select_related("product_line", "source_scheme")
    return [item_definition(row) for row in rows]


def band(points: Decimal) -> int:
    """The number of the colour of some points: 0 is the worst, 5 more than full marks."""
    return sum(1 for bound in BANDS[1:] if points >= bound)


def heat(points: Any, title: str = "") -> SafeString:
    """Points as a coloured cell, with one decimal; what does not apply is a dash."""
    if points is None:
        label = escape(title or _("Does not apply"))
        return mark_safe(f'<span class="heat" title="{label}">{NONE}</span>')
    number = Decimal(points)
    return mark_safe(
        f'<span class="heat b{band(number)}" title="{escape(title)}">'
        f"{number.quantize(TENTH)}</span>"
    )


def legend() -> list[tuple[int, str]]:
    """(number of the colour, the points it stands for)."""
    bounds = [f"{bound.normalize():f}" for bound in BANDS]
    ranges = [f"{low}–{high}" for low, high in zip(bounds[:4], bounds[1:5], strict=True)]
    return list(enumerate([*ranges, "90–100", "> 100"]))


def item_columns(items: Sequence[Definition]) -> list[Column]:
    """A column for each item: sortable by its points, exported as a number."""
    return [_column(item) for item in items]


def _column(item: Definition) -> Column:
    compared = item["target_source"] != TargetSource.NONE
    unit = measures.RATIO if compared else bases.of(item).unit

    def render(stored: Stored | None) -> str:
        return heat(stored["points"], shown(stored["x"], unit)) if stored else heat(None)

    def export(stored: Stored | None) -> Decimal | None:
        return Decimal(stored["points"]) if stored and stored["points"] is not None else None

    return Column(
        f"{ITEM}{item['code']}",
        label=item_label(item),
        kind="number",
        sort=(ItemPoints(item["code"]),),
        render=render,
        export=export,
    )


class _Rows:
    """The rows of a list with their items taken apart, one value a column."""

    def __init__(self, rows: QuerySet, codes: list[str]) -> None:
        self.rows, self.codes = rows, codes

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self._apart(self.rows)

    def iterator(self, chunk_size: int) -> Iterator[tuple[Any, ...]]:
        return self._apart(self.rows.iterator(chunk_size=chunk_size))

    def _apart(self, rows: Any) -> Iterator[tuple[Any, ...]]:
        for *head, items in rows:
            stored = {item["code"]: item for item in items}
            yield (*head, *map(stored.get, self.codes))


class MatrixListing(Listing):
    """A list whose item columns share one stored text, which is read once a row."""

    def read(self, queryset: QuerySet) -> tuple[Any, list[int]]:
        plain = [column for column in self.columns if not column.name.startswith(ITEM)]
        codes = [c.name.removeprefix(ITEM) for c in self.columns if c.name.startswith(ITEM)]
        sources = [column.sources(self.request) for column in plain]
        flat = [source for group in sources for source in group]
        rows = _Rows(queryset.values_list("pk", *flat, "items"), codes)
        return rows, [*map(len, sources), *[1] * len(codes)]

    # The evaluation is no filter that could be taken away.

    @property
    def kept(self) -> list[tuple[str, str]]:
        return [*super().kept, *self._which]

    @property
    def clear_url(self) -> str:
        kept = [(key, value) for key, value in self._pairs if key in ("sort", "size")]
        return "?" + urlencode([*self._which, *kept])

    @property
    def _which(self) -> list[tuple[str, str]]:
        return [(key, value) for key, value in self._pairs if key == "evaluation"]
