"""JSON as it goes out: decimals are strings, times are UTC."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework.renderers import JSONRenderer as BaseRenderer
from rest_framework.utils.encoders import JSONEncoder


class Encoder(JSONEncoder):
    """Rows come from the database as they are, so the encoder decides how a number looks."""

    def default(self, obj: Any) -> Any:
        return f"{obj:f}" if isinstance(obj, Decimal) else super().default(obj)


class JSONRenderer(BaseRenderer):
    encoder_class = Encoder
