"""What a list says about its columns, and how it orders by them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import F
from django.http import HttpRequest

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


# --- Order ---------------------------------------------------------------------------------------


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
