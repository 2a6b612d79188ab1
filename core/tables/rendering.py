"""Values as HTML and as cells of a file: one Python call and one string each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.utils import timezone
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from core.tables.declaring import Column, resolve
from core.templatetags import fmt

EMPTY = mark_safe('<span class="nil" aria-hidden="true">—</span>')

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


def _month(value: date | None) -> str:
    return EMPTY if value is None else f"{value:%Y-%m}"


def _datetime(value: datetime | None) -> str:
    return EMPTY if value is None else f"{timezone.localtime(value):%Y-%m-%d %H:%M}"


def _bool(value: bool | None) -> str:
    return EMPTY if value is None else conditional_escape(_("Yes") if value else _("No"))


DAYS = frozenset({"date", "month", "datetime"})
_PLAIN: dict[str, Callable[[Any], str]] = {
    "text": _text,
    "number": _text,
    "date": _date,
    "month": _month,
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
    if column.kind == "month":
        return lambda value: value and f"{value:%Y-%m}"
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
        kind = "num" if column.numeric else "day" if column.kind in DAYS else ""
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


def describe(obj: Any, fields: Sequence[str | Column], user: Any = None) -> list[tuple[str, str]]:
    """(label, HTML) of some fields of one object, read as a list would read them."""
    out = []
    for field in fields:
        column = resolve(field, type(obj))
        model_field = obj._meta.get_field(column.name)
        value = getattr(obj, column.name)
        if model_field.many_to_many:
            value = ", ".join(str(row) for row in value.all())
        render = _text if model_field.is_relation else renderer(column)
        out.append((str(model_field.verbose_name), render(value)))
    return out


# --- Files ---------------------------------------------------------------------------------------


def cell_value(value: Any) -> Any:
    """A value as it may stand in a file: text that a spreadsheet would run is disarmed.

    A number stays a number, also a negative one.
    """
    if isinstance(value, Decimal | int | float | date | datetime) or value is None:
        return value
    text = str(value)
    return f"'{text}" if text[:1] in _ARMED else text


_ARMED = frozenset("=+-@\t\r\n＝＋－＠")
