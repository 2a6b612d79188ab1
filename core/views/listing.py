"""The list of a model: what the address asks for, worked out once a request.

List page, HTMX part, export and bulk action share one `Listing`, so they mean the same rows.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import QueryDict

from core import filters, tables

if TYPE_CHECKING:
    from core.views.crud import CRUDView

SIZES = (25, 50, 100, 200)
OWN_PARAMETERS = ("q", "sort", "page", "size")
# Counting stops here: nobody reads page 2,000, and an exact count of millions costs a scan.
COUNT_LIMIT = 100_000


class Listing:
    """Rows, columns, order and page of one list for one request."""

    def __init__(self, view: CRUDView, data: QueryDict | None = None) -> None:
        self.view = view
        self.request = view.request
        self.data = self.request.GET if data is None else data
        self.saved = view.preferences()

    # --- Which rows ---

    @cached_property
    def filterset(self) -> Any:
        """The FilterSet with the filters in use, or None for a model without filters."""
        if self.view.filterset_class is None:
            return None
        return self.view.filterset_class(
            self.data, queryset=self.view.get_queryset(), request=self.request
        )

    @property
    def search_text(self) -> str:
        return self.data.get("q", "").replace("\x00", "").strip()[:100]

    @cached_property
    def queryset(self) -> QuerySet:
        """The rows that match, neither ordered nor annotated."""
        if self.filterset is None:
            queryset = self.view.get_queryset()
        else:
            # A filter that cannot be read must not silently show (or export) everything.
            queryset = self.filterset.qs if self.filterset.form.is_valid() else self.view.nothing()
        if self.search_text and self.view.search_fields:
            queryset = filters.search(queryset, self.view.search_fields, self.search_text)
        return queryset

    @cached_property
    def total(self) -> int:
        """How many rows match; at most COUNT_LIMIT + 1."""
        return self.queryset.order_by().values("pk")[: COUNT_LIMIT + 1].count()

    @property
    def capped(self) -> bool:
        return self.total > COUNT_LIMIT

    @property
    def total_text(self) -> str:
        return f"{self.total:,}"

    @property
    def narrowed(self) -> bool:
        """Whether a search or a filter hides rows."""
        return bool(self.search_text or self.chips)

    # --- Which columns, in which order ---

    @cached_property
    def all_columns(self) -> tuple[tables.Column, ...]:
        """Every column that the user may see."""
        may = self.request.user.has_perm
        columns = self.view.all_columns()
        return tuple(c for c in columns if not c.permission or may(c.permission))

    @cached_property
    def columns(self) -> list[tables.Column]:
        """The columns to show: the user's choice, else the usual ones; the first one always."""
        chosen = self.saved.get("columns")
        if not chosen:
            return [column for column in self.all_columns if column.shown]
        by_name = {column.name: column for column in self.all_columns}
        picked = [by_name[name] for name in chosen if name in by_name]
        lead = self.all_columns[0]
        return picked if lead in picked else [lead, *picked]

    @cached_property
    def sort(self) -> tuple[tables.Column, bool] | None:
        """(column, descending) when the address asks for a column that can be sorted."""
        wanted = self.data.get("sort", "")
        for column in self.all_columns:
            if column.name == wanted.removeprefix("-") and column.sortable:
                return column, wanted.startswith("-")
        return None

    def ordered(self, queryset: QuerySet) -> QuerySet:
        """In the order asked for, made stable by the key."""
        column, descending = self.sort or (None, False)
        paths: Any = column.order(self.request) if column else self.view.ordering
        # An aggregate can be ordered by only under a name.
        named = {f"_order{n}": p for n, p in enumerate(paths) if not isinstance(p, str)}
        queryset = queryset.annotate(**named)
        paths = [p if isinstance(p, str) else f"_order{n}" for n, p in enumerate(paths)]
        terms = tables.order_by(paths, self.view.model, descending=descending)
        return queryset.order_by(*terms, "-pk" if descending else "pk")

    def read(self, queryset: QuerySet) -> tuple[QuerySet, list[int]]:
        """One `values_list` of (pk, what the columns need), and how many values each takes."""
        sources = [column.sources(self.request) for column in self.columns]
        flat = [source for group in sources for source in group]
        return queryset.values_list("pk", *flat), [len(group) for group in sources]

    # --- Which page ---

    @cached_property
    def size(self) -> int:
        for value in (self.data.get("size", ""), str(self.saved.get("size", ""))):
            if value.isdecimal() and len(value) < 4 and int(value) in SIZES:
                return int(value)
        return 50

    @cached_property
    def pages(self) -> int:
        return max(1, -(-min(self.total, COUNT_LIMIT) // self.size))

    @cached_property
    def number(self) -> int:
        value = self.data.get("page", "1")
        return min(max(int(value), 1), self.pages) if value.isdecimal() and len(value) < 9 else 1

    @property
    def first(self) -> int:
        return (self.number - 1) * self.size + 1

    @property
    def last(self) -> int:
        return min(self.number * self.size, self.total)

    @cached_property
    def body(self) -> str:
        """The `<tr>` of this page."""
        if not self.total:
            return ""
        start = (self.number - 1) * self.size
        queryset, widths = self.read(self.ordered(self.queryset)[start : start + self.size])
        href = None if "detail" in self.view.exclude else self.view.row_href
        unit = self.request.user.amount_unit
        style = tables.RowStyle(href=href, ticks=bool(self.bulk_actions), unit=unit)
        return tables.render_rows(self.columns, widths, queryset, style)

    @cached_property
    def bulk_actions(self) -> list[Any]:
        return self.view.allowed_bulk_actions()

    # --- Addresses ---

    @cached_property
    def _pairs(self) -> list[tuple[str, str]]:
        return [(key, value) for key in self.data for value in self.data.getlist(key) if value]

    def query(self, **changes: Any) -> str:
        """The address of this list with some parameters changed (`None` drops one)."""
        pairs = [(k, v) for k, v in self._pairs if k not in changes and k != "page"]
        pairs += [(key, value) for key, value in changes.items() if value is not None]
        return "?" + urlencode(pairs)

    @property
    def state(self) -> list[tuple[str, str]]:
        """The parameters that a search must keep."""
        return [(key, value) for key, value in self._pairs if key not in ("q", "page")]

    @property
    def kept(self) -> list[tuple[str, str]]:
        """The parameters that the filter form must keep: those that are no filter."""
        return [(key, value) for key, value in self._pairs if key in ("q", "sort", "size")]

    @property
    def sizes(self) -> list[tuple[int, str]]:
        """(rows a page, address) to choose from."""
        return [(size, self.query(size=size)) for size in SIZES]

    @property
    def current(self) -> str:
        return self.query()

    @property
    def previous_url(self) -> str | None:
        return self.query(page=self.number - 1) if self.number > 1 else None

    @property
    def next_url(self) -> str | None:
        return self.query(page=self.number + 1) if self.number < self.pages else None

    @cached_property
    def headers(self) -> list[dict[str, Any]]:
        """One a column: label, class, address that sorts by it, `aria-sort`."""
        sorted_by, descending = self.sort or (None, False)
        out = []
        for column in self.columns:
            mine = column is sorted_by
            target = f"-{column.name}" if mine and not descending else column.name
            out.append(
                {
                    "label": column.label,
                    "numeric": column.numeric,
                    "url": self.query(sort=target) if column.sortable else None,
                    "aria": ("descending" if descending else "ascending") if mine else None,
                }
            )
        return out

    @cached_property
    def chips(self) -> list[tuple[str, str, str]]:
        """(label, value, address without it) of each filter in use."""
        if self.filterset is None or not self.filterset.filters:
            return []
        out = []
        for name, label, value in self.filterset.active():
            gone = {k: None for k, v in self._pairs if k == name or k.startswith(f"{name}_")}
            out.append((label, value, self.query(**gone)))
        return out

    @property
    def clear_url(self) -> str:
        """The address without search and filters."""
        kept = [(key, value) for key, value in self._pairs if key in ("sort", "size")]
        return "?" + urlencode(kept)

    @cached_property
    def errors(self) -> list[str]:
        """What is wrong with the filters in the address."""
        if self.filterset is None or self.filterset.form.is_valid():
            return []
        form = self.filterset.form
        return [f"{form[name].label}: {' '.join(errs)}" for name, errs in form.errors.items()]
