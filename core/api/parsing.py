"""JSON as it comes in: of bounded size and depth, and text that the database can hold."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _, gettext_lazy
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser


class TooLarge(APIException):
    status_code = 413
    default_detail = gettext_lazy("The request is too large.")
    default_code = "too_large"


def _no_constant(name: str) -> None:
    raise ValueError(name)


class JSONParser(BaseParser):
    """RFC 8259 in UTF-8. No NaN, no NUL, no half of a surrogate pair."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise TooLarge
        try:
            data = json.loads(raw.decode(), parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise ParseError(_("This is not valid JSON: %(why)s") % {"why": _why(error)}) from error
        if b"\\u" in raw or b"\x00" in raw:
            _check_text(data)
        return data


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.lineno}:{error.colno}"
    return _("nested too deeply") if isinstance(error, RecursionError) else _("not readable")


def _check_text(data: Any) -> None:
    """Refuse what PostgreSQL cannot store."""
    text = json.dumps(data, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ParseError(_("The text contains half of a surrogate pair.")) from error
    if "\\u0000" in text.replace("\\\\", ""):
        raise ParseError(_("The text contains a NUL character."))
