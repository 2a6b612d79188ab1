"""Tables that are rendered flat.

A column says which values of a row it needs and how they read. A page of rows is one
`values_list()` of just the values of the columns that are shown, and each cell is one Python call
and one string: no template, no bound object, no model instance a cell (docs/adr/0003).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from core.templatetags import fmt

EMPTY = mark_safe('<span class="nil" aria-hidden="true">—</span>')
NUMERIC = frozenset({"number", "money", "amount", "qty", "percent"})


@dataclass(frozen=True)
class Column:
    """One column of a list.

    `name` stands in the address. `source` is what it reads: an ORM path, several of them, an
    expression, or a function of the request that returns one; by default the name itself. `kind`
    chooses how a value reads and exports; `render` (values → HTML) and `export` (values → cell)
    replace it. `sort` names the paths to order by, `()` forbids it. `shown` is the choice of
    somebody who made none; without the `permission` the column is not there.
    """

    name: str
    label: Any = ""
    source: Any = None
    kind: str = ""
    sort: Any = None
    shown: bool = True
    permission: str = ""
    render: Callable[..., str] | None = None
    export: Callable[..., Any] | None = None
    choices: dict[Any, Any] = field(default_factory=dict)
    colors: dict[Any, str] = field(default_factory=dict)

    @property
    def numeric(self) -> bool:
        return self.kind in NUMERIC

    def sources(self, request: HttpRequest) -> tuple[Any, ...]:
        """The paths and expressions that this column reads for `request`."""
        source = self.source(request) if callable(self.source) else self.source
        return source if isinstance(source, tuple) else (source,)

    def order(self, request: HttpRequest) -> tuple[Any, ...]:
        """What to order by, ascending."""
        return self.sources(request)[:1] if self.sort is None else self.sort

    @property
    def sortable(self) -> bool:
        return self.sort is None or bool(self.sort)


def resolve(column: str | Column, model: type[models.Model]) -> Column:
    """Fill in from the model field what the declaration leaves open."""
    if isinstance(column, str):
        column = Column(column)
    source = column.source if column.source is not None else column.name
    model_field = _field(model, source[0] if isinstance(source, tuple) else source)
    if model_field is None:
        return replace(column, source=source, kind=column.kind or "text")
    choices = column.choices or dict(model_field.flatchoices or ())
    return replace(
        column,
        source=source,
        label=column.label or model_field.verbose_name,
        kind=column.kind or _kind(model_field, choices),
        choices=choices,
    )


def _field(model: type[models.Model], path: Any) -> models.Field | None:
    if not isinstance(path, str):
        return None
    found: Any = None
    for step in path.split("__"):
        try:
            found = model._meta.get_field(step)
        except FieldDoesNotExist:
            return None
        model = getattr(found, "related_model", None) or model
    return found if isinstance(found, models.Field) else None


def _kind(model_field: models.Field, choices: dict[Any, Any]) -> str:
    if choices:
        return "choice"
    for types, kind in (
        (models.DateTimeField, "datetime"),
        (models.DateField, "date"),
        (models.BooleanField, "bool"),
        (models.DecimalField, "qty"),
        ((models.IntegerField, models.FloatField), "number"),
    ):
        if isinstance(model_field, types):
            return kind if not model_field.is_relation else "text"
    return "text"


# --- Columns that upper apps add to the list of a lower one ---------------------------------------

_added: dict[str, list[Column]] = {}


def add_column(model_label: str, column: Column) -> None:
    """Add a column to the list of a lower app's model ("partners.partner"); call it in ready()."""
    _added.setdefault(model_label.lower(), []).append(column)


def added_to(model: type[models.Model]) -> list[Column]:
    """The columns that other apps added."""
    return _added.get(model._meta.label_lower, [])


# --- One value as HTML ---------------------------------------------------------------------------


def badge(text: Any, color: str = "secondary") -> SafeString:
    """A state or a level: coloured, and told in words."""
    return mark_safe(
        f'<span class="badge bg-{conditional_escape(color)}-lt">{conditional_escape(text)}</span>'
    )


def _text(value: Any) -> str:
    return EMPTY if value is None or value == "" else conditional_escape(value)


def _choice(choices: dict[Any, Any], value: Any) -> str:
    return _text(choices.get(value, value))


def _badge(choices: dict[Any, Any], colors: dict[Any, str], value: Any) -> str:
    if value is None or value == "":
        return EMPTY
    return badge(choices.get(value, value), colors.get(value, "secondary"))


def _formatted(function: Callable[[Any], Any], value: Any) -> str:
    return EMPTY if value is None else conditional_escape(function(value))


def _date(value: date | None) -> str:
    return EMPTY if value is None else value.isoformat()


def _datetime(value: datetime | None) -> str:
    return EMPTY if value is None else f"{timezone.localtime(value):%Y-%m-%d %H:%M}"


def _bool(value: bool | None) -> str:
    return EMPTY if value is None else conditional_escape(_("Yes") if value else _("No"))


