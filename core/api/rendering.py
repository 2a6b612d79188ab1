"""What goes out: JSON, and lists as CSV too. Decimals are strings, times are UTC."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rest_framework.renderers import BaseRenderer, JSONRenderer as BaseJSONRenderer
from rest_framework.utils.encoders import JSONEncoder

from core.tables import cell_value


class Encoder(JSONEncoder):
    """Rows come from the database as they are, so the encoder decides how a number looks."""

    def default(self, obj: Any) -> Any:
        return f"{obj:f}" if isinstance(obj, Decimal) else super().default(obj)


class JSONRenderer(BaseJSONRenderer):
    encoder_class = Encoder


class CSVRenderer(BaseRenderer):
    """The rows of a page, with the names of the fields above them. The values are those of JSON;
    nothing is an empty cell, and text that a spreadsheet would run is disarmed."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        names = (renderer_context or {})["view"].names
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(names)
        writer.writerows([_cell(row[name]) for name in names] for row in data["results"])
        return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        return cell_value(value)
    plain = json.dumps(value, cls=Encoder, ensure_ascii=False)
    return plain.strip('"') if plain.startswith('"') else plain
