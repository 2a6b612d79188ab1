"""Tables that are rendered flat.

A column says which values of a row it needs and how they read. A page of rows is one
`values_list()` of just the values of the columns that are shown, and each cell is one Python call
and one string: no template, no bound object, no model instance a cell (docs/adr/0003).
"""

from core.tables.declaring import Column, add_column, added_to, order_by, resolve
from core.tables.rendering import (
    EMPTY,
    RowStyle,
    badge,
    cell_value,
    describe,
    exporter,
    render_rows,
    renderer,
    tree_cell,
    tree_name,
)

__all__ = [
    "EMPTY",
    "Column",
    "RowStyle",
    "add_column",
    "added_to",
    "badge",
    "cell_value",
    "describe",
    "exporter",
    "order_by",
    "render_rows",
    "renderer",
    "resolve",
    "tree_cell",
    "tree_name",
]