_PLAIN: dict[str, Callable[[Any], str]] = {
    "text": _text,
    "number": _text,
    "date": _date,
    "datetime": _datetime,
    "bool": _bool,
    "money": partial(_formatted, fmt.money),
    "qty": partial(_formatted, fmt.qty),
    "percent": partial(_formatted, fmt.percent),
}


def renderer(column: Column, unit: str = "") -> Callable[..., str]:
    """The function that turns the values of a cell into HTML; amounts in the user's `unit`."""
    if column.render:
        return column.render
    if column.kind == "amount":
        return lambda value: EMPTY if value is None else fmt.in_unit(value, unit)
    choices = {key: str(label) for key, label in column.choices.items()}
    if column.kind == "badge":
        return partial(_badge, choices, column.colors)
    if column.kind == "choice":
        return partial(_choice, choices)
    return _PLAIN[column.kind]


def exporter(column: Column) -> Callable[..., Any]:
    """The function that turns the values of a cell into a plain value for a file."""
    if column.export:
        return column.export
    choices = {key: str(label) for key, label in column.choices.items()}
    if column.kind == "bool":
        return lambda value: None if value is None else (_("Yes") if value else _("No"))
    if column.kind == "datetime":
        return lambda value: value and timezone.localtime(value).replace(tzinfo=None)
    if choices:
        return lambda value: choices.get(value, value)
    return lambda value, *others: value


def tree_cell(name: str, path: str) -> str:
    """A name indented by how deep its row lies."""
    depth = max(0, path.count("/") - 2)
    return f'<span class="depth-{min(depth, 5)}">{conditional_escape(name)}</span>'


def tree_name(name: str, path: str) -> str:
    """The name alone, for a file."""
    return name


# --- A page of rows ------------------------------------------------------------------------------


@dataclass(frozen=True)
class RowStyle:
    """What surrounds the cells: where a row opens (`%s` is its key), whether it can be ticked."""

    href: str | None = None
    ticks: bool = False
    unit: str = ""


def render_rows(
    columns: Sequence[Column], widths: Sequence[int], rows: Iterable[tuple], style: RowStyle
) -> SafeString:
    """All `<tr>` of a page. Each row is (pk, values of column 1, values of column 2 …)."""
    plan, at = [], 1
    for index, (column, width) in enumerate(zip(columns, widths, strict=True)):
        kind = "num" if column.numeric else "day" if column.kind in ("date", "datetime") else ""
        css = "lead" if index == 0 else kind
        label = conditional_escape(capfirst(str(column.label)))
        opening = f'<td data-label="{label}"' + (f' class="{css}">' if css else ">")
        plan.append((opening, renderer(column, style.unit), at, at + width, index == 0))
        at += width
    out: list[str] = []
    tick_label = conditional_escape(_("Select row"))
    for row in rows:
        pk = row[0]
        out.append("<tr>")
        if style.ticks:
            out.append(
                f'<td class="tick"><input type="checkbox" class="form-check-input" name="pk" '
                f'value="{pk}" aria-label="{tick_label}"></td>'
            )
        for opening, render, start, end, first in plan:
            cell = render(*row[start:end])
            if first and style.href:
                cell = f'<a class="row-link" href="{style.href % pk}">{cell}</a>'
            out.append(f"{opening}{cell}</td>")
        out.append("</tr>")
    return mark_safe("".join(out))


def describe(obj: Any, names: Sequence[str], user: Any = None) -> list[tuple[str, str]]:
    """(label, HTML) of the named fields of one object, read as a list would read them."""
    out = []
    for name in names:
        model_field = obj._meta.get_field(name)
        value = getattr(obj, name)
        if model_field.many_to_many:
            value = ", ".join(str(row) for row in value.all())
        column = resolve(name, type(obj))
        render = _text if model_field.is_relation else renderer(column)
        out.append((str(model_field.verbose_name), render(value)))
    return out


def order_by(paths: Sequence[Any], model: type[models.Model], *, descending: bool) -> list[Any]:
    """`paths` as order_by arguments, empty values last in both directions."""
    out: list[Any] = []
    for path in paths:
        flip = isinstance(path, str) and path.startswith("-")
        name = path[1:] if flip else path
        model_field = _field(model, name)
        if model_field is not None and not model_field.null and "__" not in name:
            out.append(f"-{name}" if descending != flip else name)  # a plain index serves it
            continue
        expression = F(name) if isinstance(name, str) else name
        down = descending != flip
        out.append(expression.desc(nulls_last=True) if down else expression.asc(nulls_last=True))
    return out


def cell_value(value: Any) -> Any:
    """A value as it may stand in a file: text that a spreadsheet would run is disarmed.

    A number stays a number, also a negative one.
    """
    if isinstance(value, Decimal | int | float | date | datetime) or value is None:
        return value
    text = str(value)
    return f"'{text}" if text[:1] in _ARMED else text


_ARMED = frozenset("=+-@\t\r\n＝＋－＠")
